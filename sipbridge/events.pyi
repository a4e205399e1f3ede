from typing import NamedTuple, Optional

from sipbridge.call import Call
from sipbridge.content import Body
from sipbridge.errors import EngineLost
from sipbridge.headers import HeaderFields, Headers
from sipbridge.registration import Registration
from sipbridge.request import IncomingRequest

class IncomingCall(NamedTuple):
    call: Call
    headers: Headers
    sdp: Optional[bytes]

class CallProgress(NamedTuple):
    call: Call
    status: int
    reason: str
    headers: Headers
    sdp: Optional[bytes]

class CallAnswered(NamedTuple):
    call: Call
    status: int
    reason: str
    headers: Headers
    sdp: Optional[bytes]

class CallConfirmed(NamedTuple):
    call: Call
    headers: Headers
    sdp: Optional[bytes]

class CallEnded(NamedTuple):
    call: Call
    cause: str
    status: int
    reason: str
    headers: Headers
    @property
    def error(self) -> Optional[EngineLost]: ...

class _Request(NamedTuple):
    call: Optional[Call]
    method: str
    headers: Headers
    body: bytes
    request: IncomingRequest

class RequestReceived(_Request):
    @property
    def content_type(self) -> Optional[str]: ...
    @property
    def from_uri(self) -> str: ...
    @property
    def to_uri(self) -> str: ...
    def answer(
        self,
        status: int = 200,
        reason: Optional[str] = None,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
    ) -> None: ...

class InfoReceived(RequestReceived):
    @property
    def dtmf(self) -> Optional[str]: ...

class MessageReceived(RequestReceived):
    @property
    def text(self) -> str: ...

class CallReinvited(NamedTuple):
    call: Call
    headers: Headers
    sdp: Optional[bytes]
    request: IncomingRequest
    def answer(self, sdp: Optional[bytes] = None, headers: HeaderFields = ()) -> None: ...
    def reject(self, status: int = 488, reason: Optional[str] = None, headers: HeaderFields = ()) -> None: ...

class RegistrationChanged(NamedTuple):
    registration: Registration
    state: str
    status: int
    reason: str
    expires: int

class TraceMessage(NamedTuple):
    outgoing: bool
    peer: str
    data: bytes
    time: float

class EngineRestarted(NamedTuple):
    reason: str
    seconds: float

class EngineFailed(NamedTuple):
    reason: str
