"""Our subscription to the state of a resource (RFC 6665, 4.1)."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import monotonic
from sipbridge._engine.response import error_of, response_of
from sipbridge._kept import backoff
from sipbridge._kept.package import check_event, package_content
from sipbridge._text.arguments import check_timeout
from sipbridge._text.checks import check_seconds
from sipbridge._text.parameters import number, parse_parameters
from sipbridge._text.subscription_state import parse_subscription_state
from sipbridge.errors import CallStateError, EngineError, SipbridgeError, TimeoutError, quietly
from sipbridge.events import SubscriptionChanged
from sipbridge.headers import Headers
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterable, Literal, Optional, Union

    from sipbridge._engine.agent import Alarm
    from sipbridge._engine.records import Content, Parties, RawEvent
    from sipbridge._kept.agent import Agent
    from sipbridge._text.arguments import Body
    from sipbridge.events import NotifyReceived
    from sipbridge.headers import HeaderFields

    #: The values of ``Subscription.state``.
    State = Literal["pending", "active", "retrying", "ended", "failed"]

    from sipbridge._engine.response import Response
_NO_HEADERS = Headers()

#: After this many seconds in the state "active", the next loss counts as the first one.
_STABLE = 60.0

#: The most seconds that we wait because a notifier asks for it.
_MAX_RETRY_AFTER = 86400

#: The reasons of a notifier that allow us to subscribe again (RFC 6665, 4.1.3). None stands for a missing reason.
_AGAIN = frozenset([None, "deactivated", "probation", "timeout", "giveup"])


class Subscription(object):
    """A subscription. It is refreshed before it expires, and made again when it was lost, until :meth:`unsubscribe`.

    Attributes:
        uri: the URI of the resource, text.
        event: the event package with its parameters, like "presence".
        state: "pending" until the notifier answers, then "active"; "retrying" while it is lost and will be made again;
            "ended" or "failed" when it is over.
        expires: the seconds that the notifier granted last.
        last: the last :class:`~sipbridge.NotifyReceived`, or None.
    """

    def __init__(self, agent, uri, parties, event, expires, content, resubscribe):
        # type: (Agent, str, Parties, str, int, Optional[Content], bool) -> None
        self._agent = agent
        self._engine = agent.engine
        self._id = None  # type: Optional[int]
        self._parties = parties
        self._content = content
        self._wanted = expires
        self._resubscribe = resubscribe
        self._answers = 0  # how many events of the subscription the engine gave
        self._response = None  # type: Optional[Response]
        self._error = None  # type: Optional[SipbridgeError]  # the engine's error, in place of an answer
        self._tries = 0  # how many times in a row it was lost
        self._since = None  # type: Optional[float]  # when it became active, on the monotonic clock
        self._timer = None  # type: Optional[Alarm]  # for the next try
        self._kept = False  # True once the user has it
        self._leaving = False  # True when it must not be made again
        self.uri = uri
        self.event = event
        self.state = "pending"  # type: State
        self.expires = 0  # type: int
        self.last = None  # type: Optional[NotifyReceived]

    def __repr__(self):
        # type: () -> str
        return "<Subscription to %s of %s %s>" % (self.event, self.uri, self.state)

    @property
    def error(self):
        # type: () -> Optional[SipbridgeError]
        """The error because of which it is "failed" or "retrying"; else None."""
        if self.state not in ("failed", "retrying"):
            return None
        if self._error is not None or self._response is None:
            return self._error
        return error_of(self._response, "subscription to %s" % self.uri)

    def refresh(self, expires=None, timeout=32.0):
        # type: (Optional[int], Optional[float]) -> None
        """Refresh the subscription now, for ``expires`` seconds (None: as before). The notifier sends the state again.

        It waits at most ``timeout`` seconds (None: no limit) for the notifier. Raises TimeoutError, ResponseError,
        AuthenticationError, CallStateError when the subscription is over or lost, and InputError.
        """
        check_timeout(timeout)
        wanted = self._wanted if expires is None else check_seconds(expires, "expires")
        with self._agent.lock:
            handle = self._check_up()
            before, self._error = self._answers, None
            self._engine.subscribe_refresh(handle, wanted)
            self._wanted = wanted
        self._await(before, timeout)

    def unsubscribe(self, timeout=32.0):
        # type: (Optional[float]) -> None
        """End the subscription (RFC 6665, 4.1.2.3). If it is over, this does nothing.

        It waits at most ``timeout`` seconds (None: no limit) for the notifier. Raises TimeoutError, ResponseError,
        AuthenticationError and InputError.
        """
        check_timeout(timeout)
        with self._agent.lock:
            if self.state in ("ended", "failed"):
                return
            before, self._error = self._answers, None
            self._end()
            if self.state == "ended":
                return
        self._await(before, timeout, lambda: self.state in ("ended", "failed"))

    # -- for the endpoint, under the lock -----------------------------------------------------------------------

    def _check_up(self):
        # type: () -> int
        if self._id is None or self._leaving:
            raise CallStateError("the subscription is %s" % self.state)
        return self._id

    def _start(self):
        # type: () -> None
        self._parties = self._agent.rerouted(self._parties)
        self._id = handle = self._engine.subscribe(self._parties, self.event, self._wanted, self._content)
        self._agent.subscriptions[handle] = self

    def _end(self):
        # type: () -> None
        """Begin to end the subscription. One that the notifier does not have ends at once."""
        self._leaving = True
        if self._timer is not None:
            self._timer.cancel()
        if self._id is None:
            self.state = "ended"
            return
        try:
            self._engine.unsubscribe(self._id)
        except CallStateError:  # the subscription is ending already
            pass
        except EngineError:
            self._agent.subscriptions.pop(self._id, None)
            self.state = "ended"

    def _await(self, before, timeout, is_over=None):
        # type: (int, Optional[float], Optional[Callable[[], bool]]) -> None
        """Wait for the next event of the subscription, or until is_over(). Raises the error, if there is one."""

        def is_there():
            # type: () -> object
            return self._error or (is_over() if is_over is not None else self._answers > before)

        if not self._agent.wait(is_there, timeout):
            raise TimeoutError("no answer from the notifier of %s in %s s" % (self.uri, timeout))
        if self._error is not None:
            raise self._error
        if self.error is not None:
            raise self.error

    def _changed(self, raw):
        # type: (RawEvent) -> SubscriptionChanged
        """Follow an event of the engine. Returns the event for the user."""
        response = self._response = response_of(raw)
        self._agent.heard(self._parties.route, response)
        self._answers += 1
        self._error = None
        if raw.state == "active":
            if self.state != "active":
                self._since = monotonic()
            self.state, self.expires = "active", raw.expires
        else:
            self._agent.subscriptions.pop(raw.subscription, None)
            self._id, self.expires = None, 0
            state = raw.state  # type: Any
            self.state = state
            if self._is_wanted(raw):
                self._retry(response.headers)
        return SubscriptionChanged(self, self.state, raw.status, raw.reason, self.expires)

    def _is_wanted(self, raw):
        # type: (RawEvent) -> bool
        """True when a subscription that is over has to be made again."""
        if not self._kept or self._leaving or not self._resubscribe:
            return False
        if raw.state == "failed":
            return raw.status in (408, 481, 500, 503, 504)
        told = parse_subscription_state(Headers(raw.headers).get("Subscription-State", ""))
        return told.terminated and told.reason in _AGAIN

    def _retry(self, headers=_NO_HEADERS):
        # type: (Headers) -> None
        if self._since is not None and monotonic() - self._since > _STABLE:
            self._tries = 0
        told = parse_subscription_state(headers.get("Subscription-State", ""))
        least = number(parse_parameters(headers.get("Retry-After", "").partition("(")[0])[0]) or 0
        self.state = "retrying"
        self._timer = self._agent.later(
            backoff.delay(self._tries, float(min(told.retry_after or least, _MAX_RETRY_AFTER))), self._start_again
        )
        self._tries += 1

    def _start_again(self):
        # type: () -> None
        with self._agent.lock:
            if self._leaving or self._id is not None:
                return
            try:
                self._start()
            except SipbridgeError:  # the engine is lost; another may take its place
                self._retry()

    def _lost(self, error):
        # type: (SipbridgeError) -> None
        """Take the subscription for lost, because the engine is lost."""
        self._error = error
        self._id, self.expires = None, 0
        if self._leaving or not self._kept or not self._resubscribe:
            self.state = "failed"
        else:
            self._retry()


def subscribe(
    agent,  # type: Agent
    parties,  # type: Parties
    event,  # type: str
    expires,  # type: int
    accept,  # type: Union[None, str, Iterable[str]]
    body,  # type: Optional[Body]
    content_type,  # type: Optional[str]
    headers,  # type: HeaderFields
    resubscribe,  # type: bool
    timeout,  # type: Optional[float]
):
    # type: (...) -> Subscription
    """Subscribe, and wait for the answer. ``parties`` are checked already. Returns the Subscription."""
    check_timeout(timeout)
    content = package_content(headers, body, content_type, accept)
    event = check_event(event)
    if not (type(expires) is int and expires == 0):
        check_seconds(expires, "expires")
    uri = address_uri(parties.to)

    def begin(parties, left):
        # type: (Parties, Optional[float]) -> Subscription
        subscription = Subscription(agent, uri, parties, event, expires, content, bool(resubscribe) and expires > 0)
        with agent.lock:
            subscription._start()
        try:
            subscription._await(0, left)
        except BaseException:  # nobody would have it to end it later
            with agent.lock:
                quietly(subscription._end)
            raise
        subscription._kept = True
        return subscription

    return agent.through(parties, begin, timeout)
