# Written by tools/checks/aio_stub.py.
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Literal,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
    overload,
    type_check_only,
)

from sipbridge import events
from sipbridge._access.authenticator import Authenticator
from sipbridge._access.bans import BanList
from sipbridge._access.limits import SourceLimits
from sipbridge._agent import configuration, streams
from sipbridge._agent.fault import Fault
from sipbridge._agent.health import Health
from sipbridge._agent.observers import Observer
from sipbridge._agent.pool import HandlerStatistics
from sipbridge._call.keys import Digits
from sipbridge._engine.choice import Engine
from sipbridge._engine.records import Source
from sipbridge._engine.response import Response
from sipbridge._text.arguments import Body
from sipbridge.errors import SipbridgeError
from sipbridge.events import EngineFailed as EngineFailed
from sipbridge.events import EngineRestarted as EngineRestarted
from sipbridge.events import TraceMessage as TraceMessage
from sipbridge.headers import HeaderFields, Headers
from sipbridge.hep import CaptureAgent
from sipbridge.reason import Reason
from sipbridge.record import Recorder
from sipbridge.tls import Tls

class IncomingCall(events.IncomingCall):
    @property
    def call(self) -> Call: ...  # type: ignore[override]
    @property
    def replaces(self) -> Optional[Call]: ...  # type: ignore[override]

class CallProgress(events.CallProgress):
    @property
    def call(self) -> Call: ...  # type: ignore[override]

class CallAnswered(events.CallAnswered):
    @property
    def call(self) -> Call: ...  # type: ignore[override]

class CallConfirmed(events.CallConfirmed):
    @property
    def call(self) -> Call: ...  # type: ignore[override]

class CallEnded(events.CallEnded):
    @property
    def call(self) -> Call: ...  # type: ignore[override]

class RequestReceived(events.RequestReceived):
    @property
    def call(self) -> Optional[Call]: ...  # type: ignore[override]

class InfoReceived(RequestReceived, events.InfoReceived):  # type: ignore[misc]
    @property
    def call(self) -> Call: ...  # type: ignore[override]

class TransferRequested(RequestReceived, events.TransferRequested):  # type: ignore[misc]
    @property
    def call(self) -> Call: ...  # type: ignore[override]
    def accept(  # type: ignore[override]
        self,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
    ) -> Call: ...

class TransferProgress(events.TransferProgress):
    @property
    def call(self) -> Call: ...  # type: ignore[override]
    @property
    def transfer(self) -> Transfer: ...  # type: ignore[override]

class MessageReceived(RequestReceived, events.MessageReceived):  # type: ignore[misc]
    ...

class CallReinvited(events.CallReinvited):
    @property
    def call(self) -> Call: ...  # type: ignore[override]

class BridgeChanged(events.BridgeChanged):
    @property
    def bridge(self) -> Bridge: ...  # type: ignore[override]

class RegistrationChanged(events.RegistrationChanged):
    @property
    def registration(self) -> Registration: ...  # type: ignore[override]

class PeerAvailable(events.PeerAvailable):
    @property
    def watch(self) -> Watch: ...  # type: ignore[override]

class PeerUnavailable(events.PeerUnavailable):
    @property
    def watch(self) -> Watch: ...  # type: ignore[override]

class SubscriptionChanged(events.SubscriptionChanged):
    @property
    def subscription(self) -> Subscription: ...  # type: ignore[override]

class NotifyReceived(events.NotifyReceived):
    @property
    def subscription(self) -> Subscription: ...  # type: ignore[override]

class SubscriptionRequested(events.SubscriptionRequested):
    @property
    def notifier(self) -> Notifier: ...  # type: ignore[override]
    def accept(  # type: ignore[override]
        self, expires: Optional[int] = None, status: int = 200
    ) -> Notifier: ...

class SubscriptionRefreshed(events.SubscriptionRefreshed):
    @property
    def notifier(self) -> Notifier: ...  # type: ignore[override]

class SubscriptionTerminated(events.SubscriptionTerminated):
    @property
    def notifier(self) -> Notifier: ...  # type: ignore[override]

class PublicationChanged(events.PublicationChanged):
    @property
    def publication(self) -> Publication: ...  # type: ignore[override]

Event = Union[
    IncomingCall,
    CallProgress,
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallReinvited,
    InfoReceived,
    MessageReceived,
    TransferRequested,
    RequestReceived,
    TransferProgress,
    BridgeChanged,
    RegistrationChanged,
    SubscriptionChanged,
    NotifyReceived,
    SubscriptionRequested,
    SubscriptionRefreshed,
    SubscriptionTerminated,
    PublicationChanged,
    PeerAvailable,
    PeerUnavailable,
    EngineRestarted,
    EngineFailed,
]

_Observer = TypeVar("_Observer", bound=Observer)

_Result = TypeVar("_Result")

_Served = TypeVar("_Served", bound=Callable[[Call], object])

@type_check_only
class _On(Protocol):
    @overload
    def __call__(
        self, kind: Type[events.InfoReceived], handler: Callable[[InfoReceived], object]
    ) -> None: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, kind: Type[events.InfoReceived]
    ) -> Callable[[Callable[[InfoReceived], _Result]], Callable[[InfoReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferRequested], handler: Callable[[TransferRequested], object]
    ) -> None: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, kind: Type[events.TransferRequested]
    ) -> Callable[[Callable[[TransferRequested], _Result]], Callable[[TransferRequested], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.MessageReceived], handler: Callable[[MessageReceived], object]
    ) -> None: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, kind: Type[events.MessageReceived]
    ) -> Callable[[Callable[[MessageReceived], _Result]], Callable[[MessageReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.IncomingCall], handler: Callable[[IncomingCall], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.IncomingCall]
    ) -> Callable[[Callable[[IncomingCall], _Result]], Callable[[IncomingCall], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallProgress], handler: Callable[[CallProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallProgress]
    ) -> Callable[[Callable[[CallProgress], _Result]], Callable[[CallProgress], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallAnswered], handler: Callable[[CallAnswered], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallAnswered]
    ) -> Callable[[Callable[[CallAnswered], _Result]], Callable[[CallAnswered], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallConfirmed], handler: Callable[[CallConfirmed], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallConfirmed]
    ) -> Callable[[Callable[[CallConfirmed], _Result]], Callable[[CallConfirmed], _Result]]: ...
    @overload
    def __call__(self, kind: Type[events.CallEnded], handler: Callable[[CallEnded], object]) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallEnded]
    ) -> Callable[[Callable[[CallEnded], _Result]], Callable[[CallEnded], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.RequestReceived], handler: Callable[[RequestReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.RequestReceived]
    ) -> Callable[[Callable[[RequestReceived], _Result]], Callable[[RequestReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferProgress], handler: Callable[[TransferProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferProgress]
    ) -> Callable[[Callable[[TransferProgress], _Result]], Callable[[TransferProgress], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallReinvited], handler: Callable[[CallReinvited], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallReinvited]
    ) -> Callable[[Callable[[CallReinvited], _Result]], Callable[[CallReinvited], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.BridgeChanged], handler: Callable[[BridgeChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.BridgeChanged]
    ) -> Callable[[Callable[[BridgeChanged], _Result]], Callable[[BridgeChanged], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.RegistrationChanged], handler: Callable[[RegistrationChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.RegistrationChanged]
    ) -> Callable[[Callable[[RegistrationChanged], _Result]], Callable[[RegistrationChanged], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.PeerAvailable], handler: Callable[[PeerAvailable], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.PeerAvailable]
    ) -> Callable[[Callable[[PeerAvailable], _Result]], Callable[[PeerAvailable], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.PeerUnavailable], handler: Callable[[PeerUnavailable], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.PeerUnavailable]
    ) -> Callable[[Callable[[PeerUnavailable], _Result]], Callable[[PeerUnavailable], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionChanged], handler: Callable[[SubscriptionChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionChanged]
    ) -> Callable[[Callable[[SubscriptionChanged], _Result]], Callable[[SubscriptionChanged], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.NotifyReceived], handler: Callable[[NotifyReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.NotifyReceived]
    ) -> Callable[[Callable[[NotifyReceived], _Result]], Callable[[NotifyReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionRequested], handler: Callable[[SubscriptionRequested], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionRequested]
    ) -> Callable[
        [Callable[[SubscriptionRequested], _Result]], Callable[[SubscriptionRequested], _Result]
    ]: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionRefreshed], handler: Callable[[SubscriptionRefreshed], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionRefreshed]
    ) -> Callable[
        [Callable[[SubscriptionRefreshed], _Result]], Callable[[SubscriptionRefreshed], _Result]
    ]: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionTerminated], handler: Callable[[SubscriptionTerminated], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionTerminated]
    ) -> Callable[
        [Callable[[SubscriptionTerminated], _Result]], Callable[[SubscriptionTerminated], _Result]
    ]: ...
    @overload
    def __call__(
        self, kind: Type[events.PublicationChanged], handler: Callable[[PublicationChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.PublicationChanged]
    ) -> Callable[[Callable[[PublicationChanged], _Result]], Callable[[PublicationChanged], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.TraceMessage], handler: Callable[[TraceMessage], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TraceMessage]
    ) -> Callable[[Callable[[TraceMessage], _Result]], Callable[[TraceMessage], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.EngineRestarted], handler: Callable[[EngineRestarted], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.EngineRestarted]
    ) -> Callable[[Callable[[EngineRestarted], _Result]], Callable[[EngineRestarted], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.EngineFailed], handler: Callable[[EngineFailed], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.EngineFailed]
    ) -> Callable[[Callable[[EngineFailed], _Result]], Callable[[EngineFailed], _Result]]: ...

@type_check_only
class _Off(Protocol):
    @overload
    def __call__(
        self, kind: Type[events.InfoReceived], handler: Callable[[InfoReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferRequested], handler: Callable[[TransferRequested], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.MessageReceived], handler: Callable[[MessageReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.IncomingCall], handler: Callable[[IncomingCall], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallProgress], handler: Callable[[CallProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallAnswered], handler: Callable[[CallAnswered], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallConfirmed], handler: Callable[[CallConfirmed], object]
    ) -> None: ...
    @overload
    def __call__(self, kind: Type[events.CallEnded], handler: Callable[[CallEnded], object]) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.RequestReceived], handler: Callable[[RequestReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferProgress], handler: Callable[[TransferProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallReinvited], handler: Callable[[CallReinvited], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.BridgeChanged], handler: Callable[[BridgeChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.RegistrationChanged], handler: Callable[[RegistrationChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.PeerAvailable], handler: Callable[[PeerAvailable], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.PeerUnavailable], handler: Callable[[PeerUnavailable], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionChanged], handler: Callable[[SubscriptionChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.NotifyReceived], handler: Callable[[NotifyReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionRequested], handler: Callable[[SubscriptionRequested], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionRefreshed], handler: Callable[[SubscriptionRefreshed], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.SubscriptionTerminated], handler: Callable[[SubscriptionTerminated], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.PublicationChanged], handler: Callable[[PublicationChanged], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TraceMessage], handler: Callable[[TraceMessage], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.EngineRestarted], handler: Callable[[EngineRestarted], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.EngineFailed], handler: Callable[[EngineFailed], object]
    ) -> None: ...

@type_check_only
class _OfCallOn(Protocol):
    @overload
    def __call__(
        self, kind: Type[events.InfoReceived], handler: Callable[[InfoReceived], object]
    ) -> None: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, kind: Type[events.InfoReceived]
    ) -> Callable[[Callable[[InfoReceived], _Result]], Callable[[InfoReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferRequested], handler: Callable[[TransferRequested], object]
    ) -> None: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, kind: Type[events.TransferRequested]
    ) -> Callable[[Callable[[TransferRequested], _Result]], Callable[[TransferRequested], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.MessageReceived], handler: Callable[[MessageReceived], object]
    ) -> None: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, kind: Type[events.MessageReceived]
    ) -> Callable[[Callable[[MessageReceived], _Result]], Callable[[MessageReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.IncomingCall], handler: Callable[[IncomingCall], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.IncomingCall]
    ) -> Callable[[Callable[[IncomingCall], _Result]], Callable[[IncomingCall], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallProgress], handler: Callable[[CallProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallProgress]
    ) -> Callable[[Callable[[CallProgress], _Result]], Callable[[CallProgress], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallAnswered], handler: Callable[[CallAnswered], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallAnswered]
    ) -> Callable[[Callable[[CallAnswered], _Result]], Callable[[CallAnswered], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallConfirmed], handler: Callable[[CallConfirmed], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallConfirmed]
    ) -> Callable[[Callable[[CallConfirmed], _Result]], Callable[[CallConfirmed], _Result]]: ...
    @overload
    def __call__(self, kind: Type[events.CallEnded], handler: Callable[[CallEnded], object]) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallEnded]
    ) -> Callable[[Callable[[CallEnded], _Result]], Callable[[CallEnded], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.RequestReceived], handler: Callable[[RequestReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.RequestReceived]
    ) -> Callable[[Callable[[RequestReceived], _Result]], Callable[[RequestReceived], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferProgress], handler: Callable[[TransferProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferProgress]
    ) -> Callable[[Callable[[TransferProgress], _Result]], Callable[[TransferProgress], _Result]]: ...
    @overload
    def __call__(
        self, kind: Type[events.CallReinvited], handler: Callable[[CallReinvited], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallReinvited]
    ) -> Callable[[Callable[[CallReinvited], _Result]], Callable[[CallReinvited], _Result]]: ...

@type_check_only
class _OfCallOff(Protocol):
    @overload
    def __call__(
        self, kind: Type[events.InfoReceived], handler: Callable[[InfoReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferRequested], handler: Callable[[TransferRequested], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.MessageReceived], handler: Callable[[MessageReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.IncomingCall], handler: Callable[[IncomingCall], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallProgress], handler: Callable[[CallProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallAnswered], handler: Callable[[CallAnswered], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallConfirmed], handler: Callable[[CallConfirmed], object]
    ) -> None: ...
    @overload
    def __call__(self, kind: Type[events.CallEnded], handler: Callable[[CallEnded], object]) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.RequestReceived], handler: Callable[[RequestReceived], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.TransferProgress], handler: Callable[[TransferProgress], object]
    ) -> None: ...
    @overload
    def __call__(
        self, kind: Type[events.CallReinvited], handler: Callable[[CallReinvited], object]
    ) -> None: ...

class EventStream(streams.Stream):
    def __aiter__(self) -> EventStream: ...
    async def __aenter__(self) -> EventStream: ...
    async def __aexit__(self, *exc_info: object) -> None: ...
    async def __anext__(self) -> Event: ...

class Call:
    started: float
    source: Optional[Source]
    data: Any
    answered_at: Optional[float]

    @property
    def ended_at(self) -> Optional[float]: ...
    @property
    def duration(self) -> float: ...
    @property
    def on(self) -> _OfCallOn: ...
    @property
    def off(self) -> _OfCallOff: ...
    def events(self, timeout: Optional[float] = ...) -> EventStream: ...
    def keys(self, timeout: Optional[float] = ...) -> KeyStream: ...
    async def collect(
        self, count: Optional[int] = None, terminator: Optional[str] = None, timeout: Optional[float] = 5.0
    ) -> Digits: ...
    def put_key(self, key: str) -> None: ...
    incoming: bool
    state: Literal["incoming", "calling", "accepted", "answered", "established", "ending", "ended"]
    headers: Headers
    call_id: str
    request_uri: str
    local_sdp: Optional[bytes]
    remote_sdp: Optional[bytes]
    ended: Optional[CallEnded]
    replaces: Optional[Call]
    user: Optional[str]
    bridge: Optional[Bridge]
    answer_by: Optional[float]

    @property
    def remote_uri(self) -> str: ...
    @property
    def local_uri(self) -> str: ...
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
        self, keys: str, duration_ms: int = 160, timeout: Optional[float] = 32.0, content_type: str = ...
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
    def __init__(self, core: Any) -> None: ...

class KeyStream:
    def __init__(self, core: Any) -> None: ...
    def __aiter__(self) -> KeyStream: ...
    async def __anext__(self) -> str: ...

class Bridge:
    first: Call
    second: Optional[Call]
    state: Literal["connecting", "connected", "ending", "ended"]
    cause: str
    status: int
    reason: str

    async def wait_connected(self, timeout: Optional[float] = 60.0) -> None: ...
    async def wait_ended(self, timeout: Optional[float] = None) -> None: ...
    def hangup(self, headers: HeaderFields = (), why: Optional[Reason] = None) -> None: ...
    def __init__(self, core: Any) -> None: ...

class Registration:
    aor: str
    registrar: str
    state: Literal["pending", "active", "waiting", "ended", "failed"]
    expires: int
    retry_in: float

    @property
    def error(self) -> Optional[SipbridgeError]: ...
    async def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    async def unregister(self, timeout: Optional[float] = 32.0) -> None: ...
    def __init__(self, core: Any) -> None: ...

class Subscription:
    uri: str
    event: str
    state: Literal["pending", "active", "retrying", "ended", "failed"]
    expires: int
    last: Optional[NotifyReceived]

    @property
    def error(self) -> Optional[SipbridgeError]: ...
    async def refresh(self, expires: Optional[int] = None, timeout: Optional[float] = 32.0) -> None: ...
    async def unsubscribe(self, timeout: Optional[float] = 32.0) -> None: ...
    def __init__(self, core: Any) -> None: ...

class Notifier:
    headers: Headers
    request_uri: str
    event: str
    body: bytes
    content_type: Optional[str]
    requested: int
    expires: int
    state: Literal["asked", "active", "ending", "ended"]
    answer_by: Optional[float]

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
    def __init__(self, core: Any) -> None: ...

class Publication:
    uri: str
    event: str
    etag: Optional[str]
    state: Literal["pending", "active", "retrying", "ended", "failed"]
    expires: int

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
    def __init__(self, core: Any) -> None: ...

class Transfer:
    call: Call
    target: str
    status: int
    reason: str
    state: Literal["pending", "accepted", "ended"]

    @property
    def succeeded(self) -> bool: ...
    async def wait_ended(self, timeout: Optional[float] = 60.0) -> None: ...
    def __init__(self, core: Any) -> None: ...

class Watch:
    interval: float
    uri: str
    available: Optional[bool]
    status: int

    def stop(self) -> None: ...
    def __init__(self, core: Any) -> None: ...

class Account:
    address: str
    uri: str
    registrar: Optional[str]
    registration: Optional[Registration]

    @property
    def route(self) -> Optional[str]: ...
    @property
    def contact(self) -> str: ...
    async def register(
        self,
        expires: int = 3600,
        timeout: Optional[float] = 32.0,
        keep: bool = False,
        contact: Optional[str] = None,
    ) -> Registration: ...
    def invite(
        self,
        to: str,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        *,
        content_type: str = ...,
        follow_redirects: int = 0,
        session_expires: Optional[int] = None,
        asserted_identity: Union[None, str, Iterable[str]] = None,
        privacy: Union[str, Iterable[str]] = (),
        call_id: Optional[str] = None,
    ) -> Call: ...
    async def call(
        self,
        to: str,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        *,
        content_type: str = ...,
        timeout: Optional[float] = 60.0,
        follow_redirects: int = 0,
        session_expires: Optional[int] = None,
        asserted_identity: Union[None, str, Iterable[str]] = None,
        privacy: Union[str, Iterable[str]] = (),
        call_id: Optional[str] = None,
    ) -> Call: ...
    async def message(
        self,
        to: str,
        body: Union[str, Body],
        content_type: str = "text/plain",
        headers: HeaderFields = (),
        *,
        timeout: Optional[float] = 32.0,
        large: bool = False,
    ) -> Response: ...
    async def request(
        self,
        method: str,
        to: str,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        *,
        timeout: Optional[float] = 32.0,
    ) -> Response: ...
    async def options(
        self, to: str, headers: HeaderFields = (), *, timeout: Optional[float] = 32.0
    ) -> Response: ...
    async def subscribe(
        self,
        to: str,
        event: str,
        expires: int = 3600,
        accept: Union[None, str, Iterable[str]] = None,
        body: Optional[Body] = None,
        content_type: Optional[str] = None,
        headers: HeaderFields = (),
        *,
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
        *,
        timeout: Optional[float] = 32.0,
    ) -> Publication: ...
    def is_named_by(self, uri: str) -> bool: ...
    def __init__(self, core: Any) -> None: ...

class Endpoint:
    async def bindings(
        self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0
    ) -> List[str]: ...
    async def unregister_all(
        self, registrar: str, aor: Optional[str] = None, timeout: float = 32.0
    ) -> None: ...
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
    @property
    def accounts(self) -> Tuple[Account, ...]: ...
    def add_account(
        self,
        address: str,
        user: Optional[str] = None,
        password: Optional[str] = None,
        realm: Optional[str] = None,
        registrar: Optional[str] = None,
        route: Union[None, str, Sequence[str]] = None,
    ) -> Account: ...
    def remove_account(self, account: Account) -> None: ...
    def account_of(self, event: Union[Call, IncomingCall, RequestReceived]) -> Optional[Account]: ...
    def begin_bridge(
        self,
        first: Call,
        second: Union[Call, str],
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
    ) -> Bridge: ...
    async def bridge(
        self,
        first: Call,
        second: Union[Call, str],
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 60.0,
    ) -> Bridge: ...
    def begin_click_to_call(
        self,
        first: str,
        second: str,
        flow: str = "IV",
        offer: Optional[Body] = None,
        headers: HeaderFields = (),
        first_from: Optional[str] = None,
        second_from: Optional[str] = None,
        route: Optional[str] = None,
    ) -> Bridge: ...
    async def click_to_call(
        self,
        first: str,
        second: str,
        flow: str = "IV",
        offer: Optional[Body] = None,
        headers: HeaderFields = (),
        first_from: Optional[str] = None,
        second_from: Optional[str] = None,
        route: Optional[str] = None,
        timeout: Optional[float] = 60.0,
    ) -> Bridge: ...
    def observe(self, observer: _Observer) -> _Observer: ...
    identity: Optional[str]
    hep: Optional[CaptureAgent]

    def __init__(
        self,
        address: str = "udp://127.0.0.1:0",
        identity: Optional[str] = None,
        engine: Union[str, Engine, None] = None,
        outbound_proxy: Union[None, str, Sequence[str]] = None,
        user_agent: Optional[str] = None,
        advertised: Optional[str] = None,
        trace: Optional[Callable[[TraceMessage], object]] = None,
        record: Union[None, str, Recorder] = None,
        tls: Optional[Tls] = None,
        session_expires: Optional[int] = None,
        resolv_conf: Optional[str] = None,
        keepalive: Optional[int] = None,
        on_error: Optional[Callable[[Fault], object]] = None,
        handlers: int = ...,
        trusted_proxies: Iterable[str] = (),
        source_header: Optional[str] = None,
        allow: Optional[Iterable[str]] = None,
        authenticator: Optional[Authenticator] = None,
        limits: Optional[SourceLimits] = None,
        bans: Optional[BanList] = None,
        hep: Union[None, str, CaptureAgent] = None,
        flight: Optional[configuration.Flight] = None,
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
    @property
    def refusals(self) -> Dict[str, int]: ...
    async def close(self, timeout: float = 1.0) -> None: ...
    async def drain(
        self, timeout: float = 30.0, redirect: Optional[str] = None, retry_after: int = 30
    ) -> bool: ...
    async def wait_closed(self, timeout: Optional[float] = None) -> bool: ...
    @property
    def on(self) -> _On: ...
    @property
    def off(self) -> _Off: ...
    def serve(self, handler: _Served) -> _Served: ...
    @property
    def handler_statistics(self) -> HandlerStatistics: ...
    async def health(self, timeout: float = 2.0) -> Health: ...
    def events(self, timeout: Optional[float] = ...) -> EventStream: ...
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
        call_id: Optional[str] = None,
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
        call_id: Optional[str] = None,
    ) -> Call: ...
    async def __aenter__(self) -> Endpoint: ...
    async def __aexit__(self, *exc_info: object) -> None: ...
