"""What a call needs of its endpoint, and what a registration needs, too. Nothing here exists when the program runs: it
is for who checks types.
"""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, ContextManager, Optional, Protocol

    from sipbridge._engine.choice import Engine

    class Alarm(Protocol):
        """What will be called later, unless it is cancelled."""

        def cancel(self):
            # type: () -> None
            raise NotImplementedError

    class Agent(Protocol):
        """The engine, the lock of all that follows its events, and time."""

        @property
        def engine(self):
            # type: () -> Engine
            raise NotImplementedError

        @property
        def lock(self):
            # type: () -> ContextManager[object]
            raise NotImplementedError

        @property
        def congested(self):
            # type: () -> bool
            raise NotImplementedError

        def wait(self, predicate, timeout):
            # type: (Callable[[], object], Optional[float]) -> bool
            raise NotImplementedError

        def later(self, seconds, function):
            # type: (float, Callable[[], object]) -> Alarm
            raise NotImplementedError
