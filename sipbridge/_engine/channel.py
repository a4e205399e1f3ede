"""The service's end of the stream to one process: commands out, results and events in."""

from __future__ import absolute_import, division, print_function

import errno
import threading
from collections import deque
from itertools import starmap

from sipbridge._compat import monotonic
from sipbridge._engine import protocol
from sipbridge._engine.records import ProtocolError, Vocabulary
from sipbridge.errors import EngineLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, Dict, List, Optional, Sequence, Tuple

    from sipbridge._engine.process import Process

class Pending(object):
    """A command whose result has not come yet.

    Attributes:
        frame: its octets.
        value, error: its result or its error, once ``done`` is True.
        gate: the lock that the thread which waits for it is held up by, or None.
    """

    __slots__ = ("method", "arguments", "frame", "value", "error", "done", "gate")

    def __init__(self, number, method, arguments):
        # type: (int, str, Sequence[Any]) -> None
        self.method = method
        self.arguments = arguments
        self.frame = protocol.command(number, method, arguments)  # type: bytes
        self.value = None  # type: Any
        self.error = None  # type: Optional[Exception]
        self.done = False
        self.gate = None  # type: Optional[threading.Lock]

    def settle(self, value, error):
        # type: (Any, Optional[Exception]) -> None
        self.value, self.error, self.done = value, error, True
        self.wake()

    def close_gate(self):
        # type: () -> threading.Lock
        """The lock that will hold up who waits for this, until :meth:`wake`."""
        gate = self.gate = threading.Lock()
        gate.acquire()
        return gate

    def wake(self):
        # type: () -> None
        """Let who waits for this look again."""
        gate, self.gate = self.gate, None
        if gate is not None:
            gate.release()

    def outcome(self):
        # type: () -> Any
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        if not self.done:
            raise EngineLost("the engine's process did not answer (%s)" % self.method)
        return self.value


class _Outgoing(object):
    """Octets to send. An exception from a signal handler loses none of them: one call of C both sends octets and notes
    how many, and Python runs no signal handler within that call.
    """

    __slots__ = ("_octets", "_counts")

    def __init__(self, octets):
        # type: (bytes) -> None
        self._octets = octets
        self._counts = deque()  # type: Deque[int]

    def left(self):
        # type: () -> bytes
        """The octets that are not sent yet."""
        return self._octets[sum(self._counts) :]

    @property
    def is_sent(self):
        # type: () -> bool
        """True when nothing is left."""
        return sum(self._counts) == len(self._octets)

    def send(self, function):
        # type: (Callable[[bytes], int]) -> None
        """Send some of the octets by a function that returns how many it sent. Raises what that raises."""
        self._counts.extend(starmap(function, ((self.left(),),)))


class Channel(object):
    """The connection to one :class:`~sipbridge._engine.process.Process`, whose stream it owns.

    Attributes:
        facts: the content of the process's hello.
        early: the events that came during :meth:`request`.
        heard: how often octets have come. Each time is a sign of life.
        ended: True when nothing more can be read.
        problem: what was wrong in the octets from the process, or None.
    """

    def __init__(self, process):
        # type: (Process) -> None
        self.process = process
        self.facts = None  # type: Optional[Dict[str, Any]]
        self.problem = None  # type: Optional[str]
        self.early = []  # type: List[Tuple[Any, ...]]
        self.ended = False
        self.heard = 0
        self._stream = process.stream
        self._sending = threading.Lock()
        self._outgoing = _Outgoing(b"")
        self._decoder = protocol.Decoder()
        self._vocabulary = None  # type: Optional[Vocabulary]
        self._pending = {}  # type: Dict[int, Pending]
        self._number = 0

    # -- out -----------------------------------------------------------------------------------------------

    def expect(self, method, arguments):
        # type: (str, Sequence[Any]) -> Pending
        """The :class:`Pending` of a command that the caller sends next."""
        self._number += 1
        pending = self._pending[self._number] = Pending(self._number, method, arguments)
        return pending

    def send(self, octets):
        # type: (bytes) -> None
        """Send a frame. When the process is dead, the frame is lost; the watching thread reports the death.

        If an exception from a signal handler interrupts this, the next call sends the remaining octets first.
        """
        with self._sending:
            outgoing = self._outgoing = _Outgoing(self._outgoing.left() + octets)
            while not outgoing.is_sent:
                try:
                    outgoing.send(self._stream.send)
                except (OSError, IOError) as error:
                    if error.args[0] != errno.EINTR:
                        outgoing = self._outgoing = _Outgoing(b"")

    def give_sign(self):
        # type: () -> None
        """Give the process a sign of life, without waiting. Whatever else is being sent is one, too."""
        if not self._sending.acquire(False):
            return
        try:
            if self._outgoing.is_sent:
                self._outgoing = _Outgoing(protocol.SIGN_OF_LIFE)
            self._outgoing.send(self._stream.send_now)  # what is left of it now, send() sends
        except (OSError, IOError):  # there is no room, or nobody reads any more
            pass
        finally:
            self._sending.release()

    # -- in ------------------------------------------------------------------------------------------------

    def receive(self, timeout):
        # type: (Optional[float]) -> List[Tuple[Any, ...]]
        """The messages that come within ``timeout`` seconds (None: no limit), a list of (kind, ...)."""
        octets = self._stream.receive(timeout)
        if octets is None:
            return []
        if not octets:
            self.ended = True
            return []
        messages = []
        try:
            for kind, payload in self._decoder.feed(octets):
                if kind != protocol.ALIVE:
                    messages.append(self._message(kind, payload))
        except ProtocolError as error:
            self.ended = True
            self.problem = "%s sent what it should not: %s" % (self.process.name, error)
            self.process.kill()
        self.heard += 1  # last: who reads this has the messages, too
        return messages

    def _message(self, kind, payload):
        # type: (int, bytes) -> Tuple[Any, ...]
        if kind == protocol.EVENT and self._vocabulary is not None:
            return kind, self._vocabulary.event(payload)
        if kind == protocol.FLIGHT:
            return kind, payload
        if kind == protocol.RESULT:
            number, value = protocol.parse_result(payload)
            return kind, number, value, None
        if kind == protocol.FAILURE:
            number, error = protocol.parse_failure(payload)
            return kind, number, None, error
        if kind == protocol.HELLO:
            return kind, protocol.parse_hello(payload)
        raise ProtocolError("unexpected frame of kind %d" % kind)

    def take(self, number):
        # type: (int) -> Optional[Pending]
        """Remove and return the command with that number, whose result has come; or None."""
        return self._pending.pop(number, None)

    def rest(self):
        # type: () -> List[Tuple[Any, ...]]
        """The messages that came before the process died."""
        messages = []
        while not self.ended:
            messages += self.receive(0)
        return messages

    def fail(self, error):
        # type: (Exception) -> None
        """Let every command that waits fail with this error."""
        for pending in self._pending.values():
            pending.settle(None, error)
        self._pending.clear()

    # -- one thing after the other, while the process is nobody else's --------------------------------------------

    def greet(self, timeout):
        # type: (float) -> None
        """Wait at most ``timeout`` seconds for the hello. Raises EngineLost, and the error of a process that
        cannot load its engine.
        """
        self._await(timeout, lambda: self.facts is not None)
        self._vocabulary = Vocabulary(self.facts or {})

    def request(self, timeout, method, *arguments):
        # type: (float, str, *Any) -> Any
        """Send a command, and wait for its result. Raises the error of the command, and EngineLost."""
        pending = self.expect(method, arguments)
        self.send(pending.frame)
        self._await(timeout, lambda: pending.done)
        return pending.outcome()

    def _await(self, timeout, ready):
        # type: (float, Callable[[], object]) -> None
        deadline = monotonic() + timeout
        while not ready():
            if self.ended:
                raise EngineLost(self.problem or self.process.reap(1.0))
            left = deadline - monotonic()
            if left <= 0:
                raise EngineLost("%s was not ready in %g s" % (self.process.name, timeout))
            for message in self.receive(left):
                self._absorb(*message)

    def _absorb(self, kind, value, result=None, error=None):
        # type: (int, Any, Any, Any) -> None
        if kind == protocol.HELLO:
            self.facts = value
        elif kind in (protocol.EVENT, protocol.FLIGHT):
            self.early.append((kind, value))
        elif value == 0:  # a failure in place of the hello
            raise error
        else:
            pending = self.take(value)
            if pending is None:
                raise ProtocolError("a result of no command: %d" % value)
            pending.settle(result, error)

    # -- the end -------------------------------------------------------------------------------------------

    def shut(self):
        # type: () -> None
        """Wake the threads that read or send. What has come before can still be read."""
        self._stream.shut()

    def close(self):
        # type: () -> None
        with self._sending:
            self._stream.close()
