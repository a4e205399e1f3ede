"""Make two calls one: bridge two calls, or have the endpoint call two parties (RFC 3725).

Whose offer goes to whom:

- The first call has an offer of its peer, in its INVITE or in a 2xx without ACK: the second peer gets it, and the first
  the answer. That is flow I of RFC 3725, and an incoming call that is passed on.
- Otherwise the second peer is asked for an offer. The first peer gets it in a re-INVITE, or in our 2xx, and the ACK to
  the second peer has the answer. That is how flow IV goes on when its first call is up, without media.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._call import descriptions, sessions
from sipbridge._call.bridge import Bridge, Why
from sipbridge._call.incoming import SDP
from sipbridge._call.passing import Passing
from sipbridge._call.placing import prepare, send
from sipbridge._call.replacing import supporting
from sipbridge._engine.content import make_content
from sipbridge.errors import CallStateError, InputError, SipbridgeError, quietly
from sipbridge.events import CallAnswered, CallConfirmed, CallProgress
from sipbridge.uri import check_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping, Optional, Tuple

    from sipbridge._call.agent import Agent
    from sipbridge._call.call import Call
    from sipbridge._engine.response import Response
    from sipbridge._text.arguments import Body

#: Seconds that a peer may take whose answer another peer waits for. That one repeats its 2xx, and gives up after 64*T1,
#: 32 s, without an ACK (RFC 3261, 13.3.1.4).
PATIENCE = 30.0

#: How often an offer is made again that crosses one of the peer (491).
TRIES = 5

#: The states in which the calls can be connected, and those in which a bridge can begin.
_READY = ("incoming", "answered", "established")
_USABLE = _READY + ("calling", "accepted")


def click_to_call(agent, first, second, flow, offer, options):
    # type: (Agent, str, str, str, Body, Tuple[Mapping[str, Any], Mapping[str, Any]]) -> Bridge
    """Place the first call. ``options`` are those of :func:`~sipbridge._call.placing.prepare` for either call.

    ``offer`` is for flow IV.
    """
    if flow not in ("I", "IV"):
        raise InputError("flow is one of RFC 3725, I or IV, not %r" % (flow,))
    prepare(agent, second, None, **options[1])  # for its errors: nothing has been sent yet
    call = prepare(agent, first, offer if flow == "IV" else None, **options[0])
    with agent.lock:
        send(call)
        return _begin(agent, call, None, (second, options[1]))


def bridge(agent, first, second, options):
    # type: (Agent, Any, Any, Mapping[str, Any]) -> Bridge
    """Connect the call ``first`` with the call ``second``, or with one that is placed to that address."""
    first, second = getattr(first, "_core", first), getattr(second, "_core", second)  # for calls of sipbridge.aio
    if not hasattr(second, "call_id"):
        check_address(second, "second")
        prepare(agent, second, None, **options)  # for its errors
    if not hasattr(first, "call_id"):
        raise InputError("first must be a call, not %r; click_to_call() calls two addresses" % (first,))
    if not hasattr(second, "call_id"):
        with agent.lock:
            _check(agent, first)
            return _begin(agent, first, None, (second, options))
    if first is second:
        raise InputError("first and second are the same call")
    with agent.lock:
        for call in (first, second):
            _check(agent, call)
        if second.state == "incoming":
            first, second = second, first
        if second.state == "incoming" or (_offers(first) and _offers(second)):
            raise CallStateError("%r and %r cannot be connected: both wait for an answer from us" % (first, second))
        return _begin(agent, first, second, None)


def _check(agent, call):
    # type: (Agent, Call) -> None
    if call._agent is not agent:
        raise InputError("%r is a call of another endpoint" % (call,))
    if call.bridge is not None:
        raise CallStateError("%r is in a bridge already" % (call,))
    if call.state not in _USABLE:
        raise CallStateError("%r cannot be connected any more" % (call,))


def _offers(call):
    # type: (Call) -> bool
    """True when the peer of a call makes the offer of its INVITE, or has made it and waits for our answer."""
    if call.state == "incoming":
        return call.remote_sdp is not None
    return call.state in ("calling", "answered") and call.local_sdp is None


def _begin(agent, first, second, target):
    # type: (Agent, Call, Optional[Call], Optional[Tuple[str, Mapping[str, Any]]]) -> Bridge
    made = Bridge(agent, first)
    made._follower = connecting = _Connecting(made, target)
    made._join(first)
    if second is not None:
        made.second = second
        made._join(second)
    connecting.advance()
    connecting.starting = False
    return made


class _Connecting(object):
    """Connects the calls of a bridge, event by event, under the endpoint's lock.

    Args:
        bridge: the Bridge.
        target: address and options of the second call when it has yet to be placed.

    Attributes:
        starting: True in the thread that made the bridge, in which no timer can be set.
    """

    def __init__(self, bridge, target):
        # type: (Bridge, Optional[Tuple[str, Mapping[str, Any]]]) -> None
        self._bridge = bridge
        self._target = target
        self._step = self._exchange  # type: Callable[[], None]  # what to do when a call has been answered or confirmed
        self._offer = None  # type: Optional[bytes]  # the first peer's, if it made one
        self._timer = None  # type: Any
        self._tries = TRIES
        self._over = False
        self.starting = True  # type: bool

    @property
    def _second(self):
        # type: () -> Any  # a Call, in all steps after the first one
        return self._bridge.second

    # -- what happens ------------------------------------------------------------------------------------------

    def advance(self):
        # type: () -> None
        """Do what can be done now."""
        self._try(self._step)

    def seen(self, event):
        # type: (Any) -> None
        """Take an event of one of the calls."""
        if isinstance(event, CallProgress):
            self._ring(event)
        elif isinstance(event, (CallAnswered, CallConfirmed)):
            self.advance()
        self._limit()

    def stop(self):
        # type: () -> None
        """The bridge is connected, or ends."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def _try(self, step):
        # type: (Callable[[], object]) -> None
        try:
            step()
        except SipbridgeError as error:
            self._bridge._fail(error)

    def _limit(self):
        # type: () -> None
        """While a peer repeats its 2xx, until it has its ACK, time is short."""
        if self._bridge._unanswered and self._timer is None and not self._over:
            self._timer = self._bridge._agent.later(PATIENCE, self._expired)

    def _expired(self):
        # type: () -> None
        with self._bridge._agent.lock:
            if not self._over:
                first, second = self._bridge.first, self._bridge.second
                late = first if second in self._bridge._unanswered else second
                self._bridge._end(Why("timeout", 408, "Request Timeout", late))

    def _no_media(self, call):
        # type: (Call) -> None
        self._bridge._end(Why("rejected", 488, "Not Acceptable Here", call))

    def _ring(self, event):
        # type: (CallProgress) -> None
        """Tell the caller what the callee's phone does. Early media go with it when they answer the caller's offer."""
        first = self._bridge.first
        if event.call is not self._second or first.state != "incoming":
            return
        sdp = event.sdp
        if sdp is not None:
            sdp = None if self._offer is None else descriptions.answer_for(first, sdp, self._offer)
        quietly(first._engine.ring, first._id, event.status, make_content((), sdp, SDP))
        first._sent(sdp)

    # -- a re-INVITE -------------------------------------------------------------------------------------------

    def _reinvite(self, call, offer, accept):
        # type: (Call, Optional[bytes], Callable[[Optional[bytes]], None]) -> None
        """Send it, and once more after a 491; give the description in the 2xx to ``accept``."""

        def again():
            # type: () -> None
            with self._bridge._agent.lock:
                if not self._over:
                    self._try(lambda: self._reinvite(call, offer, accept))

        def later():
            # type: () -> None
            self._tries -= 1
            self._bridge._agent.later(sessions.glare_delay(call), again)

        try:
            sessions.check_offer(call)
        except CallStateError:
            if self.starting or not self._tries:
                raise
            later()
            return
        sessions.begin_reinvite(call, offer, lambda response: self._replied(call, response, accept, later))

    def _replied(self, call, response, accept, later):
        # type: (Call, Response, Callable[[Optional[bytes]], None], Callable[[], None]) -> None
        if self._over:
            return
        if response.ok:
            self._try(lambda: accept(response.body or None))
        elif response.status == 491 and self._tries:
            later()
        else:
            cause = "timeout" if response.status == 408 else "rejected"
            self._bridge._end(Why(cause, response.status, response.reason, call))
        self._limit()

    # -- the steps ---------------------------------------------------------------------------------------------

    def _exchange(self):
        # type: () -> None
        """When the calls are ready, give the second peer the first one's offer, or ask it for one."""
        first, second = self._bridge.first, self._bridge.second
        if first.state not in _READY or (second is not None and second.state not in _READY):
            return
        self._step = self._answered
        if first.state != "established":
            self._offer = first.remote_sdp
        if first.state == "answered" and self._offer is not None:
            self._bridge._unanswered[first] = self._offer
        if second is None:
            self._place()
        elif second.state == "answered":
            self._offered(second.remote_sdp)
        elif self._offer is None:
            self._reinvite(second, None, self._offered)
        else:
            self._reinvite(second, descriptions.offer_for(second, self._offer), self._give)

    def _place(self):
        # type: () -> None
        bridge, (address, options) = self._bridge, self._target or ("", {})
        call = prepare(bridge._agent, address, self._offer, **options)
        send(call)
        bridge.second = call
        bridge._join(call)

    def _answered(self):
        # type: () -> None
        """The second call was answered."""
        second = self._second
        if second.state not in ("answered", "established"):
            return
        if self._offer is None:
            self._offered(second.remote_sdp)
        else:
            self._give(second.remote_sdp)

    def _give(self, answer):
        # type: (Optional[bytes]) -> None
        """Give the first peer the answer of the second."""
        first = self._bridge.first
        if not descriptions.has_media(answer):
            self._no_media(self._second)
            return
        self._step = self._finish
        answer = descriptions.answer_for(first, answer or b"", self._offer)
        if first.state == "incoming":
            self._accept(answer)
        else:
            self._bridge._unanswered.pop(first, None)
            first._ack_with(answer, make_content((), answer, SDP))
            self._finish()

    def _offered(self, offer):
        # type: (Optional[bytes]) -> None
        """Give the first peer the offer of the second."""
        first = self._bridge.first
        if offer is None:
            self._no_media(self._second)
            return
        self._bridge._unanswered[self._second] = offer
        ours = descriptions.offer_for(first, offer)
        self._step = self._wait
        if first.state == "incoming":
            self._step = self._confirmed
            self._accept(ours)
        else:
            self._reinvite(first, ours, self._agree)

    def _wait(self):
        # type: () -> None
        """The response to a re-INVITE is to come."""

    def _accept(self, sdp):
        # type: (bytes) -> None
        first = self._bridge.first
        first._engine.answer_call(first._id, make_content(supporting(list(first._timer_fields)), sdp, SDP))
        first.state = "accepted"
        first._sent(sdp)
        if first.replaces is not None:
            first.replaces._leave(None)

    def _confirmed(self):
        # type: () -> None
        """The first peer has our 2xx with the offer, and its ACK has the answer."""
        if self._bridge.first.state == "established":
            self._agree(self._bridge.first.remote_sdp)

    def _agree(self, answer):
        # type: (Optional[bytes]) -> None
        """Give the second peer the answer of the first, in the ACK."""
        if not descriptions.has_media(answer):
            self._no_media(self._bridge.first)
            return
        second = self._second
        answer = descriptions.answer_for(second, answer or b"", self._bridge._unanswered.pop(second, None))
        second._ack_with(answer, make_content((), answer, SDP))
        self._finish()

    def _finish(self):
        # type: () -> None
        """Both peers have a description of the other."""
        if self._bridge.first.state == "established":
            self.stop()
            self._bridge._connected(Passing(self._bridge))
