"""A file descriptor for poll() and select() that can be set readable or not."""

from __future__ import absolute_import, division, print_function

import fcntl
import os


def close_on_exec(descriptor):
    # type: (int) -> None
    """Close a descriptor in the programs that this one starts. Python 2 does not do that by itself."""
    fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.fcntl(descriptor, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


class Alert(object):
    """A pipe that holds one octet while it is set. Use it in one thread at a time."""

    def __init__(self):
        # type: () -> None
        self._reader, self._writer = os.pipe()
        close_on_exec(self._reader)
        close_on_exec(self._writer)
        self._set = False

    def fileno(self):
        # type: () -> int
        """The descriptor that is readable while it is set."""
        return self._reader

    def set(self, readable):
        # type: (bool) -> None
        """Make it readable, or not."""
        if readable != self._set:
            self._set = readable
            if readable:
                os.write(self._writer, b"!")
            else:
                os.read(self._reader, 1)

    def close(self):
        # type: () -> None
        """Close the pipe."""
        os.close(self._reader)
        os.close(self._writer)
