"""What events are delivered to: handlers and iterators; and what is told where one of the handlers fails."""

from __future__ import absolute_import, division, print_function

import sys
import threading
import weakref

from sipbridge._agent.telling import Observers
from sipbridge._call.own import Listeners, listeners_of, listeners_of_call
from sipbridge._compat import monotonic
from sipbridge._engine.owner import Owner
from sipbridge._later import later
from sipbridge.errors import EngineError, InputError
from sipbridge.events import EngineFailed, EngineRestarted, IncomingCall, RequestReceived, TraceMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any, Callable, List, Optional, Tuple

    from sipbridge._agent import fault, serving, streams
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.serving import Server
    from sipbridge._agent.streams import Stream
    from sipbridge._call.call import Call

    #: Given an event that was delivered, whether anybody was there to see it, and whether a handler raised something.
    #: Returns None, or the seconds after which it wants to be asked again.
    Settle = Callable[[Any, bool, bool], Optional[float]]
else:
    logging, fault, serving, streams = later(
        "logging", "sipbridge._agent.fault", "sipbridge._agent.serving", "sipbridge._agent.streams"
    )

#: In place of what a handler returns: it raised something.
FAILED = object()


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


def lane_of(event):
    # type: (Any) -> Any  # that can be a key of a dict
    """What an event is about, whose events keep their order: a call, a registration and so on, which each names first.

    A request outside of calls is about its Call-ID.
    """
    if isinstance(event, (TraceMessage, EngineRestarted, EngineFailed)):
        return type(event)
    if isinstance(event, RequestReceived) and event.call is None:
        return event.headers.get("Call-ID", "")
    return event[0]


class Delivery(object):
    """The handlers and iterators of one endpoint.

    Args:
        settle: a Settle.
        on_error: called with each :class:`~sipbridge.Fault`, or None.

    Attributes:
        owner: the process that this is for.
        lock: of all that follows events.
        listeners: the endpoint's own handlers and iterators.
        observers: those who are told what happens.
        unsettled: the iterators that have events, one of which may wait for its answer. Under the lock.
        server: what runs a function for each incoming call, or None.
        closed: no event comes any more.
    """

    #: Whether the event thread waits for events in the engine, which has to wake it for all else.
    waits_in_engine = True

    def __init__(self, settle, on_error):
        # type: (Settle, Optional[Callable[[Fault], object]]) -> None
        self._settle = settle
        self._on_error = on_error
        self.owner = Owner()  # type: Owner
        self.lock = threading.Lock()  # type: threading.Lock
        self.listeners = Listeners()  # type: Listeners
        self.observers = Observers()  # type: Observers
        self.unsettled = weakref.WeakSet()  # type: weakref.WeakSet[Stream]
        self.server = None  # type: Optional[Server]
        self.closed = False  # type: bool
        self._fatal = None  # type: Optional[Tuple[str, Optional[BaseException]]]  # text and exception: what to close the endpoint for
        self._failed = None  # type: Optional[Tuple[str, Optional[BaseException]]]  # the same, once that has begun

    def on(self, kind, handler):
        # type: (type, Callable[[Any], object]) -> None
        self.owner.check()
        with self.lock:
            self.listeners.add(kind, handler)

    def off(self, kind, handler):
        # type: (type, Callable[[Any], object]) -> None
        self.owner.check()
        with self.lock:
            self.listeners.remove(kind, handler)

    def serve(self, handler):
        # type: (Callable[[Any], object]) -> None
        self.owner.check()
        with self.lock:
            if self.server is not None:
                raise InputError("handler: %r serves this endpoint already" % (self.server.handler,))
            self.server = serving.Server(self, handler)

    def stream(self, timeout, call=None):
        # type: (Optional[float], Optional[Call]) -> Any
        """A new :class:`EventStream` of what comes from now on; or of what is about ``call``, which has Listeners."""
        self.owner.check()
        listeners = listeners_of_call(call)
        stream = self._make_stream(timeout, listeners)
        with self.lock:
            if call is None or listeners is None:
                self.listeners.streams += (stream,)
            elif call.ended is None:
                listeners.streams += (stream,)
            else:
                stream._end_with(call.ended)
        return stream

    def _make_stream(self, timeout, listeners):
        # type: (Optional[float], Optional[Listeners]) -> Any
        return streams.EventStream(self, timeout, listeners)  # type: ignore[arg-type]  # what is derived from this

    def drop(self, stream):
        # type: (Stream) -> None
        with self.lock:
            of = self.listeners if stream.listeners is None else stream.listeners
            of.streams = tuple(each for each in of.streams if each is not stream)

    # -- delivering ----------------------------------------------------------------------------------------

    def _handlers_of(self, event):
        # type: (Any) -> List[Callable[[Any], object]]
        """The handlers of such events, in the order of their calls: the endpoint's, and then the call's."""
        handlers = self.listeners.handlers_of(event)
        listeners = listeners_of(event)
        return handlers if listeners is None else handlers + listeners.handlers_of(event)

    def _streams_of(self, event):
        # type: (Any) -> Tuple[Stream, ...]
        """The iterators that want such events."""
        if isinstance(event, TraceMessage):
            return ()
        listeners = listeners_of(event)
        return self.listeners.streams + (() if listeners is None else listeners.streams)

    def _deliver(self, event, handlers):
        # type: (Any, List[Callable[[Any], object]]) -> None
        """Call the handlers, hand the event to the iterators, and see to what nobody has answered."""
        results = [self._handle(handler, event) for handler in handlers]
        takers = self._streams_of(event)
        for stream in takers:
            stream._put(event, results)
        if not takers:
            self._settle_after(results, event, self.is_served(event))

    def is_served(self, event):
        # type: (Any) -> bool
        """True for an incoming call that a function is called with."""
        return self.server is not None and isinstance(event, IncomingCall)

    def run_function(self, handler, call):
        # type: (Callable[[Any], object], Any) -> None
        """Call a function that serves a call."""
        handler(call)

    def takes(self, event):
        # type: (Any) -> bool
        """True when there is a handler of such events, or somebody iterates."""
        return bool(self._streams_of(event)) or bool(self._handlers_of(event))

    def answer_by_default(self, event):
        # type: (Any) -> None
        """Give the event of a request that waits the answer that it gets when no handler gives one, deferred or not."""
        event.request.answer_by = None
        self._settle(event, self.takes(event), False)

    def _handle(self, handler, event):
        # type: (Callable[[Any], object], Any) -> object
        """What the handler returns, or FAILED."""
        since = self._handler_begins(event)
        try:
            result = handler(event)
        except:  # noqa: E722  (Python 2 also raises what is no BaseException; nothing of it may end the thread)
            self.handler_failed(sys.exc_info()[1], handler, event)
            result = FAILED
        self._handler_returned(event, since, result)
        return result

    def _handler_begins(self, event):
        # type: (Any) -> Optional[float]
        """When a handler is called, if somebody wants to know."""
        observers = self.observers
        if not (observers.handler_began or observers.handler_ended):
            return None
        observers.tell_now("handler_began", event)
        return monotonic()

    def _handler_returned(self, event, since, result):
        # type: (Any, Optional[float], object) -> None
        if since is not None:
            self.observers.tell_now("handler_ended", event, monotonic() - since, result is FAILED)

    def handler_failed(self, error, handler, event):
        # type: (Any, Callable[[Any], object], Any) -> None
        """Tell of what a handler has raised, while it is being handled."""
        text = "handler %r failed for %s" % (handler, type(event).__name__)
        fatal = isinstance(error, BaseException) and not isinstance(error, Exception)
        self._report(text, handler, event, fatal)

    def _settle_after(self, results, event, seen):
        # type: (List[object], Any, bool) -> None
        """Settle an event; ``results`` are what its handlers returned, ``seen``: somebody had it from a stream."""
        self._settle_now(event, seen or bool(results), any(result is FAILED for result in results))

    def _settle_now(self, event, seen, failed):
        # type: (Any, bool, bool) -> None
        try:
            left = self._settle(event, seen, failed)
            if left is not None:
                self._ask_again(left, lambda: self._settle_now(event, seen, failed))
        except Exception:
            self._report("cannot answer %s" % type(event).__name__, None, event)

    def linger(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        """Wait at most ``timeout`` seconds (None: no limit) until predicate() is true; returns whether it is."""
        raise NotImplementedError

    def _ask_again(self, seconds, function):
        # type: (float, Callable[[], object]) -> None
        """Call a function in so many seconds, or somewhat later. From any thread that delivers or iterates."""
        raise NotImplementedError

    def complete(self, result, then):
        # type: (Any, Callable[[Callable[[], Any]], object]) -> None
        """Call ``then(get)``, where ``get()`` returns what a function of the user's did. On the event thread."""
        then(lambda: result)

    # -- faults --------------------------------------------------------------------------------------------

    def lookup_failed(self, lookup):
        # type: (Callable[..., object]) -> None
        """Tell of what a lookup has raised, while it is being handled. From any thread."""
        self._report("lookup %r failed" % lookup, lookup)

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
        told = fault.Fault(error, traceback, event, handler, call_id, fatal)
        self.observers.tell_now("fault", told)  # first: Sentry takes an exception once, and this knows more of it
        extra = {"event": "fault" if handler is None else "handler-failed", "call_id": call_id}
        if fatal:
            log.critical("%s; the endpoint is being closed", text, exc_info=True, extra=extra)
        else:
            log.error("%s", text, exc_info=True, extra=extra)
        if self._on_error is not None:
            self._tell_hook(told)

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
