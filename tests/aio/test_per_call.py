"""What a program asks of one call, through sipbridge.aio: its events, its keys, a function for each call."""

import asyncio
import threading

import pytest

import sipbridge
from aio.loop import elsewhere, in_loop
from aio.test_calls import answered, endpoint
from conformance.sdp import ANSWER, OFFER
from peers.phone import engine_under_test
from peers.waiting import wait_until
from sipbridge import aio


@in_loop
async def test_handlers_and_an_iterator_of_one_call(other):
    async with endpoint() as phone:
        call = await answered(phone, other)
        seen = []

        @phone.on(sipbridge.CallEnded)
        def ended(event):
            seen.append((event.call, "endpoint"))

        @call.on(sipbridge.InfoReceived)
        async def info(event):
            await asyncio.sleep(0.01)
            event.answer(202)
            seen.append((event.call, event.dtmf))

        async with call.events() as events:
            await elsewhere(other.call, "send_dtmf", "5")
            call.off(sipbridge.InfoReceived, info)
            await elsewhere(other.call, "hangup")
            kinds = [(type(event), event.call) async for event in events]
        assert kinds == [(sipbridge.InfoReceived, call), (sipbridge.CallEnded, call)]
        assert seen == [(call, "5"), (call, "endpoint")]
        assert [event.call async for event in call.events()] == [call]


@in_loop
async def test_keys_and_what_is_the_programs_own(other):
    async with endpoint() as phone:
        call = await answered(phone, other)
        assert call.data is None
        call.data = (call, 1)
        assert phone.calls[0].data[0] is call
        await elsewhere(other.call, "send_dtmf", "12#3")
        digits = await call.collect(terminator="#")
        assert (digits, digits.ended_by) == ("12", "terminator")
        assert [key async for key in call.keys(timeout=0.05)] == ["3"]
        waiting = asyncio.create_task(call.collect(count=1, timeout=None))
        await asyncio.sleep(0)
        threading.Thread(target=call.put_key, args=("7",)).start()  # as a media side does
        assert await waiting == "7"
        cancelled = asyncio.create_task(call.collect(count=1, timeout=None))
        await asyncio.sleep(0.01)
        cancelled.cancel()
        call.put_key("8")
        assert await call.collect(count=1) == "8"  # who was cancelled has taken none
        await elsewhere(other.call, "hangup")
        with pytest.raises(sipbridge.CallHungUp) as caught:
            async for _ in call.keys():
                pass
        assert (caught.value.call, caught.value.ended.call) == (call, call)


@in_loop
async def test_a_coroutine_function_serves_each_call(other, caplog):
    async with endpoint() as phone:
        keyed, ended = [], asyncio.Event()

        @phone.serve
        async def take(call):
            assert isinstance(call, aio.Call)
            call.answer(ANSWER)
            try:
                async for key in call.keys():
                    keyed.append(key)
            finally:
                ended.set()

        for _ in range(2):
            await elsewhere(other.endpoint, "call", phone.uri, OFFER)
            await elsewhere(other.call, "send_dtmf", "42")
            await elsewhere(other.call, "hangup")
            await ended.wait()
            ended.clear()
        assert keyed == ["4", "2"] * 2
    assert caplog.records == []


@in_loop
async def test_what_it_leaves_is_ended_and_what_it_raises_is_told(other, caplog):
    told = []
    async with aio.Endpoint(engine=engine_under_test(), on_error=told.append) as phone:

        @phone.serve
        def take(call):  # a plain function may serve, too
            if call.remote_sdp == OFFER:
                call.answer(ANSWER)
            elif call.remote_sdp:
                raise ValueError("nonsense")

        await elsewhere(other.endpoint, "call", phone.uri, OFFER)
        await elsewhere(other.wait, "ended remote-bye 200")
        for offer, status in ((None, "480"), (ANSWER, "500")):
            with pytest.raises(Exception, match=status):
                await elsewhere(other.endpoint, "call", phone.uri, offer)
        await elsewhere(wait_until, lambda: phone.calls == ())  # the ACK of the last refusal ends it
    assert [(type(fault.error), fault.handler) for fault in told] == [(ValueError, take)]
