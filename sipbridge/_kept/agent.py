"""What a registration, a subscription or a publication needs from its endpoint. This is for type checkers; nothing of
it exists when the program runs.
"""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Protocol, Set, Tuple

    from sipbridge._engine import agent as common
    from sipbridge._engine.records import Told
    from sipbridge._engine.response import Response

    class Agent(common.Agent, Protocol):
        """The object that registrations, subscriptions and publications get in place of the endpoint."""

        @property
        def registrations(self):
            # type: () -> Dict[int, Any]
            raise NotImplementedError

        @property
        def expected(self):
            # type: () -> Dict[Tuple[str, str, Optional[str]], Any]
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
        def is_leaving(self):
            # type: () -> bool
            raise NotImplementedError

        def post(self, event):
            # type: (Told) -> None
            raise NotImplementedError

        def expect(self, transaction, on_response, call=None):
            # type: (int, Callable[[Response], object], Any) -> object
            raise NotImplementedError
