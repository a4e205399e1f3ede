"""Calls that are connected with each other, in an event loop."""

import pytest

import sipbridge
from aio.loop import elsewhere, in_loop
from aio.test_calls import answered, endpoint
from conformance.call.legs import description
from conformance.sdp import ANSWER
from sipbridge import aio


@pytest.mark.parametrize("flow", ["I", "IV"])
@in_loop
async def test_aio_click_to_call(other, third, flow):
    for party, port in ((other, 5000), (third, 6000)):
        await elsewhere(party.start("phone", "take_calls", description(port)).result)
        await elsewhere(party.start("phone", "take_offers", description(port)).result)
    async with endpoint() as phone:
        told = []
        phone.on(sipbridge.BridgeChanged, told.append)
        bridge = await phone.click_to_call(other.uri, third.uri, flow=flow, timeout=20.0)
        assert isinstance(bridge, aio.Bridge) and isinstance(bridge.second, aio.Call)
        assert (bridge.first.bridge, bridge.state) == (bridge, "connected")
        await elsewhere(third.call, "hangup")
        await bridge.wait_ended(20.0)
        assert [(event.bridge, event.state) for event in told] == [(bridge, "connected"), (bridge, "ended")]
        await elsewhere(other.wait, "ended remote-bye 200")


@in_loop
async def test_an_aio_bridge_of_calls(other, third):
    await elsewhere(third.start("phone", "take_calls", description(6000)).result)
    await elsewhere(other.start("phone", "take_offers", description(5000)).result)
    async with endpoint() as phone:
        call = await answered(phone, other)
        with pytest.raises(sipbridge.InputError):
            await phone.bridge(call, call)
        second = phone.invite(third.uri)
        bridge = await phone.bridge(call, second=second, timeout=20.0)
        assert (bridge.first, bridge.second) == (call, second)
        bridge.hangup()
        await bridge.wait_ended(20.0)
        assert phone.calls == ()


@in_loop
async def test_an_aio_bridge_that_waits_in_vain(other, silent):
    """The caller is hung up as well."""
    async with endpoint() as phone:
        calling = other.start("endpoint", "call", phone.uri, description(5000))
        event = await phone.events().__anext__()
        event.call.answer(ANSWER)
        await event.call.wait_established()
        await elsewhere(calling.result)
        with pytest.raises(sipbridge.TimeoutError):
            await phone.bridge(event.call, silent.uri, timeout=0.2)
        assert (await event.call.wait_ended()).cause == "local-bye"
