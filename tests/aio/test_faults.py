"""Handlers that raise, in an event loop: what the peer is told, what the service is told, what becomes of both."""

import asyncio
import logging
import os
import sys
import time

import pytest

import sipbridge
from aio.loop import elsewhere, in_loop
from aio.test_calls import endpoint
from conformance.sdp import ANSWER, OFFER
from peers.silent import Silent
from sipbridge import aio


class Boom(Exception):
    pass


class NoException(BaseException):
    pass


def plain(error):
    def handler(event):
        raise error

    return handler


def coroutine(error):
    async def handler(event):
        await asyncio.sleep(0)
        raise error

    return handler


KINDS = [plain, coroutine]


def send(by_hand, port, text=b"x"):
    return by_hand.request(port, "MESSAGE", [("Content-Type", "text/plain")], text)


async def answer_to(by_hand, *names):
    return await elsewhere(by_hand.next, *names)


async def until(holds):
    while not holds():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_handler_that_raises_answers_500_and_calls_the_hook(by_hand, caplog, kind):
    faults, error = [], Boom("inner detail")
    async with endpoint(on_error=faults.append) as phone:
        phone.on(sipbridge.MessageReceived, kind(error))
        request = send(by_hand, phone.port)
        response = await answer_to(by_hand, "200", "500")
        assert response.name == "500" and "secret" not in repr(response.fields) and response.body == b""
        await until(lambda: faults)
    (fault,) = faults
    assert fault.error is error and fault.call_id == request["Call-ID"] and not fault.fatal
    assert type(fault.event) is sipbridge.MessageReceived
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.exc_info[1] is error and request["Call-ID"] in record.getMessage()


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_handler_that_raises_refuses_the_call_with_500(by_hand, kind):
    faults = []
    async with endpoint(on_error=faults.append) as phone:
        phone.on(sipbridge.IncomingCall, kind(Boom()))
        by_hand.request(phone.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
        assert (await answer_to(by_hand, "500")).method == "INVITE"
        assert type(faults[0].event.call) is aio.Call


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_handler_that_raises_beside_a_stream(by_hand, kind):
    async with endpoint() as phone, phone.events(10.0) as events:
        phone.on(sipbridge.MessageReceived, kind(Boom()))
        send(by_hand, phone.port)
        await events.__anext__()
        send(by_hand, phone.port)
        (await events.__anext__()).answer(202)
        assert [(await answer_to(by_hand, "200", "202", "500")).name for _ in range(2)] == ["500", "202"]


@in_loop
async def test_the_error_hook_may_be_a_coroutine_function_and_may_raise(by_hand, caplog):
    faults = []

    async def told(fault):
        await asyncio.sleep(0)
        faults.append(fault)
        raise RuntimeError("a fault in the hook")

    async with endpoint(on_error=told) as phone:
        phone.on(sipbridge.MessageReceived, plain(Boom()))
        for count in (1, 2):
            send(by_hand, phone.port)
            assert (await answer_to(by_hand, "200", "500")).name == "500"
            await until(lambda count=count: len(faults) == count)
    assert "a fault in the hook" in caplog.text


@in_loop
async def test_a_handler_that_is_cancelled_has_not_answered(by_hand, caplog):
    tasks = []

    async def wait(event):
        tasks.append(asyncio.current_task())
        await asyncio.sleep(60.0)

    async with endpoint() as phone:
        phone.on(sipbridge.MessageReceived, wait)
        send(by_hand, phone.port)
        await until(lambda: tasks)
        tasks[0].cancel()
        assert (await answer_to(by_hand, "200", "500")).name == "500"
        assert (await phone.wait_closed(0.0)) is False
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@in_loop
async def test_a_handler_that_raises_answers_500_to_a_message_within_a_call(by_hand):
    async with endpoint() as phone, phone.events(10.0) as events:
        invite = by_hand.request(phone.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
        call = (await events.__anext__()).call
        call.answer(ANSWER)
        to = (await answer_to(by_hand, "200"))["To"]
        by_hand.within(phone.port, invite, to, "ACK", 1)
        await events.__anext__()
        by_hand.within(phone.port, invite, to, "MESSAGE", 2, [("Content-Type", "text/plain")], b"hello")
        event = await events.__anext__()
        assert (type(event), event.call, event.text) == (sipbridge.MessageReceived, call, "hello")
        call.hangup()
        by_hand.reply(await answer_to(by_hand, "BYE"), 200)


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_a_base_exception_closes_the_endpoint_and_wakes_whoever_waits(by_hand, other, caplog, kind):
    faults, error, peer = [], NoException("that is all"), Silent()
    phone = endpoint(on_error=faults.append)
    try:
        phone.on(sipbridge.MessageReceived, kind(error))
        call = phone.invite(other.uri, OFFER)
        stream = phone.events()

        async def iterate():
            return [event async for event in stream]

        waits = [call.wait_ended(None), phone.message(peer.uri, "x"), iterate(), phone.wait_closed()]
        waiting = [asyncio.create_task(each) for each in waits]
        await elsewhere(other.wait, "incoming sdp")
        send(by_hand, phone.port)
        assert (await answer_to(by_hand, "200", "500")).name == "500"
        for task in waiting:
            with pytest.raises(sipbridge.EngineError, match="that is all") as caught:
                await task
            assert caught.value.__cause__ is error
        await phone.close()
        await elsewhere(other.wait, "ended cancelled 487")
        assert phone.calls == ()
    finally:
        await phone.close()
        peer.stop()
    assert faults[0].fatal and faults[0].error is error
    assert [each.exc_info[1] for each in caplog.records if each.levelno == logging.CRITICAL] == [error]


@pytest.mark.parametrize("kind", KINDS)
def test_sys_exit_ends_the_program_as_it_does_everywhere_in_asyncio(by_hand, other, caplog, kind):
    """The loop's end cancels whoever waits; the endpoint is closed in order."""
    seen = []

    async def serve():
        async with endpoint() as phone:
            phone.on(sipbridge.MessageReceived, kind(SystemExit(3)))
            phone.invite(other.uri, OFFER)
            await elsewhere(other.wait, "incoming sdp")
            send(by_hand, phone.port)
            try:
                await phone.wait_closed()
            except BaseException as error:
                seen.append(type(error))
                raise

    with pytest.raises(SystemExit) as caught:
        asyncio.run(serve())
    assert caught.value.code == 3
    assert seen == [asyncio.CancelledError]
    assert by_hand.next("200", "500").name == "500"
    other.wait("ended cancelled 487")
    assert [each.exc_info[1].code for each in caplog.records if each.levelno == logging.CRITICAL] == [3]


@in_loop
async def test_a_forked_child_gets_an_error_from_each_method(other):
    async with endpoint() as phone:
        stream = phone.events()
        child = os.fork()
        if not child:
            os._exit(_all_raise(phone, stream))
        assert os.waitpid(child, 0)[1] == 0
        assert (await phone.message(other.uri, "still there")).status == 200


def _all_raise(phone, stream):
    """0 when everything does, and at once."""
    began = time.monotonic()
    asyncio.set_event_loop(None)
    for attempt in (
        lambda: phone.invite("sip:bob@127.0.0.1:9", OFFER),
        lambda: _step(phone.message("sip:bob@127.0.0.1:9", "x")),
        lambda: _step(phone.wait_closed()),
        lambda: _step(stream.__anext__()),
    ):
        try:
            attempt()
        except sipbridge.EngineError as error:
            if "before a fork" in str(error):
                continue
        sys.stderr.write("%r did not raise\n" % attempt)
        return 1
    stream.close()
    return 0 if time.monotonic() - began < 1.0 else 2


def _step(awaitable):
    """The first step of a coroutine: there is no loop that would go on with it."""
    awaitable.send(None)
