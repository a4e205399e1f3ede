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
import threading

from sipbridge._capture.passed import MAGIC
from sipbridge._capture.passed import Passed as Passed  # it is public here
from sipbridge._engine.local_address import Ends
from sipbridge._later import later
from sipbridge._text.arguments import check_path
from sipbridge._text.masking import without_credentials
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Iterator, Optional

    from sipbridge._capture import reading as _reading
    from sipbridge._capture import writing as _writing
    from sipbridge.events import TraceMessage
else:
    _reading, _writing = later("sipbridge._capture.reading", "sipbridge._capture.writing")  # they need dpkt

#: What :func:`require` has loaded: dpkt, which takes as long as all of sipbridge, and has no types.
dpkt = None  # type: Any


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
        self._ends = Ends("", 0)
        self._packets = None  # type: Optional[_writing.Packets]
        self._file = None  # type: Optional[BinaryIO]
        self._writer = None  # type: Any
        self._lock = threading.Lock()

    def begin(self, transport, host, port):
        # type: (str, str, int) -> None
        """Open the file. The endpoint at this address calls this when it opens.

        Raises InputError when the file cannot be written.
        """
        self._ends, self._packets = Ends(host, port), _writing.Packets(transport)
        try:
            self._file = io.open(self.path, "wb")
        except (IOError, OSError) as error:
            raise InputError("cannot write %s: %s" % (self.path, error.strerror))
        self._writer = _writing.pcap(self._file)
        self._file.flush()

    def __call__(self, message):
        # type: (TraceMessage) -> None
        """Write a :class:`~sipbridge.TraceMessage`."""
        data = message.data if self._credentials else without_credentials(message.data)
        source, target = self._ends.of(message.outgoing, message.peer)
        with self._lock:
            if self._file is None or self._file.closed or self._packets is None:
                return
            for packet in self._packets.of(source, target, data):
                self._writer.writepkt(packet, message.time)
            self._file.flush()

    def close(self):
        # type: () -> None
        """Close the file. Messages that come later are dropped."""
        with self._lock:
            if self._file is not None:
                self._file.close()


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
