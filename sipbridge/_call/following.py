"""Change a call as the events of its engine tell. Each function gets the agent and an event of the engine, under the
lock, and returns the event for the user, or None.
"""

from __future__ import absolute_import, division, print_function

from sipbridge import events
from sipbridge._call import replacing
from sipbridge._call.call import Call
from sipbridge._call.incoming import IncomingRequest
from sipbridge._engine.content import make_content
from sipbridge._engine.records import tell
from sipbridge._later import later
from sipbridge.errors import quietly
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from sipbridge._call import keys, session_timer, transfer
    from sipbridge._call.agent import Agent
    from sipbridge._engine.records import Content, RawEvent
    from sipbridge.events import CallEnded
else:
    keys, session_timer, transfer = later(
        "sipbridge._call.keys", "sipbridge._call.session_timer", "sipbridge._call.transfer"
    )

#: The events for requests within a call, by method. A request of any other method is a RequestReceived.
_KINDS = {"INFO": events.InfoReceived, "MESSAGE": events.MessageReceived}


def _incoming(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    headers = Headers(raw.headers)
    call = Call(agent, True, raw.request_uri, headers, None, raw.body or None)
    call._id = raw.call
    call.replaces, refusal = replacing.find(agent.calls.values(), headers)
    if refusal:
        agent.refused(raw, "replaces", refusal)
        _refuse(agent, raw, refusal, None)
        return None
    if agent.session_expires is not None:
        call._session_timer = timer = session_timer.SessionTimer(call, agent.session_expires)
        fields = timer.accept(headers)
        if fields is None:
            agent.refused(raw, "session-interval", 422)
            _refuse(agent, raw, 422, make_content(timer.refusal(), None, None))
            return None
        call._timer_fields = fields
    agent.calls[raw.call] = call
    if agent.observers.call_started:
        agent.observers.note("call_started", call)
    return events.IncomingCall(call, headers, call.remote_sdp)


def _refuse(agent, raw, status, content):
    # type: (Agent, RawEvent, int, Optional[Content]) -> None
    quietly(agent.engine.reject, raw.call, status, None, content)


def _progress(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    call = agent.calls[raw.call]
    call.headers = Headers(raw.headers)
    call._progress = raw.status, raw.reason
    call._received(raw.body)
    call._note_progress(raw.status)
    if agent.congested(call):  # so that a flood of them fills no memory
        return None
    return events.CallProgress(call, raw.status, raw.reason, call.headers, raw.body or None)


def _answered(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    call = agent.calls[raw.call]
    call.headers = Headers(raw.headers)
    call.state = "answered"
    call._taken()
    call._note_answer()
    call._received(raw.body)
    call._acknowledge(call.local_sdp is not None)
    if call._session_timer is not None:
        call._session_timer.agreed(call.headers)
    return events.CallAnswered(call, raw.status, raw.reason, call.headers, raw.body or None)


def _confirmed(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    call = agent.calls[raw.call]
    headers = Headers(raw.headers)
    if call.state == "accepted":
        call._establish()
        call._ack = headers
        call._note_answer()
    call._received(raw.body)
    if call._session_timer is not None:
        call._session_timer.restart()
    return events.CallConfirmed(call, headers, raw.body or None)


def _reinvited(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    call = agent.calls[raw.call]
    headers = Headers(raw.headers)
    call._their_offer = request = IncomingRequest(agent.engine, raw.transaction, call, raw.body or None)
    if _refreshed(call, headers, request):
        return events.CallReinvited(call, headers, raw.body or None, request)
    return None


def _refreshed(call, headers, request):
    # type: (Call, Headers, IncomingRequest) -> bool
    """False when the call's session timer has refused a re-INVITE or UPDATE, because its interval was too small."""
    return call._session_timer is None or call._session_timer.refreshed(headers, request)


def _updated(call, headers, body, request):
    # type: (Call, Headers, bytes, IncomingRequest) -> None
    """Answer an UPDATE that only refreshes the session (RFC 4028). It is no event for the user."""
    if _refreshed(call, headers, request) and not body and call._session_timer is not None:
        request.answer_by_default(200)


def _requested(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    call = agent.calls[raw.call]
    headers = Headers(raw.headers)
    request = IncomingRequest(agent.engine, raw.transaction, call)
    event = None
    if raw.method == "UPDATE":
        _updated(call, headers, raw.body, request)
    elif raw.method in ("REFER", "NOTIFY"):
        within = transfer.requested if raw.method == "REFER" else transfer.notified
        event = within(call, headers, raw.body, request)
    if event is not None or request.answered:
        return event
    kind = _KINDS.get(raw.method, events.RequestReceived)
    received = kind(call, raw.method, headers, raw.body, request)
    call._requests = [each for each in call._requests if not each.request.answered] + [received]
    if isinstance(received, events.InfoReceived) and received.dtmf is not None:
        keys.add(call, received.dtmf)
    return received


def _ended(agent, raw):
    # type: (Agent, RawEvent) -> Optional[Any]
    call = agent.calls.pop(raw.call, None)
    if call is None:  # the call was refused before a Call was made
        return None
    if call._attempt is not None and call._attempt.again(raw):
        return None
    cause = raw.cause  # type: Any
    event = events.CallEnded(call, cause, raw.status, raw.reason, Headers(raw.headers))
    end(agent, call, event)
    return event


def end(agent, call, event):
    # type: (Agent, Call, CallEnded) -> None
    """End the call, and all that waits for it."""
    agent.calls.pop(call._id, None)
    tell(event, *agent.told)
    call._over(event)
    if event.cause in ("local-bye", "remote-bye"):
        call._note_answer()  # the thread that has sent it may not have come so far
    if agent.observers.call_ended:
        agent.observers.note("call_ended", event)
    if call._session_timer is not None:
        call._session_timer.stop()
    lost = [transaction for transaction, pending in agent.pending.items() if pending.call is call]
    for transaction in lost:
        del agent.pending[transaction]


def tell_watchers(event):
    # type: (Any) -> None
    """Call the functions that watch the call that an event is about."""
    for watcher in getattr(getattr(event, "call", None), "_watchers", ()):
        watcher(event)


FOLLOW = {
    "call-incoming": _incoming,
    "call-progress": _progress,
    "call-answered": _answered,
    "call-confirmed": _confirmed,
    "call-reinvite": _reinvited,
    "call-request": _requested,
    "call-ended": _ended,
}
