from typing import Optional, Union

from sipbridge._call.agent import Agent
from sipbridge._call.transfer import Transfer
from sipbridge._engine.content import Body
from sipbridge._engine.response import Response
from sipbridge.events import CallEnded
from sipbridge.headers import HeaderFields, Headers
from sipbridge.reason import Reason

SDP: str
DTMF_RELAY: str

class Call:
    incoming: bool
    state: str
    headers: Headers
    request_uri: str
    local_sdp: Optional[bytes]
    remote_sdp: Optional[bytes]
    ended: Optional[CallEnded]
    replaces: Optional[Call]
    def __init__(
        self,
        agent: Agent,
        incoming: bool,
        request_uri: str,
        headers: Headers,
        local_sdp: Optional[bytes] = None,
        remote_sdp: Optional[bytes] = None,
        peer: str = "",
    ) -> None: ...
    @property
    def remote_uri(self) -> str: ...
    @property
    def local_uri(self) -> str: ...
    @property
    def call_id(self) -> str: ...
    def ring(
        self,
        status: int = 180,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        reliable: bool = False,
    ) -> None: ...
    def answer(self, sdp: Optional[Body] = None, headers: HeaderFields = ()) -> None: ...
    def reject(
        self,
        status: int = 486,
        reason: Optional[str] = None,
        headers: HeaderFields = (),
        why: Optional[Reason] = None,
    ) -> None: ...
    def redirect(self, contact: str, status: int = 302) -> None: ...
    def ack(self, sdp: Optional[Body] = None, headers: HeaderFields = ()) -> None: ...
    def hangup(self, headers: HeaderFields = (), why: Optional[Reason] = None) -> None: ...
    def wait_answered(self, timeout: Optional[float] = 60.0) -> None: ...
    def wait_established(self, timeout: Optional[float] = 32.0) -> None: ...
    def wait_ended(self, timeout: Optional[float] = 32.0) -> CallEnded: ...
    def request(
        self,
        method: str,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    def info(
        self,
        body: Optional[Body],
        content_type: Optional[str],
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    def send_dtmf(
        self,
        keys: str,
        duration_ms: int = 160,
        timeout: Optional[float] = 32.0,
        content_type: str = "application/dtmf-relay",
    ) -> None: ...
    def reinvite(
        self,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
        glare_retries: int = 3,
    ) -> Response: ...
    def update(
        self, sdp: Optional[Body] = None, headers: HeaderFields = (), timeout: Optional[float] = 32.0
    ) -> Response: ...
    @property
    def on_hold(self) -> bool: ...
    @property
    def held_by_peer(self) -> bool: ...
    def hold(self, timeout: Optional[float] = 32.0) -> Optional[Response]: ...
    def resume(self, timeout: Optional[float] = 32.0) -> Optional[Response]: ...
    def begin_transfer(
        self, to: Union[str, Call], headers: HeaderFields = (), timeout: Optional[float] = 32.0
    ) -> Transfer: ...
    def transfer(
        self, to: Union[str, Call], headers: HeaderFields = (), timeout: Optional[float] = 60.0
    ) -> Transfer: ...
    def transfer_to(
        self, other: Call, headers: HeaderFields = (), timeout: Optional[float] = 60.0
    ) -> Transfer: ...
