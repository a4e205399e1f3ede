"""Replaces (RFC 3891): a call that comes takes the place of one that is there."""

from __future__ import absolute_import, division, print_function

import pytest

from conformance.call.transfers import take_call
from conformance.sdp import ANSWER, OFFER
from peers.scenario import Caller


def _established(phone, by_hand):
    """A call of by_hand's that the phone took: the INVITE, our 200, the Call."""
    count = len([each for each in phone.labels if each == "incoming sdp"])
    invite = by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    call = phone.wait("incoming sdp", count + 1).call
    call.answer(ANSWER)
    answer = by_hand.next("200")
    assert "replaces" in answer["Supported"]
    by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
    call.wait_established()
    return invite, answer, call


def _replaces(invite, answer, more=""):
    own, theirs = (each.partition("tag=")[2] for each in (answer["To"], invite["From"]))
    return "%s;to-tag=%s;from-tag=%s%s" % (invite["Call-ID"], own, theirs, more)


def _replacing(phone, by_hand, value):
    headers = [("Content-Type", "application/sdp")]
    headers += [("Replaces", value)] if not isinstance(value, list) else value
    return by_hand.request(phone.endpoint.port, "INVITE", headers, OFFER)


def test_a_call_that_came_is_replaced(phone, by_hand):
    invite, answer, old = _established(phone, by_hand)
    second = _replacing(phone, by_hand, _replaces(invite, answer))
    event = phone.wait("incoming sdp", 2)
    assert event.replaces is old and event.call.replaces is old and old.replaces is None
    event.call.answer(ANSWER)
    accepted = by_hand.next("200")
    by_hand.within(phone.endpoint.port, second, accepted["To"], "ACK", 1)
    bye = by_hand.next("BYE")
    assert bye["Call-ID"] == invite["Call-ID"]
    by_hand.reply(bye, 200)
    assert old.wait_ended().cause == "local-bye"
    event.call.wait_established()
    assert phone.endpoint.calls == (event.call,)


def test_a_call_that_we_placed_is_replaced(phone, by_hand):
    old = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    phone.wait("progress 180")
    tag = old.headers["To"].partition("tag=")[2]
    own = old.headers["From"].partition("tag=")[2]
    second = _replacing(phone, by_hand, "%s;to-tag=%s;from-tag=%s;early-only" % (old.call_id, own, tag))
    event = phone.wait("incoming sdp")
    assert event.replaces is old
    event.call.answer(ANSWER)
    accepted = by_hand.next("200")
    by_hand.within(phone.endpoint.port, second, accepted["To"], "ACK", 1)
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    assert old.wait_ended().cause == "cancelled"


@pytest.mark.parametrize(
    "change, status",
    [
        (lambda value: value + ";early-only", 486),
        (lambda value: "x" + value, 481),
        (lambda value: value.replace("from-tag=", "from-tag=x"), 481),
        (lambda value: value.replace("to-tag=", "to-tag=x"), 481),
        (lambda value: value.partition(";")[0], 400),
        (lambda value: [("Replaces", value), ("Replaces", value)], 400),
    ],
)
def test_a_call_is_not_replaced_by_a_wrong_replaces(phone, by_hand, change, status):
    invite, answer, old = _established(phone, by_hand)
    _replacing(phone, by_hand, change(_replaces(invite, answer)))
    by_hand.next(str(status))
    assert (old.state, phone.endpoint.calls) == ("established", (old,))
    old.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    old.wait_ended()
    phone.expect("incoming sdp", "confirmed", "ended local-bye 200")


def test_a_call_of_sipp_replaced_by_another(phone, sipp):
    """As an attended transfer ends: the new call is taken, the old one gets our BYE (RFC 3891, 3)."""
    first = sipp(Caller().initial("INVITE", OFFER).expect(200).ack().recv("BYE").reply(200), phone.host_port)
    old = take_call(phone)
    old.wait_established()
    own, theirs = (first.received("200")[0][name].partition("tag=")[2] for name in ("To", "From"))
    replaces = [("Replaces", "%s;to-tag=%s;from-tag=%s" % (old.call_id, own, theirs)), ("Require", "replaces")]
    second = sipp(
        Caller().initial("INVITE", OFFER, headers=replaces).expect(200).ack().request("BYE").expect(200),
        phone.host_port,
    )
    event = phone.wait("incoming sdp", 2)
    assert event.replaces is old
    event.call.answer(ANSWER)
    assert old.wait_ended().cause == "local-bye"
    first.wait()
    second.wait()
    assert event.call.wait_ended().cause == "remote-bye"


def test_sipp_cannot_replace_what_is_not_there(phone, sipp):
    replaces = [("Replaces", "nobody@nowhere;to-tag=1;from-tag=2")]
    sipp(Caller().initial("INVITE", OFFER, headers=replaces).expect(481).ack_refusal(), phone.host_port).wait()
    assert phone.labels == [] and phone.endpoint.calls == ()
