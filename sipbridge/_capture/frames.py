"""The frames in a pcap or pcapng file. What a file says of itself is not believed: no read takes more than a frame."""

from __future__ import absolute_import, division, print_function

import struct

from sipbridge._capture.passed import MAGIC, PCAPNG
from sipbridge._compat import NamedTuple
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Iterator, List, Optional, Tuple

    dpkt = None  # type: Any  # dpkt has no types
else:
    import dpkt
    import dpkt.pcapng

#: Octets of the largest frame: tcpdump and Wireshark take no larger one (MAXIMUM_SNAPLEN of libpcap).
LARGEST = 262144

#: Frames without an octet, one after the other, after which the file is damaged: the zeros of a hole in it look so.
_EMPTY = 1000

_INTERFACES = 4096  # of one section of pcapng
_OPTIONS = 4096  # octets of a block beside its frame: comments, names
_LATEST = 2.0**34  # seconds since 1970: beyond any date

class Frame(NamedTuple("Frame", [
    ("time", "float"),
    ("link", "int"),
    ("data", "bytes"),
])):
    """A frame: seconds since 1970, its link type (tcpdump.org/linktypes.html), its octets."""

    __slots__ = ()


def frames(stream):
    # type: (BinaryIO) -> Iterator[Frame]
    """The frames in a file that is open for reading bytes.

    Raises InputError, also after some frames, when the file is no capture file, damaged, or cut off.
    """
    magic = stream.read(4)
    if magic not in MAGIC:
        raise InputError("not a capture file: neither pcap nor pcapng")
    empty = 0
    try:
        for frame in (_pcapng if magic == PCAPNG else _pcap)(stream, magic):
            empty = 0 if frame.data else empty + 1
            if empty > _EMPTY:
                raise InputError("a damaged capture file: it goes on with empty packets")
            if not 0 <= frame.time <= _LATEST:
                raise InputError("a damaged capture file: a packet has no possible time")
            yield frame
    except (ValueError, struct.error, dpkt.Error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("a damaged capture file: %s" % (error or type(error).__name__))


def _exactly(stream, size):
    # type: (BinaryIO, int) -> bytes
    """So many octets. Raises InputError when the file ends before."""
    data = stream.read(size)
    if len(data) < size:
        raise InputError("the capture file is cut off in the middle of a packet")
    return data


def _checked(size, largest):
    # type: (int, int) -> int
    if not 0 <= size <= largest:
        raise InputError("a damaged capture file: it claims a packet of %d octets" % size)
    return size


# -- pcap --------------------------------------------------------------------------------------------------


def _pcap(stream, magic):
    # type: (BinaryIO, bytes) -> Iterator[Frame]
    header = magic + _exactly(stream, dpkt.pcap.FileHdr.__hdr_len__ - 4)
    number = struct.unpack(">I", magic)[0]
    little = number in (dpkt.pcap.PMUDPCT_MAGIC, dpkt.pcap.PMUDPCT_MAGIC_NANO, dpkt.pcap.PACPDOM_MAGIC)
    link = (dpkt.pcap.LEFileHdr if little else dpkt.pcap.FileHdr)(header).linktype & 0xFFFF
    kind = dpkt.pcap.MAGIC_TO_PKT_HDR[number]
    nanoseconds = number in (dpkt.pcap.PMUDPCT_MAGIC_NANO, dpkt.pcap.TCPDUMP_MAGIC_NANO)
    second = 1e9 if nanoseconds else 1e6
    while True:
        begin = stream.read(1)
        if not begin:
            return
        packet = kind(begin + _exactly(stream, kind.__hdr_len__ - 1))
        data = _exactly(stream, _checked(packet.caplen, LARGEST))
        yield Frame(packet.tv_sec + packet.tv_usec / second, link, data)


# -- pcapng ------------------------------------------------------------------------------------------------


class _Interface(NamedTuple("_Interface", [
    ("link", "int"),
    ("snaplen", "int"),
    ("second", "float"),
    ("offset", "int"),
])):
    """Where frames come from: link type, the octets that it keeps of each, ticks of a second, seconds to add."""

    __slots__ = ()


class _Section(object):
    """What the blocks of one section of a pcapng file have to be read with."""

    def __init__(self, order):
        # type: (str) -> None
        self.order = order  # "<" or ">"
        self.interfaces = []  # type: List[_Interface]
        self.time = 0.0  # of the last frame, for those without a time

    def numbers(self, layout, data):
        # type: (str, bytes) -> Tuple[Any, ...]
        return struct.unpack(str(self.order + layout), data)

    def header(self, name, block):
        # type: (str, bytes) -> Any
        """The header of a block as dpkt has it: only that, because its options may be anything."""
        found = getattr(dpkt.pcapng, name + ("LE" if self.order == "<" else ""))()
        found.unpack_hdr(block)
        return found


def _pcapng(stream, magic):
    # type: (BinaryIO, bytes) -> Iterator[Frame]
    section = _begin(stream, magic + _exactly(stream, 4))
    while True:
        begin = stream.read(8)
        if not begin:
            return
        begin += _exactly(stream, 8 - len(begin))
        if begin[:4] == PCAPNG:
            section = _begin(stream, begin)
            continue
        kind, size = section.numbers("II", begin)
        read = _BLOCKS.get(kind)
        if size < 12 or size % 4:
            raise InputError("a damaged capture file: a block of %d octets" % size)
        if read is None:
            _skip(stream, size - 8)
            continue
        block = begin + _exactly(stream, _checked(size, LARGEST + _OPTIONS) - 8)
        if section.numbers("I", block[-4:])[0] != size:
            raise InputError("a damaged capture file: the lengths of a block differ")
        frame = read(section, block)
        if frame is not None:
            section.time = frame.time
            yield frame


def _begin(stream, begin):
    # type: (BinaryIO, bytes) -> _Section
    """The section that begins here; ``begin`` has the first 8 octets of its header."""
    mark = _exactly(stream, 4)
    order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(mark)
    if order is None:
        raise InputError("a damaged capture file: it has no byte order")
    section = _Section(order)
    size = section.numbers("I", begin[4:])[0]
    if size < 28 or size % 4:
        raise InputError("a damaged capture file: a section header of %d octets" % size)
    version = section.numbers("HH", _exactly(stream, 4))
    if version[0] != dpkt.pcapng.PCAPNG_VERSION_MAJOR:
        raise InputError("pcapng of version %d.%d cannot be read" % version)
    _skip(stream, size - 16)
    return section


def _skip(stream, size):
    # type: (BinaryIO, int) -> None
    while size > 0:
        size -= len(_exactly(stream, min(size, 65536)))


def _interface(section, block):
    # type: (_Section, bytes) -> Optional[Frame]
    header = section.header("InterfaceDescriptionBlock", block)
    second, offset = 1e6, 0
    place = 16
    while place + 4 <= len(block) - 4:
        code, size = section.numbers("HH", block[place : place + 4])
        value = block[place + 4 : place + 4 + size]
        if code == dpkt.pcapng.PCAPNG_OPT_ENDOFOPT:
            break
        if code == dpkt.pcapng.PCAPNG_OPT_IF_TSRESOL and size == 1:
            exponent = bytearray(value)[0]
            second = float((2 if exponent & 0x80 else 10) ** (exponent & 0x7F))
        if code == dpkt.pcapng.PCAPNG_OPT_IF_TSOFFSET and size == 8:
            offset = section.numbers("q", value)[0]
        place += 4 + size + -size % 4
    if len(section.interfaces) >= _INTERFACES:
        raise InputError("a damaged capture file: more than %d interfaces" % _INTERFACES)
    section.interfaces.append(_Interface(header.linktype, header.snaplen, second, offset))
    return None


def _of(section, number):
    # type: (_Section, int) -> _Interface
    if number >= len(section.interfaces):
        raise InputError("a damaged capture file: a packet of an interface that it does not describe")
    return section.interfaces[number]


def _enhanced(section, block):
    # type: (_Section, bytes) -> Optional[Frame]
    return _packet(section, section.header("EnhancedPacketBlock", block), block)


def _old(section, block):
    # type: (_Section, bytes) -> Optional[Frame]
    return _packet(section, section.header("PacketBlock", block), block)


def _packet(section, header, block):
    # type: (_Section, Any, bytes) -> Frame
    interface = _of(section, header.iface_id)
    data = block[28 : 28 + _checked(header.caplen, len(block) - 32)]
    ticks = header.ts_high << 32 | header.ts_low
    return Frame(interface.offset + ticks / interface.second, interface.link, data)


def _simple(section, block):
    # type: (_Section, bytes) -> Optional[Frame]
    interface = _of(section, 0)
    size = min(section.numbers("I", block[8:12])[0], len(block) - 16, interface.snaplen or LARGEST)
    return Frame(section.time, interface.link, block[12 : 12 + size])


_BLOCKS = {
    dpkt.pcapng.PCAPNG_BT_IDB: _interface,
    dpkt.pcapng.PCAPNG_BT_EPB: _enhanced,
    dpkt.pcapng.PCAPNG_BT_PB: _old,
    dpkt.pcapng.PCAPNG_BT_SPB: _simple,
}
