"""What an event knows of its message: when it came, and where from."""

from __future__ import absolute_import, division, print_function

import socket
import threading
import time

import pytest

import sipbridge
from conformance.conftest import USERS
from conformance.dialog import SDP
from conformance.sdp import ANSWER, OFFER
from peers import abilities
from peers.ports import HOST, free_port

#: What libeXosip2 cannot know of a message without the shield.
needs_sources = pytest.mark.skipif(
    not abilities.knows_sources(), reason="libeXosip2 does not tell where a message came from, and there is no shield"
)

VIA = "SIP/2.0/UDP 192.0.2.9:5099;received=192.0.2.8;rport=6;branch=z9hG4bK%s"


def came_from(peer):
    return sipbridge.Source(HOST, peer.port, "udp")


def message(port, fields=(), body=b"hi", host=HOST):
    """A MESSAGE whose Via says that it is from elsewhere."""
    target = "%s:%d" % (host if ":" not in host else "[%s]" % host, port)
    lines = ["MESSAGE sip:engine@%s SIP/2.0" % target, "To: <sip:engine@%s>" % target]
    lines += ["From: <sip:a@example.com>;tag=1", "Call-ID: %d.%d" % (port, len(body)), "CSeq: 1 MESSAGE"]
    lines += ["Max-Forwards: 70"]
    lines += ["%s: %s" % field for field in fields]
    lines += ["Content-Type: text/plain", "Content-Length: %d" % len(body), "", ""]
    return "\r\n".join(lines).encode("ascii") + body


def received(phone):
    return phone.wait("request MESSAGE")


# -- where from ----------------------------------------------------------------------------------------------------


@needs_sources
@pytest.mark.parametrize("field", [
    ("Via", VIA % "1"),
    ("Via", VIA % "2" + ", SIP/2.0/TCP 192.0.2.5;received=192.0.2.4;branch=z9hG4bK3"),
])  # fmt: skip
def test_the_source_is_the_sockets_and_not_what_a_via_says(phone, by_hand, field):
    before = time.time()
    by_hand.send(phone.endpoint.port, message(phone.endpoint.port, [field]))
    event = received(phone)
    assert event.source == came_from(by_hand)
    assert isinstance(event.source, sipbridge.Source)
    assert before - 0.1 <= event.time <= time.time() + 0.1


def test_a_peer_cannot_name_the_source_itself(phone, by_hand):
    """The engine on libeXosip2 has the message carry it, in a header."""
    forged = [("X-sipbridge-origin", "1 1 7 6.6.6.6"), ("x-Sipbridge-Origin", "2 1 7 6.6.6.6"), ("Via", VIA % "4")]
    by_hand.send(phone.endpoint.port, message(phone.endpoint.port, forged))
    event = received(phone)
    assert event.source == (came_from(by_hand) if abilities.knows_sources() else None)
    assert time.time() - event.time < 60.0
    assert phone.endpoint.engine_name == "sofia" or "X-sipbridge-origin" not in event.headers


@needs_sources
def test_each_event_of_a_call_from_outside(phone, by_hand, elsewhere):
    """The ACK and the BYE come from another port than the INVITE, as they may."""
    port = phone.endpoint.port
    invite = by_hand.request(port, "INVITE", SDP, OFFER)
    incoming = phone.wait("incoming sdp")
    incoming.call.answer(ANSWER)
    to = by_hand.next("200")["To"]
    elsewhere.within(port, invite, to, "ACK", 1)
    confirmed = phone.wait("confirmed")
    by_hand.within(port, invite, to, "INFO", 2, [("Content-Type", "application/dtmf")], b"1")
    info = phone.wait("info 1")
    elsewhere.within(port, invite, to, "INVITE", 3, SDP, OFFER)
    again = phone.wait("reinvite sdp")
    elsewhere.next("200")
    by_hand.within(port, invite, to, "ACK", 3)
    second = phone.wait("confirmed", 2)
    elsewhere.within(port, invite, to, "BYE", 4)
    ended = phone.wait("ended remote-bye 200")
    sources = [event.source for event in (incoming, confirmed, info, again, second, ended)]
    assert sources == [came_from(each) for each in (by_hand, elsewhere, by_hand, elsewhere, by_hand, elsewhere)]
    times = [event.time for event in (incoming, confirmed, info, again, second, ended)]
    assert times == sorted(times) and time.time() - 60.0 < times[0]


@needs_sources
def test_each_event_of_a_call_of_ours(phone, by_hand, elsewhere):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    ringing = phone.wait("progress 180")
    elsewhere.reply(invite, 200, SDP, ANSWER)
    answered = phone.wait("answered 200 sdp")
    call.hangup()
    by_hand.reply(elsewhere.next("BYE"), 200)
    ended = phone.wait("ended local-bye 200")
    sources = [event.source for event in (ringing, answered, ended)]
    assert sources == [came_from(each) for each in (by_hand, elsewhere, by_hand)]


@needs_sources
def test_a_cancel(phone, by_hand, elsewhere):
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    phone.wait("incoming sdp")
    elsewhere.cancel(phone.endpoint.port, invite)
    source = phone.wait("ended cancelled 487").source
    assert source is None or source == came_from(elsewhere)
    assert abilities.is_exosip("3.3") or source is not None


def answered(peer, act, method, fields):
    """Act in a thread, and answer the request that comes of it. Returns the request."""
    thread = threading.Thread(target=act)
    thread.start()
    request = peer.next(method)
    peer.reply(request, 200, fields(request))
    thread.join()
    return request


@needs_sources
def test_registrations_and_subscriptions(phone, by_hand):
    def bound(request):
        return [("Contact", request["Contact"] + ";expires=60")]

    answered(by_hand, lambda: phone.endpoint.register(by_hand.uri), "REGISTER", bound)
    assert phone.wait("registration active 200").source == came_from(by_hand)
    act = lambda: phone.endpoint.subscribe(by_hand.uri, "presence")  # noqa: E731
    asked = answered(by_hand, act, "SUBSCRIBE", lambda _: [("Expires", "60")])
    assert phone.wait("subscription active 200").source == came_from(by_hand)
    known = {"From": asked["To"] + ";tag=byhand%d" % by_hand.port, "Call-ID": asked["Call-ID"]}
    fields = [("Event", "presence"), ("Subscription-State", "active;expires=60")]
    by_hand.within(phone.endpoint.port, known, asked["From"], "NOTIFY", 1, fields)
    assert phone.wait("notify active").source == came_from(by_hand)


@needs_sources
def test_a_watched_peer(phone, by_hand):
    watch = phone.endpoint.watch(by_hand.uri)
    by_hand.reply(by_hand.next("OPTIONS"), 200)
    event = phone.wait("available 200")
    watch.stop()
    assert event.source == came_from(by_hand) and time.time() - event.time < 60.0


def test_what_nobody_sent_has_a_time_and_no_source(phone, by_hand):
    """The end of a call that we refuse is told by our own response."""
    by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    before = time.time()
    call = phone.wait("incoming sdp").call
    call.reject(486)
    refused = by_hand.next("486")
    assert refused["Call-ID"] == call.call_id
    ended = phone.wait("ended rejected 486")
    assert ended.source is None
    assert before - 0.1 <= ended.time <= time.time() + 0.1
    assert call.ended_at == ended.time


@needs_sources
@pytest.mark.tcp
def test_over_tcp(make_phone, request):
    """Also of a message that comes in pieces, and is longer than what libeXosip2 reads at a time."""
    phone = make_phone(address="tcp://127.0.0.1:%d" % free_port())
    peers = [socket.create_connection((HOST, phone.endpoint.port)) for _ in range(2)]
    for each in peers:
        request.addfinalizer(each.close)
    octets = message(phone.endpoint.port, [("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK5")], b"x" * 9000)
    peers[0].sendall(octets[:100])
    short = [("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK6")]
    peers[1].sendall(message(phone.endpoint.port, short, b"short"))
    first = received(phone)
    peers[0].sendall(octets[100:])
    second = phone.wait("request MESSAGE", 2)
    assert (first.body, len(second.body)) == (b"short", 9000)
    names = [each.getsockname() for each in peers]
    assert first.source == (HOST, names[1][1], "tcp")
    assert second.source == (HOST, names[0][1], "tcp")


@needs_sources
@pytest.mark.parametrize("address, host", [
    ("udp://[::1]:0", "::1"), ("udp://[::]:0", "::1"), ("udp://0.0.0.0:0", HOST),
])  # fmt: skip
def test_addresses(make_phone, request, address, host):
    phone = make_phone(address=address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    peer = socket.socket(family, socket.SOCK_DGRAM)
    request.addfinalizer(peer.close)
    peer.bind((host, 0))
    octets = message(phone.endpoint.port, [("Via", VIA % "7")], host=host)
    peer.sendto(octets, (host, phone.endpoint.port))
    assert received(phone).source == (host, peer.getsockname()[1], "udp")


@needs_sources
def test_traced_messages(make_phone, by_hand):
    traced = []
    phone = make_phone(trace=traced.append)
    via = "SIP/2.0/UDP 192.0.2.9:5099;rport;branch=z9hG4bK8"
    by_hand.send(phone.endpoint.port, message(phone.endpoint.port, [("Via", via)]))
    received(phone)
    by_hand.next("200")
    came = [each for each in traced if b"MESSAGE" in each.data and not each.outgoing]
    assert [each.source for each in came] == [came_from(by_hand)]
    assert came[0].peer == "%s:%d" % (HOST, by_hand.port)
    assert [each.source for each in traced if each.outgoing and each.source] == []
    assert b"origin" not in came[0].data


# -- behind a proxy ------------------------------------------------------------------------------------------------


@needs_sources
@pytest.mark.parametrize("trusted, expected", [
    ([], None),
    (["192.0.2.0/24"], None),
    (["127.0.0.0/8"], ("192.0.2.8", 6, "udp")),
    (["10.0.0.0/8", "127.0.0.1"], ("192.0.2.8", 6, "udp")),
])  # fmt: skip
def test_the_word_of_a_trusted_proxy_counts(make_phone, by_hand, trusted, expected):
    phone = make_phone(trusted_proxies=trusted)
    proxy = "SIP/2.0/UDP %s:%d;branch=z9hG4bK9" % (HOST, by_hand.port)
    by_hand.send(phone.endpoint.port, message(phone.endpoint.port, [("Via", proxy), ("Via", VIA % "10")]))
    assert received(phone).source == (came_from(by_hand) if expected is None else expected)


@needs_sources
def test_the_header_of_a_trusted_proxy_counts(make_phone, by_hand):
    phone = make_phone(trusted_proxies=["127.0.0.1"], source_header="X-Source-Address")
    fields = [("Via", VIA % "11"), ("X-Source-Address", "sip:198.51.100.7:5071;transport=tcp")]
    by_hand.send(phone.endpoint.port, message(phone.endpoint.port, fields))
    assert received(phone).source == ("198.51.100.7", 5071, "tcp")


@needs_sources
def test_behind_kamailio(make_phone, kamailio, by_hand):
    """It writes received and rport into the Via of who sent it, in place of what that says of itself."""
    phone = make_phone(identity="sip:alice@" + kamailio.domain, trusted_proxies=["127.0.0.1"])
    phone.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    registration = phone.endpoint.register(kamailio.uri)
    via = "SIP/2.0/UDP 192.0.2.9:5099;rport=7;received=192.0.2.8;branch=z9hG4bK%d" % by_hand.port
    octets = message(phone.endpoint.port, [("Via", via)])
    uri = ("sip:alice@" + kamailio.domain).encode("ascii")
    by_hand.send(kamailio.port, octets.replace(octets.split(b" ")[1], uri))
    assert received(phone).source == came_from(by_hand)
    registration.unregister()
