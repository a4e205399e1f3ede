"""Provisional responses: early media, acknowledged ones (RFC 3262), several phones behind one address."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.sdp import ANSWER, EARLY, OFFER
from peers.scenario import Callee, Caller

SDP = ("Content-Type", "application/sdp")


def _reliable(number):
    return [("Require", "100rel"), ("RSeq", str(number))]


def _with_100rel(phone):
    if phone.endpoint.engine_name != "sofia":
        pytest.skip("the engine on libeXosip2 does not offer reliable provisional responses")


def _call(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    return call, by_hand.next("INVITE")


def test_reliable_early_media_is_acknowledged_once(phone, by_hand):
    _with_100rel(phone)
    call, invite = _call(phone, by_hand)
    assert any("100rel" in each for each in invite.get_all("Supported"))
    by_hand.reply(invite, 183, _reliable(7) + [SDP], EARLY)
    prack = by_hand.next("PRACK")
    assert prack["RAck"] == "7 %s" % invite["CSeq"]
    assert prack["To"].endswith(";tag=byhand%d" % by_hand.port)
    by_hand.reply(prack, 200)
    by_hand.reply(invite, 183, _reliable(7) + [SDP], EARLY)  # as if the PRACK had been lost
    by_hand.reply(invite, 180, _reliable(8))
    second = by_hand.next("PRACK")
    assert second["RAck"] == "8 %s" % invite["CSeq"]
    assert int(second["CSeq"].split()[0]) == int(prack["CSeq"].split()[0]) + 1
    by_hand.reply(second, 200)
    by_hand.reply(invite, 200, [SDP], ANSWER)
    by_hand.next("ACK")
    call.hangup()
    bye = by_hand.next("BYE")
    assert int(bye["CSeq"].split()[0]) > int(second["CSeq"].split()[0])
    by_hand.reply(bye, 200)
    phone.expect("progress 183 sdp", "progress 180", "answered 200 sdp", "ended local-bye 200")


def test_reliable_responses_out_of_order_wait(phone, by_hand):
    """A response that comes before its predecessor is dropped; the peer sends it again (RFC 3262, 4)."""
    _with_100rel(phone)
    _, invite = _call(phone, by_hand)
    by_hand.reply(invite, 183, _reliable(1))
    by_hand.reply(by_hand.next("PRACK"), 200)
    by_hand.reply(invite, 180, _reliable(3))
    assert by_hand.take(0.3) is None
    by_hand.reply(invite, 183, _reliable(2) + [SDP], EARLY)
    by_hand.reply(by_hand.next("PRACK"), 200)
    by_hand.reply(invite, 486)
    phone.expect("progress 183", "progress 183 sdp", "ended rejected 486")


def test_several_phones_ring_and_two_answer(phone, by_hand):
    """The call is with the first that answers; the other is acknowledged and hung up (RFC 3261, 13.2.2.4)."""
    call, invite = _call(phone, by_hand)
    reliable = _reliable(1) if phone.endpoint.engine_name == "sofia" else []
    for tag in ("one", "two"):
        by_hand.reply(invite, 180, reliable, tag=tag)
        if reliable:
            by_hand.reply(by_hand.next("PRACK"), 200)
    by_hand.reply(invite, 200, [SDP], ANSWER, tag="two")
    assert by_hand.next("ACK")["To"].endswith(";tag=two")
    call.wait_established()
    if phone.endpoint.engine_name == "sofia":
        by_hand.reply(invite, 200, [SDP], ANSWER, tag="one")
        assert by_hand.next("ACK")["To"].endswith(";tag=one")
        bye = by_hand.next("BYE")
        assert bye["To"].endswith(";tag=one")
        by_hand.reply(bye, 200)
    call.hangup()
    bye = by_hand.next("BYE")
    assert bye["To"].endswith(";tag=two")
    by_hand.reply(bye, 200)
    phone.expect("progress 180", "progress 180", "answered 200 sdp", "ended local-bye 200")


def test_endless_provisional_responses_of_ever_more_phones(phone, by_hand):
    """The engine follows some of the early dialogs; the call goes on and ends."""
    call, invite = _call(phone, by_hand)
    for number in range(200):
        by_hand.reply(invite, 180, _reliable(1), tag="phone%d" % number)
    phone.wait("progress 180", 20)
    for _ in range(50):  # as a peer repeats it: what comes behind so many may be lost
        by_hand.reply(invite, 486, tag="phone0")
        if call.ended is not None:
            break
        by_hand.take(0.2)
    assert call.wait_ended(10.0).status == 486


def test_we_ring_reliably(phone, by_hand):
    headers = [SDP, ("Supported", "100rel")]
    invite = by_hand.request(phone.endpoint.port, "INVITE", headers, OFFER)
    call = phone.wait("incoming sdp").call
    if phone.endpoint.engine_name != "sofia":
        with pytest.raises(sipbridge.NotSupportedError):
            call.ring(183, EARLY, reliable=True)
        call.reject()
        _with_100rel(phone)
    call.ring(183, EARLY, reliable=True)
    early = by_hand.next("183")
    assert (early["Require"], early.body) == ("100rel", EARLY)
    rack = "%s %s" % (early["RSeq"], invite["CSeq"])
    by_hand.within(phone.endpoint.port, invite, early["To"], "PRACK", 2, [("RAck", rack)])
    assert by_hand.next("200").method == "PRACK"
    call.answer(ANSWER)
    answer = by_hand.next("200")
    assert answer.method == "INVITE"
    by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
    phone.wait("confirmed")
    by_hand.within(phone.endpoint.port, invite, answer["To"], "BYE", 3)
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_a_call_goes_on_with_a_caller_without_100rel(phone, by_hand):
    """ring(reliable=True) raises, and sends nothing."""
    by_hand.request(phone.endpoint.port, "INVITE", [SDP], OFFER)
    call = phone.wait("incoming sdp").call
    with pytest.raises(sipbridge.NotSupportedError):
        call.ring(reliable=True)
    call.ring()
    by_hand.next("180")
    call.reject(486)
    by_hand.next("486")


def test_we_acknowledge_reliable_responses_of_sipp(phone, sipp):
    _with_100rel(phone)
    peer = sipp(
        Callee()
        .recv("INVITE").reply(183, EARLY, headers=_reliable(7))
        .recv("PRACK").reply_in_dialog(200)
        .reply_to("INVITE", 200, ANSWER).recv("ACK")
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER)
    call.hangup()
    peer.wait()
    (prack,) = peer.received("PRACK")
    assert prack["RAck"] == "7 %s" % peer.received("INVITE")[0]["CSeq"]
    phone.expect("progress 183 sdp", "answered 200 sdp", "ended local-bye 200")


def test_sipp_acknowledges_our_reliable_responses(phone, sipp):
    """One at a time (RFC 3262, 3); none again once it is acknowledged."""
    _with_100rel(phone)
    peer = sipp(
        Caller()
        .initial("INVITE", OFFER, headers=[("Supported", "100rel")])
        .expect_reliable(183).expect_reliable(180).expect(200).ack()
        .request("BYE").expect(200),
        phone.host_port,
    )  # fmt: skip
    call = phone.wait("incoming sdp").call
    call.ring(183, EARLY, reliable=True)
    peer.wait_for("200")  # to the PRACK
    call.ring(reliable=True)
    peer.wait_for("200", 2)
    call.answer(ANSWER)
    peer.wait()
    first, second = peer.received("183") + peer.received("180")
    assert (first.body, int(second["RSeq"])) == (EARLY, int(first["RSeq"]) + 1)
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")
