"""Two calls that are one for their peers: we are in the middle as a back-to-back user agent (RFC 3261, 6; RFC 7092).

The media go from peer to peer. What we pass on is in passing.py, and how two calls become one in connecting.py.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._call import descriptions
from sipbridge._compat import NamedTuple
from sipbridge._engine.content import make_content
from sipbridge._engine.response import Response, check_response
from sipbridge._text.arguments import check_timeout
from sipbridge.errors import CallStateError, InputError, TimeoutError, naming, quietly
from sipbridge.events import BridgeChanged, CallEnded, TransferProgress
from sipbridge.headers import Headers
from sipbridge.reason import Reason, parse_reasons, with_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Literal, NoReturn, Optional, Set, Tuple

    from sipbridge._call.agent import Agent
    from sipbridge._call.call import Call
    from sipbridge._call.incoming import IncomingRequest
    from sipbridge.errors import SipbridgeError
    from sipbridge.headers import HeaderFields

    #: The values of ``Bridge.state``.
    State = Literal["connecting", "connected", "ending", "ended"]

_NORMAL = Reason("Q.850", 16, "Normal call clearing")

#: Seconds that a peer has to report the end of its transfer, after the other call has ended.
_REPORTING = 5.0


class Why(NamedTuple("Why", [
    ("cause", "str"), ("status", "int"), ("reason", "str"), ("call", "Optional[Call]"),
])):
    """Why a bridge ends, or could not be made. ``call`` is the one that it is about."""

    __slots__ = ()


class Bridge(object):
    """Two calls whose peers talk to each other. ``Endpoint.bridge()`` and ``click_to_call()`` make it.

    Attributes:
        first, second: the calls. ``second`` is None as long as it has not been placed.
        state: "connecting", then "connected" when each peer has the other's session description, then "ending" when
            one call has ended or is to end, then "ended" when both have ended.
        cause: why it ended, as the ``cause`` of CallEnded, "local-bye" for :meth:`hangup`; "" before.
        status, reason: the status code and reason phrase that go with it; 0 and "" before.
    """

    def __init__(self, agent, first):
        # type: (Agent, Call) -> None
        self._agent = agent
        self.first = first
        self.second = None  # type: Optional[Call]
        self.state = "connecting"  # type: State
        self.cause = ""  # type: str
        self.status = 0  # type: int
        self.reason = ""  # type: str
        self._was_connected = False  # a thread that waits for it may look only after the end
        self._why = None  # type: Optional[Why]
        self._error = None  # type: Optional[SipbridgeError]  # what went wrong here
        self._told = Headers()  # what the peer whose call ended first gave as a Reason
        self._follower = None  # type: Any  # takes the events of the calls: see connecting.py and passing.py
        self._requests = set()  # type: Set[IncomingRequest]  # those that were passed on, and have no answer yet
        self._unanswered = {}  # type: Dict[Call, bytes]  # the offer in a 2xx of a call whose ACK waits for our answer

    def __repr__(self):
        # type: () -> str
        return "<Bridge %s %s>" % (" - ".join(repr(call) for call in self._calls), self.state)

    def wait_connected(self, timeout=60.0):
        # type: (Optional[float]) -> None
        """Wait at most ``timeout`` seconds (None: no limit) until both peers are connected.

        Raises TimeoutError (the calls go on until you hang up). If a call cannot be made or ends, raises what
        ``Call.wait_answered`` raises for it, with the call as ``error.call``.
        """
        check_timeout(timeout)
        if not self._agent.wait(lambda: self.state != "connecting", timeout):
            raise TimeoutError("%r: not connected in %s s" % (self, timeout))
        if not self._was_connected:
            self._raise_unconnected()

    def wait_ended(self, timeout=None):
        # type: (Optional[float]) -> None
        """Wait at most ``timeout`` seconds (None: no limit) until both calls have ended. Raises TimeoutError."""
        check_timeout(timeout)
        if not self._agent.wait(lambda: all(call.ended is not None for call in self._calls), timeout):
            raise TimeoutError("%r: not ended in %s s" % (self, timeout))

    def hangup(self, headers=(), why=None):
        # type: (HeaderFields, Optional[Reason]) -> None
        """Hang up both calls, in any state. Returns at once.

        ``headers`` and ``why`` are those of ``Call.hangup``; ``why`` None stands for Q.850, 16. Raises InputError.
        """
        fields = with_reason(headers, _NORMAL if why is None else why)
        make_content(fields, None, None)
        with self._agent.lock:
            self._end(Why("local-bye", 200, "OK", None), fields)

    # -- for those that connect and pass on, under the endpoint's lock -----------------------------------------

    @property
    def _calls(self):
        # type: () -> Tuple[Call, ...]
        return (self.first,) if self.second is None else (self.first, self.second)

    def _other(self, call):
        # type: (Call) -> Any  # a Call: nothing asks for it before there are two
        return self.second if call is self.first else self.first

    def _join(self, call):
        # type: (Call) -> None
        """Watch a call from now on."""
        call.bridge = self
        call._watch(self._seen)

    def _connected(self, follower):
        # type: (Any) -> None
        self.state = "connected"
        self._was_connected = True
        self._follower = follower
        self._tell()

    def _tell(self):
        # type: () -> None
        self._agent.post(BridgeChanged(self, self.state, self.status, self.reason))

    def _seen(self, event):
        # type: (Any) -> None
        """Take an event of one of the calls."""
        if isinstance(event, CallEnded):
            self._unanswered.pop(event.call, None)
            self._told = Headers() if self.cause else event.headers
            self._end(Why(event.cause, event.status, event.reason, event.call))
            if all(call.ended is not None for call in self._calls):
                self.state = "ended"
                self._tell()
        elif self.state in ("connecting", "connected"):
            self._follower.seen(event)

    def _fail(self, error):
        # type: (SipbridgeError) -> None
        self._error = error
        self._end(Why("failed", 500, "Server Internal Error", None))

    def _end(self, why, fields=None):
        # type: (Why, Optional[List[Tuple[str, str]]]) -> None
        """End the calls that have not ended. ``fields`` are the headers of their BYE; None for a Reason by ``why``."""
        if self.state in ("ending", "ended"):
            return
        self._why = why
        self.state, self.cause, self.status, self.reason = "ending", why.cause, why.status, why.reason
        self._follower.stop()
        for request in self._requests:
            request.answer_by_default(487)
        fields = [("Reason", each.value) for each in self._reasons(why)] if fields is None else fields
        for call in self._calls:
            if call is not why.call and _is_being_transferred(call, why):
                self._leave_later(call, why, fields)
            else:
                self._leave(call, why, fields)

    def _leave_later(self, call, why, fields):
        # type: (Call, Why, List[Tuple[str, str]]) -> None
        """Hang up when the peer has reported how its transfer went: in a moment, if it has replaced the other call."""

        def leave():
            # type: () -> None
            with self._agent.lock:
                self._leave(call, why, fields)

        self._agent.later(_REPORTING, leave)
        call._watch(lambda event: self._leave(call, why, fields) if _is_last_report(event) else None)

    def _reasons(self, why):
        # type: (Why) -> List[Reason]
        """What to tell the peer of the other call: what the first peer told, or what happened to its call."""
        given = [each for each in parse_reasons(self._told) if _is_sound(each)]
        if given:
            return given
        return [_NORMAL if why.status < 300 else Reason("SIP", why.status, why.reason)]

    def _leave(self, call, why, fields):
        # type: (Call, Why, List[Tuple[str, str]]) -> None
        call.bridge = None  # what its peer asks for from now on gets the default answers
        if call.ended is not None or call.state == "ending":
            return
        call._agent.answer_by_default(call._requests)
        if call.state == "incoming":
            content = make_content(fields, None, None)
            quietly(call._engine.reject, call._id, _refusal(why.status), None, content)
            call.state = "ending"
            return
        offer = self._unanswered.pop(call, None)
        if offer is not None:  # an ACK has to answer the offer, also where a BYE follows (RFC 3261, 13.2.2.4)
            quietly(call._engine.ack, call._id, make_content((), descriptions.refusing(call, offer), "application/sdp"))
        quietly(call._leave, make_content(fields, None, None))  # the engine may be lost: the call ends by itself then

    def _raise_unconnected(self):
        # type: () -> NoReturn
        why = self._why
        if self._error is not None:
            raise self._error
        call = None if why is None else why.call
        with naming(call):
            if why is not None and call is not None and call.ended is not None and call.ended.cause == why.cause:
                call._raise_unanswered(call.ended)
            elif why is not None and call is not None:
                check_response(Response(why.status, why.reason, Headers(), b""), "call to %s" % call.remote_uri)
            raise CallStateError("%r: ended before it was connected (%s)" % (self, self.cause))


def _is_being_transferred(call, why):
    # type: (Call, Why) -> bool
    """True when we wait for reports of this call's peer, and the other peer has hung up."""
    return why.cause == "remote-bye" and call._transfer is not None and call._transfer.state == "accepted"


def _is_last_report(event):
    # type: (Any) -> bool
    return isinstance(event, TransferProgress) and event.final


def _is_sound(reason):
    # type: (Reason) -> bool
    """True when what a peer told can be told to another."""
    try:
        return bool(reason.value)
    except InputError:
        return False


def _refusal(status):
    # type: (int) -> int
    """The status with which to refuse the call of a caller when the call to the callee ends with ``status``."""
    if status < 400 or status in (401, 407):  # the caller can neither follow that nor answer the challenge
        return 480
    return 500 if status == 503 else status  # 503 is about the next hop (RFC 3261, 16.7)
