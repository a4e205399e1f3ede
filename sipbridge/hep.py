"""Send the messages to a capture server of Homer, in HEP 3 (the Homer Encapsulation Protocol).

>>> with sipbridge.Endpoint(hep="udp://homer.example.com:9060") as phone:
...     phone.call("sip:bob@example.com", sdp)

Addresses, ports, transport and time are those of the message, the correlation id is its Call-ID. For TLS the server
gets the decrypted messages. Credentials are masked as in a capture file (:mod:`sipbridge.record`).

A thread of its own masks and sends. A call never waits for it: when too much waits for the thread, messages are
dropped, and counted.
"""

from __future__ import absolute_import, division, print_function

import errno
import logging
import re
import socket
import struct
import threading
from collections import deque

from sipbridge._compat import monotonic
from sipbridge._engine.local_address import Ends, packed
from sipbridge._text.arguments import check_text, check_whole
from sipbridge._text.checks import check_line
from sipbridge._text.masking import without_credentials
from sipbridge.errors import InputError
from sipbridge.uri import check_host_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Deque, Optional, Tuple

    from sipbridge._engine.local_address import End
    from sipbridge.events import TraceMessage

#: The port of a capture server, where none is named.
PORT = 9060

#: Messages and their octets that may wait for the thread: some seconds of a busy service, and a bound on memory.
MESSAGES_AT_MOST = 10000
OCTETS_AT_MOST = 16 * 1024 * 1024

#: Octets of an authentication key at most.
KEY_AT_MOST = 255

# The chunks of HEP 3 (its specification, revision 37, "Generic chunk types").
_FAMILY, _PROTOCOL = 0x0001, 0x0002
_ADDRESSES = {socket.AF_INET: (0x0003, 0x0004), socket.AF_INET6: (0x0005, 0x0006)}
_PORTS = (0x0007, 0x0008)
_SECONDS, _MICROSECONDS = 0x0009, 0x000A
_TYPE, _CAPTURE_ID, _KEY, _PAYLOAD, _CORRELATION = 0x000B, 0x000C, 0x000E, 0x000F, 0x0011

# AF_INET and AF_INET6 of Linux, which the capture servers know, and not those of this system.
_FAMILIES = {socket.AF_INET: 2, socket.AF_INET6: 10}

# The numbers of IP protocols. TLS has none; 22 is what Kamailio and OpenSIPS send, and what Homer shows as TLS.
_PROTOCOLS = {"udp": 17, "tcp": 6, "tls": 22}
_SIP = 1  # the chunk "protocol type"

_DATAGRAM = 65507  # the most octets in a datagram over IPv4
_CORRELATION_AT_MOST = 255  # of the octets that a peer chose as Call-ID
# Nothing in it can match the same octets in two ways: a peer chooses how many spaces there are.
_CALL_ID = re.compile(br"^(?:Call-ID|i)[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)

_RESOLVED = 300.0  # seconds that the address of a host name is used for
_RETRY = 10.0  # seconds after which a server without an address is looked up again
_QUIET = 60.0  # seconds between two lines of the log about what was dropped
_PATIENCE = 1.0  # seconds that the system may take to take a datagram
_FAREWELL = 0.5  # seconds in which an endpoint that closes lets what still waits be sent

_log = logging.getLogger("sipbridge.hep")


def packet(message, ends, transport, capture_id, key=b""):
    # type: (TraceMessage, Tuple[End, End], str, int, bytes) -> bytes
    """A :class:`~sipbridge.TraceMessage` as a packet of HEP 3. The end of a body that is too long is left out.

    Args:
        message: its data is masked here.
        ends: (IP address, port) of sender and receiver.
        transport: "udp", "tcp" or "tls".
        capture_id: of the capture agent.
        key: octets of the authentication key; none: the packet has none.
    """
    hosts = [host for host, _ in ends]
    family = socket.AF_INET6 if any(":" in host for host in hosts) else socket.AF_INET
    if family == socket.AF_INET6:  # one of them may be an IPv4 address, of a peer that is not known
        hosts = [host if ":" in host else "::ffff:" + host for host in hosts]
    seconds, microseconds = divmod(int(round(message.time * 1000000)), 1000000)
    chunks = [
        _chunk(_FAMILY, struct.pack("!B", _FAMILIES[family])),
        _chunk(_PROTOCOL, struct.pack("!B", _PROTOCOLS[transport])),
    ]
    chunks += [_chunk(kind, packed(host, family)) for kind, host in zip(_ADDRESSES[family], hosts)]
    chunks += [_chunk(kind, struct.pack("!H", port)) for kind, (_, port) in zip(_PORTS, ends)]
    chunks += [
        _chunk(_SECONDS, struct.pack("!I", seconds & 0xFFFFFFFF)),
        _chunk(_MICROSECONDS, struct.pack("!I", microseconds)),
        _chunk(_TYPE, struct.pack("!B", _SIP)),
        _chunk(_CAPTURE_ID, struct.pack("!I", capture_id)),
    ]
    found = _CALL_ID.search(message.data.partition(b"\r\n\r\n")[0])
    call_id = b"" if found is None else found.group(1).strip(b" \t")
    if call_id:
        chunks.append(_chunk(_CORRELATION, call_id[:_CORRELATION_AT_MOST]))
    if key:
        chunks.append(_chunk(_KEY, key))
    head = b"".join(chunks)
    payload = _chunk(_PAYLOAD, without_credentials(message.data)[: _DATAGRAM - len(head) - 12])
    return b"HEP3" + struct.pack("!H", 6 + len(head) + len(payload)) + head + payload


def _chunk(kind, data):
    # type: (int, bytes) -> bytes
    return struct.pack("!HHH", 0, kind, 6 + len(data)) + data


class CaptureAgent(object):
    """Sends the messages of one endpoint to a capture server. Give it to ``Endpoint(hep=...)``.

    Args:
        server: ``"udp://host:port"``; without a port it is 9060. A host name is looked up again every five minutes.
        capture_id: the number by which the server tells its agents apart, 0 to 4294967295.
        key: the authentication key that the server asks for, text of 255 octets at most; or None. It goes over the
            network as it is.

    Raises InputError.
    """

    def __init__(self, server, capture_id=1, key=None):
        # type: (str, int, Optional[str]) -> None
        self._host, self._port = check_server(server)
        self.capture_id = check_whole(capture_id, "capture_id", 0, 2**32 - 1)  # type: int
        self._key = b"" if key is None else check_key(key).encode("utf-8")
        self._transport = "udp"
        self._ends = Ends("", 0)
        self._queue = deque()  # type: Deque[TraceMessage]
        self._octets = 0  # of what waits in it
        self._changed = threading.Condition()  # has the lock of all that the thread and others use
        self._sent = self._dropped = 0
        self._overflowed = False
        self._thread = None  # type: Optional[threading.Thread]
        self._closing = False
        # The thread's own:
        self._socket = None  # type: Optional[socket.socket]
        self._due = 0.0  # when the server is to be looked up again
        self._trouble = "no address"  # why it has no socket
        self._quiet_until = 0.0
        self._told = 0  # how many dropped messages the log knows of

    def __repr__(self):
        # type: () -> str
        return "<CaptureAgent %d of %s>" % (self.capture_id, self.server)

    @property
    def server(self):
        # type: () -> str
        """Where the messages go: ``"udp://host:port"``."""
        return "udp://%s:%d" % (self._host, self._port)

    @property
    def sent(self):
        # type: () -> int
        """How many messages were sent."""
        return self._sent

    @property
    def dropped(self):
        # type: () -> int
        """How many messages were not, as too many waited or the host had no address, or were refused there (ICMP)."""
        return self._dropped

    def begin(self, transport, host, port):
        # type: (str, str, int) -> None
        """Begin to send. The endpoint at this address calls this when it opens.

        Raises InputError for an agent that an endpoint has already.
        """
        if self._thread is not None:
            raise InputError("hep: %r sends the messages of another endpoint" % self)
        self._transport, self._ends = transport, Ends(host, port)
        self._thread = thread = threading.Thread(target=self._run, name="sipbridge hep")
        thread.daemon = True
        thread.start()

    def __call__(self, message):
        # type: (TraceMessage) -> None
        """Have a :class:`~sipbridge.TraceMessage` sent. Never waits."""
        with self._changed:
            octets = self._octets + len(message.data)
            if self._closing or len(self._queue) >= MESSAGES_AT_MOST or octets > OCTETS_AT_MOST:
                self._dropped += 1
                self._overflowed = True
                return
            self._octets = octets
            self._queue.append(message)
            self._changed.notify()

    def close(self):
        # type: () -> None
        """Send what waits, within half a second. Messages that come later are dropped."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_FAREWELL)

    # -- the thread ------------------------------------------------------------------------------------------

    def _run(self):
        # type: () -> None
        while True:
            with self._changed:
                while not self._queue and not self._closing:
                    self._changed.wait()
                if not self._queue:
                    break
                message = self._queue.popleft()
                self._octets -= len(message.data)
                overflowed, self._overflowed = self._overflowed, False
            if overflowed:
                self._tell("too many waited")
            try:
                ends = self._ends.of(message.outgoing, message.peer)
                self._send(packet(message, ends, self._transport, self.capture_id, self._key))
            except Exception:  # ours; the messages that follow are sent all the same
                self._drop("a fault")
                _log.exception("cannot send a message of %s to %s", message.peer, self.server)
        if self._socket is not None:
            self._socket.close()

    def _send(self, octets):
        # type: (bytes) -> None
        if monotonic() >= self._due:
            self._connect()
        while self._socket is not None:
            try:
                self._socket.send(octets)
            except socket.error as error:  # socket.timeout among them
                self._drop(str(error))
                if error.errno != errno.ECONNREFUSED:
                    return  # else that was about a packet before this one, which has not been sent yet
            else:
                with self._changed:
                    self._sent += 1
                return
        self._drop(self._trouble)

    def _connect(self):
        # type: () -> None
        """Look up the server. When that fails, go on with the address there is."""
        try:
            found = socket.getaddrinfo(str(self._host.strip("[]")), self._port, 0, socket.SOCK_DGRAM)
            new = socket.socket(found[0][0], socket.SOCK_DGRAM)
            new.settimeout(_PATIENCE)
            new.connect(found[0][4])
        except (socket.error, UnicodeError) as error:
            self._trouble = str(error)
            self._due = monotonic() + _RETRY
            return
        if self._socket is not None:
            self._socket.close()
        self._socket = new
        self._due = monotonic() + _RESOLVED

    def _drop(self, why):
        # type: (str) -> None
        with self._changed:
            self._dropped += 1
        self._tell(why)

    def _tell(self, why):
        # type: (str) -> None
        """Tell the log of what was dropped, now and then."""
        if monotonic() >= self._quiet_until:
            self._quiet_until = monotonic() + _QUIET
            before, self._told = self._told, self._dropped
            _log.warning("%d messages for %s were dropped: %s", self._told - before, self.server, why)


def check_server(text):
    # type: (str) -> Tuple[str, int]
    """(host, port) of a capture server's ``udp://host:port``. Raises InputError."""
    scheme, mark, rest = check_text(text, "hep server").partition("://")
    if not mark or scheme.lower() != "udp":
        raise InputError("hep server must be something like udp://homer.example.com:9060, not %r" % (text,))
    host, port = check_host_port(rest, "hep server")
    return host, port or PORT


def check_key(key):
    # type: (str) -> str
    """An authentication key. The error does not quote it, so that no key gets into a log."""
    try:
        text = check_line(key, "key")
    except InputError:
        text = ""
    if not text or len(text.encode("utf-8")) > KEY_AT_MOST:
        raise InputError("the key of hep must be text of one line, not empty and %d octets at most" % KEY_AT_MOST)
    return text
