"""The file of a UNIX socket that is listened on: made for the right users, and never taken from another process."""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import os
import socket
import stat

from sipbridge._engine.readiness import close_on_exec
from sipbridge.errors import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

#: Connections that may wait to be accepted.
_WAITING = 16


class SocketFile(object):
    """A listening UNIX socket and its file.

    Args:
        path: of the file. One that is left of a process that has ended is replaced; any other raises TransportError.
        group: id of the group that may connect as well as the user, or None.

    Attributes:
        socket: the listening socket.

    The file has the mode 0600, or 0660 with a group, before anybody can connect. Beside it a file with that name and
    ".lock" is locked by the process that listens. Raises TransportError.
    """

    def __init__(self, path, group=None):
        # type: (str, Optional[int]) -> None
        self._path = path
        self._lock = locked(path + ".lock", "another engine listens there")
        try:
            self.socket = self._bound(group)
        except (OSError, IOError) as error:
            os.close(self._lock)
            raise TransportError("cannot listen on unix://%s: %s" % (path, error.strerror or error))
        except TransportError:
            os.close(self._lock)
            raise

    def _bound(self, group):
        # type: (Optional[int]) -> socket.socket
        _remove_left(self._path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            close_on_exec(listening.fileno())
            before = os.umask(0o177)
            try:
                listening.bind(self._path)
            finally:
                os.umask(before)
            if group is not None:
                os.chown(self._path, -1, group)
                os.chmod(self._path, 0o660)
            listening.listen(_WAITING)
        except BaseException:
            listening.close()
            raise
        return listening

    def close(self):
        # type: () -> None
        """Remove the file. Whoever serves the socket closes that."""
        try:
            os.unlink(self._path)
        except OSError:  # somebody was faster
            pass
        os.close(self._lock)


def locked(path, taken):
    # type: (str, str) -> int
    """The descriptor of a file that this process has locked. The lock goes with the process.

    Raises TransportError; when another process has the lock, with ``taken`` as text.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise TransportError("cannot open %s: %s" % (path, error.strerror))
    close_on_exec(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, IOError) as error:
        os.close(descriptor)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise TransportError("%s: it has locked %s" % (taken, path))
        raise TransportError("cannot lock %s: %s" % (path, error.strerror))
    return descriptor


def _remove_left(path):
    # type: (str) -> None
    """Remove the socket that a process left which has ended: that had the lock, and this one has it now."""
    try:
        found = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise TransportError("%s is there, and is no socket" % path)
    os.unlink(path)
