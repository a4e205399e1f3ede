from typing import Iterable, Optional, Union

from sipbridge._engine.content import Body
from sipbridge._engine.records import Content, Parties
from sipbridge._kept.agent import Agent
from sipbridge.errors import SipbridgeError
from sipbridge.events import NotifyReceived
from sipbridge.headers import HeaderFields

class Subscription:
    uri: str
    event: str
    state: str
    expires: int
    last: Optional[NotifyReceived]
    def __init__(
        self,
        agent: Agent,
        uri: str,
        parties: Parties,
        event: str,
        expires: int,
        content: Optional[Content],
        resubscribe: bool,
    ) -> None: ...
    @property
    def error(self) -> Optional[SipbridgeError]: ...
    def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    def unsubscribe(self, timeout: Optional[float] = 32.0) -> None: ...

def subscribe(
    agent: Agent,
    parties: Parties,
    event: str,
    expires: int,
    accept: Union[None, str, Iterable[str]],
    body: Optional[Body],
    content_type: Optional[str],
    headers: HeaderFields,
    resubscribe: bool,
    timeout: Optional[float],
) -> Subscription: ...
