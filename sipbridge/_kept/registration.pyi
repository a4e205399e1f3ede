from typing import Optional

from sipbridge._engine.records import Parties
from sipbridge._kept.agent import Agent
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
        agent: Agent,
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

def register(
    agent: Agent,
    own: str,
    registrar: str,
    contact: Optional[str],
    expires: int,
    timeout: Optional[float],
    keep: bool,
    route: Optional[str],
) -> Registration: ...
