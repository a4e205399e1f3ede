from __future__ import absolute_import, division, print_function

from sipbridge._version import __version__ as __version__
from sipbridge.call import Call as Call
from sipbridge.endpoint import Endpoint as Endpoint
from sipbridge.engine import Worker as Worker
from sipbridge.engine import available as engines
from sipbridge.errors import (
    AuthenticationError,
    CallStateError,
    EngineError,
    EngineLost,
    InputError,
    NotSupportedError,
    PeerUnreachable,
    ResponseError,
    SipbridgeError,
    TimeoutError,
    TransportError,
    UnreachableContactWarning,
    UnshieldedEngineWarning,
)
from sipbridge.events import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallReinvited,
    EngineFailed,
    EngineRestarted,
    IncomingCall,
    InfoReceived,
    MessageReceived,
    NotifyReceived,
    PeerAvailable,
    PeerUnavailable,
    PublicationChanged,
    RegistrationChanged,
    RequestReceived,
    SubscriptionChanged,
    SubscriptionRefreshed,
    SubscriptionRequested,
    SubscriptionTerminated,
    TraceMessage,
    TransferProgress,
    TransferRequested,
)
from sipbridge.fault import Fault as Fault
from sipbridge.headers import Headers as Headers
from sipbridge.identity import ANONYMOUS as ANONYMOUS
from sipbridge.notifier import Notifier as Notifier
from sipbridge.publication import Publication as Publication
from sipbridge.reason import Reason as Reason
from sipbridge.registration import Registration as Registration
from sipbridge.response import Response as Response
from sipbridge.subscription import Subscription as Subscription
from sipbridge.tls import Tls as Tls
from sipbridge.transfer import Transfer as Transfer
from sipbridge.watch import Watch as Watch

__all__ = [
    "ANONYMOUS",
    "AuthenticationError",
    "Call",
    "CallAnswered",
    "CallConfirmed",
    "CallEnded",
    "CallProgress",
    "CallReinvited",
    "CallStateError",
    "Endpoint",
    "EngineError",
    "EngineFailed",
    "EngineLost",
    "EngineRestarted",
    "Fault",
    "Headers",
    "IncomingCall",
    "InfoReceived",
    "InputError",
    "MessageReceived",
    "NotSupportedError",
    "Notifier",
    "NotifyReceived",
    "PeerAvailable",
    "PeerUnavailable",
    "PeerUnreachable",
    "Publication",
    "PublicationChanged",
    "Reason",
    "Registration",
    "RegistrationChanged",
    "RequestReceived",
    "Response",
    "ResponseError",
    "SipbridgeError",
    "Subscription",
    "SubscriptionChanged",
    "SubscriptionRefreshed",
    "SubscriptionRequested",
    "SubscriptionTerminated",
    "TimeoutError",
    "Tls",
    "TraceMessage",
    "Transfer",
    "TransferProgress",
    "TransferRequested",
    "TransportError",
    "UnreachableContactWarning",
    "UnshieldedEngineWarning",
    "Watch",
    "Worker",
    "__version__",
    "engines",
]
