"""Calls through sipbridge.aio, against an endpoint in another process and sipp."""

import asyncio
import time

import pytest

import sipbridge
from aio.loop import elsewhere, in_loop
from conformance.sdp import ANSWER, HOLD, OFFER
from peers import abilities
from peers.lost import engine_to_lose, kill
from peers.phone import engine_under_test
from peers.scenario import Callee
from peers.silent import Silent
from sipbridge import aio


def endpoint(identity="sip:alice@sipbridge.test", **options):
    return aio.Endpoint(identity=identity, engine=engine_under_test(), **options)


async def answered(phone, other):
    """A call that we placed and the other took."""
    placing = asyncio.create_task(phone.call(other.uri, OFFER))
    await elsewhere(other.wait, "incoming sdp")
    await elsewhere(other.call, "answer", ANSWER)
    call = await placing
    await elsewhere(other.wait, "confirmed")
    return call


@in_loop
async def test_a_call_from_invite_to_bye(other):
    async with endpoint() as phone:
        with_events = phone.events()
        call = await answered(phone, other)
        assert (call.state, call.remote_sdp, call.incoming) == ("established", ANSWER, False)
        assert phone.calls == (call,)
        await call.send_dtmf("4#")
        assert (await call.reinvite(HOLD)).status == 200
        call.hangup()
        ended = await call.wait_ended()
        assert (ended.cause, ended.call) == ("local-bye", call)
        kinds = []
        async for event in with_events:
            assert event.call is call
            kinds.append(type(event))
            if isinstance(event, sipbridge.CallEnded):
                break
        assert kinds == [sipbridge.CallAnswered, sipbridge.CallEnded]
    await elsewhere(
        other.expect, "incoming sdp", "confirmed", "info 4", "info #", "reinvite sdp", "confirmed",
        "ended remote-bye 200",
    )  # fmt: skip


@in_loop
async def test_a_coroutine_takes_the_call(other):
    async with endpoint() as phone:
        taken = asyncio.get_running_loop().create_future()

        async def take(event):
            event.call.ring()
            await asyncio.sleep(0.05)
            event.call.answer(ANSWER)
            await event.call.wait_established()
            taken.set_result(event.call)

        phone.on(sipbridge.IncomingCall, take)
        calling = other.start("endpoint", "call", phone.uri, OFFER)
        call = await taken
        await elsewhere(calling.result)
        await elsewhere(other.call, "hangup")
        assert (await call.wait_ended()).cause == "remote-bye"
    await elsewhere(other.expect, "progress 180", "answered 200 sdp", "ended local-bye 200")


@in_loop
async def test_what_an_event_and_a_call_know(other):
    """An event is made anew with the call of sipbridge.aio in it, and knows what it knew."""
    async with endpoint() as phone:
        before, taken = time.time(), asyncio.get_running_loop().create_future()
        phone.on(sipbridge.IncomingCall, taken.set_result)
        calling = other.start("endpoint", "call", phone.uri, OFFER)
        event = await taken
        event.call.answer(ANSWER)
        assert before - 0.1 <= event.time == event.call.started <= time.time() + 0.1
        host, port = other.host_port.split(":")
        assert event.source == ((host, int(port), "udp") if abilities.knows_sources() else None)
        await event.call.wait_established()
        await elsewhere(calling.result)
        event.call.hangup()
        ended = await event.call.wait_ended()
        assert event.call.started <= event.call.answered_at <= event.call.ended_at == ended.time
        assert event.call.duration < 60.0 and event.call.call_id == event.headers["Call-ID"]
        call = phone.invite(other.uri, OFFER, call_id="given")
        assert call.call_id == "given"
        call.hangup()
        await call.wait_ended()


@in_loop
async def test_cancelling_the_coroutine_cancels_the_call(other):
    async with endpoint() as phone:
        placing = asyncio.create_task(phone.call(other.uri, OFFER))
        await elsewhere(other.wait, "incoming sdp")
        placing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placing
        await elsewhere(other.expect, "incoming sdp", "ended cancelled 487")
        [call] = phone.calls or [None]
        assert call is None or (await call.wait_ended()).cause == "cancelled"


@in_loop
async def test_cancelling_after_the_answer_hangs_up(other):
    """The 2xx came before the coroutine went on: without a BYE nobody could end the call."""
    async with endpoint() as phone:
        placing = asyncio.create_task(phone.call(other.uri, OFFER))
        phone.on(sipbridge.CallAnswered, lambda event: placing.cancel())
        await elsewhere(other.wait, "incoming sdp")
        await elsewhere(other.call, "answer", ANSWER)
        with pytest.raises(asyncio.CancelledError):
            await placing
        await elsewhere(other.expect, "incoming sdp", "confirmed", "ended remote-bye 200")


@in_loop
async def test_a_cancelled_wait_leaves_the_call_alone(other):
    async with endpoint() as phone:
        call = await answered(phone, other)
        waiting = asyncio.create_task(call.wait_ended())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert call.state == "established"
        await call.info(b"x", "text/plain")


@in_loop
async def test_a_call_that_is_not_answered_in_time_raises_timeout(other):
    async with endpoint() as phone:
        with pytest.raises(sipbridge.TimeoutError):
            await phone.call(other.uri, OFFER, timeout=0.5)
        await elsewhere(other.expect, "incoming sdp", "ended cancelled 487")


@in_loop
async def test_a_refused_call_raises_the_response(sipp):
    peer = sipp(Callee().recv("INVITE").reply(486).recv("ACK"))
    async with endpoint() as phone:
        with pytest.raises(sipbridge.ResponseError) as caught:
            await phone.call(peer.uri, OFFER)
        assert caught.value.status == 486
    await elsewhere(peer.wait)


@in_loop
async def test_calls_at_the_same_time(other):
    async with endpoint() as phone:
        placing = [asyncio.create_task(phone.call(other.uri, OFFER)) for _ in range(5)]
        await elsewhere(other.wait, "incoming sdp", 5)
        assert len(phone.calls) == 5
        for each in placing:
            each.cancel()
        results = await asyncio.gather(*placing, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 5
        await asyncio.gather(*(call.wait_ended() for call in phone.calls))
        assert phone.calls == ()


@in_loop
async def test_closing_ends_the_calls_and_whoever_waits(other):
    phone = endpoint()
    call = await answered(phone, other)
    stream = phone.events()
    waiting = asyncio.create_task(call.wait_ended(None))
    await phone.close()
    assert (await waiting).cause in ("local-bye", "failed")
    assert [event async for event in stream][-1:] in ([], [call.ended])
    await phone.close()  # does nothing
    with pytest.raises(sipbridge.EngineError):
        phone.invite(other.uri, OFFER)
    await elsewhere(other.expect, "incoming sdp", "confirmed", "ended remote-bye 200")


@in_loop
async def test_closing_fails_a_request_under_way():
    peer = Silent()
    try:
        phone = endpoint()
        asking = asyncio.create_task(phone.message(peer.uri, "anybody?"))
        registering = asyncio.create_task(phone.register(peer.uri))
        await asyncio.sleep(0.05)
        await phone.close(timeout=0.2)
        for task in (asking, registering):
            with pytest.raises(sipbridge.SipbridgeError):
                await task
    finally:
        peer.stop()


@in_loop
async def test_an_engine_that_dies_ends_the_call_and_is_replaced(other):
    engine = engine_to_lose(crash_folder=None)
    async with aio.Endpoint(identity="sip:alice@sipbridge.test", engine=engine) as phone:
        call = await answered(phone, other)
        waiting = asyncio.create_task(call.wait_ended())
        async with phone.events(timeout=20.0) as events:
            await elsewhere(kill, engine)
            kinds = []
            async for event in events:
                kinds.append(type(event))
                if isinstance(event, sipbridge.EngineRestarted):
                    break
        assert kinds == [sipbridge.CallEnded, sipbridge.EngineRestarted]
        assert (await waiting).cause == "engine-lost"
        assert (await phone.message(other.uri, "I am back")).status == 200


@in_loop
async def test_an_error_names_the_aio_call_that_it_is_about():
    """It is an aio.Call, also where sipbridge itself raised the error."""
    async with endpoint() as phone:
        with_events = phone.events()
        with pytest.raises(sipbridge.PeerUnreachable) as caught:
            await phone.call("sip:bob@192.0.2.1:5060", OFFER, timeout=25.0)
        assert type(caught.value.call) is aio.Call and caught.value.reason
        async for event in with_events:
            assert event.cause == "unreachable" and event.error.call is event.call is caught.value.call
            break
        with pytest.raises(sipbridge.CallStateError) as caught:
            await event.call.info(b"x", "text/plain")
        assert caught.value.call is event.call
        with pytest.raises(sipbridge.PeerUnreachable) as caught:
            await phone.message("sip:bob@192.0.2.1:5060", "hello")
        assert caught.value.call is None


@in_loop
async def test_resume_works_after_a_late_answer_to_hold(other):
    """hold() timed out, but the peer agreed later: the call is on hold, and resume() resumes it."""
    async with endpoint() as phone:
        call = await answered(phone, other)
        with other.paused(), pytest.raises((sipbridge.TimeoutError, asyncio.TimeoutError)):
            await call.hold(timeout=0.1)
        for _ in range(500):
            if call.on_hold:
                break
            await asyncio.sleep(0.02)
        assert call.on_hold
        assert (await call.resume()).status == 200 and not call.on_hold
        call.hangup()
        await call.wait_ended()
