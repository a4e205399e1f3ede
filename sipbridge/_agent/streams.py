"""Iterators over the events of an endpoint, or of one call."""

from __future__ import absolute_import, division, print_function

from collections import deque

from sipbridge.events import CallEnded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, List, Optional, Tuple

    from sipbridge._agent.dispatch import Dispatcher
    from sipbridge._call.own import Listeners
    from sipbridge.events import Event


class Stream(object):
    """A queue of the events of an endpoint, from when this was made until it is closed.

    Attributes:
        listeners: of the call whose events alone these are; None for those of the endpoint.
    """

    def __init__(self, dispatcher, timeout, listeners=None):
        # type: (Dispatcher, Optional[float], Optional[Listeners]) -> None
        self.listeners = listeners
        self._is_complete = False  # there are no more events than those that wait
        self._dispatcher = dispatcher
        self._timeout = timeout
        self._events = deque()  # type: Deque[Tuple[Any, List[object]]]  # each event with what its handlers returned
        self._last = None  # type: Optional[Tuple[Any, List[object]]]

    def _put(self, event, results):
        # type: (Any, List[object]) -> None
        dispatcher = self._dispatcher
        with dispatcher.lock:
            self._events.append((event, results))
            dispatcher.unsettled.add(self)
            self._is_complete = self.listeners is not None and isinstance(event, CallEnded)
            dispatcher._wake()

    def _end_with(self, ended):
        # type: (CallEnded) -> None
        """Of a call that has ended, this event is the only one."""
        self._events.append((ended, []))
        self._is_complete = True

    def _may_go_on(self):
        # type: () -> object
        """True when an event waits, or none will come."""
        return self._events or self._is_complete

    def _pop(self):
        # type: () -> Any
        self._last = last = self._events.popleft()
        return last[0]

    def _settle_last(self):
        # type: () -> None
        last = self._last
        if last is not None:
            try:
                self._settle(last, True)
            finally:  # not before: see Delivery.unsettled
                self._last = None
                self._rest()

    def _rest(self):
        # type: () -> None
        """Tell the dispatcher if each event is settled."""
        with self._dispatcher.lock:
            if not self._events:
                self._dispatcher.unsettled.discard(self)

    def _settle(self, pair, seen):
        # type: (Tuple[Any, List[object]], bool) -> None
        event, results = pair
        self._dispatcher._settle_after(results, event, seen)

    def close(self):
        # type: () -> None
        """Take no more events. Requests that wait in the queue are answered as if nobody handled them."""
        if self._dispatcher.owner.is_elsewhere:
            return
        self._settle_last()  # while the event thread still looks for what that defers
        self._dispatcher.drop(self)
        while self._events:
            self._settle(self._events.popleft(), False)
        self._rest()


class EventStream(Stream):
    """The events of an endpoint or a call, one by one, from when this was made: an iterator and context manager.

    It ends when the endpoint is closed, after the CallEnded of the call, when no event comes for ``timeout`` seconds,
    and when you call :meth:`close`. It raises EngineError when the endpoint has failed.
    """

    def __iter__(self):
        # type: () -> EventStream
        return self

    def __enter__(self):
        # type: () -> EventStream
        return self

    def __exit__(self, *exc_info):
        # type: (*object) -> None
        self.close()

    def __next__(self):
        # type: () -> Event
        self._dispatcher.owner.check()
        self._settle_last()
        if not self._dispatcher.linger(self._may_go_on, self._timeout) or not self._events:
            self.close()
            self._dispatcher.check()
            raise StopIteration
        event = self._pop()  # type: Event
        return event

    next = __next__  # Python 2
