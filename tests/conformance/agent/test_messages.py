# -*- coding: utf-8 -*-
"""Requests outside of calls: MESSAGE (RFC 3428), OPTIONS (RFC 3261, 11) and others."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER
from peers.phone import engine_under_test
from peers.scenario import Callee, Caller
from peers.wire import check_digest

TEXT = u"Größe: 5 €, 電話, \U0001f4de\r\n"


def test_message_is_sent(phone, sipp):
    peer = sipp(Callee().recv("MESSAGE").reply(202))
    response = phone.endpoint.message(peer.uri, TEXT, headers=[("Subject", u"Gruß"), ("X-Trace", "1")])
    assert (response.status, response.ok) == (202, True)
    message = peer.wait().received("MESSAGE")[0]
    assert message.start_line == "MESSAGE %s SIP/2.0" % peer.uri
    assert message.body == TEXT.encode("utf-8")
    assert message["Content-Type"] == "text/plain"
    assert (message["Subject"], message["X-Trace"]) == (u"Gruß", "1")
    assert "<sip:alice@sipbridge.test>" in message["From"]
    assert phone.labels == []


def test_message_of_octets_is_sent(phone, sipp):
    octets = bytes(bytearray(range(1, 256)))
    peer = sipp(Callee().recv("MESSAGE").reply(200))
    phone.endpoint.message(peer.uri, octets, content_type="application/octet-stream")
    assert peer.wait().received("MESSAGE")[0].body == octets


@pytest.mark.parametrize("status", [404, 480, 500, 603])
def test_message_refused_by_the_peer(phone, sipp, status):
    peer = sipp(Callee().recv("MESSAGE").reply(status, reason="For a Reason", headers=[("X-Trace", "2")]))
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.message(peer.uri, "hello")
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    assert caught.value.headers["X-Trace"] == "2"
    peer.wait()


@pytest.mark.parametrize(
    "status, challenge, response",
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")],
)
def test_message_challenged(phone, sipp, status, challenge, response):
    challenge = (challenge, 'Digest realm="sipbridge.test", nonce="one", qop="auth"')
    phone.endpoint.add_credentials("alice", "wonder-land")
    peer = sipp(
        Callee()
        .recv("MESSAGE").reply(status, headers=[challenge])
        .recv("MESSAGE").reply(200)
    )  # fmt: skip
    assert phone.endpoint.message(peer.uri, TEXT).status == 200
    first, second = peer.wait().received("MESSAGE")
    assert first.body == second.body == TEXT.encode("utf-8")
    assert check_digest(second, response, "wonder-land")["username"] == "alice"


def test_message_challenged_with_a_wrong_password(phone, sipp):
    def challenge(nonce):
        return "Proxy-Authenticate", 'Digest realm="sipbridge.test", nonce="%s", qop="auth"' % nonce

    phone.endpoint.add_credentials("alice", "wrong")
    peer = sipp(
        Callee()
        .recv("MESSAGE").reply(407, headers=[challenge("one")])
        .recv("MESSAGE").reply(407, headers=[challenge("two")])
        .pause(500)
    )  # fmt: skip
    with pytest.raises(sipbridge.AuthenticationError) as caught:
        phone.endpoint.message(peer.uri, "hello")
    assert caught.value.status == 407
    peer.wait()


def test_message_is_received(phone, sipp):
    peer = sipp(
        Caller().initial("MESSAGE", TEXT.encode("utf-8"), "text/plain", [("X-Trace", "3")]).expect(200),
        phone.host_port,
    )
    event = phone.wait("request MESSAGE")
    peer.wait()
    assert isinstance(event, sipbridge.MessageReceived)
    assert (event.text, event.body) == (TEXT, TEXT.encode("utf-8"))
    assert (event.content_type, event.headers["X-Trace"], event.call) == ("text/plain", "3", None)
    assert event.from_uri == "sip:caller@" + peer.host_port
    assert event.to_uri == "sip:callee@" + phone.host_port
    phone.expect("request MESSAGE")


def test_message_answered_by_the_handler(phone, sipp):
    phone.reactions[sipbridge.MessageReceived] = lambda event: event.answer(
        202, body=b"later\r\n", content_type="text/plain", headers=[("X-Trace", "4")]
    )
    peer = sipp(Caller().initial("MESSAGE", b"hello\r\n", "text/plain").expect(202), phone.host_port)
    response = peer.wait().received("202")[0]
    assert (response.body, response["Content-Type"], response["X-Trace"]) == (b"later\r\n", "text/plain", "4")


def test_message_retransmitted(phone, sipp):
    """A retransmission is no second event, and gets the same answer again (RFC 3261, 17.2.2)."""
    sipp(
        Caller().initial("MESSAGE", b"hello\r\n", "text/plain").expect(200).again().expect(200),
        phone.host_port,
        retransmissions=False,
    ).wait()
    phone.expect("request MESSAGE")


def test_message_that_nobody_takes(sipp):
    with sipbridge.Endpoint("udp://127.0.0.1:0", engine=engine_under_test()) as endpoint:
        sipp(
            Caller().initial("MESSAGE", b"hello\r\n", "text/plain").expect(480),
            "127.0.0.1:%d" % endpoint.port,
        ).wait()


# -- within a call (RFC 3428, 4) ---------------------------------------------------------------------------------

PLAIN = [("Content-Type", "text/plain")]


def test_message_within_a_call(phone, by_hand):
    dialog = Dialog(phone, by_hand, False)
    dialog.within("MESSAGE", 2, PLAIN, TEXT.encode("utf-8"))
    event = phone.wait("request MESSAGE")
    assert type(event) is sipbridge.MessageReceived
    assert (event.call, event.text, event.content_type) == (dialog.call, TEXT, "text/plain")
    assert by_hand.next("200").method == "MESSAGE"
    dialog.is_alive()


def test_message_within_a_call_of_ours_answered_by_the_handler(phone, by_hand):
    phone.reactions[sipbridge.MessageReceived] = lambda event: event.answer(202, body=b"later", content_type="a/b")
    dialog = Dialog(phone, by_hand, True)
    dialog.within("MESSAGE", 2, PLAIN, b"hello")
    response = by_hand.next("202")
    assert (response.method, response.body, response["Content-Type"]) == ("MESSAGE", b"later", "a/b")
    dialog.is_alive()


@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("method, kind", [("MESSAGE", sipbridge.MessageReceived), ("INFO", sipbridge.InfoReceived)])
def test_a_handler_that_hangs_up_has_its_request_answered_first(phone, by_hand, method, kind, placed):
    """The request belongs to the call, so the endpoint answers it before it sends the BYE."""
    caught = []

    def hang_up(event):
        event.call.hangup()
        with pytest.raises(sipbridge.CallStateError) as error:
            event.answer(202)
        caught.append(error.value)

    phone.reactions[kind] = hang_up
    dialog = Dialog(phone, by_hand, placed)
    dialog.within(method, 2, PLAIN, b"hello")
    response = by_hand.next("200")
    assert (response.method, response["CSeq"]) == (method, "2 " + method)
    by_hand.reply(by_hand.next("BYE"), 200)
    assert dialog.call.wait_ended().cause == "local-bye"
    assert phone.wait("ended local-bye 200").call is dialog.call  # so the handler is through
    assert len(caught) == 1


def test_message_within_a_call_that_nobody_takes(by_hand):
    """It is refused like one outside of a call; handlers of other requests do not see it."""
    with sipbridge.Endpoint("udp://127.0.0.1:0", engine=engine_under_test()) as endpoint:
        endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(ANSWER))
        invite = by_hand.request(endpoint.port, "INVITE", SDP, OFFER)
        to = by_hand.next("200")["To"]
        by_hand.within(endpoint.port, invite, to, "ACK", 1)
        by_hand.within(endpoint.port, invite, to, "MESSAGE", 2, PLAIN, b"hello")
        assert by_hand.next("480").method == "MESSAGE"
        by_hand.within(endpoint.port, invite, to, "BYE", 3)
        assert by_hand.next("200").method == "BYE"


def test_options_are_answered_by_the_engine(phone, sipp):
    """The engine answers; the user sees nothing of it."""
    response = sipp(Caller().initial("OPTIONS").expect(200), phone.host_port).wait().received("200")[0]
    allowed = [method.strip() for method in ",".join(response.get_all("Allow")).split(",")]
    expected = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "MESSAGE", "UPDATE"]
    assert [method for method in expected if method not in allowed] == []
    assert phone.labels == []


def test_options_are_sent(phone, sipp):
    peer = sipp(
        Callee().recv("OPTIONS").reply(200, OFFER, headers=[("Allow", "INVITE, ACK"), ("X-Trace", "5")])
    )
    response = phone.endpoint.options(peer.uri)
    assert (response.status, ", ".join(response.headers.get_all("Allow"))) == (200, "INVITE, ACK")
    assert (response.headers["X-Trace"], response.body) == ("5", OFFER)
    assert response.content_type == "application/sdp"
    peer.wait()


def test_another_method_is_sent(phone, sipp):
    peer = sipp(Callee().recv("FROB").reply(200))
    assert phone.endpoint.request("FROB", peer.uri, b"do\r\n", "text/plain").status == 200
    assert peer.wait().received("FROB")[0].body == b"do\r\n"


def test_another_method_is_refused_when_no_handler_answers(phone, sipp):
    sipp(Caller().initial("FROB", b"do\r\n", "text/plain").expect(501), phone.host_port).wait()
    event = phone.wait("request FROB")
    assert (event.call, event.method, event.body) == (None, "FROB", b"do\r\n")


def test_another_method_is_answered_by_the_handler(phone, sipp):
    phone.reactions[sipbridge.RequestReceived] = lambda event: event.answer(200)
    sipp(Caller().initial("FROB").expect(200), phone.host_port).wait()
    phone.expect("request FROB")


def test_a_bye_outside_of_any_call_gets_481(phone, sipp):
    """RFC 3261, 15.1.2."""
    sipp(Caller(to_tag="unknown").initial("BYE").expect(481), phone.host_port).wait()
    assert phone.labels == []


@pytest.mark.parametrize("kind", ["text/plain;x", "text/plain;x;charset=utf-8"])
def test_a_media_type_parameter_without_a_value_is_sent(phone, sipp, kind):
    """libosip2 writes none, and takes the next header for the value of Content-Type."""
    peer = sipp(Callee().recv("MESSAGE").reply(200))
    phone.endpoint.message(peer.uri, "hello", content_type=kind)
    message = peer.wait().received("MESSAGE")[0]
    assert message["Content-Type"].replace(" ", "") == kind
    assert message["Max-Forwards"] == "70"


@pytest.mark.parametrize(
    "kind, accept",
    [("text/plain;x", "text/plain"), ("text/plain;x;charset=utf-8", "text/plain"), ("text/plain", "text/html;level")],
)
def test_a_media_type_parameter_without_a_value_is_received(phone, by_hand, kind, accept):
    fields = [("Content-Type", kind), ("Accept", accept)]
    by_hand.request(phone.endpoint.port, "MESSAGE", fields, b"hello")
    event = phone.wait("request MESSAGE")
    assert event.body == b"hello"
    assert event.headers["Content-Type"].replace(" ", "") == kind
    assert event.headers["Accept"].replace(" ", "") == accept
    assert event.headers["Max-Forwards"] == "70"
