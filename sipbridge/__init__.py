"""SIP telephony from Python, on libeXosip2 or Sofia-SIP.

>>> import sipbridge
>>> with sipbridge.Endpoint("udp://127.0.0.1:0") as phone:
...     phone.on(sipbridge.IncomingCall, lambda event: event.call.answer(b"v=0..."))

Start with :class:`Endpoint`. Every exception is a :class:`SipbridgeError`.
"""

from __future__ import absolute_import, division, print_function

try:
    from sipbridge._agent.endpoint import Endpoint
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.watch import Watch
    from sipbridge._call.call import Call
    from sipbridge._call.transfer import Transfer
    from sipbridge._engine.libraries import available as engines
    from sipbridge._engine.response import Response
    from sipbridge._engine.worker import Worker
    from sipbridge._kept.notifier import Notifier
    from sipbridge._kept.publication import Publication
    from sipbridge._kept.registration import Registration
    from sipbridge._kept.subscription import Subscription
    from sipbridge._version import __version__
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
    from sipbridge.headers import Headers
    from sipbridge.identity import ANONYMOUS
    from sipbridge.reason import Reason
    from sipbridge.tls import Tls
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
