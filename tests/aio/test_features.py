"""Transfer, hold and watching in an event loop: what waits is awaited, what comes back is of sipbridge.aio."""

import asyncio

import sipbridge
from aio.loop import elsewhere, in_loop
from aio.test_calls import answered, endpoint
from conformance.sdp import ANSWER, OFFER
from peers.phone import engine_under_test
from peers.proxy import Proxy
from peers.scenario import Callee
from sipbridge import aio


def target(sipp):
    return sipp(Callee().recv("INVITE").reply(200, ANSWER).recv("ACK").recv("BYE").reply(200))


@in_loop
async def test_an_aio_call_transfers_its_peer(other, sipp):
    other.start("phone", "take_transfers", OFFER).result()
    peer = target(sipp)
    async with endpoint() as phone:
        call = await answered(phone, other)
        told = []
        phone.on(sipbridge.TransferProgress, told.append)
        transfer = await call.transfer(peer.uri)
        assert isinstance(transfer, aio.Transfer)
        assert (transfer.status, transfer.state, transfer.call) == (200, "ended", call)
        await call.wait_ended()
        assert [(event.status, event.call, event.transfer) for event in told][-1] == (200, call, transfer)


@in_loop
async def test_an_aio_endpoint_accepts_a_transfer(other, sipp):
    peer = target(sipp)
    async with endpoint() as phone:
        placed = asyncio.get_running_loop().create_future()

        async def take(event):
            await asyncio.sleep(0)
            placed.set_result(event.accept(OFFER))

        phone.on(sipbridge.TransferRequested, take)
        old = await answered(phone, other)
        await elsewhere(other.wait, "confirmed")
        asking = other.start("call", "transfer", peer.uri)
        call = await placed
        assert isinstance(call, aio.Call) and call is not old
        await call.wait_established()
        await elsewhere(asking.result)
        assert (await old.wait_ended()).cause == "remote-bye"
        call.hangup()
        await call.wait_ended()
    await elsewhere(peer.wait)


@in_loop
async def test_hold_and_resume(other):
    async with endpoint() as phone:
        call = await answered(phone, other)
        await call.hold()
        assert call.on_hold
        await call.resume()
        assert not call.on_hold
        call.hangup()
        await call.wait_ended()


@in_loop
async def test_an_aio_watch_uses_the_timer_of_the_loop(other):
    """The event loop runs its timer."""
    async with endpoint() as phone:
        seen = asyncio.get_running_loop().create_future()
        answers = []
        phone.on(sipbridge.PeerAvailable, seen.set_result)
        watch = phone.watch(other.uri, interval=1)
        core = watch._core
        told, core._seen = core._seen, lambda *args: (answers.append(args), told(*args))
        event = await seen
        assert event.watch is watch and isinstance(watch, aio.Watch)
        while len(answers) < 2:
            await asyncio.sleep(0.02)
        watch.stop()
        assert watch.available


@in_loop
async def test_several_proxies():
    """The second one takes the call; the time that a proxy may be silent passes in the loop."""
    first, second = [Proxy(status) for status in (503, 200)]
    try:
        async with aio.Endpoint(
            identity="sip:alice@sipbridge.test", engine=engine_under_test(), outbound_proxy=[first.uri, second.uri]
        ) as phone:
            call = await phone.call("sip:bob@sipbridge.test", OFFER, timeout=20.0)
            call.hangup()
            await call.wait_ended()
            assert (await phone.message("sip:bob@sipbridge.test", "hi")).ok
        assert [first.count("INVITE"), second.count("INVITE"), second.count("MESSAGE")] == [1, 1, 1]
    finally:
        await elsewhere(first.stop)
        await elsewhere(second.stop)
