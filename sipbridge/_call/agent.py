"""What a call needs of its endpoint. Nothing here exists when the program runs: it is for who checks types."""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, ContextManager, Dict, List, Optional, Protocol

    from sipbridge._engine.choice import Engine
    from sipbridge._engine.records import Content, Parties
    from sipbridge._engine.response import Response

    class Alarm(Protocol):
        """What will be called later, unless it is cancelled."""

        def cancel(self):
            # type: () -> None
            raise NotImplementedError

    class Agent(Protocol):
        """What calls, transfers and session timers get in place of the endpoint."""

        @property
        def engine(self):
            # type: () -> Engine
            raise NotImplementedError

        @property
        def identity(self):
            # type: () -> Optional[str]
            raise NotImplementedError

        @property
        def session_expires(self):
            # type: () -> Optional[int]
            raise NotImplementedError

        @property
        def calls(self):
            # type: () -> Dict[int, Any]
            raise NotImplementedError

        @property
        def pending(self):
            # type: () -> Dict[int, Any]
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

        def parties(self, to, from_, route):
            # type: (str, Optional[str], Optional[str]) -> Parties
            raise NotImplementedError

        def send_within(self, call, number, method, content, on_response):
            # type: (Any, int, str, Optional[Content], Callable[[Response], object]) -> None
            raise NotImplementedError

        def answer_by_default(self, requests):
            # type: (List[Any]) -> None
            pass

        def place(self, to, *arguments, **options):
            # type: (str, Any, Any) -> Any
            raise NotImplementedError

        def transact(self, send, timeout, what, call=None, on_response=None, on_late=None):
            # type: (Callable[[], int], Optional[float], str, Any, Any, Any) -> Response
            raise NotImplementedError
