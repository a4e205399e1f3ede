"""Calls that the endpoint places; sipp is called."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.sdp import ANSWER, EARLY, OFFER
from peers.scenario import Callee
from peers.wire import check_digest


def test_a_call_from_invite_to_bye(phone, sipp):
    peer = sipp(
        Callee()
        .recv("INVITE").reply(180).reply(183, EARLY).reply(200, ANSWER).recv("ACK")
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER, headers=[("Subject", "a call"), ("X-Trace", "1")])
    assert (call.state, call.remote_sdp, call.local_sdp) == ("established", ANSWER, OFFER)
    assert phone.endpoint.calls == (call,)
    call.hangup()
    call.wait_ended()
    assert (call.state, phone.endpoint.calls) == ("ended", ())
    peer.wait()
    phone.expect("progress 180", "progress 183 sdp", "answered 200 sdp", "ended local-bye 200")
    assert [event.sdp for event in phone.events[:3]] == [None, EARLY, ANSWER]
    assert peer.received_names() == ["INVITE", "ACK", "BYE"]
    invite = peer.received("INVITE")[0]
    assert invite.start_line == "INVITE %s SIP/2.0" % peer.uri
    assert invite.body == OFFER
    assert invite["Content-Type"] == "application/sdp"
    assert (invite["Subject"], invite["X-Trace"]) == ("a call", "1")
    assert "<sip:alice@sipbridge.test>" in invite["From"]
    assert phone.host_port in invite["Contact"]
    assert phone.host_port in invite["Via"]
    assert invite["Call-ID"] == call.call_id
    assert peer.received("BYE")[0]["To"].startswith(invite["To"])


def test_the_peer_hangs_up(phone, sipp):
    peer = sipp(
        Callee().recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK").request("BYE").expect(200)
    )
    call = phone.endpoint.call(peer.uri, OFFER)
    assert call.wait_ended() == call.ended
    peer.wait()
    phone.expect("progress 180", "answered 200 sdp", "ended remote-bye 200")


def test_the_peer_answers_without_a_provisional_response(phone, sipp):
    peer = sipp(Callee().recv("INVITE").reply(200, ANSWER).recv("ACK").recv("BYE").reply(200))
    phone.endpoint.call(peer.uri, OFFER).hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_the_peer_offers(phone, sipp):
    """Without an offer in INVITE, the 2xx has it and the ACK our answer (RFC 3261, 13.2.1)."""
    peer = sipp(Callee().recv("INVITE").reply(200, OFFER).recv("ACK").recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri)
    assert (call.state, call.remote_sdp) == ("answered", OFFER)
    call.ack(ANSWER)
    assert (call.state, call.local_sdp) == ("established", ANSWER)
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")
    assert peer.received("INVITE")[0].body == b""
    assert peer.received("ACK")[0].body == ANSWER


def test_a_refused_bye_ends_the_call_too(phone, sipp):
    """The call is over whatever the peer says to BYE (RFC 3261, 15.1.1)."""
    peer = sipp(Callee().recv("INVITE").reply(200, ANSWER).recv("ACK").recv("BYE").reply(481))
    phone.endpoint.call(peer.uri, OFFER).hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 481")


def test_cancelled(phone, sipp):
    peer = sipp(
        Callee().recv("INVITE").reply(180).recv("CANCEL").reply(200).reply_to("INVITE", 487).recv("ACK")
    )
    call = phone.endpoint.invite(peer.uri, OFFER)
    assert call.state == "calling"
    phone.wait("progress 180")
    call.hangup()
    assert call.wait_ended().status == 487
    peer.wait()
    phone.expect("progress 180", "ended cancelled 487")
    invite, cancel = peer.received("INVITE")[0], peer.received("CANCEL")[0]
    assert cancel["Via"] == invite["Via"]
    assert cancel["CSeq"].split()[0] == invite["CSeq"].split()[0]
    assert cancel["To"] == invite["To"]


def test_cancelled_before_any_response(phone, sipp):
    """CANCEL has to wait for a provisional response (RFC 3261, 9.1)."""
    peer = sipp(
        Callee()
        .recv("INVITE").pause(700).reply(180)
        .recv("CANCEL").reply(200).reply_to("INVITE", 487).recv("ACK")
    )  # fmt: skip
    call = phone.endpoint.invite(peer.uri, OFFER)
    call.hangup()
    call.wait_ended()
    peer.wait()
    phone.expect("ended cancelled 487")


def test_no_answer_in_time(phone, sipp):
    peer = sipp(
        Callee().recv("INVITE").reply(180).recv("CANCEL").reply(200).reply_to("INVITE", 487).recv("ACK")
    )
    with pytest.raises(sipbridge.TimeoutError):
        phone.endpoint.call(peer.uri, OFFER, timeout=0.5)
    peer.wait()
    phone.wait("ended cancelled 487")
    # The 180 may come after the half second, when the call is ending and no event tells of it any more.
    assert phone.labels in (["progress 180", "ended cancelled 487"], ["ended cancelled 487"])


@pytest.mark.parametrize("status", [400, 404, 480, 486, 488, 500, 503, 600, 603])
def test_the_peer_refuses(phone, sipp, status):
    peer = sipp(
        Callee()
        .recv("INVITE").reply(180)
        .reply(status, reason="For a Reason", headers=[("Retry-After", "120")])
        .recv("ACK")
    )  # fmt: skip
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(peer.uri, OFFER)
    peer.wait()
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    assert caught.value.headers["Retry-After"] == "120"
    phone.expect("progress 180", "ended rejected %d" % status)
    ended = phone.events[-1]
    assert (ended.reason, ended.headers["Retry-After"]) == ("For a Reason", "120")
    assert peer.received("ACK")[0]["Via"] == peer.received("INVITE")[0]["Via"]


@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
def test_the_peer_redirects(phone, sipp, status):
    targets = ["<sip:bob@first.test>;q=0.9", "<sip:bob@second.test>;q=0.5"]
    headers = [("Contact", target) for target in targets]
    peer = sipp(Callee().recv("INVITE").reply(status, headers=headers).recv("ACK"))
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(peer.uri, OFFER)
    peer.wait()
    assert caught.value.status == status
    assert caught.value.contacts == targets
    phone.expect("ended redirected %d" % status)
    assert peer.received_names() == ["INVITE", "ACK"]


def test_through_a_route(phone, sipp):
    """The request goes to the route, and its Request-URI stays (RFC 3261, 8.1.2).

    libeXosip2 leaves the Route out where it sends to, as to an outbound proxy.
    """
    peer = sipp(Callee().recv("INVITE").reply(486).recv("ACK"))
    with pytest.raises(sipbridge.ResponseError):
        phone.endpoint.call("sip:bob@sipbridge.test", OFFER, route="sip:%s;lr" % peer.host_port)
    peer.wait()
    invite = peer.received("INVITE")[0]
    assert invite.start_line == "INVITE sip:bob@sipbridge.test SIP/2.0"
    assert invite.get_all("Route") in ([], ["<sip:%s;lr>" % peer.host_port])
    phone.expect("ended rejected 486")


def test_through_the_outbound_proxy(make_phone, sipp):
    peer = sipp(Callee().recv("INVITE").reply(486).recv("ACK"))
    phone = make_phone(outbound_proxy="sip:%s;lr" % peer.host_port, user_agent="exchange/1.0")
    with pytest.raises(sipbridge.ResponseError):
        phone.endpoint.call("sip:bob@sipbridge.test", OFFER, from_='"Front desk" <sip:desk@sipbridge.test>')
    peer.wait()
    invite = peer.received("INVITE")[0]
    assert invite.start_line == "INVITE sip:bob@sipbridge.test SIP/2.0"
    assert invite["From"].startswith('"Front desk" <sip:desk@sipbridge.test>')
    assert invite["User-Agent"] == "exchange/1.0"


def test_the_advertised_address_is_in_contact(make_phone, sipp):
    """What Contact names where the endpoint's own address is not reachable: a container's, or behind NAT."""
    peer = sipp(Callee().recv("INVITE").reply(486).recv("ACK"))
    phone = make_phone(advertised="198.51.100.7:5062")
    with pytest.raises(sipbridge.ResponseError):
        phone.endpoint.call(peer.uri, OFFER)
    peer.wait()
    assert "198.51.100.7:5062" in peer.received("INVITE")[0]["Contact"]


@pytest.mark.parametrize("status, header", [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_a_challenged_invite_is_sent_again_with_credentials(phone, sipp, status, header):
    """Digest on INVITE (RFC 3261, 22.2 and 22.3); what the user sees is one call that is answered."""
    phone.endpoint.add_credentials("alice", "wonder-land", realm="sipbridge.test")
    peer = sipp(
        Callee()
        .recv("INVITE").reply(status, headers=[_challenge(status, "one")]).recv("ACK")
        .recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK")
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER)
    call.hangup()
    peer.wait()
    phone.expect("progress 180", "answered 200 sdp", "ended local-bye 200")
    first, second = peer.received("INVITE")
    assert (first.body, second.body) == (OFFER, OFFER)
    assert int(second["CSeq"].split()[0]) == int(first["CSeq"].split()[0]) + 1
    assert check_digest(second, header, "wonder-land")["username"] == "alice"


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_invite_without_credentials_fails(phone, sipp, status):
    peer = sipp(Callee().recv("INVITE").reply(status, headers=[_challenge(status, "one")]).recv("ACK").pause(500))
    with pytest.raises(sipbridge.AuthenticationError) as caught:
        phone.endpoint.call(peer.uri, OFFER)
    assert caught.value.status == status
    peer.wait()
    phone.expect("ended rejected %d" % status)


@pytest.mark.parametrize("status", [401, 407])
def test_a_challenged_invite_with_a_wrong_password_fails(phone, sipp, status):
    """A second challenge that is not stale means that the credentials are wrong: no third try (22.1)."""
    phone.endpoint.add_credentials("alice", "wrong")
    peer = sipp(
        Callee()
        .recv("INVITE").reply(status, headers=[_challenge(status, "one")]).recv("ACK")
        .recv("INVITE").reply(status, headers=[_challenge(status, "two")]).recv("ACK")
        .pause(500)
    )  # fmt: skip
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.call(peer.uri, OFFER)
    peer.wait()
    phone.expect("ended rejected %d" % status)


def test_close_hangs_up(phone, sipp):
    peer = sipp(Callee().recv("INVITE").reply(200, ANSWER).recv("ACK").recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    phone.close()
    peer.wait()
    assert call.ended.cause == "local-bye"


def _challenge(status, nonce):
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return name, 'Digest realm="sipbridge.test", nonce="%s", qop="auth", algorithm=MD5' % nonce
