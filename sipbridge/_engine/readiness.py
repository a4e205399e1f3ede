"""A file descriptor for poll() and select() that can be set readable or not."""

from __future__ import absolute_import, division, print_function

import socket

from sipbridge._compat import PY2

if PY2:
    import fcntl


def close_on_exec(descriptor):
    # type: (int) -> None
    """Close a descriptor in the programs that this one starts. Python 3 does that by itself."""
    if PY2:
        fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.fcntl(descriptor, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


class Alert(object):
    """A pair of sockets that holds one octet while it is set. Use it in one thread at a time."""

    def __init__(self):
        # type: () -> None
        self._reader, self._writer = socket.socketpair()  # no pipe: Windows waits for sockets alone
        close_on_exec(self._reader.fileno())
        close_on_exec(self._writer.fileno())
        self._set = False

    def fileno(self):
        # type: () -> int
        """The descriptor that is readable while it is set."""
        return self._reader.fileno()

    def set(self, readable):
        # type: (bool) -> None
        """Make it readable, or not."""
        if readable != self._set:
            self._set = readable
            if readable:
                self._writer.send(b"!")
            else:
                self._reader.recv(1)

    def close(self):
        # type: () -> None
        """Close both."""
        self._reader.close()
        self._writer.close()
