from typing import Optional

from sipbridge._agent.endpoint import Endpoint
from sipbridge._engine.records import Content, Parties
from sipbridge.errors import SipbridgeError
from sipbridge.events import NotifyReceived

class Subscription:
    uri: str
    event: str
    state: str
    expires: int
    last: Optional[NotifyReceived]
    def __init__(
        self,
        endpoint: Endpoint,
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
