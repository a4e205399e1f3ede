"""Tell the observers of an endpoint what happens.

Most of it happens under the endpoint's lock, where no foreign code may run: an observer may ask the endpoint something,
or take a lock of its own that another thread holds while it asks. So what happens is noted under the lock, and the
observers are told in the same order, one thing at a time, as soon as the lock is free.
"""

from __future__ import absolute_import, division, print_function

import sys
import threading
from collections import deque

from sipbridge._later import later
from sipbridge._text.arguments import check_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any, Callable, Deque, Optional, Set, Tuple, TypeVar, cast

    from sipbridge._agent import journal, observers, traffic
    from sipbridge._agent.agent import Agent

    _Observer = TypeVar("_Observer", bound=observers.Observer)
    _Told = Tuple[Callable[..., object], ...]
else:
    logging, journal, observers, traffic = later(
        "logging", "sipbridge._agent.journal", "sipbridge._agent.observers", "sipbridge._agent.traffic"
    )

#: What an observer is told of: the names of its methods.
KINDS = ("call_started call_progress call_answered call_ended refused registration_changed message event handler_began"
         " handler_ended fault engine_lost engine_restarted engine_failed incident_written").split()  # fmt: skip


class _Lines(object):
    """Has a journal write what it is told of, where the program has anything to do with logging."""

    kinds = ("call_started", "call_answered", "call_ended", "registration_changed", "refused")

    def __init__(self):
        # type: () -> None
        self._journal = None  # type: Optional[journal.Journal]

    def writing(self, kind):
        # type: (str) -> Callable[..., None]
        """The function for this kind."""

        def write(*arguments):
            # type: (*Any) -> None
            if self._journal is None:
                if "logging" not in sys.modules:
                    return
                self._journal = journal.Journal()
            getattr(self._journal, kind)(*arguments)

        return write


class Observers(object):
    """The observers of one endpoint, and what they have not been told of yet.

    It has a tuple of functions for each of :data:`KINDS`, by that name: those of the observers that want to know. Where
    something happens, look whether there are any, and :meth:`note` it::

        if observers.call_started:
            observers.note("call_started", call)
    """

    call_started = ()  # type: _Told
    call_progress = ()  # type: _Told
    call_answered = ()  # type: _Told
    call_ended = ()  # type: _Told
    refused = ()  # type: _Told
    registration_changed = ()  # type: _Told
    message = ()  # type: _Told
    event = ()  # type: _Told
    handler_began = ()  # type: _Told
    handler_ended = ()  # type: _Told
    fault = ()  # type: _Told
    engine_lost = ()  # type: _Told
    engine_restarted = ()  # type: _Told
    engine_failed = ()  # type: _Told
    incident_written = ()  # type: _Told

    def __init__(self):
        # type: () -> None
        self._notes = deque()  # type: Deque[Tuple[str, Tuple[Any, ...]]]
        self._telling = threading.Lock()
        self._teller = None  # type: Optional[threading.Thread]
        self._failing = set()  # type: Set[Callable[..., object]]
        lines = _Lines()
        for kind in lines.kinds:
            setattr(self, kind, (lines.writing(kind),))

    def add(self, observer):
        # type: (observers.Observer) -> None
        """Tell this one, too. From any thread, under the endpoint's lock."""
        for kind in KINDS:
            function = getattr(type(observer), kind)
            if getattr(function, "__func__", function) is not vars(observers.Observer)[kind]:
                setattr(self, kind, getattr(self, kind) + (getattr(observer, kind),))

    # -- what happens under the lock -----------------------------------------------------------------------

    def note(self, kind, *arguments):
        # type: (str, *Any) -> None
        """Something happened, of which :meth:`tell` tells. Under the endpoint's lock, so that the order is right."""
        self._notes.append((kind, arguments))

    def forget(self, kind, *arguments):
        # type: (str, *Any) -> None
        """What was noted did not happen. It may have been told already."""
        try:
            self._notes.remove((kind, arguments))
        except ValueError:
            pass

    def tell(self, wait=False):
        # type: (bool) -> None
        """Tell of all that was noted. Without the endpoint's lock.

        While another thread does that, it tells of this, too, and nothing is left to do here; with ``wait`` this waits
        for it, so that the event thread brings no more than can be told of.
        """
        if not self._notes or self._teller is threading.current_thread():  # an observer has called something
            return
        while self._notes and self._telling.acquire(wait):
            self._teller = threading.current_thread()
            try:
                while self._notes:
                    kind, arguments = self._notes.popleft()
                    self.tell_now(kind, *arguments)
            finally:
                self._teller = None
                self._telling.release()

    # -- what happens without it -----------------------------------------------------------------------------

    def tell_now(self, kind, *arguments):
        # type: (str, *Any) -> None
        """Tell of something at once, on this thread. Not under the endpoint's lock."""
        for function in getattr(self, kind):
            try:
                function(*arguments)
            except Exception:
                self._report(function)

    def _report(self, function):
        # type: (Callable[..., object]) -> None
        if function in self._failing:
            return
        self._failing.add(function)
        logging.getLogger("sipbridge").exception("observer %r failed; this is logged once", function)


class Observed(object):
    """The part of an endpoint that observers are given to."""

    if TYPE_CHECKING:
        _agent = cast("Agent", None)

    def _observe_everywhere(self):
        # type: () -> None
        if "sipbridge._agent.observers" in sys.modules:
            for make in observers.everywhere:
                self.observe(make(self))

    def observe(self, observer):
        # type: (_Observer) -> _Observer
        """Tell this :class:`~sipbridge.Observer` what happens from now on: see docs/watching.md. Returns it.

        Raises InputError.
        """
        check_kind(observer, observers.Observer, "observer")
        agent = self._agent
        with agent.lock:
            agent.observers.add(observer)
            if agent.observers.message and agent.traffic is None:
                agent.traffic = traffic.Traffic(agent)
        return observer
