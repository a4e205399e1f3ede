from typing import NamedTuple, Optional

from sipbridge.headers import Headers

class Response(NamedTuple):
    status: int
    reason: str
    headers: Headers
    body: bytes
    @property
    def ok(self) -> bool: ...
    @property
    def content_type(self) -> Optional[str]: ...

def check_response(response: Response, what: str) -> Response: ...
