"""3xx followed on request (RFC 3261, 8.1.3.4); peers by hand."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.sdp import ANSWER, OFFER
from peers.scenario import Callee


def _redirect(peer, invite, *contacts):
    """A 302 with these Contacts in place of the peer's own."""
    to = invite["To"] + ";tag=redirecting%d" % peer.port
    lines = ["SIP/2.0 302 Moved Temporarily", "Via: " + invite["Via"], "From: " + invite["From"], "To: " + to]
    lines += ["Call-ID: " + invite["Call-ID"], "CSeq: " + invite["CSeq"]]
    lines += ["Contact: " + each for each in contacts] + ["Content-Length: 0", "", ""]
    peer.send(_port_of(invite), "\r\n".join(lines).encode("ascii"))


def _port_of(invite):
    return int(invite["Via"].split(";")[0].rsplit(":", 1)[1])


def _answer(peer, invite, call):
    peer.reply(invite, 200, SDP, ANSWER)
    call.wait_answered(10.0)
    peer.next("ACK")
    call.hangup()
    peer.reply(peer.next("BYE"), 200)
    call.wait_ended()


def test_a_redirection_is_followed(phone, by_hand, elsewhere):
    call = phone.endpoint.invite(by_hand.uri, OFFER, headers=[("X-Trace", "1")], follow_redirects=1)
    _redirect(by_hand, by_hand.next("INVITE"), "<%s?X-Evil=1>" % elsewhere.uri)
    invite = elsewhere.next("INVITE")
    assert (invite.body, invite["X-Trace"], "X-Evil" in invite) == (OFFER, "1", False)
    assert invite.start_line == "INVITE %s SIP/2.0" % elsewhere.uri
    _answer(elsewhere, invite, call)
    assert (call.request_uri, call.remote_uri) == (elsewhere.uri, elsewhere.uri)
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_the_target_with_the_highest_q_is_called_first(phone, by_hand, elsewhere):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=3)
    again = by_hand.uri.replace("peer@", "second@")
    _redirect(
        by_hand,
        by_hand.next("INVITE"),
        "<%s>;q=0.1, <tel:+1>, <%s>;q=0.9" % (again, elsewhere.uri),
    )
    elsewhere.reply(elsewhere.next("INVITE"), 486)
    _answer(by_hand, by_hand.next("INVITE"), call)
    assert call.request_uri == again


def test_no_target_is_called_twice(phone, by_hand, elsewhere):
    """No address is called twice."""
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=70)
    _redirect(by_hand, by_hand.next("INVITE"), "<%s>" % elsewhere.uri)
    _redirect(elsewhere, elsewhere.next("INVITE"), "<%s>" % by_hand.uri)
    ended = call.wait_ended()
    assert (ended.cause, ended.status) == ("redirected", 302)
    phone.expect("ended redirected 302")


def test_no_more_redirections_are_followed_than_asked_for(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=3)
    for number in range(4):
        uri = by_hand.uri.replace("peer", "hop%d" % number)
        _redirect(by_hand, by_hand.next("INVITE"), "<%s>" % uri)
    assert call.wait_ended().cause == "redirected"
    assert call.ended.headers["Contact"] == "<%s>" % uri
    assert phone.endpoint.calls == ()


@pytest.mark.parametrize("contacts", [(), ("<mailto:bob@example.com>",), ("<tel:+1>",)])
def test_a_redirection_without_a_usable_target(phone, by_hand, contacts):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=3)
    _redirect(by_hand, by_hand.next("INVITE"), *contacts)
    assert call.wait_ended().cause == "redirected"


def test_a_call_that_was_hung_up_follows_no_redirection(phone, by_hand, elsewhere):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=3)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    phone.wait("progress 180")
    call.hangup()
    by_hand.reply(by_hand.next("CANCEL"), 200)
    _redirect(by_hand, invite, "<%s>" % elsewhere.uri)
    assert call.wait_ended().cause == "cancelled"
    assert elsewhere.take(0.3) is None


@pytest.mark.parametrize("number", [-1, 71, 1.5, True, "2"])
def test_follow_redirects_is_a_number(phone, by_hand, number):
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=number)
    assert phone.endpoint.calls == ()


def test_sipp_redirects_to_another_sipp(phone, sipp):
    target = sipp(Callee().recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK").recv("BYE").reply(200))
    moved = [("Contact", "<sip:gone@127.0.0.1:9>;q=0.1, <%s>;q=0.9" % target.uri)]
    first = sipp(Callee().recv("INVITE").reply(302, headers=moved).recv("ACK"))
    call = phone.endpoint.call(first.uri, OFFER, follow_redirects=1)
    call.hangup()
    target.wait()
    first.wait()
    assert target.received("INVITE")[0].body == OFFER
    phone.expect("progress 180", "answered 200 sdp", "ended local-bye 200")
