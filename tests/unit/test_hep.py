"""Packets for a capture server of Homer, and the thread that sends them (sipbridge.hep)."""

from __future__ import absolute_import, division, print_function

import logging
import socket
import struct
import threading
from contextlib import closing

import pytest

from peers.waiting import wait_until
from sipbridge import hep
from sipbridge.errors import InputError
from sipbridge.events import TraceMessage

HEAD = b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9\r\nCall-ID: a84b4c@192.0.2.1 \r\nCSeq: 7 INVITE\r\n"
INVITE = b"INVITE sip:bob@192.0.2.7 SIP/2.0\r\n" + HEAD + b"\r\n"
ENDS = ("192.0.2.1", 5062), ("192.0.2.7", 5060)
ENDS_IPV6 = ("2001:db8::1", 5062), ("2001:db8::7", 5060)
TIME = 1313440459.120001


def sent(data=INVITE):
    return TraceMessage(True, "192.0.2.7:5060", data, TIME)


def chunks(octets):
    """Type and content of each chunk, in the order of the packet."""
    assert octets[:4] == b"HEP3" and struct.unpack("!H", octets[4:6])[0] == len(octets)
    found, start = [], 6
    while start < len(octets):
        vendor, kind, length = struct.unpack("!HHH", octets[start : start + 6])
        assert vendor == 0 and length >= 6
        found.append((kind, octets[start + 6 : start + length]))
        start += length
    assert start == len(octets)
    return found


def test_the_example_of_the_specification():
    message = TraceMessage(True, "", b"INVITE sip:bob", 1313440459.12)
    octets = hep.packet(message, (("212.202.0.1", 12010), ("82.116.0.211", 5060)), "udp", 228)
    assert octets == bytes(
        bytearray.fromhex(
            u"48455033 0071 00000001000702 00000002000711 00000003000ad4ca0001 00000004000a527400d3"
            u"0000000700082eea 00000008000813c4 00000009000a4e4982cb 0000000a000a0001d4c0 0000000b000701"
            u"0000000c000a000000e4 0000000f0014494e56495445207369703a626f62"
        )
    )


@pytest.mark.parametrize("transport, number", [("udp", 17), ("tcp", 6), ("tls", 22)])
def test_a_packet_over_ipv6_with_all_that_there_can_be(transport, number):
    found = chunks(hep.packet(sent(), ENDS_IPV6, transport, 2**32 - 1, b"secret"))
    here, there = (socket.inet_pton(socket.AF_INET6, host) for host, _ in ENDS_IPV6)
    assert found == [
        (1, b"\x0a"), (2, struct.pack("!B", number)), (5, here), (6, there), (7, b"\x13\xc6"), (8, b"\x13\xc4"),
        (9, struct.pack("!I", 1313440459)), (10, struct.pack("!I", 120001)), (11, b"\x01"), (12, b"\xff" * 4),
        (17, b"a84b4c@192.0.2.1"), (14, b"secret"), (15, INVITE),
    ]  # fmt: skip


@pytest.mark.parametrize("data, expected", [
    (INVITE.replace(b"Call-ID:", b"i :"), b"a84b4c@192.0.2.1"),
    (INVITE.replace(b"Call-ID", b"cAlL-iD").replace(b"\r\n", b"\n"), b"a84b4c@192.0.2.1"),
    (INVITE.replace(b"a84b4c", b"x" * 70000), b"x" * 255),
    (INVITE.replace(b"Call-ID: a84b4c@192.0.2.1 ", b"Call-ID: "), None),
    (INVITE.replace(b"Call-ID", b"X") + b"Call-ID: of-a-body\r\n", None),
    (INVITE.replace(b"a84b4c", b" " * 30000 + b"x" + b" " * 30000), b"x" + b" " * 254),  # in linear time
    (INVITE.replace(b"a84b4c", b" " * 30000 + b"x\rx"), b"x"),
    (b"", None),
])  # fmt: skip
def test_the_correlation_id_is_the_call_id(data, expected):
    assert dict(chunks(hep.packet(sent(data), ENDS, "udp", 1))).get(17) == expected


def test_credentials_are_masked():
    secret = INVITE[:-2] + b'Authorization: Digest username="alice", response="6629fae49393a053"\r\n\r\n'
    payload = dict(chunks(hep.packet(sent(secret), ENDS, "udp", 1)))[15]
    assert b'username="alice"' in payload and b"6629" not in payload


def test_a_body_that_is_too_long_is_cut():
    octets = hep.packet(sent(INVITE + b"x" * 100000), ENDS, "tcp", 1, b"k" * 255)
    assert len(octets) == 65507  # what a datagram takes
    assert dict(chunks(octets))[15].startswith(INVITE + b"xxx")


def test_a_peer_that_is_not_known_has_an_address_of_the_same_family():
    found = dict(chunks(hep.packet(sent(), (("2001:db8::1", 5060), ("0.0.0.0", 0)), "udp", 1)))
    assert found[6] == b"\x00" * 10 + b"\xff\xff" + b"\x00" * 4


@pytest.mark.parametrize("server, expected", [
    (u"udp://192.0.2.9:9061", ("192.0.2.9", 9061)),
    (u"udp://homer.example.com", ("homer.example.com", 9060)),
    (u"UDP://[2001:db8::9]", ("[2001:db8::9]", 9060)),
])  # fmt: skip
def test_the_address_of_a_server(server, expected):
    assert hep.check_server(server) == expected
    assert hep.CaptureAgent(server).server == "udp://%s:%d" % expected


def test_what_is_wrong_is_said_and_the_key_is_not():
    with pytest.raises(InputError) as caught:
        hep.CaptureAgent(u"tcp://homer.example.com:9060")
    assert "udp://homer.example.com:9060" in str(caught.value)
    with pytest.raises(InputError) as caught:
        hep.CaptureAgent(u"udp://192.0.2.9", key=u"sec\nret")
    assert "sec" not in str(caught.value)
    assert "hush" not in repr(hep.CaptureAgent(u"udp://192.0.2.9", key=u"hush"))


# -- sending -----------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(10.0)
        yield bound


def agent_for(port, **options):
    agent = hep.CaptureAgent("udp://127.0.0.1:%d" % port, **options)
    agent.begin("udp", "192.0.2.1", 5062)
    return agent


def test_the_messages_are_sent_in_their_order(server):
    agent = agent_for(server.getsockname()[1], capture_id=7, key=u"k\xe4y")
    for number in range(20):
        agent(sent(INVITE + b"%d" % number))
    packets = [dict(chunks(server.recv(65536))) for _ in range(20)]
    agent.close()
    agent(sent())  # dropped
    assert [packet[15] for packet in packets] == [INVITE + b"%d" % number for number in range(20)]
    assert set((packet[12], packet[14]) for packet in packets) == set([(b"\x00\x00\x00\x07", b"k\xc3\xa4y")])
    assert (agent.sent, agent.dropped) == (20, 1)


def test_what_waits_is_sent_before_it_is_closed(server):
    agent = agent_for(server.getsockname()[1])
    for _ in range(10):
        agent(sent())
    agent.close()
    assert len([server.recv(65536) for _ in range(10)]) == agent.sent == 10


class Gate(object):
    """Holds the thread where it looks up the server, until it is opened."""

    def __init__(self, monkeypatch):
        self._lookup = socket.getaddrinfo
        self.reached, self._opened = threading.Event(), threading.Event()
        monkeypatch.setattr(hep.socket, "getaddrinfo", self._wait)

    def _wait(self, *arguments):
        self.reached.set()
        assert self._opened.wait(20.0)
        return self._lookup(*arguments)

    def open(self):
        self._opened.set()


@pytest.mark.parametrize("limit, value", [("MESSAGES_AT_MOST", 5), ("OCTETS_AT_MOST", 5 * len(INVITE))])
def test_what_is_too_much_is_dropped_and_counted(monkeypatch, caplog, server, limit, value):
    monkeypatch.setattr(hep, limit, value)
    gate = Gate(monkeypatch)
    agent = agent_for(server.getsockname()[1])
    agent(sent())
    assert gate.reached.wait(10.0)
    for _ in range(8):
        agent(sent())
    assert agent.dropped == 3  # nobody waited: the thread is held
    gate.open()
    with caplog.at_level(logging.WARNING, "sipbridge.hep"):
        agent.close()
    assert wait_until(lambda: agent.sent == 6)
    assert "3 messages" in caplog.text and "too many waited" in caplog.text


def test_a_server_where_nobody_listens(server, caplog):
    port = server.getsockname()[1]
    server.close()
    agent = agent_for(port)
    with caplog.at_level(logging.WARNING, "sipbridge.hep"):
        assert wait_until(lambda: agent(sent()) or agent.dropped > 2)
    agent.close()
    assert len(caplog.records) == 1  # and not one for each
    assert "127.0.0.1:%d" % port in caplog.text


def test_a_host_without_an_address_costs_the_messages_alone(monkeypatch, caplog):
    tried = []

    def fail(*arguments):
        tried.append(arguments)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(hep.socket, "getaddrinfo", fail)
    agent = hep.CaptureAgent("udp://homer.invalid")
    agent.begin("udp", "192.0.2.1", 5062)
    for _ in range(3):
        agent(sent())
    agent.close()
    assert wait_until(lambda: agent.dropped == 3)
    assert len(tried) == 1 and "not known" in caplog.text


def test_an_agent_is_of_one_endpoint(server):
    agent = agent_for(server.getsockname()[1])
    with pytest.raises(InputError):
        agent.begin("udp", "192.0.2.1", 5063)
    agent.close()


def test_a_message_that_cannot_be_sent_does_not_stop_the_others(server):
    agent = agent_for(server.getsockname()[1])
    agent(sent()._replace(time=None))
    agent(sent())
    assert dict(chunks(server.recv(65536)))[15] == INVITE
    agent.close()
    assert (agent.sent, agent.dropped) == (1, 1)
