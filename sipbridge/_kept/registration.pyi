from typing import Optional

from sipbridge._agent.endpoint import Endpoint
from sipbridge._engine.records import Parties
from sipbridge.errors import SipbridgeError

def may_pass(status: int) -> bool: ...

class Registration:
    aor: str
    registrar: str
    state: str
    expires: int
    retry_in: float
    def __init__(
        self,
        endpoint: Endpoint,
        aor: str,
        registrar: str,
        expires: int,
        parties: Optional[Parties] = None,
        contact: Optional[str] = None,
        keep: bool = False,
    ) -> None: ...
    @property
    def error(self) -> Optional[SipbridgeError]: ...
    def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    def unregister(self, timeout: Optional[float] = 32.0) -> None: ...
