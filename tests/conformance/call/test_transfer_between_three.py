"""Transfer (RFC 3515, 3891, 5589) with all three parties ours; and calls that cannot be transferred."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.call.transfers import TARGET
from conformance.sdp import ANSWER, OFFER


def _connect(phone, remote):
    call = phone.endpoint.invite(remote.uri, OFFER)
    remote.wait("incoming sdp")
    remote.call("answer", ANSWER)
    call.wait_answered(10.0)
    remote.wait("confirmed")
    return call


def test_blind_transfer_between_three(phone, other, third):
    other.start("phone", "take_transfers", OFFER).result()
    call = _connect(phone, other)
    transferring = call.begin_transfer(third.uri)
    third.wait("incoming sdp")
    third.call("ring")
    phone.wait("transfer 180")
    third.call("answer", ANSWER)
    transferring.wait_ended(10.0)
    call.hangup()
    call.wait_ended()
    other.expect(
        "incoming sdp", "confirmed", "request REFER", "progress 180", "answered 200 sdp", "ended remote-bye 200"
    )
    third.expect("incoming sdp", "confirmed")


def test_attended_transfer_between_three(phone, other, third):
    other.start("phone", "take_transfers", OFFER).result()
    first, second = _connect(phone, other), _connect(phone, third)
    first.hold()
    second.hold()
    transferring = first.begin_transfer(second)
    third.wait("incoming sdp", 2)
    third.call("answer", ANSWER)
    transferring.wait_ended(10.0)
    assert second.wait_ended().cause == "remote-bye"
    first.hangup()
    first.wait_ended()
    assert phone.endpoint.calls == ()
    third.wait("ended local-bye 200")
    other.wait("answered 200 sdp")


def test_attended_transfer_in_one_line(phone, other, third):
    other.start("phone", "take_transfers", OFFER).result()
    third.start("phone", "take_calls", ANSWER).result()
    first, second = _connect(phone, other), phone.endpoint.call(third.uri, OFFER)
    assert first.transfer_to(second).succeeded
    assert (first.wait_ended().cause, second.wait_ended().cause) == ("local-bye", "remote-bye")
    assert phone.endpoint.calls == ()


def test_a_bridge_leaves_the_call_to_its_peers(phone, other, third):
    """An attended transfer of one of its calls to the other."""
    for party in (other, third):
        party.start("phone", "take_calls", ANSWER).result()
    other.start("phone", "take_transfers", OFFER).result()
    bridge = phone.endpoint.click_to_call(other.uri, third.uri, flow="I", timeout=20.0)
    assert bridge.first.transfer_to(bridge.second).succeeded
    bridge.wait_ended(10.0)
    assert phone.endpoint.calls == ()
    other.wait("answered 200 sdp")


def test_attended_transfer_with_a_call_that_came_to_us(phone, other, third):
    """The endpoint learns its own tag from the ACK."""
    third.start("phone", "take_transfers", OFFER).result()
    calling = other.start("endpoint", "call", phone.uri, OFFER)
    first = phone.wait("incoming sdp").call
    first.answer(ANSWER)
    calling.result()
    first.wait_established()
    second = _connect(phone, third)
    transferring = second.begin_transfer(first)
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    transferring.wait_ended(10.0)
    assert first.wait_ended().cause == "remote-bye"
    second.hangup()
    second.wait_ended()


def test_a_call_that_cannot_be_transferred(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    for act in (
        lambda: call.transfer(TARGET),
        lambda: call.begin_transfer(TARGET),
        call.hold,
        call.resume,
    ):
        with pytest.raises(sipbridge.CallStateError):
            act()
    for bad in ("bob", u"sip:a@b\r\nX: y", 5, call):
        with pytest.raises(sipbridge.InputError):
            call.transfer(bad)
    with pytest.raises(sipbridge.InputError):
        call.transfer_to(TARGET)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 486)
    assert call.wait_ended().status == 486
    with pytest.raises(sipbridge.CallStateError):
        call.transfer(TARGET)
