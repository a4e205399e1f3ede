"""A subscription of a peer, which we notify of state (RFC 6665, 4.2)."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._text.arguments import check_delay, check_whole, is_whole
from sipbridge._text.checks import check_reason, check_status, check_token
from sipbridge._text.subscription_state import SubscriptionState
from sipbridge.errors import CallStateError, InputError, SipbridgeError
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, Optional, Tuple

    from sipbridge._engine.records import Content
    from sipbridge._kept.agent import Agent
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields, Headers

    #: The values of ``Notifier.state``.
    State = Literal["asked", "active", "ending", "ended"]


class Notifier(object):
    """The subscription of a peer to state of ours. An endpoint makes it, never you. You may use it from any thread.

    Attributes:
        headers: the :class:`~sipbridge.Headers` of the last SUBSCRIBE.
        request_uri: the URI that the peer has subscribed to, text.
        event: the event package with its parameters, like "presence".
        body, content_type: the filter in the first SUBSCRIBE (bytes), and its media type or None.
        requested: the seconds that the subscriber asked for; 0 when it wants the state once.
        expires: the seconds that we granted; 0 before that.
        answer_by: until when ``SubscriptionRequested.defer()`` leaves time for an answer (monotonic clock), or None.
        state: "asked", then "active", "ending" once the last NOTIFY is sent, "ended". A rejected one is "ended".
    """

    def __init__(self, agent, handle, request_uri, headers, body, requested):
        # type: (Agent, int, str, Headers, bytes, int) -> None
        self._agent = agent
        self._engine = agent.engine
        self._id = handle
        self._until = 0.0
        self._last = None  # type: Optional[Tuple[str, Optional[Content]]]  # state and content of the last NOTIFY
        self.headers = headers  # type: Headers
        self.request_uri = request_uri
        self.event = headers.get("Event") or ""  # type: str
        self.body = body
        self.content_type = headers.get("Content-Type")  # type: Optional[str]
        self.requested = requested
        self.expires = 0  # type: int
        self.state = "asked"  # type: State
        self.answer_by = None  # type: Optional[float]

    def __repr__(self):
        # type: () -> str
        return "<Notifier of %s for %s %s>" % (self.event, self.subscriber, self.state)

    @property
    def package(self):
        # type: () -> str
        """The event package without parameters, like "dialog"."""
        return self.event.partition(";")[0].strip()

    @property
    def subscriber(self):
        # type: () -> str
        """The URI in From: who has subscribed."""
        return address_uri(self.headers.get("From", ""))

    def accept(self, expires=None, status=200):
        # type: (Optional[int], int) -> Notifier
        """Accept the subscription with 200 or 202, for ``expires`` seconds (None: as many as were asked for).

        Call :meth:`notify` right after it (RFC 6665, 4.2.1.2). Returns this object. Raises CallStateError when it was
        answered before or is over, and InputError, also for more seconds than were asked for (4.2.1.1).
        """
        granted = self.requested if expires is None else expires
        if not is_whole(granted) or not 0 <= granted <= self.requested:
            raise InputError("expires must be whole seconds, 0 to %d, not %r" % (self.requested, expires))
        check_status(status, 200, 299)
        with self._agent.lock:
            self._engine.subscription_accept(self._id, status, granted)
            self._granted(granted)
            self.state = "active"
        return self

    def reject(self, status=403, reason=None):
        # type: (int, Optional[str]) -> None
        """Refuse the subscription with 300 to 699. 489 says that you do not know the package (RFC 6665, 8.3.2).

        ``reason`` is the reason phrase; None for the standard one. Raises CallStateError when it was answered before,
        and InputError.
        """
        with self._agent.lock:
            self._engine.subscription_reject(self._id, check_status(status, 300, 699), check_reason(reason))
            self._ended()

    def notify(self, body=None, content_type=None, state="active", headers=()):
        # type: (Optional[Body], Optional[str], str, HeaderFields) -> None
        """Send a NOTIFY with this body, bytes (RFC 6665, 4.2.2).

        ``state`` is "active", or "pending" while it is not decided whether the subscriber may know the state. Up to 64
        NOTIFYs may wait for the subscriber's responses. When it refreshes the subscription, the last NOTIFY is sent
        again. Raises CallStateError when the subscription was not accepted or is over, and InputError.
        """
        content = make_content(headers, body, content_type)
        state = check_token(state, "state")
        if state.lower() == "terminated":
            raise InputError("the state of a subscription is active or pending, not %r; see terminate()" % state)
        with self._agent.lock:
            self._tell(state, content)

    def terminate(self, reason="noresource", body=None, content_type=None, retry_after=None, headers=()):
        # type: (str, Optional[Body], Optional[str], Optional[int], HeaderFields) -> None
        """Send the last NOTIFY, which ends the subscription.

        ``reason`` tells the subscriber what to do (RFC 6665, 4.1.3). "deactivated", "timeout": subscribe again at once;
        "probation", "giveup": after ``retry_after`` seconds; "rejected", "noresource", "invariant": do not subscribe
        again.

        Raises CallStateError when the subscription was not accepted or is over, and InputError.
        """
        content = make_content(headers, body, content_type)
        if retry_after is not None:
            check_whole(retry_after, "retry_after", 0, 2**31 - 1)
        told = SubscriptionState("terminated", None, check_token(reason, "reason"), retry_after)
        with self._agent.lock:
            self._engine.notify(self._id, told.value, content)
            self.state = "ending"

    def _defer(self, seconds):
        # type: (float) -> None
        if self.state != "asked":
            raise CallStateError("the subscription was answered before")
        self.answer_by = monotonic() + check_delay(seconds, "seconds")

    # -- for the endpoint, under the lock -----------------------------------------------------------------------

    def _granted(self, seconds):
        # type: (int) -> None
        self.expires = seconds
        self._until = monotonic() + seconds

    def _tell(self, state, content):
        # type: (str, Optional[Content]) -> None
        if self.state == "asked":
            raise CallStateError("the subscription has not been accepted")
        if self.requested == 0:  # the subscriber wanted the state once
            self._engine.notify(self._id, "terminated;reason=timeout", content)
            self.state = "ending"
            return
        left = max(0, int(self._until - monotonic() + 0.5))
        self._engine.notify(self._id, SubscriptionState(state, left, None, None).value, content)
        self._last = (state, content)

    def _refreshed(self, headers, seconds):
        # type: (Headers, int) -> None
        self.headers = headers
        self._granted(seconds)
        if self._last is not None:
            try:
                self._tell(*self._last)
            except SipbridgeError:  # the subscription is ending
                pass

    def _ended(self):
        # type: () -> None
        self.state = "ended"
        self._agent.notifiers.pop(self._id, None)
