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

import importlib
import io
import socket
import threading

from sipbridge._capture.passed import MAGIC
from sipbridge._capture.passed import Passed as Passed  # it is public here
from sipbridge._engine.local_address import Ends, packed
from sipbridge._later import later
from sipbridge._text.arguments import check_path
from sipbridge._text.masking import without_credentials
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Dict, Iterator, Optional, Tuple

    from sipbridge.events import TraceMessage

    _Party = Tuple[str, int]

    from sipbridge._capture import reading as _reading
else:
    _reading = later("sipbridge._capture.reading")  # it needs dpkt

#: What :func:`require` has loaded: dpkt, which takes as long as all of sipbridge, and has no types.
dpkt = None  # type: Any

# LINKTYPE_RAW of tcpdump.org: packets begin with their IP header.
_LINKTYPE_RAW = 101
_SNAPLEN = 262144
_SEGMENT = 60000  # octets of TCP in one packet
_UDP, _TCP = 17, 6


def require():
    # type: () -> None
    """Load dpkt. Raises NotSupportedError, which tells what to install, when it is missing."""
    global dpkt
    if dpkt is None:
        try:
            dpkt = importlib.import_module("dpkt")
        except ImportError:
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
    return data[:4] in MAGIC


def read(stream):
    # type: (BinaryIO) -> Iterator[Passed]
    """The SIP messages in a pcap or pcapng file, each a :class:`Passed`, in the order in which they were complete.

    Fragments of IP and the segments of TCP are put together. Link layers: Ethernet (VLAN, PPPoE, MPLS), Linux cooked
    (both versions), loopback, and none. It never holds more than some megabytes, whatever the file says of itself.

    Args:
        stream: the file, opened for reading bytes.

    Raises InputError when it is no such file, damaged, or cut off, also after some messages; and NotSupportedError when
    dpkt is missing.
    """
    require()
    if not hasattr(stream, "read"):
        raise InputError("stream must be a file, opened for reading bytes, not %r" % (stream,))
    for passed in _reading.read(stream):
        yield passed
