from types import TracebackType
from typing import Callable, Iterable, List, Optional, Tuple, Type, TypeVar, Union

from sipbridge._agent.account import Account
from sipbridge._agent.fault import Fault
from sipbridge._agent.streams import EventStream
from sipbridge._agent.watch import Watch
from sipbridge._call.call import SDP as SDP
from sipbridge._call.call import Call
from sipbridge._engine.choice import Engine
from sipbridge._engine.content import Body
from sipbridge._engine.response import Response
from sipbridge._kept.publication import Publication
from sipbridge._kept.registration import Registration
from sipbridge._kept.subscription import Subscription
from sipbridge.events import IncomingCall, RequestReceived, TraceMessage
from sipbridge.headers import HeaderFields
from sipbridge.record import Recorder
from sipbridge.tls import Tls

_Event = TypeVar("_Event", bound=Tuple[object, ...])

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
    def __enter__(self) -> Endpoint: ...
    def __exit__(
        self,
        *exc_info: Union[Type[BaseException], BaseException, TracebackType, None],
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
    def close(self, timeout: float = 1.0) -> None: ...
    def wait_closed(self, timeout: Optional[float] = None) -> bool: ...
    def on(self, kind: Type[_Event], handler: Callable[[_Event], object]) -> None: ...
    def off(self, kind: Type[_Event], handler: Callable[[_Event], object]) -> None: ...
    def events(self, timeout: Optional[float] = None) -> EventStream: ...
    def add_credentials(self, user: str, password: str, realm: Optional[str] = None) -> None: ...
    def clear_credentials(self) -> None: ...
    def register(
        self,
        registrar: str,
        aor: Optional[str] = None,
        contact: Optional[str] = None,
        expires: int = 3600,
        timeout: Optional[float] = 32.0,
        keep: bool = False,
    ) -> Registration: ...
    def bindings(self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0) -> List[str]: ...
    def unregister_all(self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0) -> None: ...
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
    def account_of(self, event: Union[Call, IncomingCall, RequestReceived]) -> Optional[Account]: ...
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
    def call(
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
    def request(
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
    def message(
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
    def options(
        self,
        to: str,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    def watch(self, uri: str, interval: float = 30.0) -> Watch: ...
    def subscribe(
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
    def publish(
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
