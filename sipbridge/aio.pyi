# Written by tools/checks/aio_stub.py.
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Iterable, List, Optional, Tuple, Type, Union

from sipbridge._agent import streams
from sipbridge._agent.fault import Fault
from sipbridge._engine.choice import Engine
from sipbridge._engine.content import Body
from sipbridge._engine.response import Response
from sipbridge.errors import SipbridgeError
from sipbridge.events import CallEnded, NotifyReceived, TraceMessage
from sipbridge.headers import HeaderFields, Headers
from sipbridge.reason import Reason
from sipbridge.record import Recorder
from sipbridge.tls import Tls

class EventStream(streams.Stream, AsyncIterator[Any]):
    def __aiter__(self) -> EventStream: ...
    async def __aenter__(self) -> EventStream: ...
    async def __aexit__(
        self, *exc_info: Union[Type[BaseException], BaseException, TracebackType, None]
    ) -> None: ...
    async def __anext__(self) -> Any: ...

class Call:
    incoming: bool
    state: str
    headers: Headers
    request_uri: str
    local_sdp: Optional[bytes]
    remote_sdp: Optional[bytes]
    ended: Optional[CallEnded]
    replaces: Optional[Call]

    def __init__(self, core: object) -> None: ...
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
        body: Optional[Body],
        content_type: Optional[str],
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
        glare_retries: int = 3,
    ) -> Response: ...
    async def update(
        self, sdp: Optional[Body] = None, headers: HeaderFields = (), timeout: Optional[float] = 32.0
    ) -> Response: ...
    @property
    def on_hold(self) -> bool: ...
    @property
    def held_by_peer(self) -> bool: ...
    async def hold(self, timeout: Optional[float] = 32.0) -> Optional[Response]: ...
    async def resume(self, timeout: Optional[float] = 32.0) -> Optional[Response]: ...
    async def begin_transfer(
        self, to: Union[str, Call], headers: HeaderFields = (), timeout: Optional[float] = 32.0
    ) -> Transfer: ...
    async def transfer(
        self, to: Union[str, Call], headers: HeaderFields = (), timeout: Optional[float] = 60.0
    ) -> Transfer: ...
    async def transfer_to(
        self, other: Call, headers: HeaderFields = (), timeout: Optional[float] = 60.0
    ) -> Transfer: ...

class Registration:
    aor: str
    registrar: str
    state: str
    expires: int
    retry_in: float

    def __init__(self, core: object) -> None: ...
    @property
    def error(self) -> Optional[SipbridgeError]: ...
    async def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    async def unregister(self, timeout: Optional[float] = 32.0) -> None: ...

class Subscription:
    uri: str
    event: str
    state: str
    expires: int
    last: Optional[NotifyReceived]

    def __init__(self, core: object) -> None: ...
    @property
    def error(self) -> Optional[SipbridgeError]: ...
    async def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    async def unsubscribe(self, timeout: Optional[float] = 32.0) -> None: ...

class Notifier:
    headers: Headers
    request_uri: str
    event: str
    body: bytes
    content_type: Optional[str]
    requested: int
    expires: int
    state: str

    def __init__(self, core: object) -> None: ...
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

class Publication:
    uri: str
    event: str
    etag: Optional[str]
    state: str
    expires: int

    def __init__(self, core: object) -> None: ...
    @property
    def error(self) -> Optional[SipbridgeError]: ...
    async def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    async def modify(
        self,
        body: Body,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        timeout: Optional[float] = 32.0,
    ) -> None: ...
    async def remove(self, timeout: Optional[float] = 32.0) -> None: ...

class Transfer:
    call: Call
    target: str
    status: int
    reason: str
    state: str

    def __init__(self, core: object) -> None: ...
    @property
    def succeeded(self) -> bool: ...
    async def wait_ended(self, timeout: Optional[float] = 60.0) -> None: ...

class Watch:
    uri: str
    interval: float
    available: Optional[bool]
    status: int

    def __init__(self, core: object) -> None: ...
    def stop(self) -> None: ...

class Account:
    address: str
    uri: str
    registrar: Optional[str]
    route: Optional[str]
    registration: Optional[Registration]

    def __init__(self, core: object) -> None: ...
    @property
    def contact(self) -> str: ...
    async def register(
        self,
        expires: int = 3600,
        timeout: Optional[float] = 32.0,
        keep: bool = False,
        contact: Optional[str] = None,
    ) -> Registration: ...
    def invite(self, to: str, *args: Any, **options: Any) -> Call: ...
    async def call(self, to: str, *args: Any, **options: Any) -> Call: ...
    async def message(self, to: str, *args: Any, **options: Any) -> Response: ...
    async def request(self, method: str, to: str, *args: Any, **options: Any) -> Response: ...
    async def options(self, to: str, *args: Any, **options: Any) -> Response: ...
    async def subscribe(self, to: str, event: str, *args: Any, **options: Any) -> Subscription: ...
    async def publish(
        self, to: str, event: str, body: Body, content_type: str, *args: Any, **options: Any
    ) -> Publication: ...
    def is_named_by(self, uri: str) -> bool: ...

class Endpoint:
    identity: Optional[str]

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
        session_expires: Optional[int] = None,
        resolv_conf: Optional[str] = None,
        keepalive: Optional[int] = None,
        on_error: Optional[Callable[[Fault], object]] = None,
    ) -> None: ...
    async def __aenter__(self) -> Endpoint: ...
    async def __aexit__(
        self, *exc_info: Union[Type[BaseException], BaseException, TracebackType, None]
    ) -> None: ...
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
    async def close(self, timeout: float = 1.0) -> None: ...
    async def wait_closed(self, timeout: Optional[float] = None) -> bool: ...
    def on(self, kind: type, handler: Callable[[Any], object]) -> None: ...
    def off(self, kind: type, handler: Callable[[Any], object]) -> None: ...
    def events(self, timeout: Optional[float] = None) -> EventStream: ...
    def add_credentials(self, user: str, password: str, realm: Optional[str] = None) -> None: ...
    def clear_credentials(self) -> None: ...
    async def register(
        self,
        registrar: str,
        aor: Optional[str] = None,
        contact: Optional[str] = None,
        expires: int = 3600,
        timeout: Optional[float] = 32.0,
        keep: bool = False,
    ) -> Registration: ...
    async def bindings(
        self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0
    ) -> List[str]: ...
    async def unregister_all(
        self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0
    ) -> None: ...
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
        follow_redirects: int = 0,
        session_expires: Optional[int] = None,
        asserted_identity: Union[None, str, Iterable[str]] = None,
        privacy: Union[str, Iterable[str]] = (),
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
        follow_redirects: int = 0,
        session_expires: Optional[int] = None,
        asserted_identity: Union[None, str, Iterable[str]] = None,
        privacy: Union[str, Iterable[str]] = (),
    ) -> Call: ...
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
        large: bool = False,
    ) -> Response: ...
    async def options(
        self,
        to: str,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    def watch(self, uri: str, interval: float = 30.0) -> Watch: ...
    async def subscribe(
        self,
        to: str,
        event: str,
        expires: int = 3600,
        accept: Union[None, str, Iterable[str]] = None,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        resubscribe: bool = True,
        timeout: Optional[float] = 32.0,
    ) -> Subscription: ...
    async def publish(
        self,
        to: str,
        event: str,
        body: Body,
        content_type: str,
        expires: int = 3600,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Publication: ...
