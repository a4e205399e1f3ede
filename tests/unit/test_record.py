# -*- coding: utf-8 -*-
"""Capture files, written and read back (sipbridge.record), and diagrams of them (sipbridge.svg)."""

from __future__ import absolute_import, division, print_function

import io
import sys
from xml.etree import ElementTree

import dpkt
import pytest

from sipbridge import record, svg
from sipbridge._command import diagram_input
from sipbridge._command.trace import render
from sipbridge.errors import InputError, NotSupportedError
from sipbridge.events import TraceMessage
from sipbridge.ladder import Arrow

HEAD = b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9\r\nCSeq: 7 INVITE\r\n\r\n"
INVITE = b"INVITE sip:bob@192.0.2.7 SIP/2.0\r\n" + HEAD
RINGING = b"SIP/2.0 180 Ringing\r\n" + HEAD
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"


def messages(peer):
    return [TraceMessage(True, peer, INVITE, 1000.25), TraceMessage(False, peer, RINGING, 1000.5)]


def write(path, transport, host, traced, **options):
    recorder = record.Recorder(path, **options)
    recorder.begin(transport, host, 5062)
    for message in traced:
        recorder(message)
    recorder.close()
    recorder(traced[0])  # dropped
    recorder.close()


@pytest.fixture
def path(tmpdir):
    return str(tmpdir.join("x.pcap"))


def read(path):
    with io.open(path, "rb") as stream:
        return list(record.read(stream))


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize(
    "host, peer", [("192.0.2.1", "192.0.2.7:5060"), ("[2001:db8::1]", "[2001:db8::7]:5060")]
)
def test_a_written_capture_is_read_back(path, transport, host, peer):
    write(path, transport, host, messages(peer))
    here = host + ":5062"
    assert [each[:4] for each in read(path)] == [(1000.25, here, peer, INVITE), (1000.5, peer, here, RINGING)]


def test_the_numbers_of_tcp_go_on(path):
    write(path, "tcp", "192.0.2.1", messages("192.0.2.7:5060") * 2)
    with io.open(path, "rb") as stream:
        segments = [dpkt.ip.IP(frame).data for _, frame in dpkt.pcap.Reader(stream)]
    assert [segment.seq for segment in segments] == [1, 1, 1 + len(INVITE), 1 + len(RINGING)]
    acknowledged = [0, len(INVITE), len(RINGING), 2 * len(INVITE)]
    assert [segment.ack - 1 for segment in segments] == acknowledged


def test_a_large_message_of_tcp_takes_several_segments(path):
    body = INVITE + b"x" * 64000
    write(path, "tcp", "192.0.2.1", [TraceMessage(True, "192.0.2.7:5060", body, 1.0)])
    with io.open(path, "rb") as stream:
        assert b"".join(dpkt.ip.IP(frame).data.data for _, frame in dpkt.pcap.Reader(stream)) == body


@pytest.mark.parametrize("peer", ["", "?", "nobody:5060", "[::1]:5060", "192.0.2.7:99999"])
def test_a_peer_that_is_no_address_is_recorded_all_the_same(path, peer):
    write(path, "udp", "192.0.2.1", [TraceMessage(True, peer, INVITE, 1.0)])
    assert [each.data for each in read(path)] == [INVITE]


CREDENTIALS = (
    b'Authorization: Digest username="alice", nonce="n", response="6629fae49393a05397450978507c4ef1"\r\n'
    b"\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s|2^20;inline:%s\r\nk=clear:%s\r\n"
)


def test_credentials_are_masked_unless_asked_for(path):
    secret = INVITE[:-2] + CREDENTIALS.replace(b"%s", KEY.encode("ascii"))
    traced = [TraceMessage(True, "192.0.2.7:5060", secret, 1.0)]
    write(path, "udp", "192.0.2.1", traced, credentials=True)
    assert read(path)[0].data == secret
    write(path, "udp", "192.0.2.1", traced)
    data = read(path)[0].data
    assert b"6629fae" not in data and KEY.encode("ascii") not in data and b'username="alice"' in data
    assert len(data.partition(b"\r\n\r\n")[2]) == len(secret.partition(b"\r\n\r\n")[2])
    assert b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxx" in data


def test_octets_that_are_no_text_stay(path):
    data = INVITE + bytes(bytearray(range(256)))
    write(path, "udp", "192.0.2.1", [TraceMessage(True, "192.0.2.7:5060", data, 1.0)])
    assert read(path)[0].data == data


def test_without_dpkt_it_says_what_to_install(monkeypatch, path):
    monkeypatch.setattr(record, "dpkt", None)  # not loaded yet
    monkeypatch.setitem(sys.modules, "dpkt", None)
    for attempt in (lambda: record.Recorder(path), lambda: list(record.read(io.BytesIO()))):
        with pytest.raises(NotSupportedError) as caught:
            attempt()
        assert "pip install sipbridge[pcap]" in str(caught.value)


# -- captures of others ------------------------------------------------------------------------------------


def capture(path, linktype, frames):
    with io.open(path, "wb") as stream:
        writer = dpkt.pcap.Writer(stream, linktype=linktype)
        for frame in frames:
            writer.writepkt(frame, 5.0)


def udp(data):
    ip = dpkt.ip.IP(src=b"\xc0\x00\x02\x01", dst=b"\xc0\x00\x02\x07", p=17, len=28 + len(data))
    ip.data = dpkt.udp.UDP(sport=5062, dport=5060, ulen=8 + len(data), data=data)
    return ip


def test_ethernet_with_other_traffic_in_between(path):
    arp = dpkt.ethernet.Ethernet(type=dpkt.ethernet.ETH_TYPE_ARP, data=dpkt.arp.ARP())
    datagrams = (b"\r\n\r\n", INVITE, b"\x80\x00rtp")
    frames = [arp] + [dpkt.ethernet.Ethernet(data=udp(data)) for data in datagrams]
    capture(path, dpkt.pcap.DLT_EN10MB, frames + [b"", b"\x00" * 20])
    assert [each[:4] for each in read(path)] == [(5.0, "192.0.2.1:5062", "192.0.2.7:5060", INVITE)]


def test_linux_cooked_frames(path):
    frame = dpkt.sll.SLL(type=0, hrd=1, hlen=6, ethtype=0x800, data=udp(INVITE))
    capture(path, dpkt.pcap.DLT_LINUX_SLL, [frame])
    assert [each.data for each in read(path)] == [INVITE]


def test_a_kind_of_frame_that_is_not_known(path):
    capture(path, 147, [b"\x01\x02\x03"])
    assert read(path) == []


@pytest.mark.parametrize("data", [b"", b"hello", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a" + b"\x00" * 40])
def test_a_file_that_is_no_capture_is_refused(data):
    with pytest.raises(InputError):
        list(record.read(io.BytesIO(data)))


# -- diagrams ----------------------------------------------------------------------------------------------


def arrows():
    return [
        Arrow(1000.25, "192.0.2.1:5062", "192.0.2.7:5060", "INVITE 7", "INVITE 7"),
        Arrow(1000.5, "192.0.2.7:5060", "192.0.2.1:5062", "180 Ringing INVITE 7", "180 INVITE 7"),
    ]


def test_flow_of_a_capture(path):
    write(path, "udp", "192.0.2.1", messages("192.0.2.7:5060"))
    assert diagram_input.read(path) == arrows()


def test_flow_of_a_printed_trace(tmpdir):
    lines = ["16:00:00.000  calling somebody"]
    for message in messages("192.0.2.7:5060"):
        lines += render(message) + ["call 1  a line of something else"]
    file = tmpdir.join("trace.txt")
    file.write_binary("\n".join(lines).encode("utf-8"))
    found = diagram_input.read(str(file))
    assert [arrow[1:] for arrow in found] == [arrow[1:] for arrow in arrows()]
    assert found[1].time - found[0].time == pytest.approx(0.25)


def test_flow_over_midnight_and_of_an_endpoint_that_only_listens():
    head = u"%s <- 192.0.2.7:5060 (60 octets)\n    INVITE sip:b@c SIP/2.0\n    CSeq: 1 INVITE\n    \n\n"
    first, second = diagram_input.from_text(head % "23:59:59.900" + head % "00:00:00.100")
    assert second.time - first.time == pytest.approx(0.2)
    assert first.target == diagram_input.HERE


@pytest.mark.parametrize("data", [b"", b"no trace\n", b"\xff\xfe"])
def test_a_file_without_messages_is_an_error_that_names_it(tmpdir, data):
    file = tmpdir.join("empty.txt")
    file.write_binary(data)
    with pytest.raises(InputError) as caught:
        diagram_input.read(str(file))
    assert "empty.txt" in str(caught.value)


def test_a_flow_is_drawn_as_svg():
    rows = arrows() + [Arrow(1001.0, "192.0.2.1:5062", "192.0.2.1:5062", u"<&\"ü> 1", u"")]
    text = svg.render(rows, [("192.0.2.1:5062", "alice & co")])
    root = ElementTree.fromstring(text.encode("utf-8"))
    space = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in root.iter(space + "text")]
    assert set(["alice & co", "192.0.2.7:5060", "INVITE 7", "180 Ringing INVITE 7"]) <= set(texts)
    assert u"<&\"ü> 1" in texts and "0.250" in texts
    paths = [each.get("d") for each in root.iter(space + "path") if each.get("marker-end")]
    starts = [int(path[1:].partition(",")[0]) for path in paths]
    assert len(paths) == 3 and starts[0] < starts[1] and starts[2] == starts[0]
