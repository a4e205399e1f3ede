"""The process of a worker, as its service has it: a child at the other end of a socket pair."""

from __future__ import absolute_import, division, print_function

import socket

from sipbridge._engine.child import Child
from sipbridge._engine.process import Process
from sipbridge._engine.readiness import close_on_exec
from sipbridge._engine.stream import SocketStream
from sipbridge.errors import EngineLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple


class WorkerProcess(Process):
    """One worker process.

    Args:
        python: path of its interpreter; None for the present one.
        settings: a dict for JSON, the settings for :func:`sipbridge._engine.worker_main.main`.
        keeps: whether to keep the messages that it receives last.

    Raises EngineLost when it cannot be started.
    """

    def __init__(self, python, settings, keeps=False):
        # type: (Optional[str], Dict[str, Any], bool) -> None
        ours, theirs = _socket_pair()
        try:
            # The child gets its end of the pair as standard input, because every Python hands that on.
            self._child = Child(python, settings, theirs.fileno(), keeps=keeps)
        except EngineLost:
            ours.close()
            raise
        finally:
            theirs.close()
        Process.__init__(self, SocketStream(ours), self._child.name, self._child.pid)

    def kill(self):
        # type: () -> None
        """Kill the process with SIGKILL."""
        self._child.kill()

    def has_ended(self):
        # type: () -> bool
        """True when it has ended although somebody holds its end of the socket: a child of its own."""
        return self._child.exit_code is not None

    def end_hung(self, silent):
        # type: (float) -> str
        """End it, with a core dump if those are kept. Returns what happened, as text."""
        self._child.abort()
        return Process.end_hung(self, silent)

    def reap(self, patience, reason=None):
        # type: (float, Optional[str]) -> str
        """Wait for its end, and kill it in the end. Returns how it ended, or the reason, with its crash files."""
        text = self._child.reap(patience, reason)
        self.backtrace, self.core, self.received = self._child.backtrace, self._child.core, self._child.received
        return text


def _socket_pair():
    # type: () -> Tuple[socket.socket, socket.socket]
    try:
        pair = socket.socketpair()
    except (OSError, IOError) as error:
        raise EngineLost("the engine's process cannot be started: %s" % error)
    for each in pair:
        close_on_exec(each.fileno())
    return pair
