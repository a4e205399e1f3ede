"""Endpoints in memory through sipbridge.aio, and time that the test moves."""

import asyncio
import time

import pytest

import sipbridge
from aio.loop import in_loop
from sipbridge import aio, testing


@in_loop
async def test_calls_in_memory():
    with testing.Network() as network:
        async with aio.Endpoint(engine=network.engine("sip:bob@example.com")) as bob:
            async with aio.Endpoint(identity="sip:alice@example.com", engine=network.engine()) as alice:
                keyed = []

                @bob.serve
                async def take(call):
                    call.answer(testing.SDP)
                    async for key in call.keys():
                        keyed.append(key)

                call = await alice.call("sip:bob@example.com", testing.SDP)
                await call.send_dtmf("42")
                call.hangup()
                assert (await call.wait_ended()).cause == "local-bye"
                assert keyed == ["4", "2"]
                call = await alice.call("sip:bob@example.com", testing.SDP)
                network.lose(bob)
                async for event in bob.events():
                    if isinstance(event, sipbridge.EngineRestarted):
                        break
                with pytest.raises(sipbridge.PeerUnreachable):
                    await alice.message("sip:nobody@example.com", "hello")


@in_loop
async def test_the_time_of_the_loop_is_moved_too():
    """In steps, as the limit of the test itself is a time of that loop."""
    began = time.time()
    with testing.Network() as network:
        async with aio.Endpoint(engine=network.engine()) as bob, aio.Endpoint(engine=network.engine()) as alice:
            told = asyncio.get_running_loop().create_future()

            @bob.serve
            async def take(call):
                call.answer(testing.SDP)
                told.set_result(await call.collect(count=1, timeout=12.0))
                await asyncio.sleep(6.0)

            call = await alice.call(bob.uri, testing.SDP)
            await asyncio.sleep(0.05)
            network.advance(12.5)
            assert (await told).ended_by == "timeout"
            network.advance(6.5)
            assert (await call.wait_ended()).cause == "remote-bye"
    assert time.time() - began < 6.0
