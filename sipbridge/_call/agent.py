"""What a call needs from its endpoint. This is for type checkers; nothing of it exists when the program runs."""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Protocol, Union

    from sipbridge import events
    from sipbridge._engine import agent as common
    from sipbridge._engine.records import Content, Parties, Told
    from sipbridge._engine.response import Response

    #: The events that are about a call.
    CallEvent = Union[
        events.IncomingCall,
        events.CallProgress,
        events.CallAnswered,
        events.CallConfirmed,
        events.CallEnded,
        events.CallReinvited,
        events.RequestReceived,
        events.TransferProgress,
    ]

    class Agent(common.Agent, Protocol):
        """The object that calls, transfers and session timers get in place of the endpoint."""

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
        def closed(self):
            # type: () -> bool
            raise NotImplementedError

        def is_handling_here(self, call):
            # type: (Any) -> bool
            raise NotImplementedError

        def wake(self):
            # type: () -> None
            pass

        def trunk_of(self, route):
            # type: (Optional[str]) -> Any
            raise NotImplementedError

        def stream(self, timeout, call):
            # type: (Optional[float], Any) -> Any
            raise NotImplementedError

        def parties(self, to, from_, route):
            # type: (str, Optional[str], Optional[str]) -> Parties
            raise NotImplementedError

        def send_within(self, call, number, method, content, on_response):
            # type: (Any, int, str, Optional[Content], Callable[[Response], object]) -> None
            raise NotImplementedError

        def post(self, event):
            # type: (Told) -> None
            pass

        def answer_by_default(self, requests):
            # type: (List[Any]) -> None
            pass

        def place(self, to, *arguments, **options):
            # type: (str, Any, Any) -> Any
            raise NotImplementedError

        def transact(self, send, timeout, what, call=None, on_response=None, on_late=None):
            # type: (Callable[[], int], Optional[float], str, Any, Any, Any) -> Response
            raise NotImplementedError
