"""Runs an engine for a service at the other end of a stream (docs/worker-protocol.md).

One thread runs one loop, which takes commands and sends results and events. It never waits for the service: events that
the service does not read stay in the engine's queue, and the engine answers 503 when the queue is long.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import select
import signal
import sys
import time
import warnings

from sipbridge._compat import monotonic
from sipbridge._engine import protocol
from sipbridge._engine.records import ProtocolError
from sipbridge._engine.shield_counters import counters
from sipbridge._version import __version__
from sipbridge.errors import UnshieldedEngineWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    from sipbridge._engine.in_process import InProcess
    from sipbridge._engine.shield_counters import Counter

#: The octets to read at once.
_CHUNK = 65536

#: The seconds for which a container with much to say waits for more before it writes. What it writes passes through one
#: more process and the Docker daemon, for which one event is as much work as twenty.
_PAUSE = 0.0006

#: The most octets of messages that wait to be told to a service that records them. A frame takes as many.
_FLIGHT = 2 * 1024 * 1024

#: The signs of life that whoever started the process gets: it runs; its service is gone, and it hangs up.
ALIVE, LEAVING = b".", b"-"

_LATER = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)


class ServiceGone(Exception):
    """The service has ended: the stream is closed, or the parent process has changed."""


class Server(object):
    """Runs one engine for one service.

    Args:
        engine: an :class:`InProcess` that is not open yet.
        reader, writer: the descriptors of the stream, which do not block; they may be the same.
        beats: one that gets an octet with each sign of life, for whoever started this process; or None.
        settings: the settings from the service.
        received: the descriptor of a file for the messages that come last, which a flight recorder asks for; or None.
    """

    def __init__(self, engine, reader, writer, beats, settings, received=None):
        # type: (InProcess, int, int, Optional[int], Dict[str, Any], Optional[int]) -> None
        self._engine = engine
        self._reader, self._writer, self._beats = reader, writer, beats
        self._received = received
        self._before = settings.get("before")
        self._patience = settings.get("silence")  # type: Optional[float]
        self._told_to_leave = False
        self._silent = 0.0  # the sum of short waits, so that the time in which the machine sleeps does not count
        self._parent = settings["parent"]
        self._interval = settings["beat"]
        self._alarm = settings["hang"] + 1.0
        self._next_beat = 0.0  # type: float
        self._decoder = protocol.Decoder()
        self._out = []  # type: List[bytes]
        self._pause = _PAUSE if settings.get("two") else 0.0
        self._is_stuck = False  # the service did not take all of the last write
        self._said = 0  # the results and events since the last write
        self._is_busy = False  # there were several in the last write
        self._credit = 0
        self._opened = self._closed = False
        self._engine_descriptor = -1  # -1 before the engine is open
        self._poll = select.poll()
        self._watched = {}  # type: Dict[int, int]
        self._watch(reader, select.POLLIN)

    def _watch(self, descriptor, events):
        # type: (int, int) -> None
        if self._watched.get(descriptor) != events:
            self._watched[descriptor] = events
            self._poll.register(descriptor, events)

    def run(self):
        # type: () -> None
        """Run until the service closes the engine. Raises ServiceGone."""
        facts = {"protocol": protocol.VERSION, "sipbridge": __version__, "pid": os.getpid()}
        facts.update(self._engine.vocabulary(), engine=self._engine.name, library=self._engine.version)
        if self._before:
            facts["before"] = self._before
        self._out.append(protocol.hello(facts))
        while True:
            if not self._gather():
                self._send()
            if self._closed and not self._out:
                return
            if self._wait(self._beat()):
                self._receive()
            if self._opened:
                self._take_events()

    def _wait(self, limit):
        # type: (float) -> bool
        """Wait for stream and engine, at most so many seconds. Returns whether there is something to receive."""
        wanted = select.POLLOUT if self._out else 0
        if self._reader == self._writer:
            self._watch(self._reader, wanted | select.POLLIN)
        elif wanted or self._writer in self._watched:
            self._watch(self._writer, wanted)
        found = {}  # type: Dict[int, int]
        try:
            found = dict(self._poll.poll(int(limit * 1000) + 1))
        except (OSError, select.error) as error:
            if error.args[0] != errno.EINTR:
                raise
        if found.get(self._writer, 0) & select.POLLERR:  # nobody reads any more
            raise ServiceGone
        return bool(found.get(self._reader, 0) & (select.POLLIN | select.POLLHUP | select.POLLERR))

    def _beat(self):
        # type: () -> float
        """Give a sign of life if it is time. If the next one does not come in time, SIGALRM ends the process. Returns
        the seconds until that.

        What else there is to send is a sign of life, too. So no more than one waits for a service that does not read.
        """
        now = monotonic()
        left = self._next_beat - now  # type: float
        if left > 0.0:
            return left
        self._next_beat = now + self._interval
        if os.getppid() != self._parent or self._told_to_leave:
            raise ServiceGone
        self._count_silence()
        if self._opened:
            self._engine.probe()
        signal.setitimer(signal.ITIMER_REAL, self._alarm)
        if not self._out:
            self._out.append(protocol.SIGN_OF_LIFE)
            self._send()
        if self._beats is not None:
            _write_sign(self._beats, ALIVE)
        return max(0.0, self._next_beat - monotonic())

    def _count_silence(self):
        # type: () -> None
        """Raise ServiceGone when nothing has come from the service for so long that it counts as gone."""
        self._silent += self._interval
        if self._patience is not None and self._silent > self._patience:
            sys.stderr.write("sipbridge: no sign of life from the service for %g s: hanging up\n" % self._patience)
            raise ServiceGone

    # -- out -----------------------------------------------------------------------------------------------

    def _gather(self):
        # type: () -> bool
        """Wait for more to say together with what there is. Returns False when it is time to send.

        Only after a write of several at once: who waits for one result after the other gets each without delay.
        """
        if not (self._is_busy and self._out):
            return False
        self._is_busy = False
        time.sleep(self._pause)
        return True

    def _send(self):
        # type: () -> None
        if not self._out:
            return
        self._is_busy, self._said = self._pause > 0.0 and self._said > 1, 0
        octets = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        try:
            sent = os.write(self._writer, octets)
        except (OSError, IOError) as error:
            if error.errno not in _LATER:
                raise ServiceGone
            sent = 0
        self._out = [octets[sent:]] if sent < len(octets) else []
        self._is_stuck = bool(self._out)

    def _take_events(self):
        # type: () -> None
        """Send as many events as the service allows, behind the messages that have brought them. Without credit, do not
        wait for the engine's descriptor.
        """
        if not self._is_stuck:  # a service that does not read gets no more
            messages = self._engine.take_flight()
            if messages:
                self._out.append(protocol.frame(protocol.FLIGHT, messages))
        if self._credit:
            count, frames = self._engine.take_frames(self._credit)
            if count:
                self._credit -= count
                self._said += count
                self._out.append(frames)
        self._watch(self._engine_descriptor, select.POLLIN if self._credit else 0)

    # -- in ------------------------------------------------------------------------------------------------

    def _receive(self):
        # type: () -> None
        try:
            octets = os.read(self._reader, _CHUNK)
        except (OSError, IOError) as error:
            if error.errno in _LATER:
                return
            raise ServiceGone
        if not octets:
            raise ServiceGone
        self._silent = 0.0
        for kind, payload in self._decoder.feed(octets):
            if kind == protocol.COMMAND:
                self._execute(*protocol.parse_command(payload))
            elif kind == protocol.CREDIT:
                self._credit += protocol.parse_credit(payload)
            elif kind != protocol.ALIVE:
                raise ProtocolError("a service does not send frames of kind %d" % kind)

    def _execute(self, number, name, arguments):
        # type: (int, str, List[Any]) -> None
        self._said += 1
        try:
            perform = getattr(self, "_do_" + name, None) or self._method(name)
            self._out.append(protocol.result(number, perform(*arguments)))
        except Exception as error:  # the service gets it; the calls in this process go on
            self._out.append(protocol.failure(number, error))

    def _method(self, name):
        # type: (str) -> Callable[..., Any]
        if name.startswith("_"):
            raise AttributeError("no such command: %s" % name)
        method = getattr(self._engine, name)  # type: Callable[..., Any]
        return method

    def _do_open(self, last_id, names, *arguments):
        # type: (int, List[str], *Any) -> List[Any]
        """Open the engine. ``names`` are those of the last arguments. Returns the port and a list of warnings."""
        split = len(arguments) - len(names)
        named = dict(zip([str(name) for name in names], arguments[split:]), last_id=last_id)
        named["flight"] = min(named.get("flight", 0), _FLIGHT)
        if named["flight"] > 0 and self._received is not None:
            self._engine.keep("received", self._received)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UnshieldedEngineWarning)
            self._engine.open(*arguments[:split], **named)
        self._opened = True
        self._engine_descriptor = self._engine.fileno()
        return [self._engine.port, ["%s" % each.message for each in caught]]

    def _do_shield_counters(self):
        # type: () -> List[Counter]
        return counters()

    def _do_close(self, grace):
        # type: (float) -> None
        self.close(grace)
        self._closed = True

    def leave_soon(self, number, frame):
        # type: (int, object) -> None
        """Hang up with the next sign of life: the handler of a signal, which may come at any moment."""
        self._told_to_leave = True

    def leave(self, grace):
        # type: (float) -> None
        """The service is gone: close the engine, as :meth:`close` does."""
        if self._beats is not None:
            _write_sign(self._beats, LEAVING)
        self.close(grace)

    def close(self, grace):
        # type: (float) -> None
        """Close the engine. This takes not much longer than ``grace`` seconds, even if the engine hangs."""
        signal.setitimer(signal.ITIMER_REAL, grace + 0.8)
        if self._opened:
            self._opened = False
            self._poll.unregister(self._engine_descriptor)
            self._engine.close(grace)


def _write_sign(beats, octet):
    # type: (int, bytes) -> None
    """Write a sign of life to a pipe. Whoever does not read it has enough of them."""
    try:
        os.write(beats, octet)
    except OSError as error:
        if error.errno not in _LATER:
            raise ServiceGone
