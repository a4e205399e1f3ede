"""From the engine to handlers and iterators: one thread per endpoint, one order of events.

The event thread takes each event from the engine, lets the endpoint follow it (states move, those who wait are
woken) and then delivers it. A blocking call in a handler is on that thread too: it goes on taking events,
so that what it waits for can happen, and leaves their delivery for when the handler has returned.
"""

from __future__ import absolute_import, division, print_function

import heapq
import itertools
import sys
import threading
from collections import deque

from sipbridge._agent.streams import EventStream
from sipbridge._compat import monotonic
from sipbridge._engine.owner import Owner
from sipbridge._later import later
from sipbridge.errors import EngineError
from sipbridge.events import TraceMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

    from sipbridge._agent import fault
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.streams import Stream
    from sipbridge._engine.choice import Engine
    from sipbridge._engine.records import RawEvent
else:
    logging, fault = later("logging", "sipbridge._agent.fault")

#: Events that may wait for handlers or an iterator: some seconds of a busy service, and a bound on memory.
CONGESTED = 10000

# Nothing waits for longer at a time: in Python 2.7 only a wait with a limit can be interrupted by a signal, and the
# system's calls take no more than some weeks, while a peer may well ask for years.
_LONG = 3600.0


#: In place of what a handler returns: it raised something.
FAILED = object()

# Seconds that an endpoint which has failed may take to close, besides those that its peers are given.
_CLOSING = 2.0

# For the main thread: a signal that comes between Python's last look for one and the wait itself, or to another thread,
# does not end the wait.
_HEED = 1.0


class _Log(object):
    """The logger ``sipbridge``, made when there is something to tell."""

    @staticmethod
    def debug(*arguments):
        # type: (*Any) -> None
        """For who has set up logging, and so has imported it."""
        if "logging" in sys.modules:
            logging.getLogger("sipbridge").debug(*arguments)

    def __getattr__(self, name):
        # type: (str) -> Any
        return getattr(logging.getLogger("sipbridge"), name)


log = _Log()


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


class Dispatcher(object):
    """Pulls events from an engine.

    Args:
        engine: what to pull from.
        follow: called with each RawEvent, under ``lock``; returns the event to deliver, or None.
        settle: called with an event that was delivered, whether anybody was there to see it, and whether a handler
            raised something.
        abandon: closes the endpoint; called on the event thread when it has failed.
        on_error: called with each :class:`~sipbridge.Fault`, or None.

    Attributes:
        owner: the process that this is for.
        closed: no event comes any more.
    """

    _Stream = EventStream  # sipbridge.aio has one of its own

    def __init__(
        self,
        engine,  # type: Engine
        follow,  # type: Callable[[RawEvent], Optional[Any]]
        settle,  # type: Callable[[Any, bool, bool], None]
        abandon=None,  # type: Optional[Callable[[], object]]
        on_error=None,  # type: Optional[Callable[[Fault], object]]
    ):
        # type: (...) -> None
        self._engine = engine
        self._follow = follow
        self._settle = settle
        self._abandon = abandon or (lambda: self.close(0.0, 0.0))
        self._on_error = on_error
        self.owner = Owner()  # type: Owner
        self.lock = threading.Lock()  # type: threading.Lock
        self._changed = threading.Condition(self.lock)
        self._waiting = 0
        self._handlers = {}  # type: Dict[type, Tuple[Callable[[Any], object], ...]]
        self._streams = ()  # type: Tuple[Stream, ...]
        self._backlog = deque()  # type: Deque[Any]  # events to deliver; the event thread's
        self._timers = []  # type: List[Tuple[float, int, Timer]]  # a heap of (when, number, Timer); the event thread's
        self._numbers = itertools.count()
        self._fatal = None  # type: Optional[Tuple[str, Optional[BaseException]]]  # text and exception: what to close the endpoint for
        self._failed = None  # type: Optional[Tuple[str, Optional[BaseException]]]  # the same, once that has begun
        self._closing = False
        self._ended_by = None  # type: Any  # the error after which the engine tells no more
        self.closed = False  # type: bool
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
        self._engine.close(min(grace, _LONG))
        if self._thread is not None and not self.on_event_thread:
            self._thread.join(min(timeout, _LONG))

    @property
    def on_event_thread(self):
        # type: () -> bool
        return threading.current_thread() is self._thread

    @property
    def congested(self):
        # type: () -> bool
        """True when so many events wait to be looked at that no new calls and requests should be taken."""
        return len(self._backlog) > CONGESTED or any(
            len(stream._events) > CONGESTED for stream in self._streams
        )

    def on(self, kind, handler):
        # type: (type, Callable[[Any], object]) -> None
        self.owner.check()
        with self.lock:
            self._handlers[kind] = self._handlers.get(kind, ()) + (handler,)

    def off(self, kind, handler):
        # type: (type, Callable[[Any], object]) -> None
        self.owner.check()
        with self.lock:
            self._handlers[kind] = tuple(each for each in self._handlers.get(kind, ()) if each != handler)

    # -- the event thread ----------------------------------------------------------------------------------

    def _run(self):
        # type: () -> None
        try:
            while self._take(None):
                while self._backlog:
                    self._deliver(self._backlog.popleft())
                    self._look_for_failure()
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
            self._changed.notify_all()

    def _take(self, timeout):
        # type: (Optional[float]) -> bool
        """Take one event from the engine and follow it, and run the timers that are due.

        False when the engine is closed.
        """
        try:
            raw = self._engine.wait(self._until_timer(timeout))
        except EngineError as error:
            log.debug("event thread ends: %s", error)
            self._ended_by = error
            return False
        if raw is not None:
            self._advance(raw)
        self._run_timers()
        return True

    # -- time ----------------------------------------------------------------------------------------------

    def call_later(self, seconds, function):
        # type: (float, Callable[[], object]) -> Timer
        """Call ``function()`` on the event thread, without the lock, in so many seconds. Returns a :class:`Timer`.

        It must not block; what it raises is logged. To be called on the event thread: where an event is followed
        or handled, or by another timer. Elsewhere it is a RuntimeError, since nothing could wake that thread.
        """
        if not self.on_event_thread:
            raise RuntimeError("call_later() is for the event thread")
        timer = Timer(function)
        heapq.heappush(self._timers, (monotonic() + seconds, next(self._numbers), timer))
        return timer

    def post(self, event):
        # type: (Any) -> None
        """Deliver an event that did not come from the engine. On the event thread."""
        self._backlog.append(event)

    def _until_timer(self, timeout):
        # type: (Optional[float]) -> Optional[float]
        """How long to wait for the engine: ``timeout`` seconds (None: no limit), or until a timer is due, or less."""
        while self._timers and self._timers[0][2]._function is None:  # cancelled
            heapq.heappop(self._timers)
        if timeout is not None:
            timeout = min(timeout, _LONG)
        if not self._timers:
            return timeout
        left = min(_LONG, max(0.0, self._timers[0][0] - monotonic()))
        return left if timeout is None else min(left, timeout)

    def _run_timers(self):
        # type: () -> None
        now = monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._fire(heapq.heappop(self._timers)[2])

    def _fire(self, timer):
        # type: (Timer) -> None
        try:
            timer._fire()
        except Exception:
            self._report("a timer has failed")

    # -- delivering ----------------------------------------------------------------------------------------

    def _advance(self, raw):
        # type: (RawEvent) -> None
        """Follow one event; what there is to deliver goes to the backlog."""
        event = None
        try:
            with self.lock:
                try:
                    event = self._follow(raw)
                finally:
                    self._wake()
        except Exception:  # a fault of ours must not stop the events of every other call
            self._report("cannot follow %r" % (raw,))
        if event is not None:
            self._backlog.append(event)

    def _deliver(self, event):
        # type: (Any) -> None
        kinds = type(event).__mro__
        results = [self._handle(handler, event) for kind in kinds for handler in self._handlers.get(kind, ())]
        streams = () if isinstance(event, TraceMessage) else self._streams
        for stream in streams:
            stream._put(event, results)
        if not streams:
            self._settle_after(results, event, False)

    def takes(self, event):
        # type: (Any) -> bool
        """True when there is a handler of such events, or somebody iterates."""
        return bool(self._streams) or any(self._handlers.get(kind) for kind in type(event).__mro__)

    def answer_by_default(self, event):
        # type: (Any) -> None
        """Give the event of a request that waits the answer that it gets when no handler gives one."""
        self._settle(event, self.takes(event), False)

    def _handle(self, handler, event):
        # type: (Callable[[Any], object], Any) -> object
        """What the handler returns, or FAILED."""
        try:
            return handler(event)
        except:  # noqa: E722  (Python 2 also raises what is no BaseException; nothing of it may end the thread)
            self._handler_failed(sys.exc_info()[1], handler, event)
            return FAILED

    def _handler_failed(self, error, handler, event):
        # type: (Any, Callable[[Any], object], Any) -> None
        """Tell of what a handler has raised, while it is being handled."""
        text = "handler %r failed for %s" % (handler, type(event).__name__)
        fatal = isinstance(error, BaseException) and not isinstance(error, Exception)
        self._report(text, handler, event, fatal)

    def _settle_after(self, results, event, seen):
        # type: (List[object], Any, bool) -> None
        """Settle an event; ``results`` are what its handlers returned, ``seen``: somebody had it from a stream."""
        try:
            self._settle(event, seen or bool(results), any(result is FAILED for result in results))
        except Exception:
            self._report("cannot answer %s" % type(event).__name__, None, event)

    # -- faults --------------------------------------------------------------------------------------------

    def _report(self, text, handler=None, event=None, fatal=False):
        # type: (str, Optional[Callable[[Any], object]], Any, bool) -> None
        """Tell the log and the hook of the exception that is being handled. A fatal one will close the endpoint."""
        exc_info = sys.exc_info()  # type: Any
        error, traceback = exc_info[1:]
        call_id = fault.call_id_of(event)
        if call_id:
            text = "%s, Call-ID %s" % (text, call_id)
        if fatal:
            text = "%s: %r" % (text, error)
            self._fatal = self._fatal or (text, error)
            log.critical("%s; the endpoint is being closed", text, exc_info=True)
        else:
            log.error("%s", text, exc_info=True)
        if self._on_error is not None:
            self._tell_hook(fault.Fault(error, traceback, event, handler, call_id, fatal))

    def _tell_hook(self, told):
        # type: (Fault) -> None
        try:
            self._call_hook(told)
        except Exception:
            log.exception("on_error %r failed", self._on_error)
        except BaseException as error:
            log.critical("on_error %r failed; the endpoint is being closed", self._on_error, exc_info=True)
            self._fatal = self._fatal or ("on_error %r failed: %r" % (self._on_error, error), error)

    def _call_hook(self, told):
        # type: (Fault) -> None
        if self._on_error is not None:
            self._on_error(told)

    def check(self):
        # type: () -> None
        """Raise an EngineError where the endpoint has failed, and in a process that was forked off."""
        self.owner.check()
        if self._failed is not None:
            text, cause = self._failed
            error = EngineError("the endpoint has failed: " + text)  # another one each time: each has a traceback
            error.__cause__ = cause
            raise error

    # -- any thread ----------------------------------------------------------------------------------------

    def wait(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        """Wait at most ``timeout`` seconds (None: no limit) until predicate() is true; returns whether it is.

        The predicate is called under the lock, or on the event thread. Raises EngineError when the endpoint fails.
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
            self.linger(lambda: self.closed, timeout + _CLOSING)

    def linger(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        """As :meth:`wait`, but whether or not the endpoint has failed."""
        deadline = None if timeout is None else monotonic() + timeout
        if self.on_event_thread:
            return self._wait_and_take(predicate, deadline)
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
                while not predicate() and not self.closed:
                    left = _left(deadline)
                    if left <= 0:
                        break
                    self._changed.wait(min(left, longest))
                return bool(predicate())
            finally:
                self._waiting -= 1

    def _wait_and_take(self, predicate, deadline):
        # type: (Callable[[], object], Optional[float]) -> bool
        while not predicate():
            left = _left(deadline)
            if left <= 0 or not self._take(left):
                return bool(predicate())
        return True

    def stream(self, timeout):
        # type: (Optional[float]) -> Any
        """A new :class:`EventStream` of what comes from now on."""
        self.owner.check()
        stream = self._Stream(self, timeout)
        with self.lock:
            self._streams += (stream,)
        return stream

    def drop(self, stream):
        # type: (Stream) -> None
        with self.lock:
            self._streams = tuple(each for each in self._streams if each is not stream)
