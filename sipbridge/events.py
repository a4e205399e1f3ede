"""The events of an endpoint: small, immutable, each with its own type.

``body`` and ``sdp`` are bytes as they came, ``sdp`` being None where the message had no body; ``headers`` is a
:class:`~sipbridge.Headers`; ``status`` and ``reason`` are a response's (RFC 3261, 7.2).
Each event also has ``time`` and ``source``, which are no fields of its tuple: docs/sources.md.
"""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple
from sipbridge._engine.records import Sourced, Told
from sipbridge._later import later
from sipbridge._text.pattern import Pattern
from sipbridge.errors import EngineLost, PeerUnreachable
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import FrozenSet, Literal, Optional, Tuple, Union

    from sipbridge import identity as _identity
    from sipbridge import reason as _reason
    from sipbridge import replaces as _replaces
    from sipbridge._agent.watch import Watch
    from sipbridge._call.bridge import Bridge
    from sipbridge._call.call import Call
    from sipbridge._call.incoming import IncomingRequest
    from sipbridge._call.transfer import Transfer
    from sipbridge._kept.notifier import Notifier
    from sipbridge._kept.publication import Publication
    from sipbridge._kept.registration import Registration
    from sipbridge._kept.subscription import Subscription
    from sipbridge._text import subscription_state as _subscription_state
    from sipbridge._text.arguments import Body
    from sipbridge._text.subscription_state import SubscriptionState
    from sipbridge.headers import HeaderFields, Headers
    from sipbridge.reason import Reason
    from sipbridge.replaces import Replaces
    from sipbridge.uri import NameAddr

    #: Why a call ended.
    Cause = Literal[
        "local-bye", "remote-bye", "cancelled", "rejected", "redirected", "timeout", "unreachable", "failed",
        "engine-lost",
    ]  # fmt: skip
else:
    _identity, _reason, _replaces, _subscription_state = later(
        "sipbridge.identity", "sipbridge.reason", "sipbridge.replaces", "sipbridge._text.subscription_state"
    )

_DTMF_RELAY = Pattern(r"^\s*Signal\s*=\s*([0-9A-Da-d*#])\s*$", re.MULTILINE)
_DTMF = Pattern(r"\A\s*([0-9A-Da-d*#])\s*\Z")


class IncomingCall(NamedTuple("IncomingCall", [
    ("call", "Call"), ("headers", "Headers"), ("sdp", "Optional[bytes]"),
]), Told):
    """An INVITE arrived (RFC 3261, 13.3). Answer with the methods of ``call``, now or later."""

    __slots__ = ()

    def defer(self, seconds=150.0):
        # type: (float) -> None
        """Answer later, from any thread; when nobody has in so many seconds from now on, the call is refused with 480.

        Without this it may ring for as long as the caller likes. Raises CallStateError when it was answered before,
        and InputError.
        """
        self.call._defer(seconds)

    @property
    def replaces(self):
        # type: () -> Optional[Call]
        """The :class:`~sipbridge.Call` that this one is to take the place of (RFC 3891), or None.

        Answering hangs that one up. Whether the caller may do that is yours to decide: it knew the tags.
        """
        return self.call.replaces

    @property
    def asserted_identities(self):
        # type: () -> Tuple[NameAddr, ...]
        """Who the caller is according to the network (P-Asserted-Identity, RFC 3325): NameAddrs, may be empty.

        Believe it only where the message came from a server that you trust.
        """
        return _identity.asserted_identities(self.headers)

    @property
    def privacy(self):
        # type: () -> FrozenSet[str]
        """What the caller wants to be hidden (Privacy, RFC 3323): a frozenset as of "id", "user", "none"."""
        return _identity.privacy(self.headers)


class CallProgress(NamedTuple("CallProgress", [
    ("call", "Call"), ("status", "int"), ("reason", "str"), ("headers", "Headers"),
    ("sdp", "Optional[bytes]"),
]), Told):
    """A provisional response, 101 to 199, to a call of ours: 180 ringing, 183 with early media."""

    __slots__ = ()


class CallAnswered(NamedTuple("CallAnswered", [
    ("call", "Call"), ("status", "int"), ("reason", "str"), ("headers", "Headers"),
    ("sdp", "Optional[bytes]"),
]), Told):
    """The peer took a call of ours (2xx). It has been acknowledged unless ``call.state`` is "answered"."""

    __slots__ = ()


class CallConfirmed(NamedTuple("CallConfirmed", [
    ("call", "Call"), ("headers", "Headers"), ("sdp", "Optional[bytes]"),
]), Told):
    """The ACK for our 2xx arrived, to an INVITE or a re-INVITE (RFC 3261, 13.3.1.4)."""

    __slots__ = ()


class CallEnded(NamedTuple("CallEnded", [
    ("call", "Call"), ("cause", "Cause"), ("status", "int"), ("reason", "str"), ("headers", "Headers"),
]), Told):
    """A call is over; the last event of each call.

    ``cause`` is "local-bye", "remote-bye", "cancelled", "rejected", "redirected", "timeout", "unreachable", "failed" or
    "engine-lost"; ``status`` the code that goes with it (200 for a BYE, 487 for a CANCEL, 408 for no answer, 503 where
    ours reached nobody, the library lost the call, or its engine was lost).
    """

    __slots__ = ()

    @property
    def error(self):
        # type: () -> Union[EngineLost, PeerUnreachable, None]
        """What ``reason`` tells of, as an exception, or None: an :class:`~sipbridge.EngineLost` where the call's engine
        was lost, a :class:`~sipbridge.PeerUnreachable` where its INVITE reached nobody.
        """
        if self.cause == "engine-lost":
            error = EngineLost(self.reason)  # type: Union[EngineLost, PeerUnreachable]
        elif self.cause == "unreachable":
            error = PeerUnreachable("call to %s: %s" % (self.call.remote_uri, self.reason), self.reason)
        else:
            return None
        error.call = self.call
        return error

    @property
    def reasons(self):
        # type: () -> Tuple[Reason, ...]
        """Why, in the Reason headers of the last message (RFC 3326): :class:`~sipbridge.Reason`, may be empty."""
        return _reason.parse_reasons(self.headers)


class RequestReceived(NamedTuple("RequestReceived", [
    ("call", "Optional[Call]"), ("method", "str"), ("headers", "Headers"), ("body", "bytes"),
    ("request", "IncomingRequest"),
]), Told):
    """A request arrived, within a call or, with ``call`` None, outside of any.

    When its handler returns without an answer, the endpoint answers: 200 to INFO and MESSAGE, 501 to others; 500 when
    it raises something. See :meth:`defer`.
    """

    __slots__ = ()

    def defer(self, seconds=25.0):
        # type: (float) -> None
        """Answer later, from any thread; when nobody has in so many seconds from now on, the endpoint answers.

        The peer waits for 32 s (RFC 3261, 17.1.2.2). Raises CallStateError when it was answered before, and InputError.
        """
        self.request.defer(seconds)

    @property
    def content_type(self):
        # type: () -> Optional[str]
        """The Content-Type as it stands, or None."""
        return self.headers.get("Content-Type")

    @property
    def from_uri(self):
        # type: () -> str
        """The URI in From."""
        return address_uri(self.headers.get("From", ""))

    @property
    def to_uri(self):
        # type: () -> str
        """The URI in To."""
        return address_uri(self.headers.get("To", ""))

    def answer(self, status=200, reason=None, body=None, content_type=None, headers=()):
        # type: (int, Optional[str], Optional[Body], Optional[str], HeaderFields) -> None
        """Answer with a final response, 200 to 699 (RFC 3261, 8.2.6).

        Raises CallStateError when it was answered before or its call has ended, and InputError.
        """
        self.request.answer(status, reason, body, content_type, headers)


class InfoReceived(RequestReceived):
    """An INFO within a call (RFC 6086)."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def call(self):
            # type: () -> Call
            raise NotImplementedError

    @property
    def dtmf(self):
        # type: () -> Optional[str]
        """The key, "0" to "9", "*", "#", "A" to "D", of a dtmf-relay or dtmf body; else None."""
        kind = (self.content_type or "").partition(";")[0].strip().lower()
        pattern = {"application/dtmf-relay": _DTMF_RELAY, "application/dtmf": _DTMF}.get(kind)
        found = pattern.search(self.body.decode("latin-1")) if pattern else None
        return found.group(1).upper() if found else None


class TransferRequested(RequestReceived):
    """The peer of a call asks us to call somebody else (REFER, RFC 3515), mostly in its place.

    When its handler returns without an answer, the endpoint answers 603.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def call(self):
            # type: () -> Call
            raise NotImplementedError

    @property
    def target(self):
        # type: () -> str
        """The URI to call, text."""
        return _replaces.target_of(self.headers)

    @property
    def replaces(self):
        # type: () -> Optional[Replaces]
        """Which dialog of the target the new call is to replace (RFC 3891): a Replaces, or None: none."""
        return _replaces.replaces_of(self.headers)

    @property
    def referred_by(self):
        # type: () -> Optional[str]
        """The URI in Referred-By (RFC 3892): who says to be asking for it; None when not told."""
        value = self.headers.get("Referred-By")
        return None if value is None else address_uri(value)

    def accept(self, sdp=None, headers=(), from_=None, route=None):
        # type: (Optional[Body], HeaderFields, Optional[str], Optional[str]) -> Call
        """Call the target, and return the new :class:`~sipbridge.Call` at once, in the state "calling".

        Arguments as for ``Endpoint.invite``. The peer is told how the new call goes until it is answered or has
        failed (RFC 3515, 2.4.5); the old one stays up until either side hangs up. Raises CallStateError when
        this was answered before or the call with the peer has ended, InputError and EngineError.
        """
        return self.call._accept_transfer(self, sdp, headers, {"from_": from_, "route": route})

    def reject(self, status=603, reason=None):
        # type: (int, Optional[str]) -> None
        """Refuse, 300 to 699. Raises CallStateError and InputError."""
        self.request.refuse(status, reason)


class TransferProgress(NamedTuple("TransferProgress", [
    ("call", "Call"), ("transfer", "Transfer"), ("status", "int"), ("reason", "str"), ("final", "bool"),
]), Told):
    """The peer tells how a transfer goes: the status of the target's response, a 2xx when it has taken the call.

    ``final``: this was the last of them. ``status`` below 200 then: the peer does not know how it went.
    """

    __slots__ = ()


class MessageReceived(RequestReceived):
    """A MESSAGE (RFC 3428), within a call or, with ``call`` None, outside of any.

    When there is neither a handler nor an iterator to see it, the endpoint answers 480.
    """

    __slots__ = ()

    @property
    def text(self):
        # type: () -> str
        """The body as text: UTF-8 (RFC 3428, 7), what is none replaced."""
        return self.body.decode("utf-8", "replace")


class CallReinvited(NamedTuple("CallReinvited", [
    ("call", "Call"), ("headers", "Headers"), ("sdp", "Optional[bytes]"), ("request", "IncomingRequest"),
]), Told):
    """A re-INVITE arrived (RFC 3261, 14.2): a new offer, a hold, a resume.

    When its handler returns without an answer, the endpoint answers 200 with the SDP that was given last, its
    directions as the offer asks for (RFC 3264, 6.1): a hold is answered "recvonly", the resume as before.
    """

    __slots__ = ()

    def defer(self, seconds=25.0):
        # type: (float) -> None
        """Answer later, from any thread; as :meth:`RequestReceived.defer`. Until then no offer of ours can be made."""
        self.request.defer(seconds)

    def answer(self, sdp=None, headers=()):
        # type: (Optional[bytes], HeaderFields) -> None
        """Accept it with 200 and this SDP, bytes. Raises CallStateError when it was answered before."""
        self.request.accept(sdp, headers)

    def reject(self, status=488, reason=None, headers=()):
        # type: (int, Optional[str], HeaderFields) -> None
        """Refuse it, 300 to 699; the session stays as it was. Raises CallStateError and InputError."""
        self.request.refuse(status, reason, headers)


class BridgeChanged(NamedTuple("BridgeChanged", [
    ("bridge", "Bridge"), ("state", "str"), ("status", "int"), ("reason", "str"),
]), Told):
    """Two calls were connected (``state`` is "connected"), or both have ended ("ended": ``bridge.cause`` says why)."""

    __slots__ = ()


class RegistrationChanged(NamedTuple("RegistrationChanged", [
    ("registration", "Registration"), ("state", "str"), ("status", "int"), ("reason", "str"),
    ("expires", "int"),
]), Told):
    """The registrar answered: ``state`` is "active" (granted for ``expires`` seconds), "ended" or "failed".

    With ``keep=True`` a failure may also make it "waiting" (for ``registration.retry_in`` seconds), and after that
    "pending".
    """

    __slots__ = ()


class PeerAvailable(NamedTuple("PeerAvailable", [
    ("watch", "Watch"), ("uri", "str"), ("status", "int"), ("reason", "str"),
]), Told):
    """A peer that is watched is there: for the first time, or again. It answered OPTIONS with ``status``."""

    __slots__ = ()


class PeerUnavailable(NamedTuple("PeerUnavailable", [
    ("watch", "Watch"), ("uri", "str"), ("status", "int"), ("reason", "str"),
]), Told):
    """A peer that is watched is not there: it does not answer (408), cannot be reached (503), or a proxy says so."""

    __slots__ = ()


class SubscriptionChanged(NamedTuple("SubscriptionChanged", [
    ("subscription", "Subscription"), ("state", "str"), ("status", "int"), ("reason", "str"),
    ("expires", "int"),
]), Told):
    """News of a subscription of ours.

    ``state`` is "active" (granted for ``expires`` seconds), "retrying", "ended" or "failed". ``status`` and
    ``reason`` are the response's; for one that the notifier ended 0 and what it says, as "noresource" (RFC 6665,
    4.1.3).
    """

    __slots__ = ()


class NotifyReceived(NamedTuple("NotifyReceived", [
    ("subscription", "Subscription"), ("headers", "Headers"), ("body", "bytes"),
]), Told):
    """A NOTIFY in a subscription of ours (RFC 6665, 4.1.3). It has been answered."""

    __slots__ = ()

    @property
    def content_type(self):
        # type: () -> Optional[str]
        """The Content-Type as it stands, or None."""
        return self.headers.get("Content-Type")

    @property
    def event(self):
        # type: () -> str
        """The event package with its parameters."""
        return self.headers.get("Event", "")

    @property
    def subscription_state(self):
        # type: () -> SubscriptionState
        """What it says of the subscription: a :class:`~sipbridge._text.subscription_state.SubscriptionState`."""
        return _subscription_state.parse_subscription_state(self.headers.get("Subscription-State", ""))


class SubscriptionRequested(NamedTuple("SubscriptionRequested", [
    ("notifier", "Notifier"), ("headers", "Headers"), ("body", "bytes"),
]), Told):
    """Somebody subscribes to a state here (RFC 6665, 4.2). Answer it before the handler returns, or :meth:`defer` that.

    What no handler answered is refused with 489, as an event package that is not known.
    """

    __slots__ = ()

    def defer(self, seconds=25.0):
        # type: (float) -> None
        """Answer later, from any thread; as :meth:`RequestReceived.defer`."""
        self.notifier._defer(seconds)

    @property
    def package(self):
        # type: () -> str
        """The event package without parameters, as "presence"."""
        return self.notifier.package

    def accept(self, expires=None, status=200):
        # type: (Optional[int], int) -> Notifier
        """As :meth:`Notifier.accept`, which it returns."""
        return self.notifier.accept(expires, status)

    def reject(self, status=403, reason=None):
        # type: (int, Optional[str]) -> None
        """As :meth:`Notifier.reject`."""
        self.notifier.reject(status, reason)


class SubscriptionRefreshed(NamedTuple("SubscriptionRefreshed", [
    ("notifier", "Notifier"), ("expires", "int"),
]), Told):
    """A subscriber of ours asked for ``expires`` seconds more, and has them. It was told the same again."""

    __slots__ = ()


class SubscriptionTerminated(NamedTuple("SubscriptionTerminated", [
    ("notifier", "Notifier"), ("status", "int"), ("reason", "str"),
]), Told):
    """A subscriber of ours is gone: it unsubscribed or let it run out (``status`` 0), took the last NOTIFY (200), or
    refused one or was silent (its status; 408), or the engine was lost (503).
    """

    __slots__ = ()


class PublicationChanged(NamedTuple("PublicationChanged", [
    ("publication", "Publication"), ("state", "str"), ("status", "int"), ("reason", "str"),
    ("expires", "int"),
]), Told):
    """The compositor answered: ``state`` is "active" (for ``expires`` seconds), "retrying", "ended" or "failed"."""

    __slots__ = ()


class TraceMessage(NamedTuple("TraceMessage", [
    ("outgoing", "bool"), ("peer", "str"), ("data", "bytes"), ("time", "float"),
]), Sourced):
    """A message passed: sent or not, "host:port" of the peer, its octets, and seconds since 1970."""

    __slots__ = ()


class EngineRestarted(NamedTuple("EngineRestarted", [("reason", "str"), ("seconds", "float")]), Told):
    """A worker died or hung, for that reason, and ``seconds`` later another was in its place, on the same port.

    Its calls have had their CallEnded; credentials and registrations are there again. See docs/reliability.md.
    """

    __slots__ = ()


class EngineFailed(NamedTuple("EngineFailed", [("reason", "str")]), Told):
    """A worker died too often and was given up. Each command to this endpoint raises EngineLost from now on."""

    __slots__ = ()


if TYPE_CHECKING:
    #: What an endpoint tells.
    Event = Union[
        IncomingCall, CallProgress, CallAnswered, CallConfirmed, CallEnded, CallReinvited, InfoReceived,
        MessageReceived, TransferRequested, RequestReceived, TransferProgress, BridgeChanged, RegistrationChanged,
        SubscriptionChanged, NotifyReceived, SubscriptionRequested, SubscriptionRefreshed,
        SubscriptionTerminated, PublicationChanged, PeerAvailable, PeerUnavailable, EngineRestarted,
        EngineFailed,
    ]  # fmt: skip
else:
    Event = tuple
