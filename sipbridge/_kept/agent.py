"""What a registration, a subscription or a publication needs of its endpoint. Nothing here exists when the program
runs: it is for who checks types.
"""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, ContextManager, Dict, Optional, Protocol, Set

    from sipbridge._engine.choice import Engine
    from sipbridge._engine.response import Response

    class Alarm(Protocol):
        """What will be called later, unless it is cancelled."""

        def cancel(self):
            # type: () -> None
            raise NotImplementedError

    class Agent(Protocol):
        """What registrations, subscriptions and publications get in place of the endpoint."""

        @property
        def engine(self):
            # type: () -> Engine
            raise NotImplementedError

        @property
        def registrations(self):
            # type: () -> Dict[int, Any]
            raise NotImplementedError

        @property
        def subscriptions(self):
            # type: () -> Dict[int, Any]
            raise NotImplementedError

        @property
        def notifiers(self):
            # type: () -> Dict[int, Any]
            raise NotImplementedError

        @property
        def publications(self):
            # type: () -> Set[Any]
            raise NotImplementedError

        @property
        def closing(self):
            # type: () -> bool
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

        def post(self, event):
            # type: (object) -> None
            raise NotImplementedError

        def expect(self, transaction, on_response, call=None):
            # type: (int, Callable[[Response], object], Any) -> object
            raise NotImplementedError
