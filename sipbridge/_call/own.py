"""What a program asks of one call alone: when what happened, its events, the keys that its peer presses, its data."""

from __future__ import absolute_import, division, print_function

import time

from sipbridge._compat import monotonic
from sipbridge._later import later
from sipbridge._text.arguments import check_callable, check_timeout
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, Dict, List, Optional, Tuple, Type, TypeVar, cast, overload

    from sipbridge._agent.streams import EventStream
    from sipbridge._call import keys as _keys
    from sipbridge._call.agent import Agent, CallEvent
    from sipbridge._call.keys import Digits, KeyStream
    from sipbridge._engine.records import Source
    from sipbridge.events import CallEnded

    _Event = TypeVar("_Event", bound=CallEvent)
    _Result = TypeVar("_Result")
else:
    _keys = later("sipbridge._call.keys")


class Listeners(object):
    """The handlers and iterators for the events of an endpoint or a call. To be changed under the endpoint's lock.

    Attributes:
        handlers: the handlers of each type of event.
        streams: the iterators.
    """

    __slots__ = ("handlers", "streams")

    def __init__(self):
        # type: () -> None
        self.handlers = {}  # type: Dict[type, Tuple[Callable[[Any], object], ...]]
        self.streams = ()  # type: Tuple[Any, ...]

    def add(self, kind, handler):
        # type: (type, Callable[[Any], object]) -> None
        self.handlers[kind] = self.handlers.get(kind, ()) + (handler,)

    def remove(self, kind, handler):
        # type: (type, Callable[[Any], object]) -> None
        self.handlers[kind] = tuple(each for each in self.handlers.get(kind, ()) if each != handler)

    def handlers_of(self, event):
        # type: (object) -> List[Callable[[Any], object]]
        """The handlers of such events, in the order of their calls."""
        return [handler for kind in type(event).__mro__ for handler in self.handlers.get(kind, ())]


def listeners_of(event):
    # type: (object) -> Optional[Listeners]
    """The Listeners of the call that an event is about; None if there are none."""
    return listeners_of_call(getattr(event, "call", None))


def listeners_of_call(call):
    # type: (object) -> Optional[Listeners]
    """The Listeners of a call; None if there are none, or for what is no call."""
    return getattr(call, "_listeners", None)


def decorator(on, kind):
    # type: (Callable[[Any, Any], object], Any) -> Callable[[Any], Any]
    """What ``on(kind)`` returns: it takes a handler for such events, and gives it back."""

    def take(handler):
        # type: (Any) -> Any
        on(kind, check_callable(handler, "handler"))
        return handler

    return take


class Own(object):
    """The part of a Call that is described above.

    Attributes:
        data: for the program: any object. None at first.
        started: when the INVITE was received, or sent for the first time; seconds since 1970, UTC, as all times.
        source: where the INVITE came from, a :class:`~sipbridge.Source`; None for a call of ours, or if nobody knows.
        answered_at: when the 2xx was received or sent, in seconds since 1970, UTC; None before that.
    """

    if TYPE_CHECKING:
        ended = cast("Optional[CallEnded]", None)
        state = ""  # type: Any

    def __init__(self, agent, incoming):
        # type: (Agent, bool) -> None
        told = agent.told if incoming else (time.time(), None)  # type: Tuple[float, Optional[Source]]
        self._agent = agent
        self.started = told[0]  # type: float
        self.source = told[1]  # type: Optional[Source]
        self.data = None  # type: Any
        self.answered_at = None  # type: Optional[float]
        self._begun = monotonic()
        self._own = ""  # the URI for From that our INVITE was given
        self._answer_noted = False
        self._talk = None  # type: Optional[Tuple[float, Optional[float]]]  # since when and until when, on the monotonic clock
        self._listeners = None  # type: Optional[Listeners]
        self._keys = None  # type: Optional[Deque[str]]  # of the peer, that nobody has taken

    # -- times ---------------------------------------------------------------------------------------------

    @property
    def ended_at(self):
        # type: () -> Optional[float]
        """When it ended; None while it lives."""
        return None if self.ended is None else self.ended.time

    @property
    def duration(self):
        # type: () -> float
        """Seconds from the answer to the end, or until now; 0.0 where it was not answered.

        On a clock that never jumps: they may differ from ``ended_at - answered_at``, by more where the clock was set.
        """
        if self._talk is None:
            return 0.0
        since, until = self._talk
        return (monotonic() if until is None else until) - since

    def _taken(self):
        # type: () -> None
        self.answered_at = self._agent.told[0]
        self._talk = monotonic(), None

    def _not_taken(self):
        # type: () -> None
        self.answered_at = self._talk = None

    # -- for those who observe the endpoint, under its lock --------------------------------------------------

    def _note_progress(self, status):
        # type: (int) -> None
        observers = self._agent.observers
        if observers.call_progress and self.ended is None:
            observers.note("call_progress", self, status, monotonic() - self._begun)

    def _note_answer(self):
        # type: () -> None
        """The call is answered. To be called wherever that shows first; it is noted once."""
        observers = self._agent.observers
        if observers.call_answered and not self._answer_noted and self._talk is not None:
            self._answer_noted = True
            observers.note("call_answered", self, self._talk[0] - self._begun)

    def _over(self, ended):
        # type: (CallEnded) -> None
        self.state = "ended"
        self.ended = ended
        if self._talk is not None:
            self._talk = self._talk[0], monotonic()

    # -- events --------------------------------------------------------------------------------------------

    if TYPE_CHECKING:

        @overload
        def on(self, kind):
            # type: (Type[_Event]) -> Callable[[Callable[[_Event], _Result]], Callable[[_Event], _Result]]
            pass

        @overload
        def on(self, kind, handler):
            # type: (Type[_Event], Callable[[_Event], object]) -> None
            pass

    def on(self, kind, handler=None):
        # type: (Type[_Event], Optional[Callable[[_Event], object]]) -> Any
        """Call ``handler(event)`` for each event of that type (or a subtype) that is about this call.

        Without ``handler`` it is a decorator. Everything else is as with :meth:`~sipbridge.Endpoint.on`, whose handlers
        come first. Raises InputError also for an event that is about no call.
        """
        if not isinstance(kind, type) or "call" not in getattr(kind, "_fields", ()):
            raise InputError("not an event type of calls: %r" % (kind,))
        if handler is None:
            return decorator(self.on, kind)
        check_callable(handler, "handler")
        with self._agent.lock:
            self._listen().add(kind, handler)
        return None

    def off(self, kind, handler):
        # type: (Type[_Event], Callable[[_Event], object]) -> None
        """Take a handler back."""
        with self._agent.lock:
            self._listen().remove(kind, handler)

    def events(self, timeout=None):
        # type: (Optional[float]) -> EventStream
        """An iterator over the events of this call from now on, like that of :meth:`~sipbridge.Endpoint.events`.

        CallEnded is the last. Of a call that has ended it is the only one. Close it, or leave its ``with``, if you stop
        before the end: a request of the peer gets no answer while it waits in an iterator.
        """
        check_timeout(timeout)
        with self._agent.lock:
            self._listen()
        stream = self._agent.stream(timeout, self)  # type: EventStream
        return stream

    def _listen(self):
        # type: () -> Listeners
        """The Listeners of this call. Under the lock."""
        if self._listeners is None:
            self._listeners = Listeners()
        return self._listeners

    # -- keys ----------------------------------------------------------------------------------------------

    def keys(self, timeout=None):
        # type: (Optional[float]) -> KeyStream
        """An iterator over the keys that the peer presses (DTMF): "0" to "9", "*", "#", "A" to "D".

        It takes each key once, those that came before it was made first: a call keeps up to 256 that nobody has taken.
        They come by INFO (application/dtmf-relay and application/dtmf), which the endpoint answers, and by
        :meth:`put_key`. The iterator ends when no key comes for ``timeout`` seconds (None: no limit). It raises
        CallHungUp when the call has ended and every key was taken, EngineLost when its engine was lost, and EngineError
        when the endpoint is closed. Raises InputError.
        """
        return _keys.KeyStream(self, check_timeout(timeout))  # type: ignore[arg-type]  # it is a Call

    def collect(self, count=None, terminator=None, timeout=5.0):
        # type: (Optional[int], Optional[str], Optional[float]) -> Digits
        """Wait for keys, and return them as text, as "1234"; "" for none.

        It ends with the first of these, which the ``ended_by`` of what it returns names: "count", when there are so
        many (None: no limit); "terminator", when one of these keys comes, which is not returned (None: no key ends it);
        "timeout", when no key came for ``timeout`` seconds, since the call of this method or the last key (None: no
        limit). Raises what the iterator of :meth:`keys` raises; the keys are lost then. Raises InputError, also if
        nothing could end it.
        """
        return _keys.collect(self, count, terminator, timeout)  # type: ignore[arg-type]

    def put_key(self, key):
        # type: (str) -> None
        """Hand in a key that came with the media, for :meth:`keys` and :meth:`collect`. From any thread.

        For an event of RFC 4733, in which a number stands for the key, it is ``"0123456789*#ABCD"[number]``. Hand it in
        once, although it is in several packets. Raises InputError.
        """
        _keys.put(self, key)  # type: ignore[arg-type]
