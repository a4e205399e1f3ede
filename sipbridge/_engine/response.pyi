from typing import NamedTuple, Optional

from sipbridge._engine.records import RawEvent
from sipbridge.errors import SipbridgeError
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

class NoResponse(Response): ...

def response_of(raw: RawEvent) -> Response: ...
def check_response(response: Response, what: str) -> Response: ...
def error_of(response: Response, what: str) -> Optional[SipbridgeError]: ...
