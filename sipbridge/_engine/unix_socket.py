"""UNIX sockets: their addresses, and who is at the other end."""

from __future__ import absolute_import, division, print_function

import socket
import struct
import sys

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_text
from sipbridge.errors import InputError, NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

#: The most octets of a path: sun_path has 108, with a NUL at the end (unix(7)).
_LONGEST = 107

#: SO_PEERCRED, which Python 2.7 does not name, on the processors that Python 2.7 runs on here: x86, ARM.
_SO_PEERCRED = getattr(socket, "SO_PEERCRED", 17)

_CREDENTIALS = struct.Struct("3i")

_SCHEME = u"unix://"


class Peer(NamedTuple("Peer", [("pid", "int"), ("uid", "int"), ("gid", "int")])):
    """The process that connected, its user and its group; the process id is 0 where it is in another namespace."""

    __slots__ = ()

    def described(self):
        # type: () -> str
        """Who it is, as text for errors and the log."""
        process = "process %d" % self.pid if self.pid else "a process of another container"
        return "%s of user %d" % (process, self.uid)


def has_unix_sockets():
    # type: () -> bool
    """False on Windows."""
    return hasattr(socket, "AF_UNIX")


def check_address(address):
    # type: (object) -> str
    """The path in an address, ``"unix:///run/engine.sock"``. Raises InputError and, on Windows, NotSupportedError."""
    text = check_text(address, "address")
    path = text[len(_SCHEME) :]
    if not text.startswith(_SCHEME) or not path.startswith(u"/") or u"\0" in path:
        raise InputError("an address of a sidecar is unix:// and an absolute path, not %r" % (address,))
    if len(path.encode("utf-8")) > _LONGEST:
        raise InputError("address: the path of a socket has at most %d octets; %r has more" % (_LONGEST, path))
    if not has_unix_sockets():
        raise NotSupportedError("Python has no UNIX sockets on this system; use a Container (docs/places.md)")
    return path


def peer_of(connection):
    # type: (socket.socket) -> Optional[Peer]
    """Who is at the other end of a connected UNIX socket; None where the system does not tell in Linux's way."""
    if not sys.platform.startswith("linux"):
        return None
    octets = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(octets))
