"""A request that reached nobody is a PeerUnreachable; a 503 that a peer sent is a ResponseError as any other."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.sdp import ANSWER, OFFER
from peers.answering import Answering
from peers.ports import free_port

#: From an address of the loopback there is no way to another machine (RFC 5737).
ELSEWHERE = "sip:bob@192.0.2.1:5060"

#: Longer than libeXosip2 takes to tell what became of an INVITE that it could not send: ten seconds.
PATIENCE = 25.0

REQUESTS = {
    "message": lambda endpoint, uri: endpoint.message(uri, u"hello", timeout=PATIENCE),
    "options": lambda endpoint, uri: endpoint.options(uri, timeout=PATIENCE),
    "publish": lambda endpoint, uri: endpoint.publish(uri, "presence", b"on", "text/plain", timeout=PATIENCE),
    "register": lambda endpoint, uri: endpoint.register(uri.replace("bob@", ""), timeout=PATIENCE),
    "subscribe": lambda endpoint, uri: endpoint.subscribe(uri, "presence", timeout=PATIENCE),
}


def _send(phone, kind, uri):
    if kind == "subscribe" and phone.endpoint.engine_name == "exosip":
        pytest.skip("libeXosip2 forgets a SUBSCRIBE that it could not send, without a word")
    REQUESTS[kind](phone.endpoint, uri)


def _call(phone, uri, **options):
    phone.endpoint.call(uri, OFFER, timeout=PATIENCE, **options)


def _raised(send, *arguments, **options):
    with pytest.raises(sipbridge.SipbridgeError) as caught:
        send(*arguments, **options)
    return caught.value


@pytest.mark.parametrize("kind", sorted(REQUESTS))
def test_a_request_without_a_route_raises_peer_unreachable(phone, kind):
    error = _raised(_send, phone, kind, ELSEWHERE)
    assert type(error) is sipbridge.PeerUnreachable and isinstance(error, sipbridge.TransportError)
    assert error.reason and error.reason in str(error)
    assert "Service Unavailable" not in str(error)  # as if a peer had said so
    assert error.call is None


@pytest.mark.parametrize("kind", sorted(REQUESTS))
def test_a_503_from_the_peer_is_a_response_error(phone, by_hand, kind):
    with Answering(by_hand, 503):
        error = _raised(_send, phone, kind, by_hand.uri.replace("peer@", "bob@"))
    assert type(error) is sipbridge.ResponseError and error.status == 503


def test_an_unreachable_call_ends_with_a_cause_of_its_own(phone):
    """It ends with a cause of its own, and whoever waits for it is told the same."""
    error = _raised(_call, phone, ELSEWHERE)
    phone.expect("ended unreachable 503")
    ended = phone.events[-1]
    assert type(error) is type(ended.error) is sipbridge.PeerUnreachable
    assert error.call is ended.call is ended.error.call
    assert error.reason == ended.reason == ended.error.reason and error.reason in str(error)
    assert ELSEWHERE in str(error)
    for wait in (ended.call.wait_answered, ended.call.wait_established):
        assert type(_raised(wait, 1.0)) is sipbridge.PeerUnreachable
    assert phone.endpoint.calls == ()


def test_a_refused_port_raises_peer_unreachable(phone):
    if phone.endpoint.engine_name == "exosip":
        pytest.skip("libeXosip2 does not hear of it over UDP: after 32 s it is a TimeoutError")
    target = "sip:bob@127.0.0.1:%d" % free_port()
    for kind in sorted(REQUESTS):
        error = _raised(_send, phone, kind, target)
        assert type(error) is sipbridge.PeerUnreachable and error.reason.startswith("Connection refused: 127.0.0.1:")
    assert _raised(_call, phone, target).reason.startswith("Connection refused: 127.0.0.1:")


def test_a_request_within_a_call_to_an_unreachable_contact(phone, by_hand):
    """The peer names a Contact to which there is no way."""
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.uri = ELSEWHERE
    by_hand.reply(invite, 200, SDP, ANSWER)
    call.wait_answered(10.0)
    error = _raised(call.info, b"x", "text/plain", timeout=PATIENCE)
    assert type(error) is sipbridge.PeerUnreachable and error.call is call
    call.hangup()
    call.wait_ended(40.0)


def test_a_503_after_a_provisional_response_is_the_peers(phone, by_hand):
    """It was reached: what the peer says then is its own."""
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    phone.wait("progress 180")
    by_hand.reply(invite, 503)
    error = _raised(call.wait_answered, 10.0)
    assert type(error) is sipbridge.ResponseError and error.status == 503 and error.call is call
    phone.expect("progress 180", "ended rejected 503")


def test_the_next_target_is_tried(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=2)
    invite = by_hand.next("INVITE")
    own, by_hand.uri = by_hand.uri, ELSEWHERE  # the first of two Contacts
    by_hand.reply(invite, 302, [("Contact", "<sip:again@127.0.0.1:%d>;q=0.5" % by_hand.port)])
    by_hand.uri = own
    by_hand.next("ACK")
    again = by_hand.take(PATIENCE)
    assert again is not None and again.start_line.startswith("INVITE sip:again@")
    by_hand.reply(again, 200, SDP, ANSWER)
    call.wait_answered(10.0)
    by_hand.next("ACK")
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    call.wait_ended(10.0)


def test_a_kept_registration_survives_an_unreachable_registrar(phone):
    registration = phone.endpoint.register("sip:192.0.2.1", timeout=PATIENCE, keep=True)
    assert registration.state == "waiting"
    assert type(registration.error) is sipbridge.PeerUnreachable
    assert registration.error.reason == phone.wait("registration waiting 503").reason


@pytest.mark.parametrize(
    "status, kind, cause",
    [
        (302, sipbridge.ResponseError, "redirected"),
        (401, sipbridge.AuthenticationError, "rejected"),
        (408, sipbridge.TimeoutError, "rejected"),
        (486, sipbridge.ResponseError, "rejected"),
    ],
)
def test_the_error_of_an_unreachable_call_has_the_call(phone, by_hand, status, kind, cause):
    challenge = [("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one"')] if status == 401 else ()
    answer = threading.Thread(target=lambda: by_hand.reply(by_hand.next("INVITE"), status, challenge))
    answer.start()
    error = _raised(_call, phone, by_hand.uri)
    answer.join(10.0)
    assert type(error) is kind
    assert error.call.ended.cause == cause and error.call.remote_uri == by_hand.uri


def test_the_error_of_an_unanswered_call_has_the_call(phone, by_hand):
    error = _raised(phone.endpoint.call, by_hand.uri, OFFER, timeout=0.3)
    assert type(error) is sipbridge.TimeoutError and error.call.remote_uri == by_hand.uri


def test_the_error_of_a_hung_up_call_has_the_call(phone, by_hand):
    def hang_up():
        invite = by_hand.next("INVITE")
        by_hand.reply(invite, 180)
        phone.wait("progress 180").call.hangup()
        by_hand.reply(by_hand.next("CANCEL"), 200)
        by_hand.reply(invite, 487)

    thread = threading.Thread(target=hang_up)
    thread.start()
    error = _raised(_call, phone, by_hand.uri)
    thread.join(10.0)
    assert type(error) is sipbridge.CallHungUp and error.call is phone.events[-1].call
    assert _raised(phone.endpoint.call, "no address").call is None
