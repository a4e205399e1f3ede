"""SIP telephony from Python, on libeXosip2 or Sofia-SIP.

>>> import sipbridge
>>> with sipbridge.Endpoint("udp://127.0.0.1:0") as phone:
...     phone.on(sipbridge.IncomingCall, lambda event: event.call.answer(b"v=0..."))

Start with :class:`Endpoint`. Every exception is a :class:`SipbridgeError`.
"""

from __future__ import absolute_import, division, print_function

try:
    from sipbridge._version import __version__
    from sipbridge.call import Call
    from sipbridge.endpoint import Endpoint
    from sipbridge.engine import Worker
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
    from sipbridge.fault import Fault
    from sipbridge.headers import Headers
    from sipbridge.identity import ANONYMOUS
    from sipbridge.notifier import Notifier
    from sipbridge.publication import Publication
    from sipbridge.reason import Reason
    from sipbridge.registration import Registration
    from sipbridge.response import Response
    from sipbridge.subscription import Subscription
    from sipbridge.tls import Tls
    from sipbridge.transfer import Transfer
    from sipbridge.watch import Watch
except KeyboardInterrupt:
    from sipbridge import _interrupted

    _interrupted.end_command()
    raise

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
