"""The UDP datagrams and TCP segments in frames: link layers taken off, fragments of IP put together."""

from __future__ import absolute_import, division, print_function

import struct
from collections import OrderedDict

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

    from sipbridge._capture.frames import Frame

    dpkt = None  # type: Any  # dpkt has no types
else:
    import dpkt
    import dpkt.sll2

UDP, TCP = 17, 6

_PENDING = 256  # datagrams of which fragments are missing; older ones are given up
_PATIENCE = 60.0  # seconds that one waits for its fragments
_DATAGRAM = 65535
_LAYERS = 8  # that may lie between the frame and IP: PPPoE, VLANs, MPLS
_VLAN = (0x8100, 0x88A8)

#: What dpkt raises for octets that are not what they should be: RuntimeError is for layers without end.
_ERRORS = (AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError, struct.error, dpkt.Error)


class Packet(NamedTuple("Packet", [
    ("time", "float"),
    ("protocol", "int"),
    ("source", "Tuple[bytes, int]"),
    ("target", "Tuple[bytes, int]"),
    ("data", "bytes"),
    ("cut", "bool"),
    ("sequence", "int"),
    ("flags", "int"),
])):
    """A datagram of UDP or a segment of TCP, with addresses as octets; ``cut``: the capture lacks its end."""

    __slots__ = ()


class Packets(object):
    """Takes frames, and has the packet in each. It keeps fragments until it has all of them, within limits."""

    def __init__(self):
        # type: () -> None
        self._pending = OrderedDict()  # type: OrderedDict[Tuple[Any, ...], _Fragments]

    def take(self, frame):
        # type: (Frame) -> Optional[Packet]
        """The packet that this frame holds, or completes; None where there is none."""
        try:
            ip = _ip_of(frame.link, frame.data)
            return None if ip is None else self._packet(frame.time, ip)
        except _ERRORS:  # it holds something else
            return None

    def _packet(self, time, ip):
        # type: (float, Any) -> Optional[Packet]
        if ip.p not in (UDP, TCP):
            return None
        payload, cut = bytes(ip.data), _missing(ip)
        fragment = _fragment_of(ip)
        if fragment is None:
            return _transport(time, ip, payload, cut)
        if cut:
            return None
        whole = self._together((ip.src, ip.dst, ip.p) + fragment[:1], time, fragment[1:], payload)
        return None if whole is None else _transport(time, ip, whole, False)

    def _together(self, key, time, place, payload):
        # type: (Tuple[Any, ...], float, Tuple[int, bool], bytes) -> Optional[bytes]
        """The payload of the datagram, once this was the last of its fragments."""
        fragments = self._pending.pop(key, None)
        if fragments is None or not 0 <= time - fragments.begun <= _PATIENCE:
            fragments = _Fragments(time)
        whole = fragments.add(place[0], place[1], payload)
        if whole is None and fragments.size <= _DATAGRAM:
            self._pending[key] = fragments
            if len(self._pending) > _PENDING:
                self._pending.popitem(last=False)
        return whole


class _Fragments(object):
    """The fragments of one datagram."""

    def __init__(self, begun):
        # type: (float) -> None
        self.begun = begun
        self.size = 0
        self._parts = {}  # type: Dict[int, bytes]  # by their offset
        self._end = None  # type: Optional[int]

    def add(self, offset, more, payload):
        # type: (int, bool, bytes) -> Optional[bytes]
        if not more and self._end is None:
            self._end = offset + len(payload)
        if len(payload) > len(self._parts.get(offset, b"")):
            self.size += len(payload) - len(self._parts.get(offset, b""))
            self._parts[offset] = payload
        if self._end is None or self.size < self._end:
            return None
        whole = bytearray()
        for place in sorted(self._parts):
            if place > len(whole):
                return None
            whole += self._parts[place][len(whole) - place :]
        return bytes(whole[: self._end]) if len(whole) >= self._end else None


def _ip_of(link, frame):
    # type: (int, bytes) -> Any
    """The IP packet in a frame, as dpkt has it; None where there is none."""
    decode = _DECODERS.get(link)
    packet = None if decode is None else decode(frame)
    for _ in range(_LAYERS):
        if packet is None or isinstance(packet, (dpkt.ip.IP, dpkt.ip6.IP6)):
            return packet
        if getattr(packet, "ethtype", None) in _VLAN and isinstance(packet.data, bytes):  # in a cooked frame
            packet = dpkt.ethernet.Ethernet(b"\0" * 12 + struct.pack(">H", packet.ethtype) + packet.data)
        packet = packet.data
        if isinstance(packet, bytes):
            return None
    return None


def _raw(frame):
    # type: (bytes) -> Any
    return (dpkt.ip6.IP6 if bytearray(frame[:1])[0] >> 4 == 6 else dpkt.ip.IP)(frame)


def _missing(ip):
    # type: (Any) -> bool
    """Whether the capture lacks the end of this packet. A length of 0 is that of a card which cuts TCP itself."""
    if isinstance(ip, dpkt.ip6.IP6):
        extensions = sum(each.length for each in ip.all_extension_headers)
        return bool(ip.plen) and len(ip.data) + extensions < ip.plen
    return bool(ip.len) and len(ip) < ip.len


def _fragment_of(ip):
    # type: (Any) -> Optional[Tuple[int, int, bool]]
    """Identification, offset in octets, and whether more follow; None of a packet that is whole."""
    if isinstance(ip, dpkt.ip6.IP6):
        header = ip.extension_hdrs.get(dpkt.ip.IP_PROTO_FRAGMENT)
        return None if header is None else (header.id, 8 * header.frag_off, bool(header.m_flag))
    return (ip.id, 8 * ip.offset, bool(ip.mf)) if ip.mf or ip.offset else None


def _transport(time, ip, payload, cut):
    # type: (float, Any, bytes, bool) -> Packet
    if ip.p == UDP:
        packet = dpkt.udp.UDP(payload)
        data = bytes(packet.data)[: max(0, packet.ulen - 8) or None]
        sequence = flags = 0
    else:
        packet = dpkt.tcp.TCP(payload)
        data, sequence, flags = bytes(packet.data), packet.seq, packet.flags
    return Packet(time, ip.p, (ip.src, packet.sport), (ip.dst, packet.dport), data, cut, sequence, flags)


# By the numbers of tcpdump.org/linktypes.html; "raw" has two others on some systems.
_DECODERS = {
    0: dpkt.loopback.Loopback,
    1: dpkt.ethernet.Ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: dpkt.loopback.Loopback,
    113: dpkt.sll.SLL,
    228: dpkt.ip.IP,
    229: dpkt.ip6.IP6,
    276: dpkt.sll2.SLL2,
}
