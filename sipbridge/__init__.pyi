from __future__ import absolute_import, division, print_function

from sipbridge._agent.endpoint import Endpoint as Endpoint
from sipbridge._agent.fault import Fault as Fault
from sipbridge._agent.watch import Watch as Watch
from sipbridge._call.call import Call as Call
from sipbridge._call.transfer import Transfer as Transfer
from sipbridge._engine.libraries import available as engines
from sipbridge._engine.response import Response as Response
from sipbridge._engine.worker import Worker as Worker
from sipbridge._kept.notifier import Notifier as Notifier
from sipbridge._kept.publication import Publication as Publication
from sipbridge._kept.registration import Registration as Registration
from sipbridge._kept.subscription import Subscription as Subscription
from sipbridge._version import __version__ as __version__
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
from sipbridge.headers import Headers as Headers
from sipbridge.identity import ANONYMOUS as ANONYMOUS
from sipbridge.reason import Reason as Reason
from sipbridge.tls import Tls as Tls

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
