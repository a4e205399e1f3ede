from typing import FrozenSet, NamedTuple, Optional, Tuple, Union

from sipbridge._agent.watch import Watch
from sipbridge._call.call import Call
from sipbridge._call.incoming import IncomingRequest
from sipbridge._call.transfer import Transfer
from sipbridge._engine.content import Body
from sipbridge._kept.notifier import Notifier
from sipbridge._kept.publication import Publication
from sipbridge._kept.registration import Registration
from sipbridge._kept.subscription import Subscription
from sipbridge._text.subscription_state import SubscriptionState
from sipbridge.errors import EngineLost, PeerUnreachable
from sipbridge.headers import HeaderFields, Headers
from sipbridge.reason import Reason
from sipbridge.replaces import Replaces
from sipbridge.uri import NameAddr

class IncomingCall(NamedTuple):
    call: Call
    headers: Headers
    sdp: Optional[bytes]
    @property
    def replaces(self) -> Optional[Call]: ...
    @property
    def asserted_identities(self) -> Tuple[NameAddr, ...]: ...
    @property
    def privacy(self) -> FrozenSet[str]: ...

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
    def error(self) -> Union[EngineLost, PeerUnreachable, None]: ...
    @property
    def reasons(self) -> Tuple[Reason, ...]: ...

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

class TransferRequested(RequestReceived):
    @property
    def target(self) -> str: ...
    @property
    def replaces(self) -> Optional[Replaces]: ...
    @property
    def referred_by(self) -> Optional[str]: ...
    def accept(
        self,
        sdp: Optional[Body] = None,
        headers: HeaderFields = (),
        from_: Optional[str] = None,
        route: Optional[str] = None,
    ) -> Call: ...
    def reject(self, status: int = 603, reason: Optional[str] = None) -> None: ...

class TransferProgress(NamedTuple):
    call: Call
    transfer: Transfer
    status: int
    reason: str
    final: bool

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

class SubscriptionChanged(NamedTuple):
    subscription: Subscription
    state: str
    status: int
    reason: str
    expires: int

class NotifyReceived(NamedTuple):
    subscription: Subscription
    headers: Headers
    body: bytes
    @property
    def content_type(self) -> Optional[str]: ...
    @property
    def event(self) -> str: ...
    @property
    def subscription_state(self) -> SubscriptionState: ...

class SubscriptionRequested(NamedTuple):
    notifier: Notifier
    headers: Headers
    body: bytes
    @property
    def package(self) -> str: ...
    def accept(self, expires: Optional[int] = None, status: int = 200) -> Notifier: ...
    def reject(self, status: int = 403, reason: Optional[str] = None) -> None: ...

class SubscriptionRefreshed(NamedTuple):
    notifier: Notifier
    expires: int

class SubscriptionTerminated(NamedTuple):
    notifier: Notifier
    status: int
    reason: str

class PublicationChanged(NamedTuple):
    publication: Publication
    state: str
    status: int
    reason: str
    expires: int

class PeerAvailable(NamedTuple):
    watch: Watch
    uri: str
    status: int
    reason: str

class PeerUnavailable(NamedTuple):
    watch: Watch
    uri: str
    status: int
    reason: str

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
