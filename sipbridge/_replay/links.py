"""The sockets of the side that is played."""

from __future__ import absolute_import, division, print_function

import errno
import select
import socket

from sipbridge._capture.framing import Framer
from sipbridge._capture.passed import host_port
from sipbridge._compat import monotonic
from sipbridge._replay.addresses import split_host_port
from sipbridge.errors import PeerUnreachable, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Tuple, Union

    _Received = Tuple[bytes, str]
    Link = Union["Datagrams", "Connections"]

_CONNECT = 5.0  # seconds
_LOOK = 0.1
_DATAGRAM = 65535


def _family(host):
    # type: (str) -> int
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bound(kind, host, port):
    # type: (int, str, int) -> socket.socket
    made = socket.socket(_family(host), kind)
    try:
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except (socket.error, OverflowError) as error:
        made.close()
        raise TransportError("cannot use %s: %s" % (host_port(host, port), getattr(error, "strerror", error)))
    return made


class Datagrams(object):
    """UDP at one address."""

    def __init__(self, host, port):
        # type: (str, int) -> None
        self._socket = _bound(socket.SOCK_DGRAM, host, port)
        self.port = int(self._socket.getsockname()[1])

    def send(self, data, peer):
        # type: (bytes, str) -> None
        """Send to "host:port". Raises TransportError."""
        try:
            self._socket.sendto(data, split_host_port(peer))
        except socket.error as error:
            raise PeerUnreachable("cannot send %d octets to %s: %s" % (len(data), peer, error.strerror or error))

    def receive(self, seconds):
        # type: (Optional[float]) -> Optional[_Received]
        """The next message and the "host:port" that sent it; None when there is none in so many seconds."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return None
        try:
            data, source = self._socket.recvfrom(_DATAGRAM)
        except socket.error:  # a peer's "port unreachable", on some systems
            return None
        return data, host_port(source[0], source[1])

    def close(self):
        # type: () -> None
        self._socket.close()


class Connections(object):
    """TCP: it listens at one address, and connects where there is no connection yet."""

    def __init__(self, host, port):
        # type: (str, int) -> None
        self._host = host
        self._listener = _bound(socket.SOCK_STREAM, host, port)
        self._listener.listen(8)
        self.port = int(self._listener.getsockname()[1])
        self._open = {}  # type: Dict[str, Tuple[socket.socket, Framer]]
        self._waiting = []  # type: List[_Received]

    def send(self, data, peer):
        # type: (bytes, str) -> None
        """Send to "host:port". Raises PeerUnreachable."""
        if peer not in self._open:
            self._connect(peer)
        try:
            self._open[peer][0].sendall(data)
        except socket.error as error:
            self._drop(peer)
            raise PeerUnreachable("the connection with %s is lost: %s" % (peer, error.strerror or error))

    def _connect(self, peer):
        # type: (str) -> None
        host, port = split_host_port(peer)
        try:
            made = socket.create_connection((host, port), _CONNECT)
        except socket.error as error:
            raise PeerUnreachable("cannot connect to %s: %s" % (peer, error.strerror or error))
        made.settimeout(None)
        self._open[peer] = (made, Framer())

    def receive(self, seconds):
        # type: (Optional[float]) -> Optional[_Received]
        """The next message and the "host:port" of its connection; None when there is none in so many seconds."""
        if self._waiting:
            return self._waiting.pop(0)
        sockets = dict((each[0], peer) for peer, each in self._open.items())
        for ready in select.select([self._listener] + list(sockets), [], [], seconds)[0]:
            if ready is self._listener:
                made, source = ready.accept()
                self._open[host_port(source[0], source[1])] = (made, Framer())
            else:
                self._read(sockets[ready])
        return self._waiting.pop(0) if self._waiting else None

    def _read(self, peer):
        # type: (str) -> None
        connection, framer = self._open[peer]
        try:
            data = connection.recv(_DATAGRAM)
        except socket.error as error:
            data = b""
            if error.errno == errno.EINTR:
                return
        if not data:
            self._drop(peer)
        self._waiting.extend((message, peer) for message in framer.feed(data))

    def _drop(self, peer):
        # type: (str) -> None
        self._open.pop(peer)[0].close()

    def close(self):
        # type: () -> None
        self._listener.close()
        for peer in list(self._open):
            self._drop(peer)


class Watched(object):
    """A link that looks whether the endpoint is still there, while it waits.

    Args:
        link: the one that does the work.
        look: called several times a second; raises what ends the waiting.
    """

    def __init__(self, link, look):
        # type: (Link, Callable[[], object]) -> None
        self._link = link
        self._look = look
        self.port = link.port  # type: int

    def send(self, data, peer):
        # type: (bytes, str) -> None
        """As of the link."""
        self._link.send(data, peer)

    def close(self):
        # type: () -> None
        self._link.close()

    def receive(self, seconds):
        # type: (Optional[float]) -> Optional[_Received]
        """As of the link."""
        end = None if seconds is None else monotonic() + seconds
        while True:
            left = None if end is None else max(0.0, end - monotonic())
            found = self._link.receive(_LOOK if left is None else min(left, _LOOK))
            if found is not None or left == 0.0:
                return found
            self._look()


#: What is made with host and port for each transport.
KINDS = {"udp": Datagrams, "tcp": Connections}  # type: Dict[str, Callable[[str, int], Union[Datagrams, Connections]]]
