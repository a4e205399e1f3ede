"""From the engine to those who wait, to handlers and to iterators.

The event thread takes each event from the engine and lets the endpoint follow it: states move, and those who wait are
woken. It runs no code of the user's: an event that somebody handles goes into the lane of what it is about, which a
thread of the pool serves. So a handler may wait as long as it likes, and holds up its own call alone.
"""

from __future__ import absolute_import, division, print_function

import heapq
import itertools
import threading
from collections import deque

from sipbridge._agent.delivery import Delivery, lane_of, log
from sipbridge._agent.pool import IDLE, MOST, STALL, Pool
from sipbridge._call.own import listeners_of_call
from sipbridge._compat import monotonic
from sipbridge.errors import EngineError
from sipbridge.events import InfoReceived, TraceMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, Hashable, List, Optional, Sequence, Tuple

    from sipbridge._agent.delivery import Settle
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.pool import HandlerStatistics
    from sipbridge._engine.choice import Engine
    from sipbridge._engine.records import RawEvent

#: Events that may wait for handlers or an iterator: some seconds of a busy service, and a bound on memory.
CONGESTED = 10000

#: Events that may wait in one lane, as that of a call whose handler does not return.
LANE_CONGESTED = 1000

# Nothing waits for longer at a time: in Python 2.7 only a wait with a limit can be interrupted by a signal, and the
# system's calls take no more than some weeks, while a peer may well ask for years.
_LONG = 3600.0

# Seconds that an endpoint which has failed may take to close, besides those that its peers are given.
_CLOSING = 2.0

# For the main thread: a signal that comes between Python's last look for one and the wait itself, or to another thread,
# does not end the wait.
_HEED = 1.0

# While a handler is under way, or an iterator has an event, the event thread looks this often for answers that they
# have deferred: they cannot wake it.
_TICK = 0.2


def _left(deadline):
    # type: (Optional[float]) -> float
    """Seconds to wait in one go until a deadline (None: none); 0 or less when it has passed."""
    return _LONG if deadline is None else min(_LONG, deadline - monotonic())


class Timer(object):
    """A function that is due at some time; see :meth:`Dispatcher.call_later`."""

    __slots__ = ("_function",)

    def __init__(self, function):
        # type: (Callable[[], object]) -> None
        self._function = function  # type: Optional[Callable[[], object]]

    def cancel(self):
        # type: () -> None
        """Do not call it. May be called from any thread, and when it has been called already."""
        self._function = None

    def _fire(self):
        # type: () -> None
        function, self._function = self._function, None
        if function is not None:
            function()


class Dispatcher(Delivery):
    """Pulls events from an engine.

    Args:
        engine: what to pull from.
        follow: called with each RawEvent, under ``lock``; returns the event to deliver, or None.
        settle: as of Delivery.
        abandon: closes the endpoint; called when it has failed.
        on_error: as of Delivery.
        handlers: how many threads may run handlers.
        taps: called on the event thread with each TraceMessage.
        lane: gives what events keep their order for: see :func:`lane_of`.

    Attributes:
        closed: no event comes any more.
        over: that, and the handlers have had their time.
    """

    def __init__(
        self,
        engine,  # type: Engine
        follow,  # type: Callable[[RawEvent], Optional[Any]]
        settle,  # type: Settle
        abandon=None,  # type: Optional[Callable[[], object]]
        on_error=None,  # type: Optional[Callable[[Fault], object]]
        handlers=MOST,  # type: int
        taps=(),  # type: Sequence[Callable[[TraceMessage], object]]
        lane=lane_of,  # type: Callable[[Any], Hashable]
    ):
        # type: (...) -> None
        Delivery.__init__(self, settle, on_error)
        self._engine = engine
        self._follow = follow
        self._abandon = abandon or (lambda: self.close(0.0, 0.0))
        self._taps = taps
        self._lane = lane
        self._pool = Pool(self._serve, handlers)
        self._reaping = False
        self._refused = 0
        self._changed = threading.Condition(self.lock)
        self._waiting = 0
        self._wakes = 0
        self._resting = 0  # threads that wait, and have looked since they were woken
        self._timers = []  # type: List[Tuple[float, int, Timer]]  # a heap of (when, number, Timer); the event thread's
        self._asked = deque()  # type: Deque[Tuple[float, int, Timer]]  # the same, from other threads
        self._numbers = itertools.count()
        self._closing = False
        self._ended_by = None  # type: Any  # the error after which the engine tells no more
        self.over = False  # type: bool
        self._thread = None  # type: Optional[threading.Thread]

    def start(self):
        # type: () -> None
        self._thread = thread = threading.Thread(target=self._run, name="sipbridge events")
        thread.daemon = True
        thread.start()

    def close(self, grace, timeout):
        # type: (float, float) -> None
        """Close the engine within ``grace`` seconds; wait ``timeout`` for the last event's delivery."""
        self._closing = True
        try:
            self._engine.close(min(grace, _LONG))
            deadline = monotonic() + timeout
            if self._thread is not None and not self.on_event_thread:
                self._thread.join(min(timeout, _LONG))
            self._pool.close()
            self._pool.join(_left(deadline))
        finally:
            with self.lock:
                self.over = True
                self._wake()

    @property
    def on_event_thread(self):
        # type: () -> bool
        return threading.current_thread() is self._thread

    # -- too much ------------------------------------------------------------------------------------------

    def congested(self, about=None):
        # type: (Hashable) -> bool
        """True when so many events wait to be looked at that no new requests should be taken.

        ``about``: the call or the like that they would be about, which may be congested alone; None for a new one.
        """
        waiting = self._pool.waiting - self._pool.length(TraceMessage)
        if waiting > CONGESTED or any(len(stream._events) > CONGESTED for stream in self.listeners.streams):
            return True
        if about is None:
            return False
        listeners = listeners_of_call(about)
        streams = () if listeners is None else listeners.streams
        return self._pool.length(about) > LANE_CONGESTED or any(
            len(stream._events) > LANE_CONGESTED for stream in streams
        )

    @property
    def is_full(self):
        # type: () -> bool
        """True when no thread is left for a new call's handlers, and as many wait for one as there are threads."""
        return self._pool.is_full

    @property
    def rests(self):
        # type: () -> bool
        """True when each handler has returned, or waits in :meth:`wait`."""
        return self._pool.statistics(0).busy <= self._resting and not self._pool.may_stall

    @property
    def serves_enough(self):
        # type: () -> bool
        """True when as many calls as there may be are served by a function each."""
        return self._pool.lent >= self._pool.most

    def count_refused(self):
        # type: () -> None
        """Something new was refused since it is full. On the event thread."""
        self._refused += 1

    @property
    def handler_statistics(self):
        # type: () -> HandlerStatistics
        self.owner.check()
        return self._pool.statistics(self._refused)

    # -- the event thread ----------------------------------------------------------------------------------

    def _run(self):
        # type: () -> None
        try:
            while self._take(None):
                pass
            if not self._closing:
                raise self._ended_by
        except BaseException:  # a fault of ours or of a library: in silence everybody would wait for ever
            self._report("the event thread has failed", fatal=True)
            self._look_for_failure()
        finally:
            self._end()

    def _look_for_failure(self):
        # type: () -> None
        """After a fatal fault: let those who wait know, and close the endpoint; once."""
        if self._fatal is None or self._failed is not None:
            return
        with self.lock:
            if self._failed is not None:
                return
            self._failed = self._fatal
            self._wake()
        self._close_failed()

    def _close_failed(self):
        # type: () -> None
        try:
            self._abandon()
        except Exception:
            log.exception("cannot close the endpoint that has failed")

    def _end(self):
        # type: () -> None
        with self.lock:
            self.closed = True
            self._wake()

    def _wake(self):
        # type: () -> None
        """Something has changed: let those who wait look whether it is what they wait for. Under the lock."""
        if self._waiting:
            self._wakes += 1
            self._resting = 0
            self._changed.notify_all()

    def _take(self, timeout):
        # type: (Optional[float]) -> bool
        """Take one event from the engine and follow it, and run the timers that are due.

        False when the engine is closed.
        """
        try:
            raw = self._engine.wait(self._until_due(timeout))
        except EngineError as error:
            log.debug("event thread ends: %s", error)
            self._ended_by = error
            return False
        if raw is not None:
            self._advance(raw)
        self._run_timers()
        self._see_to_threads()
        return True

    def _see_to_threads(self):
        # type: () -> None
        """Have as many threads for handlers as are needed."""
        if self._pool.may_stall:
            self._pool.add_stalled()
        if not self._reaping and self._pool.has_threads:
            self._reaping = True
            self.call_later(IDLE, self._reap)

    def _reap(self):
        # type: () -> None
        self._reaping = False
        self._pool.reap()

    # -- time ----------------------------------------------------------------------------------------------

    def call_later(self, seconds, function):
        # type: (float, Callable[[], object]) -> Timer
        """Call ``function()`` on the event thread, without the lock, in so many seconds. Returns a :class:`Timer`.

        It must not block; what it raises is logged. To be called on the event thread: where an event is followed, or
        by another timer; or before that thread is there. Elsewhere it is a RuntimeError, since nothing could wake that
        thread.
        """
        if self._thread is not None and not self.on_event_thread:
            raise RuntimeError("call_later() is for the event thread")
        timer = Timer(function)
        heapq.heappush(self._timers, (monotonic() + seconds, next(self._numbers), timer))
        return timer

    def _ask_again(self, seconds, function):
        # type: (float, Callable[[], object]) -> None
        self._asked.append((monotonic() + seconds, next(self._numbers), Timer(function)))

    def post(self, event):
        # type: (Any) -> None
        """Deliver an event that did not come from the engine. On the event thread, under the lock or not."""
        self.call_later(0.0, lambda: self._hand_out(event))

    def _until_due(self, timeout):
        # type: (Optional[float]) -> Optional[float]
        """How long to wait for the engine: ``timeout`` seconds (None: no limit), or until something is due, or less."""
        due = [] if timeout is None else [min(timeout, _LONG)]
        if self._pool.may_stall:
            due.append(STALL)
        elif self._pool.is_busy or self.unsettled:
            due.append(_TICK)
        while self._asked:
            heapq.heappush(self._timers, self._asked.popleft())
        while self._timers and self._timers[0][2]._function is None:  # cancelled
            heapq.heappop(self._timers)
        if self._timers:
            due.append(min(_LONG, max(0.0, self._timers[0][0] - monotonic())))
        return min(due) if due else None

    def _run_timers(self):
        # type: () -> None
        # What a timer posts is due now: before any later event of the engine.
        while self._timers and self._timers[0][0] <= monotonic():
            self._fire(heapq.heappop(self._timers)[2])

    def _fire(self, timer):
        # type: (Timer) -> None
        try:
            timer._fire()
        except Exception:
            self._report("a timer has failed")
        self.observers.tell(True)

    # -- handing out ---------------------------------------------------------------------------------------

    def _advance(self, raw):
        # type: (RawEvent) -> None
        """Follow one event, and hand out what there is to deliver."""
        event = None
        try:
            with self.lock:
                try:
                    event = self._follow(raw)
                finally:
                    self._wake()
        except Exception:  # a fault of ours must not stop the events of every other call
            self._report("cannot follow %s" % getattr(raw, "type", type(raw)))  # the rest may have credentials
        self.observers.tell(True)
        if event is not None:
            self._hand_out(event)

    def _hand_out(self, event):
        # type: (Any) -> None
        """Put an event into its lane; one for which there is no handler, and none before it, is delivered here."""
        lane = self._lane(event)
        if lane is TraceMessage:
            for tap in self._taps:
                self._handle(tap, event)
            if self._pool.length(lane) > CONGESTED:
                return
        elif self.observers.event:
            self.observers.tell_now("event", event)
        if self.server is not None and self.is_served(event):
            self.server.begin(event, self._pool)
        if self._handlers_of(event) or (self._pool.serves(lane) and not self._is_mere_key(event)):
            self._pool.put(lane, event)
        else:
            self._deliver(event, [])

    def _is_mere_key(self, event):
        # type: (Any) -> bool
        """True for a key that waits in its call, and for nobody else. A handler of the call may wait for it, and the
        peer for the answer to it, before it sends the next.
        """
        return isinstance(event, InfoReceived) and event.dtmf is not None and not self._streams_of(event)

    def _serve(self, item):
        # type: (Any) -> None
        """Deliver an event, or call what is no event, on a thread of the pool."""
        try:
            if callable(item):
                item()
            else:
                self._deliver(item, self._handlers_of(item))
        except BaseException:  # ours; the thread must go on
            self._report("cannot deliver %s" % type(item).__name__, None, item)
        self._look_for_failure()

    def call_next(self, function):
        # type: (Callable[[], object]) -> None
        """Call a function on the next thread for handlers that comes by. On the event thread, without the lock."""
        self._pool.call_next(function)

    def _tell_hook(self, told):
        # type: (Fault) -> None
        if self.on_event_thread:
            self._pool.put(self._tell_hook, lambda: Delivery._tell_hook(self, told))
        else:
            Delivery._tell_hook(self, told)

    # -- any thread ----------------------------------------------------------------------------------------

    def follow_clock(self):
        # type: () -> None
        """Let the time of what waits be that of monotonic(), before a test moves it. It is."""

    def wake(self):
        # type: () -> None
        """Let those who wait look again."""
        with self.lock:
            self._wake()

    def is_serving_here(self, about):
        # type: (Hashable) -> bool
        """Whether a handler for what is about that call or the like runs in this thread."""
        return self._pool.is_serving_here(about)

    def wait(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        """Wait at most ``timeout`` seconds (None: no limit) until predicate() is true; returns whether it is.

        The predicate is called under the lock. Raises EngineError when the endpoint fails.
        """
        self.owner.check()
        late = self._failed is not None
        holds = self.linger(lambda: self._failed or predicate(), timeout)
        if self._failed is not None and not (late and predicate()):  # which closing may make true for who waits
            self.check()
        return holds

    def see_out(self, timeout):
        # type: (float) -> None
        """Wait until an endpoint that has failed is closed."""
        if self._failed is not None and not self.on_event_thread:
            self._wait_for(lambda: self.over, timeout + _CLOSING)

    def wait_over(self, timeout):
        # type: (Optional[float]) -> bool
        """Wait until the endpoint is closed, and its handlers have had their time; returns whether it is."""
        return self._wait_for(lambda: self.over, timeout)

    def linger(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        """As :meth:`wait`, but whether or not the endpoint has failed."""
        if self.on_event_thread:  # which has failed, and closes the endpoint
            return self._wait_and_take(predicate, None if timeout is None else monotonic() + timeout)
        self._wait_for(lambda: predicate() or self.closed, timeout)
        return bool(predicate())

    def _wait_for(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        deadline = None if timeout is None else monotonic() + timeout
        try:
            return self._wait_until(predicate, deadline)
        except RuntimeError as error:
            # A signal's exception came while the condition took its lock back, so that there was none to give up.
            interrupt = getattr(error, "__context__", None)
            if interrupt is None or isinstance(interrupt, Exception):
                raise
            raise interrupt

    def _wait_until(self, predicate, deadline):
        # type: (Callable[[], object], Optional[float]) -> bool
        longest = _HEED if isinstance(threading.current_thread(), threading._MainThread) else _LONG  # type: ignore[attr-defined]
        with self.lock:
            self._waiting += 1
            try:
                while not predicate():
                    left = _left(deadline)
                    if left <= 0:
                        return False
                    wakes, self._resting = self._wakes, self._resting + 1
                    self._changed.wait(min(left, longest))
                    self._resting -= wakes == self._wakes
                return True
            finally:
                self._waiting -= 1

    def _wait_and_take(self, predicate, deadline):
        # type: (Callable[[], object], Optional[float]) -> bool
        while not predicate():
            left = _left(deadline)
            if left <= 0 or not self._take(left):
                return bool(predicate())
        return True
