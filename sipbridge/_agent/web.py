"""A small HTTP server for probes and scrapes: a few pages, GET and HEAD, one request for each connection.

Who connects may be hostile. So there are few connections at a time (more wait in the system's queue), each has few
octets for its request and some seconds for all of it.
"""

from __future__ import absolute_import, division, print_function

import errno
import select
import socket
import threading

from sipbridge._agent.delivery import log
from sipbridge._compat import PY2, monotonic
from sipbridge._engine.readiness import Alert, close_on_exec
from sipbridge._engine.stream import shut
from sipbridge._text.arguments import check_whole
from sipbridge._text.checks import check_line
from sipbridge.errors import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler  # novm
    from types import TracebackType
    from typing import Any, Callable, Dict, Optional, Tuple, Type, Union

    #: Given the value of Accept: the status, the media type and the octets of a page.
    Page = Callable[[str], Tuple[int, str, bytes]]
elif PY2:
    from BaseHTTPServer import BaseHTTPRequestHandler  # novm
else:
    from http.server import BaseHTTPRequestHandler  # novm

#: Connections that are served at the same time.
MOST = 8

#: Seconds that one may take, and octets that its request may have.
SECONDS, OCTETS = 10.0, 16384

#: Seconds after which one is tried to be accepted again, where the system had no descriptor or no memory for it.
_REST = 0.1

#: Errors of accept() that are about a connection which is no more.
_LEFT = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR)


def check_place(port, host):
    # type: (int, str) -> None
    """Raise InputError unless these can be where to listen."""
    check_whole(port, "port", 0, 65535)
    check_line(host, "host")


class _Limited(object):
    """The request of a connection, which ends after so many octets. (Python 2.7 reads any number of header fields.)"""

    def __init__(self, file, octets):
        # type: (Any, int) -> None
        self._file = file
        self._left = octets

    def readline(self, size=-1):
        # type: (int) -> bytes
        line = self._file.readline(self._left if size < 0 else min(size, self._left))  # type: bytes
        self._left -= len(line)
        return line

    def __getattr__(self, name):
        # type: (str) -> Any
        return getattr(self._file, name)


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    timeout = SECONDS
    server = None  # type: Any

    def setup(self):
        # type: () -> None
        BaseHTTPRequestHandler.setup(self)
        self.rfile = _Limited(self.rfile, OCTETS)  # type: ignore[assignment]

    def do_GET(self):
        # type: () -> None
        self._answer(True)

    def do_HEAD(self):
        # type: () -> None
        self._answer(False)

    def _answer(self, with_body):
        # type: (bool) -> None
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(404)
            return
        try:
            status, kind, octets = page(self.headers.get("Accept", ""))
        except Exception:
            log.exception("cannot make the page %s", self.path)
            self.send_error(500)
            return
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", "%d" % len(octets))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(octets)

    def version_string(self):
        # type: () -> str
        return "sipbridge"

    def log_message(self, format, *arguments):
        # type: (str, *Any) -> None
        log.debug("http: " + format, *arguments)


class Server(object):
    """Serves pages over HTTP until :meth:`close`. A context manager.

    Attributes:
        host, port: where it listens; the port is the one in use.
    """

    def __init__(self, pages, port, host):
        # type: (Dict[str, Page], int, str) -> None
        check_place(port, host)
        self.pages = pages
        self._socket = _listening(host, port)
        self.host = host  # type: str
        self.port = self._socket.getsockname()[1]  # type: int
        self._lock = threading.Lock()
        self._active = {}  # type: Dict[socket.socket, float]  # until when each connection has time
        self._rest_until = 0.0
        self._closing = self._over = False
        self._alert = Alert()  # under the lock
        self._thread = threading.Thread(target=self._run, name="sipbridge http")
        self._thread.daemon = True
        self._thread.start()

    def __enter__(self):
        # type: () -> Server
        return self

    def __exit__(self, *exc_info):
        # type: (*Union[Type[BaseException], BaseException, TracebackType, None]) -> None
        self.close()

    def __repr__(self):
        # type: () -> str
        return "<HTTP server on %s port %d: %s>" % (self.host, self.port, " ".join(sorted(self.pages)))

    def close(self):
        # type: () -> None
        """Listen no more, and end the connections. May be called again."""
        with self._lock:
            self._closing = True
            for connection in self._active:
                shut(connection)
            if not self._over:
                self._alert.set(True)
        if threading.current_thread() is not self._thread:
            self._thread.join(SECONDS)

    # -- the thread that listens -----------------------------------------------------------------------------

    def _run(self):
        # type: () -> None
        try:
            while not self._closing:
                if self._is_called(self._expire()):
                    self._take()
        finally:
            self._socket.close()
            with self._lock:
                self._alert.close()
                self._over = True

    def _expire(self):
        # type: () -> Tuple[bool, Optional[float]]
        """End the connections whose time is over. Whether there is room for one more; the seconds to the next end."""
        now = monotonic()
        with self._lock:
            for connection, until in self._active.items():
                if until <= now:
                    shut(connection)
            left = [until - now for until in list(self._active.values()) + [self._rest_until] if until > now]
            return len(self._active) < MOST and self._rest_until <= now, min(left) if left else None

    def _is_called(self, expected):
        # type: (Tuple[bool, Optional[float]]) -> bool
        """Wait until somebody connects, or until something else is to be done. Whether somebody has."""
        has_room, seconds = expected
        poll = select.poll()
        poll.register(self._alert.fileno(), select.POLLIN)
        if has_room:
            poll.register(self._socket.fileno(), select.POLLIN)
        try:
            ready = [descriptor for descriptor, _ in poll.poll(None if seconds is None else int(seconds * 1000) + 1)]
        except (OSError, IOError, select.error) as error:
            if error.args[0] != errno.EINTR:
                raise
            return False
        if self._alert.fileno() in ready:
            with self._lock:
                self._alert.set(False)
        return self._socket.fileno() in ready

    def _take(self):
        # type: () -> None
        try:
            connection, peer = self._socket.accept()
        except (OSError, IOError) as error:
            if error.errno not in _LEFT:  # it waits in the queue: without a rest this would turn as fast as it can
                self._rest_until = monotonic() + _REST
            return
        connection.setblocking(True)
        thread = threading.Thread(target=self._serve, args=(connection, peer), name="sipbridge http connection")
        thread.daemon = True
        with self._lock:
            self._active[connection] = monotonic() + SECONDS
        try:
            thread.start()
        except threading.ThreadError:  # the system has no more
            self._end(connection)

    # -- one connection --------------------------------------------------------------------------------------

    def _serve(self, connection, peer):
        # type: (socket.socket, Any) -> None
        try:
            _Handler(connection, peer, self)  # type: ignore[arg-type]
        except (EnvironmentError, ValueError) as error:  # it has left, or took too long
            log.debug("http: %s", error)
        finally:
            self._end(connection)

    def _end(self, connection):
        # type: (socket.socket) -> None
        with self._lock:
            self._active.pop(connection, None)
            shut(connection)
            connection.close()
            if not self._over:
                self._alert.set(True)


def _listening(host, port):
    # type: (str, int) -> socket.socket
    """A socket that listens there. Raises TransportError."""
    try:
        family = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(16)
            listener.setblocking(False)
            close_on_exec(listener.fileno())
        except BaseException:
            listener.close()
            raise
    except (EnvironmentError, UnicodeError) as error:
        raise TransportError("http port %d on %s: %s" % (port, host, getattr(error, "strerror", None) or error))
    return listener
