from typing import Mapping, Optional, Union

from sipbridge._call.call import Call
from sipbridge._call.incoming import IncomingRequest
from sipbridge._engine.content import Body
from sipbridge.events import TransferProgress, TransferRequested
from sipbridge.headers import HeaderFields, Headers

SDP: str
SIPFRAG: str

def is_final(status: int) -> bool: ...

class Transfer:
    call: Call
    target: str
    status: int
    reason: str
    state: str
    def __init__(self, call: Call, target: str) -> None: ...
    @property
    def succeeded(self) -> bool: ...
    def wait_ended(self, timeout: Optional[float] = 60.0) -> None: ...

def begin(call: Call, to: Union[str, Call], headers: HeaderFields, timeout: Optional[float]) -> Transfer: ...
def notified(
    call: Call, headers: Headers, body: bytes, request: IncomingRequest
) -> Optional[TransferProgress]: ...
def requested(
    call: Call, headers: Headers, body: bytes, request: IncomingRequest
) -> Optional[TransferRequested]: ...
def accept(
    call: Call,
    event: TransferRequested,
    sdp: Optional[Body],
    headers: HeaderFields,
    options: Mapping[str, Optional[str]],
) -> Call: ...
