"""Capture files of others are read (sipbridge.record.read): link layers, fragments, streams, damage."""

from __future__ import absolute_import, division, print_function

import random
import struct

import pytest

from peers import capturing
from peers.capturing import HERE, HERE6, THERE, THERE6, message, pcap, pcapng, tcp, udp
from sipbridge import record
from sipbridge.errors import InputError

FIRST, SECOND = message(b"a\r\n\r\nb\r\n", 1), message(b"", 2)
V4, V6 = (HERE, THERE), (HERE6, THERE6)


def read(octets):
    return list(record.read(capturing.stream(octets)))


def data(octets):
    return [each.data for each in read(octets)]


@pytest.mark.parametrize("write", [pcap, pcapng], ids=["pcap", "pcapng"])
@pytest.mark.parametrize("link", sorted(capturing.WRAPPED))
@pytest.mark.parametrize("ends", [V4, V6], ids=["IPv4", "IPv6"])
def test_every_link_layer(write, link, ends):
    found = read(write([capturing.WRAPPED[link](udp(FIRST, ends))], link))
    names = ["[%s]:%d" % end if ":" in end[0] else "%s:%d" % end for end in ends]
    assert found == [(5.0, names[0], names[1], FIRST, "udp", False)]


def test_vlans():
    frames = [capturing.ethernet(udp(FIRST), vlans) for vlans in ((), (7,), (7, 8))]
    assert data(pcap(frames, capturing.ETHERNET)) == [FIRST] * 3
    assert data(pcap([capturing.cooked(udp(FIRST), 7)], capturing.COOKED)) == [FIRST]


@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders(order):
    assert data(pcap([udp(FIRST)], order=order)) == [FIRST]
    assert read(pcapng([udp(FIRST)], order=order))[0][0] == 5.0


def test_nanoseconds():
    assert read(pcap([udp(FIRST)], nanoseconds=True))[0].time == 5.0


def test_pcapng_of_several_interfaces_and_sections():
    nanoseconds = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    octets = capturing.section() + capturing.block(5, b"statistics")
    octets += capturing.interface(capturing.ETHERNET) + capturing.interface(capturing.RAW, nanoseconds)
    octets += capturing.enhanced(udp(SECOND), 6 * 10**9, 1) + capturing.enhanced(capturing.ethernet(udp(FIRST)))
    frame = capturing.ethernet(udp(FIRST))
    octets += capturing.block(3, struct.pack("<I", len(frame)) + frame)
    octets += pcapng([udp(SECOND)], order=">")
    assert [(each.time, each.data) for each in read(octets)] == [
        (6.0, SECOND), (5.0, FIRST), (5.0, FIRST), (5.0, SECOND)
    ]  # fmt: skip


@pytest.mark.parametrize("ends", [V4, V6], ids=["IPv4", "IPv6"])
def test_fragments_are_put_together(ends):
    large = message(b"x" * 4000)
    parts = capturing.fragments(large, 1480, ends)
    other = capturing.fragments(SECOND, 40, ends, number=8)
    mixed = [parts[2], other[0], parts[0], parts[0]] + other[1:] + [parts[1]]
    assert data(pcap(mixed)) == [SECOND, large]
    assert data(pcap(parts[:-1])) == []


def test_a_message_of_several_segments_and_segments_of_several_messages():
    octets = FIRST + b"\r\n\r\n" + SECOND + FIRST
    for size in (1, 7, 100, len(octets)):
        parts = [tcp(octets[start : start + size], 1 + start) for start in range(0, len(octets), size)]
        found = read(pcap(parts))
        assert [each.data for each in found] == [FIRST, SECOND, FIRST] and found[0].transport == "tcp"


def test_segments_out_of_order_and_repeated():
    octets = b"".join(message(b"x" * number, number) for number in range(1, 30))
    shuffle = random.Random(7)
    start = 0xFFFFFF00  # the numbers begin again within
    parts = [tcp(octets[place : place + 100], start + 1 + place) for place in range(0, len(octets), 90)]
    for _ in range(5):
        mixed = parts + parts[::3]
        shuffle.shuffle(mixed)
        handshake = tcp(b"", start, flags=2)
        assert b"".join(data(pcap([handshake] + mixed))) == octets


def test_both_directions_and_several_connections_are_kept_apart():
    back, other = (THERE, HERE), (("192.0.2.1", 5063), THERE)
    frames = [tcp(FIRST[:20], 1), tcp(SECOND[:9], 9, back), tcp(SECOND[:30], 5, other)]
    frames += [tcp(SECOND[30:], 35, other), tcp(FIRST[20:], 21), tcp(SECOND[9:], 18, back)]
    assert [(each.source, each.data) for each in read(pcap(frames))] == [
        ("192.0.2.1:5063", SECOND), ("192.0.2.1:5062", FIRST), ("192.0.2.7:5060", SECOND)
    ]  # fmt: skip


def test_a_capture_that_begins_in_a_message_or_lacks_a_segment_goes_on_at_the_next():
    octets = FIRST[30:] + SECOND + FIRST
    assert data(pcap([tcp(octets, 1)])) == [SECOND, FIRST]
    assert data(pcap([tcp(FIRST[:30], 1), tcp(FIRST[40:] + SECOND, 41)])) == [SECOND]


def test_a_new_connection_between_the_same_ports():
    frames = [tcp(FIRST, 1000), tcp(b"", 4, flags=2), tcp(SECOND, 5), tcp(b"", 0, flags=4), tcp(FIRST, 3)]
    assert data(pcap(frames)) == [FIRST, SECOND, FIRST]


def test_a_message_of_which_the_capture_lacks_the_end_says_so():
    assert [(each.data, each.cut) for each in read(pcap([udp(FIRST)[:90]]))] == [(FIRST[:62], True)]


# -- damage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [pcap, pcapng], ids=["pcap", "pcapng"])
def test_a_file_that_is_cut_off_is_an_error_behind_what_it_has(write):
    octets = write([udp(FIRST), udp(SECOND)])
    for end in (1, 15, 60):
        found, messages = record.read(capturing.stream(octets[:-end])), []
        with pytest.raises(InputError) as caught:
            messages.extend(found)
        assert [each.data for each in messages] == [FIRST] and "cut off" in str(caught.value)


@pytest.mark.parametrize(
    "octets",
    [
        pcap([]) + struct.pack("<IIII", 5, 0, 0xFFFFFFFF, 0xFFFFFFFF) + b"x" * 100,
        pcap([]) + struct.pack("<IIII", 5, 0, 300000, 300000) + b"x" * 300000,
        pcap([]) + b"\0" * 200000,
        pcapng([]) + b"\0" * 200000,
        pcapng([]) + struct.pack("<II", 6, 0xFFFFFFF0),
        pcapng([]) + struct.pack("<II", 6, 4),
        pcapng([]) + capturing.enhanced(b"x", number=1),
        pcapng([]) + capturing.enhanced(b"x", time=2**63),
        pcapng([])[:-4] + b"\0\0\0\1",
        pcapng([]) + capturing.block(6, struct.pack("<IIIII", 0, 0, 0, 500, 500) + b"x" * 40),
        capturing.section() + capturing.interface(101) * 5000,
        capturing.section().replace(b"\x1a", b"\x1b"),
        capturing.section()[:8] + b"\x4d\x3c\x2b\x1a" + b"\x02\0" + b"\0" * 30,
        b"\x0a\x0d\x0d\x0a" + b"\0" * 40,
    ],
)
def test_a_damaged_file_is_an_error(octets):
    with pytest.raises(InputError) as caught:
        read(octets)
    assert "capture file" in str(caught.value) or "pcapng" in str(caught.value)


class _Endless(object):
    """A file of 4 GB of which all is a hole, but for its beginning; it counts what is asked for."""

    def __init__(self, begin):
        self._begin = begin
        self._place = 0
        self.most = 0

    def read(self, size=-1):
        self.most = max(self.most, size if size >= 0 else 2**62)
        size = min(size, 2**32 - self._place)
        data = self._begin[self._place : self._place + size]
        self._place += size
        return data + b"\0" * (size - len(data))


@pytest.mark.parametrize("begin", [pcap([udp(FIRST)]), pcapng([udp(FIRST)])], ids=["pcap", "pcapng"])
def test_a_hole_of_4_gb_is_found_at_once(begin):
    file = _Endless(begin)
    found = record.read(file)
    assert next(found).data == FIRST
    with pytest.raises(InputError):
        list(found)
    assert file.most <= 2**20 and file._place < 2**20


def test_layers_without_end_are_no_packet():
    packet = udp(FIRST)
    for _ in range(3000):
        packet = capturing.ip(4, packet, V4)[:20] + packet
    assert read(pcap([packet[:65000]])) == []


def test_memory_has_a_limit(monkeypatch):
    """Segments, streams and fragments that never become whole are given up."""
    from sipbridge._capture import packets, streams

    monkeypatch.setattr(streams, "_TOTAL", 20000)
    monkeypatch.setattr(streams, "_STREAMS", 8)
    monkeypatch.setattr(packets, "_PENDING", 8)
    kept, pending = streams.Streams(), packets.Packets()
    begin = message(b"x" * 5000)[:4000]
    for port in range(1000, 1100):
        ends = (("192.0.2.1", port), THERE)
        frame = capturing.fragments(FIRST, 40, number=port)[0]
        assert pending.take(_frame(frame)) is None and len(pending._pending) <= 8
        for number in (1, 9001, 18001):
            assert list(kept.take(pending.take(_frame(tcp(begin, number, ends))))) == []
            assert kept._size <= 20000 and len(kept._streams) <= 8
    assert kept._size == sum(len(each) for each in kept._streams.values())


def _frame(packet):
    from sipbridge._capture.frames import Frame

    return Frame(5.0, capturing.RAW, packet)
