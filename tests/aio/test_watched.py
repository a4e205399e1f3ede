"""Health and metrics of an endpoint in an event loop."""

import asyncio
import time

from aio.loop import elsewhere, in_loop
from aio.test_calls import endpoint
from conformance.sdp import ANSWER, OFFER
from peers.http import fetch
from peers.lost import engine_to_lose
from peers.samples import Samples
from sipbridge import aio, health, metrics


def get(server, path):
    return elsewhere(fetch, "http://127.0.0.1:%d%s" % (server.port, path))


@in_loop
async def test_health_and_its_pages():
    async with endpoint() as phone:
        found = await phone.health(10.0)
        assert (found.live, found.ready, found.problems) == (True, True, ())
        with health.serve(phone, 0) as server:
            assert (await get(server, "/ready")).status == 200
    assert [each.kind for each in (await phone.health()).problems] == ["closed"]


async def live_again(server):
    while (await get(server, "/live")).status != 200:
        pass


@in_loop
async def test_a_loop_that_hangs():
    async with endpoint() as phone:
        with health.serve(phone, 0, timeout=0.1) as server:
            asking = get(server, "/live")
            time.sleep(2.0)
            assert (await asking).status == 503
            await asyncio.wait_for(live_again(server), 30)  # a busy machine may need more than one try


@in_loop
async def test_metrics():
    async with aio.Endpoint(engine=engine_to_lose()) as bob, aio.Endpoint(engine=engine_to_lose()) as alice:
        collector = metrics.Collector(bob)

        async def answer(event):
            event.call.answer(ANSWER)

        bob.on(aio.IncomingCall, answer)
        call = await alice.call(bob.uri, OFFER)
        assert Samples(collector).those("calls_answered_total") == {("incoming",): 1}
        call.hangup()
        await call.wait_ended()
        with metrics.serve(alice, 0) as server:
            assert "sipbridge_engine_up" in (await get(server, "/metrics")).body
