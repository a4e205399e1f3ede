from typing import Any, Callable, ContextManager, Dict, List, Optional, Set

from sipbridge._agent.dispatch import Dispatcher, Timer
from sipbridge._call.call import Call
from sipbridge._engine.choice import Engine
from sipbridge._engine.records import Content, Parties
from sipbridge._engine.response import Response
from sipbridge._kept.notifier import Notifier
from sipbridge._kept.publication import Publication
from sipbridge._kept.registration import Registration
from sipbridge._kept.subscription import Subscription
from sipbridge.events import RequestReceived

class Agent:
    engine: Engine
    identity: Optional[str]
    session_expires: Optional[int]
    dispatcher: Dispatcher
    calls: Dict[int, Call]
    registrations: Dict[int, Registration]
    subscriptions: Dict[int, Subscription]
    notifiers: Dict[int, Notifier]
    publications: Set[Publication]
    pending: Dict[int, Any]
    closing: bool
    def __init__(
        self, engine: Engine, identity: Optional[str] = None, session_expires: Optional[int] = None
    ) -> None: ...
    @property
    def lock(self) -> ContextManager[object]: ...
    @property
    def congested(self) -> bool: ...
    @property
    def keeps_nothing(self) -> bool: ...
    def wait(self, predicate: Callable[[], object], timeout: Optional[float]) -> bool: ...
    def later(self, seconds: float, function: Callable[[], object]) -> Timer: ...
    def post(self, event: object) -> None: ...
    def parties(self, to: str, from_: Optional[str], route: Optional[str]) -> Parties: ...
    def expect(
        self, transaction: int, on_response: Callable[[Response], object], call: Optional[Call] = None
    ) -> Any: ...
    def ask(self, method: str, parties: Parties, on_response: Callable[[Response], object]) -> None: ...
    def send_within(
        self,
        call: Call,
        number: int,
        method: str,
        content: Optional[Content],
        on_response: Callable[[Response], object],
    ) -> None: ...
    def answer_by_default(self, requests: List[RequestReceived]) -> None: ...
    def place(self, to: str, *arguments: Any, **options: Any) -> Call: ...
    def transact(
        self,
        send: Callable[[], int],
        timeout: Optional[float],
        what: str,
        call: Optional[Call] = None,
        on_response: Optional[Callable[[Response], object]] = None,
        on_late: Optional[Callable[[Response], object]] = None,
    ) -> Response: ...
