"""What both calls and registrations need from their endpoint. This is for type checkers; nothing of it exists when the
program runs.
"""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, ContextManager, Optional, Protocol, Tuple, TypeVar

    from sipbridge._engine.choice import Engine
    from sipbridge._engine.records import Parties, RawEvent, Source
    from sipbridge._engine.response import Response

    _T = TypeVar("_T")

    class Alarm(Protocol):
        """A timer that can be cancelled."""

        def cancel(self):
            # type: () -> None
            raise NotImplementedError

    class Observers(Protocol):
        """Those who are told what happens: :class:`sipbridge._agent.observers.Observers`."""

        call_started = ()  # type: Tuple[Any, ...]
        call_progress = ()  # type: Tuple[Any, ...]
        call_answered = ()  # type: Tuple[Any, ...]
        call_ended = ()  # type: Tuple[Any, ...]
        registration_changed = ()  # type: Tuple[Any, ...]

        def note(self, kind, *arguments):
            # type: (str, *Any) -> None
            pass

        def tell(self, wait=False):
            # type: (bool) -> None
            pass

    class Agent(Protocol):
        """The engine, the lock of all objects that follow its events, and timers."""

        @property
        def engine(self):
            # type: () -> Engine
            raise NotImplementedError

        @property
        def lock(self):
            # type: () -> ContextManager[object]
            raise NotImplementedError

        @property
        def observers(self):
            # type: () -> Observers
            raise NotImplementedError

        def refused(self, raw, rule, status):
            # type: (RawEvent, str, int) -> None
            pass

        @property
        def told(self):
            # type: () -> Tuple[float, Optional[Source]]
            raise NotImplementedError

        def congested(self, about=None):
            # type: (object) -> bool
            raise NotImplementedError

        def rerouted(self, parties):
            # type: (Parties) -> Parties
            raise NotImplementedError

        def through(self, parties, send, timeout):
            # type: (Parties, Callable[[Parties, Optional[float]], _T], Optional[float]) -> _T
            raise NotImplementedError

        def heard(self, route, response):
            # type: (Optional[str], Response) -> bool
            raise NotImplementedError

        def wait(self, predicate, timeout):
            # type: (Callable[[], object], Optional[float]) -> bool
            raise NotImplementedError

        def later(self, seconds, function):
            # type: (float, Callable[[], object]) -> Alarm
            raise NotImplementedError
