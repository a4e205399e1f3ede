"""What carries the frames of the worker protocol: a connected socket."""

from __future__ import absolute_import, division, print_function

import errno
import select
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, Protocol

    class Stream(Protocol):
        """Octets to a process and from it. One thread at a time receives; any thread may send, one at a time."""

        @property
        def send(self):
            # type: () -> Callable[[bytes], int]
            """Sends some octets, and returns how many. Raises OSError."""
            raise NotImplementedError

        def send_now(self, octets):
            # type: (bytes) -> int
            raise NotImplementedError

        def receive(self, timeout):
            # type: (Optional[float]) -> Optional[bytes]
            raise NotImplementedError

        def ends_within(self, seconds):
            # type: (float) -> bool
            raise NotImplementedError

        def shut(self):
            # type: () -> None
            raise NotImplementedError

        def close(self):
            # type: () -> None
            raise NotImplementedError


#: Octets to read at once.
_CHUNK = 65536  # malloc would map and unmap a larger buffer each time


def shut(connection):
    # type: (socket.socket) -> None
    """Wake the threads that receive or send there. What has come before can still be received."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except (OSError, IOError):  # the other end has closed
        pass


class SocketStream(object):
    """The frames' way through a connected socket."""

    def __init__(self, connection):
        # type: (socket.socket) -> None
        self._socket = connection
        #: Of C, so that no signal handler runs between sending and counting what was sent.
        self.send = connection.send  # type: Callable[[bytes], int]
        self._readable = select.poll()
        self._readable.register(connection.fileno(), select.POLLIN)
        self._over = select.poll()  # one for each of the two threads that wait: one poll object waits once at a time
        self._over.register(connection.fileno(), getattr(select, "POLLRDHUP", 0))  # POLLHUP and POLLERR come unasked

    def send_now(self, octets):
        # type: (bytes) -> int
        """Send some octets without waiting, and return how many. Raises OSError when there is no room."""
        return self._socket.send(octets, socket.MSG_DONTWAIT)

    def receive(self, timeout):
        # type: (Optional[float]) -> Optional[bytes]
        """The octets that come within ``timeout`` seconds (None: no limit); None for none, b"" at the end."""
        try:
            if timeout is not None and not self._readable.poll(int(timeout * 1000 + 0.999)):
                return None
            return self._socket.recv(_CHUNK)
        except (OSError, IOError, select.error, socket.error) as error:
            return None if error.args[0] == errno.EINTR else b""

    def ends_within(self, seconds):
        # type: (float) -> bool
        """Wait for the other end to close, at most so many seconds. Octets may still be there to receive."""
        try:
            return bool(self._over.poll(int(seconds * 1000 + 0.999)))
        except (OSError, select.error) as error:
            if error.args[0] != errno.EINTR:
                raise
            return False

    def shut(self):
        # type: () -> None
        """Wake the threads that receive or send. What has come before can still be received."""
        shut(self._socket)

    def close(self):
        # type: () -> None
        """Give the socket back."""
        self._socket.close()
