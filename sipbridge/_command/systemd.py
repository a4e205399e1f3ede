"""What systemd hands to a service, and wants to hear from it (sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)).

Written out because the image has no Python package for it, and nothing to install one with.
"""

from __future__ import absolute_import, division, print_function

import os
import socket

from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import MutableMapping, Optional

#: The first descriptor that systemd hands over.
_FIRST = 3


def inherited_socket(environment=None):
    # type: (Optional[MutableMapping[str, str]]) -> Optional[socket.socket]
    """The listening UNIX socket that systemd has handed over; None: none. Raises InputError for another kind."""
    variables = os.environ if environment is None else environment
    count, pid = variables.get("LISTEN_FDS"), variables.get("LISTEN_PID")
    if not count or pid != str(os.getpid()):
        return None
    if count != "1":
        raise InputError("systemd hands over %s sockets, and an engine listens on one" % count)
    inherited = socket.fromfd(_FIRST, socket.AF_UNIX, socket.SOCK_STREAM)
    os.close(_FIRST)
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        variables.pop(name, None)
    try:
        name, listens = inherited.getsockname(), inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except (OSError, IOError) as error:
        raise InputError("what systemd hands over is no socket: %s" % error)
    if isinstance(name, tuple) or not listens:
        raise InputError("what systemd hands over is no listening UNIX socket: ListenStream= has to name a path")
    return inherited


class Notifier(object):
    """Tells systemd how the service is. Without systemd it does nothing.

    Attributes:
        interval: the seconds between two signs of life for systemd's watchdog; None where it has none for this process.
    """

    def __init__(self, environment=None):
        # type: (Optional[MutableMapping[str, str]]) -> None
        variables = os.environ if environment is None else environment
        self._address = variables.pop("NOTIFY_SOCKET", "")  # not for the processes that this one starts
        self.interval = None  # type: Optional[float]
        microseconds, pid = variables.get("WATCHDOG_USEC", ""), variables.get("WATCHDOG_PID", str(os.getpid()))
        if microseconds.isdigit() and pid == str(os.getpid()):
            self.interval = int(microseconds) / 2e6  # half, as sd_watchdog_enabled(3) says

    def tell(self, *lines):
        # type: (*str) -> None
        """Send lines, as "READY=1"."""
        if not self._address:
            return
        path = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sender.sendto("\n".join(lines).encode("utf-8"), path)
        except (OSError, IOError):  # systemd finds out by itself that it hears nothing
            pass
        finally:
            sender.close()
