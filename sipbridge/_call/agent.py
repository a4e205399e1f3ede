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
            pass

    class Agent(Protocol):
        """What calls, transfers and session timers get in place of the endpoint."""

        @property
        def engine(self):
            # type: () -> Engine
            pass

        @property
        def identity(self):
            # type: () -> Optional[str]
            pass

        @property
        def session_expires(self):
            # type: () -> Optional[int]
            pass

        @property
        def calls(self):
            # type: () -> Dict[int, Any]
            pass

        @property
        def pending(self):
            # type: () -> Dict[int, Any]
            pass

        @property
        def lock(self):
            # type: () -> ContextManager[object]
            pass

        @property
        def congested(self):
            # type: () -> bool
            pass

        def wait(self, predicate, timeout):
            # type: (Callable[[], object], Optional[float]) -> bool
            pass

        def later(self, seconds, function):
            # type: (float, Callable[[], object]) -> Alarm
            pass

        def parties(self, to, from_, route):
            # type: (str, Optional[str], Optional[str]) -> Parties
            pass

        def send_within(self, call, number, method, content, on_response):
            # type: (Any, int, str, Optional[Content], Callable[[Response], object]) -> None
            pass

        def answer_by_default(self, requests):
            # type: (List[Any]) -> None
            pass

        def place(self, to, *arguments, **options):
            # type: (str, Any, Any) -> Any
            pass

        def transact(self, send, timeout, what, call=None, on_response=None, on_late=None):
            # type: (Callable[[], int], Optional[float], str, Any, Any, Any) -> Response
            pass
