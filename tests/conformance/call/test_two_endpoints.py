# -*- coding: utf-8 -*-
"""Two endpoints of our own, in two processes: alice in this one calls bob in the other, and bob calls alice."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.sdp import ANSWER, EARLY, HELD, HOLD, OFFER, RESUME
from peers.endpoint_process import RemoteError


def _call_bob(alice, bob):
    """A call that alice placed and bob took."""
    call = alice.endpoint.invite(bob.uri, OFFER)
    bob.wait("incoming sdp")
    bob.call("answer", ANSWER)
    call.wait_answered(10.0)
    bob.wait("confirmed")
    return call


def test_a_call_from_invite_to_bye(phone, other):
    call = phone.endpoint.invite(other.uri, OFFER)
    assert other.wait("incoming sdp")["sdp"] == OFFER
    other.call("ring")
    other.call("ring", 183, EARLY)
    phone.wait("progress 183 sdp")
    assert call.remote_sdp == EARLY
    other.call("answer", ANSWER)
    call.wait_answered(10.0)
    assert call.remote_sdp == ANSWER
    other.wait("confirmed")
    call.hangup()
    call.wait_ended()
    phone.expect("progress 180", "progress 183 sdp", "answered 200 sdp", "ended local-bye 200")
    other.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_the_callee_hangs_up(phone, other):
    call = _call_bob(phone, other)
    other.call("hangup")
    call.wait_ended()
    phone.expect("answered 200 sdp", "ended remote-bye 200")
    other.expect("incoming sdp", "confirmed", "ended local-bye 200")


def test_the_other_endpoint_calls(phone, other):
    calling = other.start("endpoint", "call", phone.uri, OFFER)
    call = phone.wait("incoming sdp").call
    call.ring()
    call.answer(ANSWER)
    calling.result()
    call.wait_established()
    call.hangup()
    call.wait_ended()
    phone.expect("incoming sdp", "confirmed", "ended local-bye 200")
    other.expect("progress 180", "answered 200 sdp", "ended remote-bye 200")


def test_the_caller_cancels(phone, other):
    call = phone.endpoint.invite(other.uri, OFFER)
    other.wait("incoming sdp")
    other.call("ring")
    phone.wait("progress 180")
    call.hangup()
    call.wait_ended()
    phone.expect("progress 180", "ended cancelled 487")
    other.expect("incoming sdp", "ended cancelled 487")


def test_no_answer_in_time(phone, other):
    with pytest.raises(sipbridge.TimeoutError):
        phone.endpoint.call(other.uri, OFFER, timeout=0.7)
    assert other.wait("ended cancelled 487")["status"] == 487
    phone.wait("ended cancelled 487")


@pytest.mark.parametrize("status", [404, 486, 603])
def test_refused(phone, other, status):
    call = phone.endpoint.invite(other.uri, OFFER)
    other.wait("incoming sdp")
    other.call("reject", status, "For a Reason")
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.wait_answered(10.0)
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    phone.expect("ended rejected %d" % status)
    other.expect("incoming sdp", "ended rejected %d" % status)


def test_redirected(phone, other):
    call = phone.endpoint.invite(other.uri, OFFER)
    other.wait("incoming sdp")
    other.call("redirect", "sip:bob@elsewhere.test")
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.wait_answered(10.0)
    assert caught.value.contacts == ["<sip:bob@elsewhere.test>"]
    phone.expect("ended redirected 302")
    other.expect("incoming sdp", "ended redirected 302")


def test_the_callee_offers(phone, other):
    call = phone.endpoint.invite(other.uri)
    other.wait("incoming")
    other.call("answer", OFFER)
    call.wait_answered(10.0)
    call.ack(ANSWER)
    assert other.wait("confirmed sdp")["sdp"] == ANSWER
    call.hangup()
    call.wait_ended()
    phone.expect("answered 200 sdp", "ended local-bye 200")
    other.expect("incoming", "confirmed sdp", "ended remote-bye 200")


def test_keys_both_ways(phone, other):
    call = _call_bob(phone, other)
    call.send_dtmf("12*#")
    other.call("send_dtmf", "0D")
    call.hangup()
    call.wait_ended()
    phone.expect("answered 200 sdp", "info 0", "info D", "ended local-bye 200")
    other.expect(
        "incoming sdp", "confirmed", "info 1", "info 2", "info *", "info #", "ended remote-bye 200"
    )


def test_hold_and_resume_both_ways(phone, other):
    """Answered by the endpoints themselves, with what each was given last, as the offer allows (RFC 3264, 6.1)."""
    call = _call_bob(phone, other)
    assert call.reinvite(HOLD).body == HELD.replace(b"- 1 1 IN", b"- 1 2 IN")
    other.wait("confirmed", count=2)
    assert other.call("remote_sdp") == HOLD
    assert other.call("reinvite", HELD)["body"] == HOLD
    phone.wait("confirmed")
    assert call.remote_sdp == HELD
    assert call.reinvite(RESUME).body == HELD
    other.wait("confirmed", count=3)
    call.hangup()
    call.wait_ended()
    phone.expect("answered 200 sdp", "reinvite sdp", "confirmed", "ended local-bye 200")
    other.expect(
        "incoming sdp", "confirmed",
        "reinvite sdp", "confirmed",
        "reinvite sdp", "confirmed",
        "ended remote-bye 200",
    )  # fmt: skip


def test_an_update_without_a_handler_is_answered_by_the_endpoint(phone, other):
    call = _call_bob(phone, other)
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.update(HOLD)
    assert caught.value.status == 501
    assert (call.state, call.local_sdp) == ("established", OFFER)
    call.hangup()
    call.wait_ended()
    other.expect("incoming sdp", "confirmed", "request UPDATE", "ended remote-bye 200")


def test_messages_both_ways(phone, other):
    text = u"Größe: 5 €, 電話\r\n"
    assert phone.endpoint.message(other.uri, text).status == 200
    assert other.wait("request MESSAGE")["text"] == text
    assert other.endpoint("message", phone.uri, text)["status"] == 200
    assert phone.wait("request MESSAGE").text == text


def test_options_both_ways(phone, other):
    assert "INVITE" in phone.endpoint.options(other.uri).headers["Allow"]
    assert other.endpoint("options", phone.uri)["status"] == 200
    assert (phone.labels, other.labels) == ([], [])


def test_close_ends_the_call_of_the_other(phone, other):
    _call_bob(phone, other)
    phone.close()
    other.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_an_ended_call_refuses_each_method(phone, other):
    call = _call_bob(phone, other)
    other.call("hangup")
    call.wait_ended()
    for act in (lambda: call.send_dtmf("1"), lambda: call.reinvite(HOLD), lambda: call.answer(ANSWER)):
        with pytest.raises(sipbridge.CallStateError):
            act()
    call.hangup()  # does nothing
    with pytest.raises(RemoteError) as caught:
        other.call("send_dtmf", "1")
    assert caught.value.kind in ("CallHungUp", "CallStateError")  # the latter while its BYE is not answered
    phone.expect("answered 200 sdp", "ended remote-bye 200")


def test_one_call_after_the_other(phone, other):
    for count in (1, 2, 3):
        call = phone.endpoint.invite(other.uri, OFFER)
        other.wait("incoming sdp", count)
        other.call("answer", ANSWER)
        call.wait_answered(10.0)
        other.wait("confirmed", count)
        call.hangup()
        call.wait_ended()
    phone.expect(*["answered 200 sdp", "ended local-bye 200"] * 3)
    other.expect(*["incoming sdp", "confirmed", "ended remote-bye 200"] * 3)


def test_calls_at_the_same_time(phone, other):
    """Each event is about its own call."""
    calls = [phone.endpoint.invite(other.uri, OFFER, headers=[("X-Number", str(i))]) for i in range(5)]
    other.wait("incoming sdp", count=5)
    assert len(phone.endpoint.calls) == 5
    for call in calls[:4]:
        call.hangup()
    for call in calls[:4]:
        assert call.wait_ended().cause == "cancelled"
    assert phone.endpoint.calls == (calls[4],)
    calls[4].hangup()
    assert [event.call for event in phone.events[-4:] if event.call is calls[4]] == []
