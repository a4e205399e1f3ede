from typing import Optional

from sipbridge.endpoint import Endpoint

class Registration:
    aor: str
    registrar: str
    state: str
    expires: int
    def __init__(self, endpoint: Endpoint, aor: str, registrar: str, expires: int) -> None: ...
    def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    def unregister(self, timeout: Optional[float] = 32.0) -> None: ...
