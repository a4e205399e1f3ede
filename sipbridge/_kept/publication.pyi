from typing import Optional

from sipbridge._engine.content import Body
from sipbridge._engine.records import Content, Parties
from sipbridge._kept.agent import Agent
from sipbridge.errors import SipbridgeError
from sipbridge.headers import HeaderFields

class Publication:
    uri: str
    event: str
    etag: Optional[str]
    state: str
    expires: int
    def __init__(
        self,
        agent: Agent,
        uri: str,
        parties: Parties,
        event: str,
        expires: int,
        content: Optional[Content],
    ) -> None: ...
    @property
    def error(self) -> Optional[SipbridgeError]: ...
    def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    def modify(
        self,
        body: Body,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> None: ...
    def remove(self, timeout: Optional[float] = 32.0) -> None: ...

def publish(
    agent: Agent,
    parties: Parties,
    event: str,
    body: Body,
    content_type: str,
    expires: int,
    headers: HeaderFields,
    timeout: Optional[float],
) -> Publication: ...
