from types import TracebackType
from typing import Any, AsyncIterator, Callable, List, Optional, Tuple, Type, Union

from sipbridge import dispatch
from sipbridge.content import Body
from sipbridge.engine import Engine
from sipbridge.events import CallEnded, TraceMessage
from sipbridge.headers import HeaderFields, Headers
from sipbridge.record import Recorder
from sipbridge.response import Response
from sipbridge.tls import Tls

class EventStream(dispatch.Stream, AsyncIterator[Any]):
    def __aiter__(self) -> EventStream: ...
    async def __aenter__(self) -> EventStream: ...
    async def __aexit__(
        self,
        *exc_info: Union[Type[BaseException], BaseException, TracebackType, None],
    ) -> None: ...
    async def __anext__(self) -> Any: ...

class Call:
    def __init__(self, core: object) -> None: ...
    incoming: bool
    state: str
    headers: Headers
    request_uri: str
    local_sdp: Optional[bytes]
    remote_sdp: Optional[bytes]
    ended: Optional[CallEnded]
    @property
    def remote_uri(self) -> str: ...
    @property
    def local_uri(self) -> str: ...
    @property
    def call_id(self) -> str: ...
    def ring(self, status: int = 180, sdp: Optional[Body] = None, headers: HeaderFields = ()) -> None: ...
    def answer(self, sdp: Optional[Body] = None, headers: HeaderFields = ()) -> None: ...
    def reject(
        self, status: int = 486, reason: Optional[str] = None, headers: HeaderFields = ()
    ) -> None: ...
    def redirect(self, contact: str, status: int = 302) -> None: ...
    def ack(self, sdp: Optional[Body] = None, headers: HeaderFields = ()) -> None: ...
    def hangup(self, headers: HeaderFields = ()) -> None: ...
    async def wait_answered(self, timeout: Optional[float] = 60.0) -> None: ...
    async def wait_established(self, timeout: Optional[float] = 32.0) -> None: ...
    async def wait_ended(self, timeout: Optional[float] = 32.0) -> CallEnded: ...
    async def request(
        self,
        method: str,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def info(
        self,
        body: Body,
        content_type: str,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def send_dtmf(
        self,
        keys: str,
        duration_ms: int = 160,
        timeout: Optional[float] = 32.0,
        content_type: str = "application/dtmf-relay",
    ) -> None: ...
    async def reinvite(
        self,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def update(
        self,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> Response: ...

class Registration:
    def __init__(self, core: object) -> None: ...
    aor: str
    registrar: str
    state: str
    expires: int
    async def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    async def unregister(self, timeout: Optional[float] = 32.0) -> None: ...

class Account:
    def __init__(self, core: object) -> None: ...
    address: str
    uri: str
    registrar: Optional[str]
    route: Optional[str]
    registration: Optional[Registration]
    @property
    def contact(self) -> str: ...
    async def register(self, expires: int = 3600, timeout: float = 32.0) -> Registration: ...
    def invite(self, to: str, *args: Any, **options: Any) -> Call: ...
    async def call(self, to: str, *args: Any, **options: Any) -> Call: ...
    async def message(self, to: str, *args: Any, **options: Any) -> Response: ...
    async def request(self, method: str, to: str, *args: Any, **options: Any) -> Response: ...
    async def options(self, to: str, *args: Any, **options: Any) -> Response: ...
    def is_named_by(self, uri: str) -> bool: ...

class Endpoint:
    def __init__(
        self,
        address: str = "udp://127.0.0.1:0",
        identity: Optional[str] = None,
        engine: Union[str, Engine, None] = None,
        outbound_proxy: Optional[str] = None,
        user_agent: Optional[str] = None,
        advertised: Optional[str] = None,
        trace: Optional[Callable[[TraceMessage], object]] = None,
        record: Union[None, str, Recorder] = None,
        tls: Optional[Tls] = None,
    ) -> None: ...
    async def __aenter__(self) -> Endpoint: ...
    async def __aexit__(
        self,
        *exc_info: Union[Type[BaseException], BaseException, TracebackType, None],
    ) -> None: ...
    identity: Optional[str]
    @property
    def address(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def uri(self) -> str: ...
    @property
    def engine_name(self) -> str: ...
    @property
    def engine_version(self) -> str: ...
    @property
    def calls(self) -> Tuple[Call, ...]: ...
    def on(self, kind: type, handler: Callable[[Any], object]) -> None: ...
    def off(self, kind: type, handler: Callable[[Any], object]) -> None: ...
    def events(self, timeout: Optional[float] = None) -> EventStream: ...
    def add_credentials(self, user: str, password: str, realm: Optional[str] = None) -> None: ...
    def clear_credentials(self) -> None: ...
    async def bindings(self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0) -> List[str]: ...
    async def unregister_all(self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0) -> None: ...
    @property
    def accounts(self) -> Tuple[Account, ...]: ...
    def add_account(
        self,
        address: str,
        user: Optional[str] = None,
        password: Optional[str] = None,
        realm: Optional[str] = None,
        registrar: Optional[str] = None,
        route: Optional[str] = None,
    ) -> Account: ...
    def account_of(self, event: Any) -> Optional[Account]: ...
    def invite(
        self,
        to: str,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        content_type: str = ...,
    ) -> Call: ...
    async def call(
        self,
        to: str,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        content_type: str = ...,
        timeout: Optional[float] = 60.0,
    ) -> Call: ...
    async def register(
        self,
        registrar: str,
        aor: Optional[str] = None,
        contact: Optional[str] = None,
        expires: int = 3600,
        timeout: Optional[float] = 32.0,
    ) -> Registration: ...
    async def request(
        self,
        method: str,
        to: str,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def message(
        self,
        to: str,
        body: Union[str, Body],
        content_type: str = "text/plain",
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def options(
        self,
        to: str,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def close(self, timeout: float = 1.0) -> None: ...
