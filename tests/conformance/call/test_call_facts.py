"""What a call knows of itself: its Call-ID from the start, and when what happened."""

from __future__ import absolute_import, division, print_function

import time

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER


@pytest.mark.parametrize("given", [None, "abc%.f@(example).test", "just-one:word"])
def test_a_call_has_its_call_id_from_the_start(phone, by_hand, given):
    call = phone.endpoint.invite(by_hand.uri, OFFER, call_id=given)
    known = call.call_id
    assert known and (given is None or known == given)
    invite = by_hand.next("INVITE")
    assert invite["Call-ID"] == known
    by_hand.reply(invite, 200, SDP, ANSWER)
    assert by_hand.next("ACK")["Call-ID"] == known
    call.wait_established()
    call.hangup()
    bye = by_hand.next("BYE")
    by_hand.reply(bye, 200)
    assert bye["Call-ID"] == known == call.call_id
    call.wait_ended()


def test_no_two_calls_have_the_same(phone, by_hand):
    calls = [phone.endpoint.invite(by_hand.uri, OFFER) for _ in range(3)]
    assert len(set(call.call_id for call in calls)) == 3
    with pytest.raises(sipbridge.InputError) as caught:
        phone.endpoint.invite(by_hand.uri, OFFER, call_id=calls[0].call_id)
    assert "call_id" in str(caught.value)
    assert len(phone.endpoint.calls) == 3
    for _ in calls:
        by_hand.reply(by_hand.next("INVITE"), 486)
        by_hand.next("ACK")
    for call in calls:
        call.wait_ended()


def test_a_redirected_call_keeps_its_call_id(phone, by_hand, elsewhere):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=1, call_id="kept")
    by_hand.reply(by_hand.next("INVITE"), 302, [("Contact", "<%s>" % elsewhere.uri)])
    invite = elsewhere.next("INVITE")
    assert invite["Call-ID"] == "kept" == call.call_id
    elsewhere.reply(invite, 200, SDP, ANSWER)
    elsewhere.next("ACK")
    call.wait_established()
    call.hangup()
    elsewhere.reply(elsewhere.next("BYE"), 200)
    call.wait_ended()


@pytest.mark.parametrize("placed", [True, False])
def test_the_times_of_a_call(phone, by_hand, placed):
    before = time.time()
    dialog = Dialog(phone, by_hand, placed)
    call = dialog.call
    assert before - 0.1 <= call.started <= call.answered_at <= time.time() + 0.1
    assert call.ended_at is None
    first = call.duration
    assert 0.0 <= first <= time.time() - before + 0.1
    dialog.within("BYE", 200)
    ended = call.wait_ended()
    assert call.ended_at == ended.time >= call.answered_at
    duration = call.duration
    assert first <= duration <= time.time() - before + 0.1
    assert abs(duration - (call.ended_at - call.answered_at)) < 5.0
    assert call.duration == duration


def test_a_call_that_nobody_took_has_no_duration(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 486)
    call.wait_ended()
    assert (call.answered_at, call.duration) == (None, 0.0)
    assert call.started <= call.ended_at
