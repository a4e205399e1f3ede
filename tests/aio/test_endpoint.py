"""The endpoint of sipbridge.aio: messages, streams, default answers, and that it neither blocks nor polls."""

import asyncio
import os
import threading
import time

import pytest

import sipbridge
from aio.loop import elsewhere, in_loop
from aio.test_calls import endpoint
from conformance.sdp import ANSWER, OFFER
from peers.silent import Silent
from sipbridge import aio


@in_loop
async def test_messages_both_ways(other):
    async with endpoint() as phone:
        texts = []
        phone.on(sipbridge.MessageReceived, lambda event: texts.append(event.text))
        assert (await phone.message(other.uri, "hello")).status == 200
        assert (await phone.options(other.uri)).status == 200
        assert (await elsewhere(other.endpoint, "message", phone.uri, "and you?"))["status"] == 200
        assert texts == ["and you?"]


@in_loop
async def test_a_message_that_nobody_looks_at_is_refused(other):
    async with endpoint() as phone:
        with pytest.raises(Exception, match="480"):
            await elsewhere(other.endpoint, "message", phone.uri, "anybody?")


@in_loop
async def test_a_coroutine_answers_in_its_own_time(other):
    async with endpoint() as phone:

        async def answer(event):
            await asyncio.sleep(0.05)
            event.answer(202)

        phone.on(sipbridge.MessageReceived, answer)
        assert (await elsewhere(other.endpoint, "message", phone.uri, "x"))["status"] == 202


@in_loop
async def test_an_answer_that_is_deferred_and_one_that_does_not_come(other):
    async with endpoint() as phone:
        loop = asyncio.get_running_loop()

        def defer(event):
            event.defer(60.0 if event.text == "later" else 0.2)
            if event.text == "later":
                loop.call_later(0.1, event.answer, 202)

        phone.on(sipbridge.MessageReceived, defer)
        for text, status in (("later", 202), ("never", 200)):
            assert (await elsewhere(other.endpoint, "message", phone.uri, text))["status"] == status


@in_loop
async def test_draining(other):
    """What is new is refused while a call goes on."""
    async with endpoint() as phone:
        phone.on(sipbridge.IncomingCall, lambda event: event.call.answer(ANSWER))
        calling = other.start("endpoint", "call", phone.uri, OFFER)
        await elsewhere(calling.result)
        draining = asyncio.create_task(phone.drain(60.0))
        await asyncio.sleep(0)
        with pytest.raises(Exception, match="503"):
            await elsewhere(other.endpoint, "message", phone.uri, "anybody?")
        assert not draining.done()
        await elsewhere(other.call, "hangup")
        assert await draining is True and await phone.wait_closed(0.0)


@in_loop
async def test_a_stream_sees_each_event_once_and_loses_none_to_a_cancellation(other):
    async with endpoint() as phone, phone.events() as events:
        waiting = asyncio.create_task(events.__anext__())
        await asyncio.sleep(0)
        waiting.cancel()
        sending = [other.start("endpoint", "message", phone.uri, str(i)) for i in range(3)]
        seen = set()
        async for event in events:
            seen.add(event.text)
            if len(seen) == 3:
                break
        assert seen == {"0", "1", "2"}
    for each in sending:
        assert (await elsewhere(each.result))["status"] == 200


@in_loop
async def test_a_stream_ends_when_nothing_comes():
    async with endpoint() as phone:
        assert [event async for event in phone.events(timeout=0.05)] == []


@pytest.mark.skipif(bool(os.environ.get("SIPBRIDGE_TEST_PLACE")), reason="an engine elsewhere is watched by a thread")
@in_loop
async def test_there_is_no_thread_of_python():
    before = threading.active_count()
    async with endpoint():
        assert threading.active_count() == before


@in_loop
async def test_the_loop_sleeps_while_nothing_happens():
    async with endpoint() as phone:
        loop = asyncio.get_running_loop()
        turns = []
        select = loop._selector.select
        loop._selector.select = lambda timeout=None: turns.append(timeout) or select(timeout)
        waiting = asyncio.create_task(phone.events().__anext__())
        await asyncio.sleep(0.5)
        waiting.cancel()
        assert len(turns) <= 5


@in_loop
async def test_the_loop_goes_on_while_a_request_waits():
    peer = Silent()
    try:
        async with endpoint() as phone:
            asking = asyncio.create_task(phone.message(peer.uri, "x", timeout=0.5))
            ticks = 0
            while not asking.done():
                await asyncio.sleep(0.01)
                ticks += 1
            with pytest.raises(sipbridge.TimeoutError):
                await asking
            assert ticks > 10
    finally:
        peer.stop()


@in_loop
async def test_cancelling_a_registration_under_way_ends_it():
    peer = Silent()
    try:
        async with endpoint() as phone:
            registering = asyncio.create_task(phone.register(peer.uri))
            await asyncio.sleep(0.05)
            registering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await registering
            started = time.monotonic()
            await phone.close(timeout=0.2)
            assert time.monotonic() - started < 20.0  # not timer F's 32 s
    finally:
        peer.stop()


def test_an_endpoint_needs_a_running_loop():
    with pytest.raises(RuntimeError):
        aio.Endpoint()


@in_loop
async def test_bad_input_is_an_error_before_anything_is_sent():
    async with endpoint() as phone:
        for attempt in (
            lambda: phone.call("bob"),
            lambda: phone.message("sip:bob@127.0.0.1", 5),
            lambda: phone.register("sip:127.0.0.1", expires=0),
        ):
            with pytest.raises(sipbridge.InputError):
                await attempt()
        with pytest.raises(sipbridge.InputError):
            phone.on("IncomingCall", print)


def test_an_endpoint_left_open_is_closed_when_the_interpreter_exits(other):
    """Its call is ended, although the loop is over."""
    phones = []

    async def leave():
        phone = endpoint()
        phones.append(phone)
        phone.invite(other.uri, b"v=0\r\n")
        await elsewhere(other.wait, "incoming sdp")

    asyncio.run(leave())
    sipbridge._agent.endpoint._close_all()
    other.wait("ended cancelled 487")
    assert phones[0].calls == ()


@in_loop
async def test_an_account_registers_and_calls(other):
    async with endpoint(identity=None) as phone:
        account = phone.add_account("sip:alice@sipbridge.test")
        assert phone.accounts == (account,) and type(account) is aio.Account
        named = []
        phone.on(sipbridge.IncomingCall, lambda event: named.append((phone.account_of(event), event.call.reject(486))))
        uri = phone.uri.replace("sip:", "sip:alice@")
        with pytest.raises(Exception, match="486"):
            await elsewhere(other.endpoint, "call", uri, b"v=0\r\n")
        assert named == [(account, None)]
        assert (await account.message(other.uri, "from an account")).status == 200
        phone.remove_account(account)
        assert phone.accounts == ()
        assert phone.add_account("sip:alice@sipbridge.test") != account


def test_everything_that_waits_is_a_coroutine():
    names = {name for kind in (aio.Endpoint, aio.Call, aio.Registration) for name in vars(kind)}
    waiting = {"call", "register", "message", "wait_ended", "reinvite", "send_dtmf", "refresh", "unregister", "close"}
    assert waiting | {"invite", "events", "answer", "hangup", "on"} <= names
    for kind in (aio.Endpoint, aio.Call, aio.Registration, aio.Account):
        for name in waiting & set(vars(kind)):
            assert asyncio.iscoroutinefunction(getattr(kind, name)), name
    for name in ("call", "message", "options", "publish", "register", "request", "subscribe"):
        assert asyncio.iscoroutinefunction(getattr(aio.Account, name)), name
    with pytest.raises(AttributeError):
        aio.Call(None).state = "ended"
