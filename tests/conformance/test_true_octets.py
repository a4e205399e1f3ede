"""A trace and a flight recorder have the octets that were on the wire: seen by a peer's bare socket."""

from __future__ import absolute_import, division, print_function

import io
import os
import socket

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers import abilities
from peers.waiting import wait_until
from sipbridge import record
from sipbridge._engine import flight

#: Without its shield libeXosip2 shows a message as it would write it itself.
pytestmark = pytest.mark.skipif(
    not abilities.knows_sources(), reason="without the shield nobody sees what libeXosip2 reads and writes"
)

#: Sound, and written as no library would: compact and odd names, folded lines, white space, a value of nothing but
#: white space (which the shield mends, CVE-2016-10324), a list with an empty element.
ODD = (
    b"MESSAGE sip:engine@%(target)s SIP/2.0\r\n"
    b"v:SIP/2.0/%(transport)s %(source)s;rport\r\n"
    b"\t;branch=z9hG4bK%(number)d\r\n"
    b"mAX-fORWARDS  :   7\r\n"
    b"f : \"Odd\"   <sip:odd@example.com>;tag=%(number)d\r\n"
    b"t:<sip:engine@%(target)s>\r\n"
    b"i:%(number)d@odd\r\n"
    b"CSEQ:  00%(number)d\r\n MESSAGE\r\n"
    b"Subject:  \r\n"
    b"X-Empty: a, , b\r\n"
    b"c: text/plain ;  charset=\"utf-8\"\r\n"
    b"l:   %(length)d\r\n"
    b"\r\n"
)


def _brackets(host):
    return "[%s]" % host if ":" in host else host


class Bare(object):
    """A socket connected to an endpoint, and what was sent and received there."""

    def __init__(self, phone):
        self._is_stream = phone.address.startswith("tcp:")
        self._target = phone.address.rpartition("/")[2]
        host = "::1" if "[" in phone.address else "127.0.0.1"
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM if self._is_stream else socket.SOCK_DGRAM)
        self._socket.settimeout(10.0)
        self._socket.connect((host, phone.port))
        self.name = "%s:%d" % (_brackets(host), self._socket.getsockname()[1])

    def odd(self, number, body=b"hello"):
        """An odd request."""
        transport = "TCP" if self._is_stream else "UDP"
        values = {"target": self._target, "source": self.name, "transport": transport, "number": number}
        text = ODD.decode("ascii") % dict(values, length=len(body))
        return text.encode("ascii") + body

    def send(self, octets):
        self._socket.sendall(octets)

    def receive(self):
        """The next answer, which has no body."""
        octets = self._socket.recv(65536)
        while not octets.endswith(b"\r\n\r\n"):
            octets += self._socket.recv(65536)
        return octets

    def close(self):
        self._socket.close()


def window(recorder):
    """The messages that a flight recorder has."""
    with io.open(os.path.join(recorder.dump(), "window.pcapng"), "rb") as stream:
        return list(record.read(stream))


@pytest.mark.parametrize("address", ["udp://127.0.0.1:0", "tcp://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0"])
def test_a_message_of_a_peer_and_the_answer(address, tmpdir):
    recorder, traced = sipbridge.FlightRecorder(str(tmpdir.join("incidents"))), []
    with sipbridge.Endpoint(address, flight=recorder, trace=traced.append) as phone:
        phone.on(sipbridge.MessageReceived, lambda event: event.answer(202))
        peer = Bare(phone)
        sent = peer.odd(1)
        peer.send(sent)
        passed = [sent, peer.receive()]
        wait_until(lambda: len(traced) == 2)
        kept = window(recorder)
        own = "%s:%d" % (address[6:].rpartition(":")[0], phone.port)
    peer.close()
    assert [each.data for each in kept] == passed == [each.data for each in traced]
    assert [(each.source, each.target) for each in kept] == [(peer.name, own), (own, peer.name)]
    assert [(each.outgoing, each.peer) for each in traced] == [(False, peer.name), (True, peer.name)]
    assert [each.time for each in kept] == pytest.approx([each.time for each in traced], abs=2e-3)
    assert traced[0].time <= traced[1].time


@pytest.mark.tcp
def test_messages_in_pieces_and_together(tmpdir):
    """Those of a connection come as the kernel cuts them, and the last is longer than what a library reads at once; not
    with a line of more than 2,047 octets, which Sofia-SIP cuts off.
    """
    recorder = sipbridge.FlightRecorder(str(tmpdir.join("incidents")))
    with sipbridge.Endpoint("tcp://127.0.0.1:0", flight=recorder) as phone:
        phone.on(sipbridge.MessageReceived, lambda event: event.answer(202))
        peer = Bare(phone)
        sent = [peer.odd(1), peer.odd(2), peer.odd(3, (b"x" * 98 + b"\r\n") * 300)]
        answers = []
        peer.send(sent[0][:200])
        peer.send(sent[0][200:])
        answers.append(peer.receive())
        for piece in (b"\r\n", sent[1], sent[2][:-10000], sent[2][-10000:]):
            peer.send(piece)
        while sum(answer.count(b"\r\n\r\n") for answer in answers) < 3:
            answers.append(peer.receive())
        wait_until(lambda: len(flight.parse(phone._engine.flight_records())) == 6)  # Sofia-SIP tells what it has sent
        kept = window(recorder)
    peer.close()
    assert [each.data for each in kept if each.source == peer.name] == sent
    assert b"".join(each.data for each in kept if each.target == peer.name) == b"".join(answers)


def test_what_is_sent_through_a_proxy(make_phone, by_hand, tmpdir):
    """The library takes the Route away when it sends, and writes the Via."""
    recorder = sipbridge.FlightRecorder(str(tmpdir.join("incidents")))
    phone = make_phone(flight=recorder, outbound_proxy="sip:127.0.0.1:%d;lr" % by_hand.port)
    call = phone.endpoint.invite("sip:bob@example.com", OFFER)
    received = [by_hand.next("INVITE")]
    by_hand.reply(received[0], 200, [("Content-Type", "application/sdp")], ANSWER)
    received.append(by_hand.next("ACK"))
    call.wait_established(10.0)
    call.hangup()
    received.append(by_hand.next("BYE"))
    by_hand.reply(received[-1], 200)
    call.wait_ended(10.0)
    sent = [each for each in window(recorder) if each.target == "127.0.0.1:%d" % by_hand.port]
    assert [each.data for each in sent] == [each.octets for each in received]


def test_what_the_shield_refuses_and_repeats_is_not_shown(make_phone, by_hand, tmpdir):
    recorder = sipbridge.FlightRecorder(str(tmpdir.join("incidents")))
    phone = make_phone(flight=recorder)
    if phone.endpoint.engine_name != "exosip":
        pytest.skip("Sofia-SIP has no shield")
    port = phone.endpoint.port
    by_hand.request(port, "OPTIONS", [("Max-Forwards", "twice")])
    by_hand.next("400")
    by_hand.stateless = True
    request = by_hand.request(port, "OPTIONS")
    by_hand.next("200")
    by_hand.send(port, request.octets)
    by_hand.send(port, request.octets)
    assert [each.data.split(b" ")[0] for each in window(recorder)] == [b"OPTIONS", b"SIP/2.0"]
