"""SIP telephony from Python, on libeXosip2 or Sofia-SIP.

>>> import sipbridge
>>> with sipbridge.Endpoint("udp://127.0.0.1:0") as phone:
...     phone.on(sipbridge.IncomingCall, lambda event: event.call.answer(b"v=0..."))

Start with help(sipbridge.Endpoint). Every exception is a SipbridgeError.

    Endpoint            one SIP user agent on one address: calls, messages, registrations
    Worker              its engine in a process of its own, which is replaced when it dies
    Container           its engine in a container that your program starts; Python 3 alone
    Sidecar             its engine at a UNIX socket, where another container or service runs it
    Call, Transfer, Bridge
                        a call; what its peer was asked to do; two calls that are connected
    Registration, Subscription, Publication, Notifier, Watch
                        what is kept up: made by an Endpoint, or asked for by a peer
    Observer            is told what happens at an endpoint: for logs, metrics, reports of errors
    FlightRecorder      keeps the last messages, and writes them when something goes wrong
    engines             the engines that there are, and their versions

What endpoint.on() and endpoint.events() tell of:

    IncomingCall, CallProgress, CallAnswered, CallConfirmed, CallReinvited, CallEnded
    MessageReceived, InfoReceived, RequestReceived
    TransferRequested, TransferProgress, BridgeChanged
    RegistrationChanged, PublicationChanged
    SubscriptionChanged, NotifyReceived
    SubscriptionRequested, SubscriptionRefreshed, SubscriptionTerminated
    PeerAvailable, PeerUnavailable
    EngineRestarted, EngineFailed, TraceMessage

What is raised, and what is warned of:

    SipbridgeError      all of the following
    InputError          an argument is wrong; nothing was sent
    ResponseError       the peer refused; AuthenticationError: for want of credentials
    TimeoutError        no answer in time
    TransportError      an address cannot be used; PeerUnreachable: nobody was reached
    CallStateError      not possible in this state; CallHungUp: the call has ended
    NotSupportedError   not with this engine
    EngineError         the engine failed; EngineLost: its process
    Fault               what on_error is told of: an exception in a handler
    UnreachableContactWarning, UnshieldedEngineWarning

Values:

    Headers, Response   of a message; what a peer answered
    Source              where a message came from
    NameAddr            what parse_address(text) makes of an address
    Reason, Tls, ANONYMOUS
                        why a call ended; certificates; a From that hides who calls
    Health, Problem     how an endpoint is, and what is wrong with it

Modules: aio (the same for asyncio), sdp, payload, negotiation, message_summary, identity, reason, uri,
record, flight, hep, ladder, shield, access, health, metrics. docs/ has a page for each topic.
"""

from __future__ import absolute_import, division, print_function

import importlib as _importlib
import sys as _sys
import types as _types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

    from sipbridge._agent.endpoint import Endpoint
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.health import Health, Problem
    from sipbridge._agent.observers import Observer
    from sipbridge._agent.watch import Watch
    from sipbridge._call.bridge import Bridge
    from sipbridge._call.call import Call
    from sipbridge._call.transfer import Transfer
    from sipbridge._engine.container import Container
    from sipbridge._engine.libraries import available as engines
    from sipbridge._engine.records import Source
    from sipbridge._engine.response import Response
    from sipbridge._engine.sidecar import Sidecar
    from sipbridge._engine.worker import Worker
    from sipbridge._kept.notifier import Notifier
    from sipbridge._kept.publication import Publication
    from sipbridge._kept.registration import Registration
    from sipbridge._kept.subscription import Subscription
    from sipbridge._version import __version__
    from sipbridge.errors import (
        AuthenticationError,
        CallHungUp,
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
        BridgeChanged,
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
    from sipbridge.flight import FlightRecorder
    from sipbridge.headers import Headers
    from sipbridge.identity import ANONYMOUS
    from sipbridge.reason import Reason
    from sipbridge.tls import Tls
    from sipbridge.uri import NameAddr, parse_address

#: The module of each name. It is imported when the name is first used.
_FROM = {
    "sipbridge._engine.libraries": "available",
    "sipbridge.errors": (
        "AuthenticationError CallHungUp CallStateError EngineError EngineLost InputError NotSupportedError"
        " PeerUnreachable ResponseError SipbridgeError TimeoutError TransportError UnreachableContactWarning"
        " UnshieldedEngineWarning"
    ),
    "sipbridge.events": (
        "BridgeChanged CallAnswered CallConfirmed CallEnded CallProgress CallReinvited EngineFailed EngineRestarted"
        " IncomingCall InfoReceived MessageReceived NotifyReceived PeerAvailable PeerUnavailable"
        " PublicationChanged RegistrationChanged RequestReceived SubscriptionChanged SubscriptionRefreshed"
        " SubscriptionRequested SubscriptionTerminated TraceMessage TransferProgress TransferRequested"
    ),
    "sipbridge._agent.endpoint": "Endpoint",
    "sipbridge._agent.fault": "Fault",
    "sipbridge._agent.health": "Health Problem",
    "sipbridge._agent.observers": "Observer",
    "sipbridge._agent.watch": "Watch",
    "sipbridge._call.bridge": "Bridge",
    "sipbridge._call.call": "Call",
    "sipbridge._call.transfer": "Transfer",
    "sipbridge._engine.records": "Source",
    "sipbridge._engine.response": "Response",
    "sipbridge._engine.container": "Container",
    "sipbridge._engine.sidecar": "Sidecar",
    "sipbridge._engine.worker": "Worker",
    "sipbridge._kept.notifier": "Notifier",
    "sipbridge._kept.publication": "Publication",
    "sipbridge._kept.registration": "Registration",
    "sipbridge._kept.subscription": "Subscription",
    "sipbridge._version": "__version__",
    "sipbridge.flight": "FlightRecorder",
    "sipbridge.headers": "Headers",
    "sipbridge.identity": "ANONYMOUS",
    "sipbridge.reason": "Reason",
    "sipbridge.tls": "Tls",
    "sipbridge.uri": "NameAddr parse_address",
}
_MODULES = dict((name, module) for module, names in _FROM.items() for name in names.split())
_MODULES["engines"] = _MODULES.pop("available")

__all__ = [
    "ANONYMOUS",
    "AuthenticationError",
    "Bridge",
    "BridgeChanged",
    "Call",
    "CallAnswered",
    "CallConfirmed",
    "CallEnded",
    "CallHungUp",
    "CallProgress",
    "CallReinvited",
    "CallStateError",
    "Container",
    "Endpoint",
    "EngineError",
    "EngineFailed",
    "EngineLost",
    "EngineRestarted",
    "Fault",
    "FlightRecorder",
    "Headers",
    "Health",
    "IncomingCall",
    "InfoReceived",
    "InputError",
    "MessageReceived",
    "NameAddr",
    "NotSupportedError",
    "Notifier",
    "NotifyReceived",
    "Observer",
    "PeerAvailable",
    "PeerUnavailable",
    "PeerUnreachable",
    "Problem",
    "Publication",
    "PublicationChanged",
    "Reason",
    "Registration",
    "RegistrationChanged",
    "RequestReceived",
    "Response",
    "ResponseError",
    "Sidecar",
    "SipbridgeError",
    "Source",
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
    "parse_address",
]

if not TYPE_CHECKING and _sys.version_info[0] < 3:  # the Docker SDK that it needs is for Python 3
    __all__.remove("Container")
    del _MODULES["Container"]


class _Package(_types.ModuleType):
    """This module. It fetches each name when you first use it. (Python 2.7 has no module-level __getattr__.)"""

    def __getattr__(self, name):
        # type: (str) -> Any
        module = _MODULES.get(name)
        if module is None:
            raise AttributeError("module %r has no attribute %r" % (__name__, name))
        value = getattr(_importlib.import_module(module), "available" if name == "engines" else name)
        setattr(self, name, value)
        return value

    def __dir__(self):
        # type: () -> List[str]
        """The public names. None for pydoc: it would describe each class to the last method that it has from tuple."""
        if _is_asked_by("pydoc"):
            return []
        public = [name for name, value in vars(self).items() if isinstance(value, _types.ModuleType) and name[0] != "_"]
        return sorted(set(__all__ + public).union(name for name in vars(self) if name[:2] == "__"))


def _is_asked_by(module):
    # type: (str) -> bool
    """Whether one of the next callers is in that module."""
    frame = _sys._getframe(2)  # type: Any
    for _ in range(3):
        if frame is None or frame.f_globals.get("__name__") == module:
            return frame is not None
        frame = frame.f_back
    return False


def _replace():
    # type: () -> None
    package = _Package(__name__, __doc__)
    package.__dict__.update(globals(), _replaced=_sys.modules[__name__])  # Python 2 empties a module that nobody holds
    _sys.modules[__name__] = package


_replace()
