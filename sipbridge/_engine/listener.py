"""Gives each service that connects to a UNIX socket an engine in a process of its own, one service at a time."""

from __future__ import absolute_import, division, print_function

import errno
import logging
import os
import select
import socket

from sipbridge._compat import monotonic
from sipbridge._engine import protocol
from sipbridge._engine.child import Child
from sipbridge._engine.readiness import close_on_exec
from sipbridge._engine.records import ProtocolError
from sipbridge._engine.server import LEAVING
from sipbridge._engine.stream import shut
from sipbridge._engine.unix_socket import peer_of
from sipbridge.errors import EngineError, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, FrozenSet, Optional, Tuple

    from sipbridge._engine.unix_socket import Peer

log = logging.getLogger("sipbridge.engine")

#: The seconds that an engine has to hang up and end when its service is gone. Then it is killed.
_FAREWELL = 2.0

#: The seconds without a sign of life after which an engine whose service is gone is not waited for.
_STILL = 1.5

#: The seconds in which who connects has to say what it is.
_HANDSHAKE = 1.0

#: The seconds that a killed process may take to end.
_PATIENCE = 5.0

#: What a service, and who only asks whether all is well, send first.
SERVICE, QUESTION = protocol.SIGN_OF_LIFE, protocol.QUESTION


class Served(object):
    """A service, and the process that runs its engine.

    Attributes:
        connection: the socket to the service, which the process has, too. It shows when the service has closed it.
        peer: who the service is; None where the system does not tell.
        beats: reads signs of life from the process, and the end of the process.
        gone_by: the time on the monotonic clock by which the process has to end; None while the service is there.
    """

    def __init__(self, connection, peer, settings):
        # type: (socket.socket, Optional[Peer], Dict[str, Any]) -> None
        self.connection = connection
        self.peer = peer
        self.who = "a service" if peer is None else peer.described()
        self.beats, theirs = os.pipe()
        for descriptor in (self.beats, theirs):
            close_on_exec(descriptor)
        try:
            self.child = Child(None, settings, connection.fileno(), theirs, keeps=True)
        except SipbridgeError:
            os.close(self.beats)
            raise
        finally:
            os.close(theirs)
        self._heard = monotonic()
        self.gone_by = None  # type: Optional[float]

    def hear(self):
        # type: () -> bool
        """Take the signs of life that have come. Returns False when the process has ended."""
        octets = os.read(self.beats, 4096)
        self._heard = monotonic()
        if LEAVING in octets:  # it has found out by itself that the service is gone
            self.leave()
        return bool(octets)

    def leave(self):
        # type: () -> None
        """The service is gone: from now on its engine has a moment to hang up, if it gives signs of life."""
        if self.gone_by is None:
            hangs = monotonic() - self._heard > _STILL
            self.gone_by = monotonic() + (0.0 if hangs else _FAREWELL)

    def end(self):
        # type: () -> str
        """See the process out. Returns how it ended, as text."""
        text = self.child.reap(_PATIENCE)
        os.close(self.beats)
        self.connection.close()
        return text


class Listener(object):
    """Serves a listening socket.

    Args:
        listening: the socket.
        address: what it is called in the log.
        settings: the settings for :func:`sipbridge._engine.worker_main.main`.
        allowed: ids of the users that may connect; None: whoever the socket's mode lets in.
    """

    def __init__(self, listening, address, settings, allowed):
        # type: (socket.socket, str, Dict[str, Any], Optional[FrozenSet[int]]) -> None
        self._listening = listening
        self._address = address
        self._settings = settings
        self._allowed = allowed
        self._served = None  # type: Optional[Served]
        self._next = None  # type: Optional[Tuple[socket.socket, Optional[Peer]]]  # waits for the last engine to end
        self._before = None  # type: Optional[str]  # how the last engine died; the next one tells
        self._last = None, b""  # type: Tuple[Optional[Peer], bytes]  # what it had received, and whom it served

    def turn(self, limit):
        # type: (float) -> None
        """Wait at most ``limit`` seconds for something to do, and do it."""
        served = self._served
        poll = select.poll()
        poll.register(self._listening.fileno(), select.POLLIN)
        if served is not None:
            poll.register(served.beats, select.POLLIN)
            if served.gone_by is None:
                poll.register(served.connection.fileno(), 0)  # POLLHUP comes unasked
            else:
                limit = min(limit, max(0.0, served.gone_by - monotonic()))
        try:
            ready = dict(poll.poll(int(limit * 1000) + 1))
        except (OSError, select.error) as error:
            if error.args[0] != errno.EINTR:
                raise
            return
        if served is not None:
            self._attend(served, ready)
        if self._listening.fileno() in ready:
            self._accept()

    def _attend(self, served, ready):
        # type: (Served, Dict[int, int]) -> None
        if served.beats in ready and not served.hear():
            self._see_out(served)
            return
        if served.connection.fileno() in ready:
            served.leave()
        if served.gone_by is not None and monotonic() >= served.gone_by:
            served.child.abort()
            served.child.kill()
            self._see_out(served)

    def _see_out(self, served):
        # type: (Served) -> None
        """The engine of a service has ended. Serve the next one, if it waits."""
        gone = served.gone_by is not None or _is_closed(served.connection)
        self._served = None  # first: an interrupt may come at any moment, and close() would end it once more
        text = served.end()
        if gone or served.child.exit_code == 0:
            log.info("%s is gone: %s", served.who, text)
        else:
            self._before = text
            self._last = served.peer, served.child.received
            log.error("%s; its service was %s", text, served.who)
        if self._next is not None:
            (connection, peer), self._next = self._next, None
            self._serve(connection, peer)

    # -- who connects ----------------------------------------------------------------------------------------

    def _accept(self):
        # type: () -> None
        try:
            connection, _ = self._listening.accept()
        except (OSError, IOError) as error:
            log.warning("a connection to %s was lost: %s", self._address, error)
            return
        close_on_exec(connection.fileno())
        try:
            self._admit(connection)
        except (OSError, IOError, SipbridgeError) as error:
            log.warning("not served: %s", error)
            _refuse(connection, error)

    def _admit(self, connection):
        # type: (socket.socket) -> None
        """Serve who has connected, or raise what the reason is not to."""
        peer = peer_of(connection)
        if self._allowed is not None and peer is not None and peer.uid not in self._allowed:
            raise EngineError("user %d may not use the engine at %s: --allow-uid" % (peer.uid, self._address))
        first = _first_frame(connection)
        if first == QUESTION:
            connection.sendall(protocol.result(0, self._state()))
            connection.close()
        elif first == protocol.LAST_QUESTION:
            self._tell_last(connection, peer)
        elif first != SERVICE:
            raise ProtocolError("what connected to %s is no service of this release" % self._address)
        elif self._served is None:
            self._serve(connection, peer)
        elif self._next is None and self._is_leaving(self._served):
            self._next = connection, peer
        else:
            raise EngineError("the engine at %s serves another service: %s" % (self._address, self._served.who))

    def _is_leaving(self, served):
        # type: (Served) -> bool
        """Whether the service is gone, of which this thread may not have heard yet."""
        if _is_closed(served.connection):
            served.leave()
        return served.gone_by is not None

    def _serve(self, connection, peer):
        # type: (socket.socket, Optional[Peer]) -> None
        try:
            self._served = Served(connection, peer, dict(self._settings, before=self._before))
        except (OSError, IOError, SipbridgeError) as error:
            log.error("%s", error)
            _refuse(connection, error)
            return
        self._before = None
        log.info("%s serves %s", self._served.child.name, self._served.who)

    def _tell_last(self, connection, peer):
        # type: (socket.socket, Optional[Peer]) -> None
        """Tell the user of an engine that died what it had received last, once."""
        served, received = self._last
        if getattr(peer, "uid", None) == getattr(served, "uid", None):
            self._last = None, b""
        else:
            received = b""
        connection.settimeout(_HANDSHAKE)  # which takes some of it at once
        connection.sendall(protocol.frame(protocol.FLIGHT, received))
        connection.close()

    def _state(self):
        # type: () -> Dict[str, Any]
        """The answer to a question: whom it serves."""
        return {"serves": None if self._served is None else self._served.who}

    def close(self):
        # type: () -> None
        """Hang up the calls, end the engine, and close the socket."""
        self._listening.close()
        if self._next is not None:
            self._next[0].close()
            self._next = None
        served = self._served
        if served is not None:
            shut(served.connection)
            served.leave()
            while self._served is not None:
                self._attend_end(served)

    def _attend_end(self, served):
        # type: (Served) -> None
        poll = select.poll()
        poll.register(served.beats, select.POLLIN)
        left = max(0.0, (served.gone_by or 0.0) - monotonic())
        self._attend(served, dict(poll.poll(int(left * 1000) + 1)))


def _first_frame(connection):
    # type: (socket.socket) -> bytes
    """What it sends first, as many octets as either greeting has."""
    connection.settimeout(_HANDSHAKE)
    octets = b""
    while len(octets) < len(SERVICE):
        more = connection.recv(len(SERVICE) - len(octets))
        if not more:
            break
        octets += more
    connection.settimeout(None)
    return octets


def _refuse(connection, error):
    # type: (socket.socket, Exception) -> None
    """Tell who has connected why it is not served."""
    try:
        connection.setblocking(False)
        connection.send(protocol.failure(0, error))
    except (OSError, IOError):
        pass
    connection.close()


def _is_closed(connection):
    # type: (socket.socket) -> bool
    """Whether the other end of a socket has closed it."""
    poll = select.poll()
    poll.register(connection.fileno(), 0)
    return bool(poll.poll(0))
