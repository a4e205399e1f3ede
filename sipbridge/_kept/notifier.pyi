from typing import Optional

from sipbridge._engine.content import Body
from sipbridge._kept.agent import Agent
from sipbridge.headers import HeaderFields, Headers

class Notifier:
    headers: Headers
    request_uri: str
    event: str
    body: bytes
    content_type: Optional[str]
    requested: int
    expires: int
    state: str
    def __init__(
        self, agent: Agent, handle: int, request_uri: str, headers: Headers, body: bytes, requested: int
    ) -> None: ...
    @property
    def package(self) -> str: ...
    @property
    def subscriber(self) -> str: ...
    def accept(self, expires: Optional[int] = None, status: int = 200) -> Notifier: ...
    def reject(self, status: int = 403, reason: Optional[str] = None) -> None: ...
    def notify(
        self,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        state: str = "active",
        headers: HeaderFields = (),
    ) -> None: ...
    def terminate(
        self,
        reason: str = "noresource",
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        retry_after: Optional[int] = None,
        headers: HeaderFields = (),
    ) -> None: ...
