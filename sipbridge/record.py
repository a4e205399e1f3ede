"""Write SIP messages to a capture file that Wireshark and sngrep open, and read them from one.

>>> with sipbridge.Endpoint(record="call.pcap") as phone:
...     phone.call("sip:bob@example.com", sdp)

It needs dpkt: ``pip install sipbridge[pcap]``. The packets are made from the messages. Addresses, ports, direction
and time are real; the rest of the IP, UDP and TCP headers is made up. For TLS the file has the decrypted messages,
as TCP.

Credentials are masked unless you ask for them: digest responses (from one, a password can be guessed offline), the
content of an Authorization of another scheme, and the keys of SRTP in a=crypto and k=. User names, realms and nonces
stay, because nobody can log in with them and you need them to understand a failed registration.
"""

from __future__ import absolute_import, division, print_function

import io
import re
import socket
import struct
import threading

from sipbridge._compat import NamedTuple
from sipbridge._engine.local_address import Ends, packed
from sipbridge._text.arguments import check_path
from sipbridge._text.masking import without_credentials
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable, Dict, Iterator, Optional, Tuple

    from sipbridge.events import TraceMessage

    _Party = Tuple[str, int]
    _Decoder = Callable[[bytes], Any]

    dpkt = None  # type: Any  # dpkt has no types
else:
    try:
        import dpkt
    except ImportError:
        dpkt = None

# LINKTYPE_RAW of tcpdump.org: packets begin with their IP header.
_LINKTYPE_RAW = 101
_SNAPLEN = 262144
_SEGMENT = 60000  # octets of TCP in one packet
_MAGIC = (  # pcap with times in microseconds or nanoseconds, in either byte order; pcapng
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_UDP, _TCP = 17, 6
_START = re.compile(br"(?:SIP/2\.0 [0-9]{3}[ \r\n]|[A-Za-z0-9.!%*_+`'~-]+ \S+ SIP/2\.0\r?\n)", re.IGNORECASE)


class Passed(NamedTuple("Passed", [
    ("time", "float"),
    ("source", "str"),
    ("target", "str"),
    ("data", "bytes"),
])):
    """A message in a capture file: seconds since 1970, "host:port" of sender and receiver, its octets."""

    __slots__ = ()


def require():
    # type: () -> None
    """Raise NotSupportedError, which tells what to install, when dpkt is missing."""
    if dpkt is None:
        raise NotSupportedError("capture files need dpkt: pip install sipbridge[pcap]")


class Recorder(object):
    """Writes the messages of one endpoint to a pcap file. Give it to ``Endpoint(record=...)``.

    Each message is in the file before the next one is traced.

    Args:
        path: the file. An existing one is overwritten.
        credentials: True to leave credentials readable.

    Raises NotSupportedError when dpkt is missing, and InputError for a wrong argument.
    """

    def __init__(self, path, credentials=False):
        # type: (str, bool) -> None
        require()
        self.path = check_path(path, "path")  # type: str
        self._credentials = credentials
        self._transport = "udp"
        self._ends = Ends("", 0)
        self._file = None  # type: Optional[BinaryIO]
        self._writer = None  # type: Any
        self._sent = {}  # type: Dict[Tuple[_Party, _Party], int]  # octets sent so far from one party to another: TCP's sequence numbers
        self._lock = threading.Lock()

    def begin(self, transport, host, port):
        # type: (str, str, int) -> None
        """Open the file. The endpoint at this address calls this when it opens.

        Raises InputError when the file cannot be written.
        """
        self._transport, self._ends = transport, Ends(host, port)
        try:
            self._file = io.open(self.path, "wb")
        except (IOError, OSError) as error:
            raise InputError("cannot write %s: %s" % (self.path, error.strerror))
        self._writer = dpkt.pcap.Writer(self._file, _SNAPLEN, _LINKTYPE_RAW)
        self._file.flush()

    def __call__(self, message):
        # type: (TraceMessage) -> None
        """Write a :class:`~sipbridge.TraceMessage`."""
        data = message.data if self._credentials else without_credentials(message.data)
        source, target = self._ends.of(message.outgoing, message.peer)
        make = _udp_packets if self._transport == "udp" else self._tcp_packets
        with self._lock:
            if self._file is None or self._file.closed:
                return
            for packet in make(source, target, data):
                self._writer.writepkt(packet, message.time)
            self._file.flush()

    def close(self):
        # type: () -> None
        """Close the file. Messages that come later are dropped."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    def _tcp_packets(self, source, target, data):
        # type: (_Party, _Party, bytes) -> Iterator[Any]
        for start in range(0, len(data), _SEGMENT):
            part = data[start : start + _SEGMENT]
            sequence = self._sent.get((source, target), 1)
            segment = dpkt.tcp.TCP(
                sport=source[1],
                dport=target[1],
                seq=sequence & 0xFFFFFFFF,
                ack=self._sent.get((target, source), 1) & 0xFFFFFFFF,
                flags=dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH,
                data=part,
            )
            self._sent[source, target] = sequence + len(part)
            yield _ip_packet(source[0], target[0], _TCP, segment)


def _udp_packets(source, target, data):
    # type: (_Party, _Party, bytes) -> Iterator[Any]
    datagram = dpkt.udp.UDP(sport=source[1], dport=target[1], ulen=8 + len(data), data=data)
    yield _ip_packet(source[0], target[0], _UDP, datagram)


def _ip_packet(source, target, protocol, payload):
    # type: (str, str, int, Any) -> Any
    if ":" in source or ":" in target:
        return dpkt.ip6.IP6(
            src=packed(source, socket.AF_INET6),
            dst=packed(target, socket.AF_INET6),
            nxt=protocol,
            plen=len(payload),
            hlim=64,
            data=payload,
        )
    return dpkt.ip.IP(
        src=packed(source, socket.AF_INET),
        dst=packed(target, socket.AF_INET),
        p=protocol,
        len=20 + len(payload),
        data=payload,
    )


# -- reading -------------------------------------------------------------------------------------------


def is_capture(data):
    # type: (bytes) -> bool
    """True when a file that begins with these octets is pcap or pcapng."""
    return data[:4] in _MAGIC


def read(stream):
    # type: (BinaryIO) -> Iterator[Passed]
    """The SIP messages in a pcap or pcapng file, each a :class:`Passed`: one per UDP datagram or TCP segment.

    ``stream`` is the file, opened for reading bytes. Raises InputError when it is no such file, and
    NotSupportedError when dpkt is missing.
    """
    require()
    if not hasattr(stream, "read"):
        raise InputError("stream must be a file, opened for reading bytes, not %r" % (stream,))
    try:
        packets = dpkt.pcap.UniversalReader(stream)
        decode = _DECODERS.get(packets.datalink())
        for time, frame in packets:
            for found in _messages(decode, float(time), bytes(frame)):
                yield found
    except (ValueError, struct.error, dpkt.Error) as error:
        raise InputError("not a capture file, or a damaged one: %s" % error)


def _messages(decode, time, frame):
    # type: (Optional[_Decoder], float, bytes) -> Iterator[Passed]
    """The message in a frame of the capture: none or one."""
    try:
        packet = frame if decode is None else decode(frame)  # type: Any
        packet = getattr(packet, "data", packet) if decode not in (None, _ip) else packet
        segment = packet.data
        data, ports = bytes(segment.data), (segment.sport, segment.dport)
    except (AttributeError, IndexError, ValueError, dpkt.Error, struct.error):  # the frame holds something else
        return
    if _START.match(data):
        yield Passed(time, _name(packet.src, ports[0]), _name(packet.dst, ports[1]), data)


def _ip(frame):
    # type: (bytes) -> Any
    return (dpkt.ip6.IP6 if bytearray(frame[:1])[0] >> 4 == 6 else dpkt.ip.IP)(frame)


def _name(address, port):
    # type: (bytes, int) -> str
    family = socket.AF_INET6 if len(address) == 16 else socket.AF_INET
    host = socket.inet_ntop(family, address)
    return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)


_DECODERS = {} if dpkt is None else {
    _LINKTYPE_RAW: _ip,
    12: _ip,  # LINKTYPE_RAW has this number on some systems
    dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
    dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
    dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
}  # fmt: skip
