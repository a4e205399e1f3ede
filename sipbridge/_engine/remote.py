"""An engine in another process, wherever that runs. The process is watched, and replaced when it is lost.

A thread that waits for a result or an event reads the stream itself, also for the other threads, so a result arrives
without a switch of threads. Only the main thread lets another thread read, because a signal may interrupt it anywhere.
One more thread, the supervisor, starts and watches the process. It reads only while nobody else does.
"""

from __future__ import absolute_import, division, print_function

import logging
import threading
import warnings
from collections import deque

from sipbridge._compat import monotonic
from sipbridge._engine import protocol
from sipbridge._engine.flight import Kept
from sipbridge._engine.forwarding import forward
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.ledger import Ledger, unreported
from sipbridge._engine.owner import Owner
from sipbridge._engine.readiness import Alert
from sipbridge._engine.shield_counters import Counter
from sipbridge._engine.supervisor import Place, Supervisor, end
from sipbridge._text.arguments import check_delay, check_whole
from sipbridge.errors import (
    EngineError,
    EngineLost,
    InputError,
    SipbridgeError,
    UnshieldedEngineWarning,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, List, Optional, Set, Tuple

    from sipbridge._engine.channel import Channel, Pending
    from sipbridge._engine.process import Process
    from sipbridge._engine.records import Parties, RawEvent

    _Forwarding = InProcess  # forward() gives Remote its methods
else:
    _Forwarding = object

log = logging.getLogger("sipbridge.engine")

#: The most events that a process sends before the service reads them, so that they do not fill its memory.
WINDOW = 1000

#: The seconds that closing may take in addition to the ``grace`` for peers.
_CLOSING = 1.5


class Remote(_Forwarding):
    """What the places have in common whose engine is in another process: commands, events, restarts.

    Args:
        hang_timeout, max_restarts, backoff: as for a Worker.
        beat: the most seconds between two signs of life of a process.

    A place derives from it and starts processes: :meth:`_launch`.

    Raises InputError.
    """

    def __init__(self, hang_timeout, max_restarts, backoff, beat):
        # type: (float, Optional[int], float, float) -> None
        if not check_delay(hang_timeout, "hang_timeout"):
            raise InputError("hang_timeout must be seconds above 0, not %r" % (hang_timeout,))
        check_delay(backoff, "backoff")
        if max_restarts is not None:
            check_whole(max_restarts, "max_restarts", 0, 2**31 - 1)
        self.name = ""  # type: str  # the engine's name, once it is open
        self.version = ""  # type: str
        self._owner = Owner()
        self._condition = threading.Condition(threading.Lock())
        self._channel = None  # type: Optional[Channel]  # the connection to the present process
        self._reading = False  # True while a thread reads its stream
        self._waiting = 0  # the number of threads that wait for that one, in the condition
        self._held_up = set()  # type: Set[Pending]  # commands whose threads wait for that one, each at its own gate
        self._events = deque()  # type: Deque[RawEvent]
        self._consumed = 0  # events read since the last credit for more
        self._lost = EngineError("the engine is not open")  # type: Optional[EngineError]  # what each command raises while there is no process
        self._closing = threading.Event()
        self._closed = False
        self._opening = None  # type: Optional[List[Any]]  # the names of the last arguments of open(), and all its arguments
        self._ledger = Ledger()
        self._messages = Kept(0)
        self._alert = None  # type: Optional[Alert]  # for programs that poll a descriptor
        self._gave_up = False
        place = Place(
            self._launch, lambda: list(self._opening or ()), self._ledger.restore, self._install, self._lose,
            self._miss, self._give_up, self._read_if_idle, self._closing,
        )  # fmt: skip
        self._supervisor = Supervisor(place, hang_timeout, beat, max_restarts, backoff)

    def _launch(self):
        # type: () -> Process
        """Start a process. Raises EngineLost."""
        raise NotImplementedError

    @property
    def _cond(self):
        # type: () -> threading.Condition
        """The lock of this object, with a condition. In a forked process it raises EngineError."""
        if self._opening is not None:
            self._owner.check()
        return self._condition

    # -- the engine, as InProcess --------------------------------------------------------------------------

    def open(self, transport, host, port, *values, **named):
        # type: (str, str, int, *object, **object) -> None
        """Start the process and open the engine in it. Raises TransportError and EngineError."""
        if self._opening is not None:
            raise EngineError("this %s was opened before; make one for each endpoint" % type(self).__name__)
        self._owner = Owner()
        names = sorted(named)
        self._messages = Kept(named.get("flight", 0))  # type: ignore[arg-type]  # an int
        self._opening = opening = [names, transport, host, port] + list(values) + [named[name] for name in names]
        channel, complaints, _ = self._supervisor.start()
        try:
            for text in complaints:  # it raises if the user has made warnings errors
                warnings.warn(text, UnshieldedEngineWarning, stacklevel=3)
            opening[3] = self.port
            facts = channel.facts or {}
            self.name, self.version = facts["engine"], facts["library"]
            self._install(channel)
            self._supervisor.begin(channel)
        except BaseException:
            self._closing.set()
            end(channel)
            raise

    def _forget(self):
        # type: () -> None
        """Let open() be called again after it has failed."""
        self._opening = None
        self._closing.clear()

    @property
    def port(self):
        # type: () -> int
        """The local port."""
        return self._supervisor.port or 0

    def shield_counters(self, within=None):
        # type: (Optional[float]) -> List[Counter]
        """The counters of the shield in the engine's process, like :func:`sipbridge.shield.counters`.

        Raises EngineLost when it does not tell them in so many seconds.
        """
        return [Counter(*each) for each in self._command("shield_counters", within=within)]

    def backlog(self, within):
        # type: (float) -> int
        return len(self._events) + int(self._command("backlog", within, within=within))

    def ping(self, within):
        # type: (float) -> int
        return int(self._command("ping", within, within=within))

    def flight_records(self):
        # type: () -> bytes
        """The last messages that processes have told of, also those of one that was lost; see InProcess."""
        return self._messages.joined()

    def fileno(self):
        # type: () -> int
        """A file descriptor for poll() and select(), readable while events wait. Do not read from it.

        From the first call on, one more thread takes events from the process as they come.
        """
        with self._cond:
            if self._alert is None:
                self._alert = Alert()
                self._alert.set(bool(self._events))
                thread = threading.Thread(target=self._read_on, name="sipbridge engine events")
                thread.daemon = True
                thread.start()
            return self._alert.fileno()

    def _read_on(self):
        # type: () -> None
        with self._cond:
            self._read_until(lambda: self._closed, None)

    def close(self, grace):
        # type: (float) -> None
        """Close the engine in about ``grace`` seconds at most, and end the process. Waiting threads get EngineError."""
        with self._cond:
            if self._closed or not self._supervisor.has_begun:
                raise EngineError("close: the engine is not open")
            self._closing.set()
            channel, starting = self._channel, self._supervisor.starting
        if starting is not None:
            starting.kill()
        if channel is not None:
            channel.process.close_by = monotonic() + grace + _CLOSING
            try:
                self._command("close", grace, within=grace + _CLOSING)
            except EngineError as error:
                log.debug("close: %s", error)
                channel.process.kill()
        with self._cond:
            self._closed = True
            self._tell()
            if self._alert is not None:
                self._alert.close()
                self._alert = None
        self._supervisor.join()

    def wait(self, timeout=None):
        # type: (Optional[float]) -> Optional[RawEvent]
        """The next :class:`RawEvent`, or None when there was none in ``timeout`` seconds (None: no limit).

        Raises EngineError when the engine is closed.
        """
        deadline = None if timeout is None else monotonic() + timeout
        with self._cond:
            self._read_until(lambda: self._events or self._closed, deadline)
            if self._closed:
                raise EngineError("wait: the engine is closed")
            if not self._events:
                return None
            event = self._events.popleft()
            if self._alert is not None:
                self._alert.set(bool(self._events))
            channel, count = self._credit_due()
        if channel is not None:
            channel.send(protocol.credit(count))
        return event

    def _credit_due(self):
        # type: () -> Tuple[Optional[Channel], int]
        """The channel, and the number of further events to allow now; (None, 0) when that is not needed yet."""
        self._consumed += 1
        if self._consumed < WINDOW // 2 or self._channel is None:
            return None, 0
        count, self._consumed = self._consumed, 0
        return self._channel, count

    def add_credentials(self, realm, user, password):
        # type: (Optional[str], str, str) -> None
        """Give the credentials to this process and to each next one."""
        kept = [each for each in self._ledger.credentials if each[:2] != (realm, user)] + [(realm, user, password)]
        self._replace_credentials(kept, "add_credentials", realm, user, password)

    def clear_credentials(self):
        # type: () -> None
        self._replace_credentials([], "clear_credentials")

    def _replace_credentials(self, credentials, *command):
        # type: (List[Tuple[Optional[str], str, str]], *Any) -> None
        """Keep these credentials for each next process, unless the present one refuses them: no process would start."""
        before, self._ledger.credentials = self._ledger.credentials, credentials
        try:
            self._command(*command)
        except EngineLost:
            if self._closed or self._gave_up:
                raise
        except SipbridgeError:
            self._ledger.credentials = before
            raise

    def register(self, registrar, parties, contact, expires):
        # type: (str, Parties, Optional[str], int) -> int
        handle = self._command("register", registrar, parties, contact, expires)  # type: int
        return handle

    def refresh(self, registration, expires):
        # type: (int, int) -> None
        with self._cond:
            present = self._ledger.refreshed(registration, expires)
        self._command("refresh", present, expires)

    def unregister(self, registration):
        # type: (int) -> None
        """Remove the binding. While there is no process, only make sure that the next one does not register again."""
        with self._cond:
            present = self._ledger.unregistered(registration, self._channel is None)
        self._command("unregister", present)

    # -- commands ------------------------------------------------------------------------------------------

    def _command(self, method, *arguments, **options):
        # type: (str, *Any, **Any) -> Any
        """Call a method of the engine in the process. Returns and raises what the method does, or raises EngineLost."""
        within = options.get("within")
        with self._cond:
            channel = self._channel
            if channel is None:
                lost = self._lost or EngineLost("the engine is lost")
                raise type(lost)("%s" % lost)  # a new one, since one that is raised again collects tracebacks
            pending = channel.expect(method, arguments)
        channel.send(pending.frame)
        with self._cond:
            if within is None and not _is_main():
                self._await(pending)
            else:
                self._read_until(lambda: pending.done, None if within is None else monotonic() + within)
        return pending.outcome()

    # -- reading, under the condition ----------------------------------------------------------------------

    def _read_until(self, ready, deadline):
        # type: (Callable[[], object], Optional[float]) -> None
        """Return when ready() is true or the deadline (None: none) is over. Until then, read, or wait for the thread
        that reads.
        """
        while not ready():
            left = None if deadline is None else deadline - monotonic()
            if left is not None and left <= 0:
                break
            if self._reading or self._channel is None or self._channel.ended:
                self._waiting += 1
                try:
                    self._cond.wait(left)
                finally:
                    self._waiting -= 1
            elif not (_is_main() and self._have_it_read(ready, left)):
                self._read(self._channel, left)
        self._pass_on()

    def _await(self, pending):
        # type: (Pending) -> None
        """As :meth:`_read_until`, for a result, whose coming wakes none of the other threads: they may be many."""
        while not pending.done:
            if self._reading or self._channel is None or self._channel.ended:
                gate = pending.close_gate()
                self._held_up.add(pending)
                self._cond.release()
                try:
                    gate.acquire()
                finally:
                    self._cond.acquire()
                    self._held_up.discard(pending)
            else:
                self._read(self._channel, None)
        self._pass_on()

    def _pass_on(self):
        # type: () -> None
        """Have one of the threads that wait read, when nobody does. Who waits in the condition was told already."""
        if self._reading or self._waiting:
            return
        for pending in self._held_up:
            if pending.gate is not None:
                pending.wake()
                return

    def _have_it_read(self, ready, left):
        # type: (Callable[[], object], Optional[float]) -> bool
        """Let another thread read, and wait. A signal may raise an exception in the main thread at any time; octets
        that it took from the stream and did not decode yet would be lost for all threads. Returns False when the
        thread cannot be started, because the interpreter exits.
        """
        wanted = [True]
        thread = threading.Thread(target=self._read_while, args=(wanted,), name="sipbridge engine reader")
        thread.daemon = True
        try:
            try:
                thread.start()
            except RuntimeError:
                return False
            deadline = None if left is None else monotonic() + left
            while wanted[0] and not ready() and (deadline is None or monotonic() < deadline):
                self._waiting += 1
                try:
                    self._cond.wait(None if deadline is None else deadline - monotonic())
                finally:
                    self._waiting -= 1
        finally:
            wanted[0] = False
        return True

    def _read_while(self, wanted):
        # type: (List[bool]) -> None
        with self._cond:
            try:
                self._read_until(lambda: not wanted[0] or self._closed, None)
            finally:
                wanted[0] = False
                self._tell()

    def _read(self, channel, timeout):
        # type: (Channel, Optional[float]) -> None
        """Read from the stream, without the lock, and take in the messages."""
        self._reading = True
        self._cond.release()
        messages = []  # type: List[Tuple[Any, ...]]
        try:
            messages = channel.receive(timeout)
        finally:
            self._cond.acquire()
            self._reading = False
            for message in messages:
                self._absorb(channel, *message)
            self._tell()

    def _read_if_idle(self, channel):
        # type: (Channel) -> None
        """Read what has come, unless another thread reads. So signs of life are seen also while nobody waits."""
        with self._cond:
            if self._channel is channel and not self._reading and not channel.ended:
                self._read(channel, 0.0)
                self._pass_on()

    def _tell(self):
        # type: () -> None
        """Wake the threads that wait, so that each checks whether its result or event has come."""
        if self._waiting:
            self._cond.notify_all()
        if self._alert is not None:
            self._alert.set(bool(self._events))

    def _absorb(self, channel, kind, value, result=None, error=None):
        # type: (Channel, int, Any, Any, Optional[Exception]) -> None
        if kind == protocol.EVENT:
            self._events.append(self._ledger.followed(value))
            return
        if kind == protocol.FLIGHT:
            self._messages.add(value)
            return
        pending = channel.take(value)
        if pending is None:  # the thread that sent the command was interrupted
            return
        pending.settle(result, error)
        if error is None:
            self._ledger.begun(pending.method, pending.arguments, result)

    # -- processes, in a thread of their own -------------------------------------------------------------------

    def _install(self, channel, *before):
        # type: (Channel, *RawEvent) -> None
        """Use this process from now on. The events ``before`` come before its own."""
        with self._cond:
            self._channel = channel
            self._lost = None
            self._events.extend(before)
            for message in channel.early:
                self._absorb(channel, *message)
            self._consumed = 0
            credit = protocol.credit(max(0, WINDOW - len(self._events)))
            self._tell()
        channel.send(credit)

    def _lose(self, channel, error):
        # type: (Channel, EngineLost) -> None
        """End all that lived in a dead process, after the last events that it sent."""
        with self._cond:
            self._channel = None
            self._lost = error
            channel.shut()
            while self._reading:
                self._waiting += 1
                self._cond.wait()
                self._waiting -= 1
            for message in channel.rest():
                self._absorb(channel, *message)
            channel.fail(error)
            last = self._supervisor.last_id
            dead = channel.process
            self._messages.add_unknown(dead.received)
            left = dict(call=dead.pid or 0, body=dead.backtrace, peer=dead.core)  # for those who observe the endpoint
            self._events.append(unreported("engine-lost", reason="%s" % error, transaction=last, **left))
            self._events.extend(self._ledger.ends("%s" % error))
            self._tell()
        channel.close()

    def _miss(self, error):
        # type: (EngineLost) -> None
        """There is no other process yet: say why to each command."""
        self._lost = error

    def _give_up(self, error):
        # type: (EngineLost) -> None
        """Start no other process: the engine has failed."""
        with self._cond:
            self._gave_up = True
            self._lost = error
            self._events.append(unreported("engine-failed", reason="%s" % error))
            self._tell()


def _is_main():
    # type: () -> bool
    return isinstance(threading.current_thread(), threading._MainThread)  # type: ignore[attr-defined]


forward(InProcess, Remote)
