"""Capture files as others write them, made packet by packet."""

from __future__ import absolute_import, division, print_function

import io
import socket
import struct

import dpkt
import dpkt.sll2

HERE, THERE = ("192.0.2.1", 5062), ("192.0.2.7", 5060)
HERE6, THERE6 = ("2001:db8::1", 5062), ("2001:db8::7", 5060)

#: Link types by tcpdump.org/linktypes.html.
LOOPBACK, ETHERNET, RAW, COOKED, COOKED2 = 0, 1, 101, 113, 276


def message(body=b"", number=1, method=b"INFO", more=b""):
    """A request with a Content-Length."""
    head = b"%s sip:bob@192.0.2.7 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1:5062;branch=z9hG4bK%d\r\n" % (method, number)
    head = head.replace(b"%d", str(number).encode("ascii"))
    return head + more + b"Content-Length: " + str(len(body)).encode("ascii") + b"\r\n\r\n" + body


def _family(ends):
    return socket.AF_INET6 if ":" in ends[0][0] else socket.AF_INET


def ip(protocol, payload, ends, **fields):
    """An IP packet."""
    source, target = (socket.inet_pton(_family(ends), each[0]) for each in ends)
    if _family(ends) == socket.AF_INET6:
        packet = dpkt.ip6.IP6(src=source, dst=target, nxt=protocol, plen=len(payload), hlim=64, data=payload)
    else:
        packet = dpkt.ip.IP(src=source, dst=target, p=protocol, len=20 + len(payload), data=payload, **fields)
    return bytes(packet)


def datagram(data, ends=(HERE, THERE)):
    """The octets of a UDP datagram."""
    sport, dport = ends[0][1], ends[1][1]
    return bytes(dpkt.udp.UDP(sport=sport, dport=dport, ulen=8 + len(data), data=data))


def udp(data, ends=(HERE, THERE)):
    """An IP packet with a UDP datagram."""
    return ip(17, datagram(data, ends), ends)


def tcp(data, sequence, ends=(HERE, THERE), flags=dpkt.tcp.TH_ACK):
    """An IP packet with a TCP segment."""
    segment = dpkt.tcp.TCP(sport=ends[0][1], dport=ends[1][1], seq=sequence & 0xFFFFFFFF, flags=flags, data=data)
    return ip(6, bytes(segment), ends)


def fragments(data, size, ends=(HERE, THERE), number=7):
    """The same datagram in fragments of so many octets, a multiple of 8."""
    payload = datagram(data, ends)
    found = []
    for start in range(0, len(payload), size):
        part, more = payload[start : start + size], start + size < len(payload)
        if _family(ends) == socket.AF_INET6:
            header = struct.pack(">BBHI", 17, 0, start | more, number)
            found.append(ip(44, header + part, ends))
        else:
            found.append(ip(17, part, ends, id=number, _flags_offset=start // 8 | (0x2000 if more else 0)))
    return found


def _kind(packet):
    return 0x86DD if bytearray(packet[:1])[0] >> 4 == 6 else 0x800


def ethernet(packet, vlans=()):
    """A frame of Ethernet, with the tags of these VLANs."""
    tags = b"".join(struct.pack(">HH", 0x8100, vlan) for vlan in vlans)
    return b"\x02" * 12 + tags + struct.pack(">H", _kind(packet)) + packet


def cooked(packet, vlan=None):
    """A frame of Linux' "any" device."""
    tag = b"" if vlan is None else struct.pack(">HH", vlan, _kind(packet))
    kind = _kind(packet) if vlan is None else 0x8100
    return struct.pack(">HHH8sH", 0, 1, 6, b"\x02" * 6, kind) + tag + packet


def cooked2(packet):
    """The same, in its second version."""
    return struct.pack(">HHiHBB8s", _kind(packet), 0, 1, 1, 0, 6, b"\x02" * 6) + packet


def loopback(packet):
    """A frame of BSD's loopback device."""
    return struct.pack("<I", 30 if _kind(packet) == 0x86DD else 2) + packet


WRAPPED = {LOOPBACK: loopback, ETHERNET: ethernet, RAW: bytes, COOKED: cooked, COOKED2: cooked2}


def pcap(frames, link=RAW, nanoseconds=False, order="<"):
    """A pcap file; its frames come a second apart, from 5 on."""
    written = struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for second, frame in enumerate(frames, 5):
        written += struct.pack(order + "IIII", second, 0, len(frame), len(frame)) + frame
    return written


def block(kind, body, order="<"):
    """A block of pcapng."""
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order="<"):
    """The header of a section of pcapng."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link, options=b"", order="<"):
    """The description of an interface."""
    return block(1, struct.pack(order + "HHI", link, 0, 262144) + options, order)


def enhanced(frame, time=5000000, number=0, order="<"):
    """A frame of interface ``number``; ``time`` in its ticks."""
    header = struct.pack(order + "IIIII", number, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, header + frame, order)


def pcapng(frames, link=RAW, order="<"):
    """A pcapng file of one interface; its frames come a second apart, from 5 on."""
    blocks = [enhanced(frame, (5 + number) * 1000000, 0, order) for number, frame in enumerate(frames)]
    return section(order) + interface(link, b"", order) + b"".join(blocks)


def stream(octets):
    """A file to read from."""
    return io.BytesIO(octets)
