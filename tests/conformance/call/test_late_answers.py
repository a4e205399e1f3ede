"""What comes of a re-INVITE or an UPDATE whose answer comes when nobody waits for it any more."""

from __future__ import absolute_import, division, print_function

import time

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER

SHORT = 0.3  # seconds that are waited for the answer


def _wait_until(holds):
    """Whether it holds within 10 s."""
    deadline = time.time() + 10.0
    while not holds() and time.time() < deadline:
        time.sleep(0.02)
    return holds()


def _direction(message):
    return [line for line in message.body.split(b"\r\n") if line in (b"a=sendonly", b"a=sendrecv", b"a=inactive")]


def _hold_in_vain(call, peer):
    """Ask for a hold, and give up before the answer. Returns the re-INVITE."""
    with pytest.raises(sipbridge.TimeoutError) as caught:
        call.hold(timeout=SHORT)
    assert caught.value.call is call
    return peer.next("INVITE")


@pytest.mark.parametrize("placed", [True, False])
def test_resume_works_after_a_late_answer_to_hold(phone, by_hand, placed):
    """The call is on hold as soon as the peer's 200 comes, and resume() resumes it."""
    dialog = Dialog(phone, by_hand, placed)
    call = dialog.call
    reinvite = _hold_in_vain(call, by_hand)
    assert _direction(reinvite) == [b"a=sendonly"] and not call.on_hold
    by_hand.reply(reinvite, 200, SDP, ANSWER)
    by_hand.next("ACK")
    assert _wait_until(lambda: call.on_hold) and call.local_sdp == reinvite.body
    assert call.hold(timeout=SHORT) is None  # it is already
    with pytest.raises(sipbridge.TimeoutError):
        call.resume(timeout=SHORT)
    reinvite = by_hand.next("INVITE")
    assert _direction(reinvite) != [b"a=sendonly"]
    by_hand.reply(reinvite, 200, SDP, ANSWER)
    by_hand.next("ACK")
    assert _wait_until(lambda: not call.on_hold)
    dialog.works()


def test_hold_is_unknown_before_the_answer(phone, by_hand):
    """Until the peer answers, neither hold() nor resume() counts as done."""
    dialog = Dialog(phone, by_hand, True)
    reinvite = _hold_in_vain(dialog.call, by_hand)
    for change in (dialog.call.resume, dialog.call.hold):
        with pytest.raises(sipbridge.CallStateError):
            change(timeout=SHORT)
    by_hand.reply(reinvite, 488)
    by_hand.next("ACK")
    assert _wait_until(lambda: not dialog.call._offering)
    assert not dialog.call.on_hold and dialog.call.local_sdp == OFFER
    assert dialog.call.resume(timeout=SHORT) is None
    dialog.works()


def test_a_late_answer_to_an_offer_of_other_media(phone, by_hand):
    dialog = Dialog(phone, by_hand, True)
    other = OFFER.replace(b"m=audio 40", b"m=audio 50")
    assert other != OFFER
    with pytest.raises(sipbridge.TimeoutError):
        dialog.call.reinvite(other, timeout=SHORT)
    by_hand.reply(by_hand.next("INVITE"), 200, SDP, ANSWER)
    by_hand.next("ACK")
    assert _wait_until(lambda: dialog.call.local_sdp == other)
    dialog.works()


@pytest.mark.parametrize("status", [200, 488])
def test_a_late_answer_to_an_update(phone, by_hand, status):
    dialog = Dialog(phone, by_hand, True)
    other = OFFER.replace(b"m=audio 40", b"m=audio 50")
    answer = ANSWER.replace(b"m=audio 40", b"m=audio 60")
    with pytest.raises(sipbridge.TimeoutError):
        dialog.call.update(other, timeout=SHORT)
    assert dialog.call.local_sdp == OFFER
    by_hand.reply(by_hand.next("UPDATE"), status, SDP if status == 200 else (), answer if status == 200 else b"")
    assert _wait_until(lambda: not dialog.call._offering)
    expected = (other, answer) if status == 200 else (OFFER, ANSWER)
    assert (dialog.call.local_sdp, dialog.call.remote_sdp) == expected
    dialog.works()


def test_an_offer_in_a_late_answer_is_answered_in_the_ack(phone, by_hand):
    """Nobody waits who could answer, so the ACK has the description in force: without an ACK the peer would hang up."""
    dialog = Dialog(phone, by_hand, True)
    with pytest.raises(sipbridge.TimeoutError):
        dialog.call.reinvite(timeout=SHORT)
    by_hand.reply(by_hand.next("INVITE"), 200, SDP, ANSWER)
    ack = by_hand.next("ACK")
    assert ack.body.startswith(b"v=0") and ack["Content-Type"] == "application/sdp"
    with pytest.raises(sipbridge.CallStateError):
        dialog.call.ack(OFFER)
    dialog.works()


def test_the_session_timer_refreshes_with_what_was_agreed_on(make_phone, by_hand):
    """Time runs a hundred times as fast for the session timer."""
    phone = make_phone(session_expires=600)
    later = phone.endpoint._dispatcher.call_later
    phone.endpoint._dispatcher.call_later = lambda seconds, function: later(seconds / 100.0, function)
    timer = [("Session-Expires", "600;refresher=uac")]
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 200, SDP + timer, ANSWER)
    call.wait_answered(10.0)
    by_hand.next("ACK")
    reinvite = _hold_in_vain(call, by_hand)
    by_hand.reply(reinvite, 200, SDP, ANSWER)
    by_hand.next("ACK")
    refresh = by_hand.next("INVITE")
    assert refresh.body == reinvite.body != OFFER
    by_hand.reply(refresh, 200, SDP + timer, ANSWER)
    by_hand.next("ACK")
    assert call.on_hold
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    call.wait_ended(10.0)
