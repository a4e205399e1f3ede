"""An engine that somebody else runs, at a UNIX socket: ``sipbridge engine unix:///...``."""

from __future__ import absolute_import, division, print_function

import errno
import logging
import socket
from contextlib import closing

from sipbridge._compat import monotonic
from sipbridge._engine import flight, protocol
from sipbridge._engine.process import BEAT, Process
from sipbridge._engine.readiness import close_on_exec
from sipbridge._engine.records import ProtocolError
from sipbridge._engine.remote import Remote
from sipbridge._engine.stream import SocketStream
from sipbridge._engine.unix_socket import check_address
from sipbridge._text.arguments import check_delay
from sipbridge.errors import EngineLost, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

log = logging.getLogger("sipbridge.engine")

#: The fewest seconds of silence that mean a hang: two signs of life may be late on a busy machine.
_LEAST = 3 * BEAT

#: The seconds between two attempts to connect while the engine's socket is not there yet.
_PAUSE = 0.1

#: The seconds that a connection may wait for its turn at the socket.
_CONNECT = 5.0

#: The seconds that the answer to a question may take.
_ANSWER = 2.0

_HINTS = {
    errno.ENOENT: "there is no such socket: start the engine, sipbridge engine %s",
    errno.ECONNREFUSED: "nobody listens there: start the engine, sipbridge engine %s",
    errno.EACCES: "no permission: give the engine --socket-group with a group of this user (%s)",
}


class Sidecar(Remote):
    """An engine that ``sipbridge engine`` runs at a UNIX socket: ``Endpoint(..., engine=Sidecar("unix:///..."))``.

    Args:
        address: the socket, as ``"unix:///run/sipbridge/engine.sock"``.
        hang_timeout: seconds without a sign of life after which the engine counts as hung and the connection is
            closed; 1.5 or more.
        max_restarts: the number of connections in a row that were lost or failed after which the service gives up; None
            for no limit. A connection that lasted for a minute begins a new row.
        backoff: seconds before the second connection in a row. The seconds double for each further one, up to ten. The
            first has no delay.
        connect_timeout: seconds that the endpoint waits for the socket when it is opened, for a service that may start
            before its engine.

    The engine serves one service at a time; to another one EngineError says so. Engine and service are of one release.
    When the engine is lost, or its connection, that is as with a :class:`~sipbridge.Worker`: calls end with
    "engine-lost", the service connects again, and you get an EngineRestarted.

    Raises InputError, and NotSupportedError where there are no UNIX sockets.
    """

    def __init__(self, address, hang_timeout=5.0, max_restarts=None, backoff=0.25, connect_timeout=10.0):
        # type: (str, float, Optional[int], float, float) -> None
        Remote.__init__(self, hang_timeout, max_restarts, backoff, BEAT)
        if hang_timeout < _LEAST:
            raise InputError("hang_timeout must be %g s or more, not %r" % (_LEAST, hang_timeout))
        self._path = check_address(address)
        self._address = "unix://" + self._path
        self._connect_timeout = check_delay(connect_timeout, "connect_timeout")

    def _launch(self):
        # type: () -> SidecarProcess
        patience = 0.0 if self._supervisor.has_begun else self._connect_timeout
        deadline = monotonic() + patience
        while True:
            try:
                return SidecarProcess(self._path, self._address, self._messages.size > 0)
            except EngineLost:
                if monotonic() >= deadline or self._closing.wait(_PAUSE):
                    raise


class SidecarProcess(Process):
    """The engine at the other end of a UNIX socket, as its service has it. Raises EngineLost.

    Args:
        path: of the socket.
        address: the same, as the user wrote it.
        keeps: whether to ask for the messages that it received last, when it is dead.
    """

    gives_signs = True

    def __init__(self, path, address, keeps=False):
        # type: (str, str, bool) -> None
        self._path, self._keeps = path, keeps
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            close_on_exec(connection.fileno())
            connection.settimeout(_CONNECT)
            connection.connect(path)
            _greet(connection)
            connection.settimeout(None)
        except (OSError, IOError) as error:  # socket.timeout among them
            connection.close()
            hint = _HINTS.get(error.errno or 0)
            raise EngineLost("no engine at %s: %s" % (address, hint % address if hint else error))
        Process.__init__(self, SocketStream(connection), "the engine at %s" % address)

    def kill(self):
        # type: () -> None
        """Close the connection. The process at the other end hangs up then, and is replaced."""
        self.stream.shut()

    def reap(self, patience, reason=None):
        # type: (float, Optional[str]) -> str
        """Close the connection. Returns the reason, or that it ended; how it ended its next connection tells."""
        self.kill()
        if self._keeps and reason is None and patience > 0.0:
            self.received = _last_received(self._path)
        return reason or "%s closed the connection" % self.name


def _greet(connection):
    # type: (socket.socket) -> None
    """Say that this is a service."""
    try:
        connection.sendall(protocol.SIGN_OF_LIFE)
    except (OSError, IOError) as error:
        if error.errno != errno.EPIPE:  # it is refused: the reason is there to be read
            raise


def ask(path, question, timeout):
    # type: (str, bytes, float) -> Tuple[int, bytes]
    """Ask who listens at a socket, in place of a service. Returns the first frame of the answer: its kind, its payload.

    Raises OSError or IOError when none comes within ``timeout`` seconds, or so.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with closing(connection):
        close_on_exec(connection.fileno())
        connection.settimeout(timeout)
        connection.connect(path)
        connection.sendall(question)
        decoder = protocol.Decoder()
        while True:
            octets = connection.recv(65536)
            if not octets:
                raise IOError("it closed the connection")
            for kind, payload in decoder.feed(octets):
                return kind, payload


def _last_received(path):
    # type: (str) -> bytes
    """What an engine that has died had received last; nothing where nobody tells."""
    try:
        kind, records = ask(path, protocol.LAST_QUESTION, _ANSWER)
        if kind == protocol.FLIGHT:
            flight.parse(records)
            return records
    except (OSError, IOError, ProtocolError) as error:
        log.warning("what the engine received last is not known: %s", error)
    return b""
