"""Responses that find back (RFC 3581, RFC 3261 18.2), NAT, and what keeps a way open (RFC 5626)."""

from __future__ import absolute_import, division, print_function

import re
import socket

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.answering import Answering
from peers.nat import Nat
from peers.ports import HOST


@pytest.fixture
def nat(by_hand):
    """A NAT between the phone and by_hand."""
    relay = Nat(by_hand.port)
    yield relay
    relay.stop()


def _parameters(via):
    """The parameters of a Via as a dict; None for one without a value."""
    pairs = [part.strip().partition("=") for part in via.split(";")[1:]]
    return dict((name, value if separator else None) for name, separator, value in pairs)


def _sent_by(via):
    return via.split(";")[0].split()[1]


# -- what we send --------------------------------------------------------------------------------------------------


def test_requests_ask_for_rport(phone, by_hand):
    """RFC 3581, 3: the parameter stands there without a value. Each request of a call has it."""
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 200, [("Content-Type", "application/sdp")], ANSWER)
    ack = by_hand.next("ACK")
    call.hangup()
    bye = by_hand.next("BYE")
    by_hand.reply(bye, 200)
    call.wait_ended(10.0)
    for request in (invite, ack, bye):
        assert _parameters(request["Via"])["rport"] is None
        assert _sent_by(request["Via"]) == phone.host_port


def test_what_a_response_says_of_our_address_changes_nothing(phone, by_hand):
    """Any peer could name where the others then send their requests to."""
    by_hand.symmetric = True
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    invite.source = ("192.0.2.9", phone.endpoint.port)
    by_hand.reply(invite, 486)
    call.wait_ended(10.0)
    by_hand.next("ACK")
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    assert phone.host_port in invite["Contact"]
    assert _sent_by(invite["Via"]) == phone.host_port
    call.hangup()


def _options(phone, peer, via):
    """Send an OPTIONS with a Via of our own, from the peer's socket."""
    lines = [
        "OPTIONS sip:%s SIP/2.0" % phone.host_port,
        "Via: " + via,
        "From: <sip:a@example.com>;tag=1",
        "To: <sip:b@example.com>",
        "Call-ID: rport-%d" % peer.port,
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
        "Content-Length: 0",
    ]
    peer.send(phone.endpoint.port, ("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))


def test_a_response_goes_to_the_source_where_rport_asks(phone, by_hand, elsewhere):
    """RFC 3581, 4: not to the port that Via names, and it says where to."""
    _options(phone, by_hand, "SIP/2.0/UDP 192.0.2.7:%d;rport;branch=z9hG4bK-with" % elsewhere.port)
    given = _parameters(by_hand.next("200")["Via"])
    assert given["received"] == HOST and given["rport"] == str(by_hand.port)
    assert given["branch"] == "z9hG4bK-with"
    assert elsewhere.take(0.2) is None


def test_a_response_goes_to_the_port_of_via_without_rport(phone, by_hand, elsewhere):
    """RFC 3261, 18.2.2: the address that it came from, the port that sent-by names."""
    _options(phone, by_hand, "SIP/2.0/UDP 192.0.2.7:%d;branch=z9hG4bK-without" % elsewhere.port)
    given = _parameters(elsewhere.next("200")["Via"])
    assert given["received"] == HOST and "rport" not in given
    assert by_hand.take(0.2) is None


# -- behind a NAT --------------------------------------------------------------------------------------------------


def test_an_outgoing_call_through_a_nat(make_phone, by_hand, nat):
    """Responses come to a port that is none of ours, and name it; the call goes on all the same."""
    by_hand.symmetric = True
    phone = make_phone(identity="sip:alice@sipbridge.test", outbound_proxy=nat.uri)
    call = phone.endpoint.invite("sip:bob@example.com", OFFER)
    invite = by_hand.next("INVITE")
    assert invite.source[1] == nat.outer and _sent_by(invite["Via"]) == phone.host_port
    route = [("Record-Route", "<%s;lr>" % nat.uri)]
    by_hand.reply(invite, 180, route)
    phone.wait("progress 180")
    by_hand.reply(invite, 200, route + [("Content-Type", "application/sdp")], ANSWER)
    assert by_hand.next("ACK").source[1] == nat.outer
    with Answering(by_hand) as peer:
        call.send_dtmf("1", timeout=10.0)
        call.hangup()
        assert call.wait_ended(10.0).cause == "local-bye"
    assert [message.method for message in peer.messages] == ["INFO", "BYE"]
    assert all(message.source[1] == nat.outer for message in peer.messages)


def test_an_incoming_call_through_a_nat(make_phone, by_hand, nat):
    """The way that our REGISTER opened leads in; answers go back to where the INVITE came from."""
    by_hand.symmetric = True
    phone = make_phone(identity="sip:alice@sipbridge.test", outbound_proxy=nat.uri)
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.answer(ANSWER)
    with Answering(by_hand):
        phone.endpoint.register("sip:sipbridge.test", expires=600, timeout=10.0)
    invite = by_hand.request(nat.outer, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    answer = by_hand.next("200")
    assert by_hand.source[1] == nat.outer
    by_hand.within(nat.outer, invite, answer["To"], "ACK", 1)
    phone.wait("confirmed")
    by_hand.within(nat.outer, invite, answer["To"], "BYE", 2)
    assert by_hand.next("200").method == "BYE"
    phone.wait("ended remote-bye 200")
    with Answering(by_hand):
        phone.endpoint.close()


@pytest.mark.parametrize("advertised", [False, True])
def test_a_registration_through_a_nat(make_phone, by_hand, nat, advertised):
    """Contact says what the endpoint was told to: its address, or the one that is advertised; not what rport told."""
    outside = "%s:%d" % (HOST, nat.outer)
    by_hand.symmetric = True
    phone = make_phone(
        identity="sip:alice@sipbridge.test",
        outbound_proxy=nat.uri,
        advertised=outside if advertised else None,
    )
    with Answering(by_hand) as registrar:
        registration = phone.endpoint.register("sip:sipbridge.test", expires=600, timeout=10.0)
        registration.refresh(timeout=10.0)
        registration.unregister(timeout=10.0)
    contacts = [message["Contact"] for message in registrar.messages]
    assert len(contacts) == 3
    assert all((outside if advertised else phone.host_port) in contact for contact in contacts)


# -- what keeps a way open -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [b"\r\n\r\n", b"\r\n", b"\0", b"\0\0\0\0", b"jaK\0", b""])
def test_datagrams_that_keep_a_way_open_are_ignored(phone, by_hand, octets):
    """What phones and proxies send for that: it is no message, and nothing is said to it."""
    by_hand.send(phone.endpoint.port, octets)
    by_hand.request(phone.endpoint.port, "OPTIONS")
    assert by_hand.take(10.0).name == "200"
    assert by_hand.take(0.2) is None
    assert phone.labels == []


def test_watching_keeps_the_way_of_a_registration_open(make_phone, by_hand, nat):
    """Over UDP there are no pings but OPTIONS: they come from the same port."""
    by_hand.symmetric = True
    phone = make_phone(identity="sip:alice@sipbridge.test", outbound_proxy=nat.uri)
    with Answering(by_hand) as registrar:
        phone.endpoint.register("sip:sipbridge.test", expires=600, timeout=10.0)
        watch = phone.endpoint.watch("sip:sipbridge.test", 1.0)
        phone.wait("available 200")
        watch.stop()
    assert set(message.source[1] for message in registrar.messages) == set([nat.outer])
    assert [message.method for message in registrar.messages][:2] == ["REGISTER", "OPTIONS"]


@pytest.fixture
def connected(make_endpoint):
    """A stream to an endpoint on TCP, as an inward peer has it: (endpoint, socket)."""
    endpoint = make_endpoint("tcp://127.0.0.1:0")
    stream = socket.create_connection((HOST, endpoint.port), 5.0)
    stream.settimeout(10.0)
    yield endpoint, stream
    stream.close()


@pytest.mark.tcp
def test_a_ping_on_tcp_is_answered(connected):
    """RFC 5626, 4.4.1: two line ends, and one for an answer."""
    endpoint, stream = connected
    if endpoint.engine_name == "exosip":
        pytest.skip("libeXosip2 takes a ping on a connection and does not answer it")
    for _ in range(3):
        stream.sendall(b"\r\n\r\n")
        assert stream.recv(100) == b"\r\n"


@pytest.mark.tcp
def test_pings_between_messages_on_tcp_do_no_harm(connected):
    _, stream = connected
    lines = ["OPTIONS sip:a@127.0.0.1 SIP/2.0", "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%d", "Max-Forwards: 70"]
    lines += ["From: <sip:a@example.com>;tag=1", "To: <sip:b@example.com>", "Call-ID: ping-%d", "CSeq: 1 OPTIONS"]
    options = "\r\n".join(lines + ["Content-Length: 0", "", ""])
    for i in range(3):
        stream.sendall(b"\r\n\r\n" * i + (options % (i, i)).encode("ascii") + b"\r\n\r\n")
        got = b""
        while got.count(b"SIP/2.0 200") < 1:
            more = stream.recv(65536)
            assert more, got
            got += more


@pytest.fixture
def pinging(make_endpoint):
    """An endpoint that sent OPTIONS on a connection and pings it every second: (endpoint, the peer's socket)."""
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(1)
    listener.settimeout(10.0)
    endpoint = make_endpoint("tcp://127.0.0.1:0", keepalive=1)
    watch = endpoint.watch("sip:%s:%d;transport=tcp" % (HOST, listener.getsockname()[1]), 60.0)
    stream = listener.accept()[0]
    stream.settimeout(20.0)
    yield endpoint, stream
    watch.stop()
    stream.close()
    listener.close()


@pytest.mark.tcp
def test_pings_are_sent_on_a_silent_connection(pinging):
    endpoint, stream = pinging
    octets = pings = b""
    while pings.count(b"\r\n\r\n") < 2:
        got = stream.recv(65536)
        assert got, octets
        octets += got
        if endpoint.engine_name == "sofia" and octets.endswith(b"\r\n\r\n\r\n\r\n"):
            stream.sendall(b"\r\n")
        pings = re.sub(b"(?s)OPTIONS .*?\r\n\r\n", b"", octets)
    assert octets.startswith(b"OPTIONS ")


@pytest.mark.slow("10 s, in which a ping has to be answered (RFC 5626, 4.4.1)")
@pytest.mark.tcp
def test_a_ping_without_an_answer_ends_the_connection(pinging):
    """RFC 5626, 4.4.1: after 10 s."""
    endpoint, stream = pinging
    if endpoint.engine_name == "exosip":
        pytest.skip("libeXosip2 does not look whether a ping on a connection is answered")
    octets = got = stream.recv(65536)
    while got:
        got = stream.recv(65536)
        octets += got
    assert octets.endswith(b"\r\n\r\n\r\n\r\n")


@pytest.mark.parametrize(
    "address, keepalive, part",
    [
        ("udp://127.0.0.1:0", 30, "watch"),
        ("tcp://127.0.0.1:0", 0, "above 0"),
        ("tcp://127.0.0.1:0", -1, "above 0"),
        ("tcp://127.0.0.1:0", 1.5, "whole seconds"),
        ("tcp://127.0.0.1:0", True, "whole seconds"),
        ("tcp://127.0.0.1:0", 86401, "86400"),
    ],
)
def test_bad_values_of_keepalive_are_refused(address, keepalive, part):
    with pytest.raises(sipbridge.InputError) as caught:
        sipbridge.Endpoint(address, keepalive=keepalive)
    assert part in str(caught.value)
