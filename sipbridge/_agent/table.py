"""Follow each event of the engine, and answer the requests that no handler answers.

To follow an event is to change the state of the call, registration or other object that the event is about.
"""

from __future__ import absolute_import, division, print_function

from sipbridge import events
from sipbridge._call import following
from sipbridge._call.incoming import IncomingRequest
from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._engine.records import tell
from sipbridge._engine.response import Response, response_of
from sipbridge._later import later
from sipbridge.errors import EngineLost, quietly
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Sequence, Tuple, Union

    from sipbridge._agent import health, observers, trace_peers
    from sipbridge._agent.agent import Agent
    from sipbridge._call import passing, sessions
    from sipbridge._call.call import Call
    from sipbridge._engine.records import RawEvent
    from sipbridge._kept import following as kept
    from sipbridge._kept.notifier import Notifier
    from sipbridge.events import RequestReceived
else:
    health, observers, trace_peers, passing, sessions, kept = later(
        "sipbridge._agent.health",
        "sipbridge._agent.observers",
        "sipbridge._agent.trace_peers",
        "sipbridge._call.passing",
        "sipbridge._call.sessions",
        "sipbridge._kept.following",
    )

#: The method with which docker/healthcheck.py asks whether the endpoint works. A thread for handlers answers it; no
#: handler sees it, and no observer.
HEALTH = "SIPBRIDGE-HEALTH"

#: The addresses that it asks from, besides that of the endpoint.
_LOOPBACK = ("127.0.0.1", "::1")

#: What begins something, and what asks for something within a call. Both are answered 503 while too many events wait.
_NEW = frozenset(["call-incoming", "request", "subscribe"])
_WITHIN = frozenset(["call-reinvite", "call-request"])

#: Seconds after which those may come again who were refused for lack of threads: some handlers have returned by then.
#: A longer time would have proxies keep away from a server that has long recovered (RFC 3261, 21.5.4).
RETRY_AFTER = 2


class Table(object):
    """Follows the events of an agent's engine, on the event thread and under the lock. ``host``: where it listens."""

    def __init__(self, agent, host="127.0.0.1"):
        # type: (Agent, str) -> None
        self._agent = agent
        self._own = (host,) + _LOOPBACK
        self._peers = None  # type: Optional[trace_peers.Peers]  # the senders of traced messages

    def follow(self, raw):
        # type: (RawEvent) -> Optional[Any]
        """Follow an event of the engine. Returns the event for the user, or None."""
        self._agent.following = raw
        try:
            return self._followed(raw)
        finally:
            self._agent.following = None

    def _followed(self, raw):
        # type: (RawEvent) -> Optional[Any]
        is_new = raw.type in _NEW and raw.state is None  # a SUBSCRIBE that refreshes is not
        admission = self._agent.admission
        if self._agent.traffic is not None and not (admission is not None and admission.has_held(raw)):
            self._agent.traffic.received(raw)
        if admission is not None and not self._is_own_health(raw) and admission.stops(raw, is_new):
            return None
        if self._is_refused(raw, is_new):
            return None
        follow = _FOLLOW.get(raw.type)
        try:
            event = None if follow is None else follow(self, raw)
        except Exception:  # a fault of sipbridge: answer, so that the peer does not wait
            if is_new or raw.type in _WITHIN:
                self.refuse(raw, "fault", 500)
            raise
        if event is not None:
            tell(event, *self._agent.told)
            if admission is not None:
                admission.name(event)
        following.tell_watchers(event)
        return event

    def _is_own_health(self, raw):
        # type: (RawEvent) -> bool
        """Whether this machine asks whether the endpoint takes events."""
        return raw.method == HEALTH and (raw.source is None or raw.source.address in self._own)

    def _is_refused(self, raw, is_new):
        # type: (RawEvent, bool) -> bool
        """Whether there is no room for this, so that it was answered 503. No handler sees it."""
        agent = self._agent
        if is_new and self._is_turned_away(raw):
            return True
        if not (agent.congested() if is_new else raw.type in _WITHIN and agent.congested(agent.calls.get(raw.call))):
            return False
        self.refuse(raw, "congested")
        return True

    def _is_turned_away(self, raw):
        # type: (RawEvent) -> bool
        """Whether this new one was refused, since the endpoint drains or every handler is at work."""
        agent = self._agent
        if agent.draining is not None and raw.method != HEALTH:
            self._send_away(raw, *agent.draining)
            return True
        dispatcher = agent.dispatcher
        if not dispatcher.is_full and not (raw.type == "call-incoming" and dispatcher.serves_enough):
            return False
        dispatcher.count_refused()
        self.refuse(raw, "handlers", 503, RETRY_AFTER)
        return True

    def _send_away(self, raw, redirect, retry_after):
        # type: (RawEvent, Optional[str], int) -> None
        """Refuse what is new for good, since this endpoint is about to go."""
        if redirect is not None and raw.type == "call-incoming":
            self._agent.refused(raw, "draining", 302)
            quietly(self._agent.engine.redirect, raw.call, 302, redirect)
        else:
            self.refuse(raw, "draining", 503, retry_after)

    def refuse(self, raw, rule, status=503, retry_after=None, fields=()):
        # type: (RawEvent, str, int, Optional[int], Sequence[Tuple[str, str]]) -> None
        """Refuse what an event of the engine begins, with ``fields`` as headers. ``retry_after`` is in seconds."""
        self._agent.refused(raw, rule, status)
        engine = self._agent.engine
        headers = list(fields) + ([] if retry_after is None else [("Retry-After", "%d" % retry_after)])
        content = make_content(headers, None, None) if headers else None
        if raw.type == "call-incoming":
            quietly(engine.reject, raw.call, status, None, content)
        elif raw.type == "subscribe":
            quietly(engine.subscription_reject, raw.subscription, status, None, content)
        else:
            quietly(engine.answer, raw.transaction, status, None, content)

    def _call(self, raw):
        # type: (RawEvent) -> Optional[Any]
        return following.FOLLOW[raw.type](self._agent, raw)

    def _kept(self, raw):
        # type: (RawEvent) -> Optional[Any]
        return kept.FOLLOW[raw.type](self._agent, raw)

    def _request(self, raw):
        # type: (RawEvent) -> Optional[Any]
        engine = self._agent.engine
        if raw.method == HEALTH:
            health.answer(self._agent, raw.transaction)
            return None
        if raw.method == "OPTIONS" and self._agent.admission is not None:  # the engine leaves these to it
            quietly(engine.answer, raw.transaction, 200, None, None)
            return None
        kind = events.MessageReceived if raw.method == "MESSAGE" else events.RequestReceived
        request = IncomingRequest(engine, raw.transaction, uri=raw.request_uri)
        return kind(None, raw.method, Headers(raw.headers), raw.body, request)

    def _response(self, raw):
        # type: (RawEvent) -> Optional[Any]
        pending = self._agent.pending.pop(raw.transaction, None)
        if pending is not None:
            pending.response = response_of(raw)
            if pending.on_response is not None:
                return pending.on_response(pending.response)
        return None

    def _engine_lost(self, raw):
        # type: (RawEvent) -> Optional[Any]
        """Let all requests that wait fail. The engine ends each call with an event of its own."""
        waiting = self._agent.pending
        for transaction in [each for each in waiting if each <= raw.transaction]:
            pending = waiting.pop(transaction)
            pending.error = EngineLost(raw.reason)  # one for each, because its ``call`` differs
            if pending.on_response is not None:
                pending.on_response(Response(503, raw.reason, Headers(), b""))
        kept.lose(self._agent, EngineLost(raw.reason))
        backtrace = raw.body.decode("utf-8", "replace")
        self._note("engine_lost", observers.Crash(raw.reason, raw.call, backtrace, raw.peer or None))
        return None

    def _engine_restarted(self, raw):
        # type: (RawEvent) -> Optional[Any]
        return self._note("engine_restarted", events.EngineRestarted(raw.reason, raw.expires))

    def _engine_failed(self, raw):
        # type: (RawEvent) -> Optional[Any]
        self._agent.engine_failed = raw.reason
        return self._note("engine_failed", events.EngineFailed(raw.reason))

    def _note(self, kind, told):
        # type: (str, Any) -> Any
        """The same, of which the observers will be told."""
        self._agent.observers.note(kind, told)
        return told

    def _pong(self, raw):
        # type: (RawEvent) -> None
        if self._agent.checks is not None:
            self._agent.checks.hear(raw.transaction)

    def _trace_message(self, raw):
        # type: (RawEvent) -> Optional[Any]
        peers = self._peers = self._peers or trace_peers.Peers()
        return peers.completed(events.TraceMessage(bool(raw.outgoing), raw.peer, raw.body, raw.time))


_FOLLOW = {
    "call-incoming": Table._call,
    "call-progress": Table._call,
    "call-answered": Table._call,
    "call-confirmed": Table._call,
    "call-reinvite": Table._call,
    "call-request": Table._call,
    "call-ended": Table._call,
    "call-response": Table._response,
    "request": Table._request,
    "response": Table._response,
    "registration": Table._kept,
    "subscription": Table._kept,
    "notify": Table._kept,
    "subscribe": Table._kept,
    "unsubscribed": Table._kept,
    "engine-lost": Table._engine_lost,
    "engine-restarted": Table._engine_restarted,
    "engine-failed": Table._engine_failed,
    "trace": Table._trace_message,
    "pong": Table._pong,
}


# -- what happens to an event that the user did not answer ------------------------------------------------------


def settle(event, seen, failed):
    # type: (Any, bool, bool) -> Optional[float]
    """Give a request its default answer, if no handler or iterator has answered it.

    ``seen``: a handler or iterator had the event. ``failed``: a handler raised an exception, so the answer is 500 (RFC
    3261, 21.5.1). Returns the seconds that are left if the answer was deferred: call this again then.
    """
    if isinstance(event, (events.CallReinvited, events.RequestReceived)):
        return _settle_request(event, event.request, seen, failed)
    if isinstance(event, events.IncomingCall):
        call = event.call
        if call.state == "incoming" and (failed or not seen or call.answer_by is not None):
            return _settle_new(call, 500 if failed else 480, failed)
    elif isinstance(event, events.SubscriptionRequested):
        if event.notifier.state == "asked":
            return _settle_new(event.notifier, 500 if failed else 489, failed)
    return None


def _settle_new(asked, status, failed):
    # type: (Union[Call, Notifier], int, bool) -> Optional[float]
    left = 0.0 if failed else _left(asked)
    if left > 0:
        return left
    quietly(asked.reject, status)
    return None


def _left(asked):
    # type: (Union[Call, Notifier, IncomingRequest]) -> float
    """Seconds that are left for an answer; 0 or less for none."""
    return 0.0 if asked.answer_by is None else asked.answer_by - monotonic()


def _settle_request(event, request, seen, failed):
    # type: (Any, IncomingRequest, bool, bool) -> Optional[float]
    left = 0.0 if failed or request.answered else _left(request)
    if left > 0:
        return left
    if failed:
        request.answer_by_default(500)
    elif event.call is not None and event.call.bridge is not None and passing.take(event):
        pass  # the peer of the other call answers it
    elif isinstance(event, events.CallReinvited):
        request.answer_by_default(200, sessions.answer_again(event.call, event.sdp))
    else:
        request.answer_by_default(_default(event, seen))
    return None


def _default(event, seen):
    # type: (RequestReceived, bool) -> int
    """The status of the default answer to a request."""
    if isinstance(event, events.MessageReceived):
        return 200 if seen else 480
    if isinstance(event, events.InfoReceived):
        return 200
    if isinstance(event, events.TransferRequested):
        return 603
    return 481 if event.method == "NOTIFY" else 501
