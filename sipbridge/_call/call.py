"""A call: an INVITE and the dialog that it sets up (RFC 3261, 12 to 15)."""

from __future__ import absolute_import, division, print_function

from sipbridge._call.incoming import answer_for, deferred
from sipbridge._call.own import Own
from sipbridge._call.replacing import supporting
from sipbridge._compat import monotonic
from sipbridge._engine.content import content_of, make_content
from sipbridge._engine.response import Response, check_response
from sipbridge._later import later
from sipbridge._text.arguments import check_pairs, check_timeout
from sipbridge._text.checks import check_reason, check_status, check_token
from sipbridge.errors import CallStateError, InputError, TimeoutError, TransportError, naming
from sipbridge.headers import check_headers
from sipbridge.uri import address_uri, check_address, parse_uri, warn_of_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Literal, NoReturn, Optional, Sequence, Tuple, Union

    from sipbridge import reason as _reason
    from sipbridge._call import keys as _keys_of
    from sipbridge._call import sessions
    from sipbridge._call import transfer as _transfer
    from sipbridge._call.agent import Agent
    from sipbridge._call.bridge import Bridge
    from sipbridge._call.incoming import IncomingRequest
    from sipbridge._call.placing import Attempt
    from sipbridge._call.session_timer import SessionTimer
    from sipbridge._call.transfer import Transfer
    from sipbridge._engine.records import Content
    from sipbridge._text.arguments import Body
    from sipbridge.events import CallEnded, RequestReceived, TransferRequested
    from sipbridge.headers import HeaderFields, Headers
    from sipbridge.reason import Reason

    #: The values of ``Call.state``.
    State = Literal["incoming", "calling", "accepted", "answered", "established", "ending", "ended"]
else:
    _reason, _keys_of, sessions, _transfer = later(
        "sipbridge.reason",
        "sipbridge._call.keys",
        "sipbridge._call.sessions",
        "sipbridge._call.transfer",
    )

SDP = "application/sdp"
DTMF_RELAY = "application/dtmf-relay"


def _with_reason(headers, why):
    # type: (HeaderFields, Optional[Reason]) -> List[Tuple[str, str]]
    """The headers as pairs, with a Reason header unless ``why`` is None."""
    if why is None:
        return check_pairs(headers)
    return _reason.with_reason(headers, why)


class Call(Own):
    """A call, incoming or outgoing. An endpoint makes it, never you. You may use it from any thread.

    Attributes:
        incoming: True when the peer placed the call.
        state: "incoming" or "calling" at first. Then "accepted" (we sent a 2xx, no ACK came yet) or "answered" (a 2xx
            came, the ACK is not sent yet), "established", "ending" (we hung up or refused), "ended".
        headers: the :class:`~sipbridge.Headers` of the peer's INVITE, or of its latest response to our INVITE.
        request_uri: the Request-URI of the INVITE, text.
        local_sdp, remote_sdp: the session descriptions that were sent and received last, bytes or None.
        call_id: the Call-ID (20.8), text.
        ended: the :class:`~sipbridge.CallEnded`, or None before the end.
        replaces: the Call whose place this one takes when you answer it (RFC 3891), or None.
        user: the name that the caller has proven by digest (``Endpoint(authenticator=)``), or None.
        bridge: the :class:`~sipbridge.Bridge` that connects this call with another, or None.
        answer_by: until when ``IncomingCall.defer()`` leaves time for an answer, on the monotonic clock, or None.
        data: for your program: any object. None at first.
    """

    def __init__(self, agent, incoming, request_uri, headers, local_sdp=None, remote_sdp=None, peer="", call_id=None):
        # type: (Agent, bool, str, Headers, Optional[bytes], Optional[bytes], str, Optional[str]) -> None
        Own.__init__(self, agent, incoming)
        self._engine = agent.engine
        self._id = 0  # the engine's number of the call, 0 before there is one
        self._peer = peer
        self.incoming = incoming
        self.state = "incoming" if incoming else "calling"  # type: State
        self.headers = headers
        self.call_id = headers.get("Call-ID", "") if call_id is None else call_id  # type: str
        self.request_uri = request_uri
        self.local_sdp = self._wanted_sdp = local_sdp  # these differ while the peer holds and no handler answers that
        self.remote_sdp = remote_sdp
        self.ended = None  # type: Optional[CallEnded]
        self._was_established = False
        self.replaces = None  # type: Optional[Call]
        self.user = None  # type: Optional[str]
        self.bridge = None  # type: Optional[Bridge]
        self.answer_by = None  # type: Optional[float]
        self._ack = None  # type: Optional[Headers]  # the headers of the ACK for our 2xx: the first that have our tag
        self._watchers = ()  # type: Tuple[Callable[[Any], object], ...]  # called with each event of the call, under the endpoint's lock
        self._progress = None  # type: Optional[Tuple[int, str]]  # status and reason of the peer's latest 1xx
        self._attempt = None  # type: Optional[Attempt]  # how to send the INVITE again
        self._session_timer = None  # type: Optional[SessionTimer]
        self._timer_fields = ()  # type: Sequence[Tuple[str, str]]  # the session timer's header fields for the 2xx
        self._their_offer = None  # type: Optional[IncomingRequest]  # the request with the peer's latest offer
        self._offering = False  # we sent an offer (a hold is one) that has no answer yet
        self._transfer = None  # type: Optional[Transfer]  # the last transfer that we asked the peer for
        self._referred = False  # the peer has asked us for a transfer
        # Events of requests from the peer that may not be answered yet.
        self._requests = []  # type: List[RequestReceived]

    def __repr__(self):
        # type: () -> str
        return "<Call %s %s %s>" % ("from" if self.incoming else "to", self.remote_uri, self.state)

    @property
    def remote_uri(self):
        # type: () -> str
        """The peer's URI: that of From in an incoming call, else the URI that was called."""
        return address_uri(self.headers.get("From", "")) if self.incoming else address_uri(self._peer)

    @property
    def local_uri(self):
        # type: () -> str
        """Our URI: that of To in an incoming call, else that of From ("" where only the first response will tell)."""
        return address_uri(self.headers.get("To" if self.incoming else "From", "")) or self._own

    # -- the callee ----------------------------------------------------------------------------------------

    def ring(self, status=180, sdp=None, headers=(), reliable=False):
        # type: (int, Optional[Body], HeaderFields, bool) -> None
        """Send a provisional response, 101 to 199 (RFC 3261, 13.3.1.1): 180 Ringing, or 183 with SDP for early media.

        With ``reliable`` the engine sends it again until the caller acknowledges it (RFC 3262).

        Raises CallStateError when the call is not an unanswered incoming one, NotSupportedError when the caller or the
        engine does not support reliable responses, and InputError.
        """
        pairs = check_pairs(headers)
        content = make_content(pairs + [("Require", "100rel")] if reliable else pairs, sdp, SDP)
        check_status(status, 101, 199)
        with naming(self):
            self._engine.ring(self._id, status, content)
        self._sent(sdp)
        if self._agent.observers.call_progress:
            with self._agent.lock:
                self._note_progress(status)
            self._agent.observers.tell()

    def answer(self, sdp=None, headers=()):
        # type: (Optional[Body], HeaderFields) -> None
        """Answer the call with 200 and this SDP, bytes (RFC 3261, 13.3.1.4). Returns at once.

        Without ``sdp`` it sends that of the last :meth:`ring` again. A call that this one replaces is hung up. Raises
        CallStateError when the call is not an unanswered incoming one, or when neither this nor :meth:`ring` was given
        an SDP; and InputError.
        """
        if self.state == "incoming":
            sdp = answer_for(self, sdp)
        pairs = check_headers(headers)
        content = content_of(supporting(pairs + list(self._timer_fields)), sdp, SDP)
        with naming(self):
            self._accept(content, sdp)
        if self.replaces is not None:
            self.replaces.hangup()

    def reject(self, status=486, reason=None, headers=(), why=None):
        # type: (int, Optional[str], HeaderFields, Optional[Reason]) -> None
        """Refuse the call with 400 to 699 (RFC 3261, 13.3.1.3).

        ``reason`` is the reason phrase; None for the standard one. ``why`` is a :class:`~sipbridge.Reason` for the
        header of that name (RFC 3326), or None. Raises CallStateError when the call is not an unanswered incoming one,
        and InputError.
        """
        content = make_content(_with_reason(headers, why), None, None)
        check_status(status, 400, 699)
        self._end(lambda: self._engine.reject(self._id, status, check_reason(reason), content))

    def redirect(self, contact, status=302):
        # type: (str, int) -> None
        """Redirect the caller with 300 to 399 (RFC 3261, 13.3.1.2) to ``contact``, a URI or a name-addr.

        Raises CallStateError when the call is not an unanswered incoming one, and InputError.
        """
        contact = check_address(contact, "contact")
        warn_of_wildcard(parse_uri(address_uri(contact)).host, "contact")
        check_status(status, 300, 399)
        self._end(lambda: self._engine.redirect(self._id, status, contact))

    def _defer(self, seconds):
        # type: (float) -> None
        if self.state != "incoming":
            with naming(self):
                raise CallStateError("the call is %s: there is no answer to defer" % self.state)
        self.answer_by = deferred(seconds)

    # -- both ----------------------------------------------------------------------------------------------

    def ack(self, sdp=None, headers=()):
        # type: (Optional[Body], HeaderFields) -> None
        """Acknowledge a 2xx that has the peer's offer, with our answer ``sdp``, bytes (RFC 3261, 13.2.2.4).

        This is needed only after an INVITE without SDP. Every other 2xx is acknowledged for you. Raises CallStateError
        when no 2xx waits for an ACK or ``sdp`` is missing, and InputError.
        """
        if sdp is None:
            raise CallStateError("the peer's offer came in its 2xx, so the ACK has to answer it: ack(sdp)")
        content = make_content(headers, sdp, SDP)
        with naming(self), self._agent.lock:
            self._ack_with(sdp, content)

    def hangup(self, headers=(), why=None):
        # type: (HeaderFields, Optional[Reason]) -> None
        """End the call in any state: with BYE, with CANCEL, or with 603 for an unanswered incoming call.

        ``why`` is a :class:`~sipbridge.Reason` for the header of that name (RFC 3326), or None; libeXosip2 cannot send
        one with a CANCEL. Returns at once: :meth:`wait_ended` waits for the end. It does nothing when the call is
        ending or has ended. Raises InputError.
        """
        content = make_content(_with_reason(headers, why), None, None)
        if self.state in ("ending", "ended"):
            return
        self._agent.answer_by_default(self._requests)  # before the call ends, as they end with it
        with self._agent.lock:
            self._leave(content)

    def wait_answered(self, timeout=60.0):
        # type: (Optional[float]) -> None
        """Wait at most ``timeout`` seconds (None: no limit) until the peer answers an outgoing call with a 2xx.

        Raises TimeoutError when the time is over (the call goes on until you hang up), and when the peer sends no
        response in 64*T1 (32 s). Raises ResponseError or AuthenticationError when the call is refused or redirected,
        PeerUnreachable when the INVITE reaches nobody, TransportError when the connection is lost later, and
        CallStateError when the call is cancelled or is an incoming one.
        """
        check_timeout(timeout)
        if self.incoming:
            raise CallStateError("this is an incoming call: answer it")
        settled = ("answered", "established", "ended")
        with naming(self):
            if not self._agent.wait(lambda: self.state in settled, timeout):
                raise TimeoutError("no answer from %s in %s s" % (self.remote_uri, timeout))
            if self.ended is not None and self.ended.cause != "remote-bye":  # a BYE only follows an answer (15)
                self._raise_unanswered(self.ended)

    def _raise_unanswered(self, ended):
        # type: (CallEnded) -> NoReturn
        if ended.error is not None:
            raise ended.error
        what = "call to %s" % self.remote_uri
        if ended.cause in ("rejected", "redirected", "timeout"):
            check_response(Response(ended.status, ended.reason, ended.headers, b""), what)
        if ended.cause == "failed":
            raise TransportError("%s: lost: %s" % (what, ended.reason))
        raise CallStateError("%s: not answered" % what)

    def wait_established(self, timeout=32.0):
        # type: (Optional[float]) -> None
        """Wait at most ``timeout`` seconds (None: no limit) until 2xx and ACK have been exchanged.

        Raises TimeoutError, and CallStateError when the call ends first.
        """
        check_timeout(timeout)
        with naming(self):
            if not self._agent.wait(lambda: self._was_established or self.ended is not None, timeout):
                raise TimeoutError("%r: not established in %s s" % (self, timeout))
            if not self._was_established and self.ended is not None:
                raise self.ended.error or CallStateError("%r was not established" % self)

    def wait_ended(self, timeout=32.0):
        # type: (Optional[float]) -> CallEnded
        """Wait at most ``timeout`` seconds (None: no limit) for the end of the call. Returns the CallEnded.

        Raises TimeoutError.
        """
        check_timeout(timeout)
        with naming(self):
            if not self._agent.wait(lambda: self.ended is not None, timeout) or self.ended is None:
                raise TimeoutError("%r: not ended in %s s" % (self, timeout))
        return self.ended

    def request(self, method, body=None, content_type=None, headers=(), timeout=32.0):
        # type: (str, Optional[Body], Optional[str], HeaderFields, Optional[float]) -> Response
        """Send a request within the dialog (RFC 3261, 12.2.1), and return the 2xx Response.

        ``method`` is any token but INVITE, ACK, BYE, CANCEL and PRACK. Raises ResponseError for a final response that
        is no 2xx, TimeoutError when none comes in ``timeout`` seconds, PeerUnreachable when the request reaches nobody,
        CallStateError when the call is not established or ends first, and InputError.
        """
        content = make_content(headers, body, content_type)
        method = check_token(method, "method")
        return self._agent.transact(
            lambda: self._engine.call_request(self._id, method, content), timeout, method, self
        )

    def info(self, body, content_type, headers=(), timeout=32.0):
        # type: (Optional[Body], Optional[str], HeaderFields, Optional[float]) -> Response
        """Send an INFO (RFC 6086). Arguments, result and errors are those of :meth:`request`."""
        return self.request("INFO", body, content_type, headers, timeout)

    def send_dtmf(self, keys, duration_ms=160, timeout=32.0, content_type=DTMF_RELAY):
        # type: (str, int, Optional[float], str) -> None
        """Send keys, "0" to "9", "*", "#" and "A" to "D", one INFO for each.

        ``duration_ms`` is the length of a key press in milliseconds, as the INFO tells it. ``timeout`` is in seconds,
        for each INFO. ``content_type`` is "application/dtmf-relay", or "application/dtmf", which has no duration.
        Raises InputError, which quotes the wrong key, before it sends anything; and what :meth:`request` raises.
        """
        _keys_of.send(self, keys, duration_ms, timeout, content_type)

    def reinvite(self, sdp=None, headers=(), timeout=32.0, glare_retries=3):
        # type: (Optional[Body], HeaderFields, Optional[float], int) -> Response
        """Offer a new session with a re-INVITE (RFC 3261, 14.1): hold, resume, other media. Returns the 2xx Response.

        It acknowledges the 2xx. Only when ``sdp`` is None and the 2xx has the peer's offer, you have to call
        :meth:`ack` with the answer. A 491 means that a re-INVITE of the peer crossed this one. It then tries again
        after the random time of 14.1, at most ``glare_retries`` times and within ``timeout`` seconds.

        Raises what :meth:`request` raises, and CallStateError while an offer of the peer waits for our answer. After
        a refusal the session stays as it was. An answer that comes after a TimeoutError still counts: it is
        acknowledged, and the session is the offered one from then on.
        """
        return sessions.reinvite(self, sdp, headers, timeout, glare_retries)

    def update(self, sdp=None, headers=(), timeout=32.0):
        # type: (Optional[Body], HeaderFields, Optional[float]) -> Response
        """Offer a new session with an UPDATE (RFC 3311). Returns the 2xx Response.

        Raises what :meth:`reinvite` raises. A late answer counts, as there.
        """
        return sessions.update(self, sdp, headers, timeout)

    # -- hold and transfer ---------------------------------------------------------------------------------

    @property
    def on_hold(self):
        # type: () -> bool
        """True while we hold: our latest session description wants to receive nothing (RFC 3264, 8.4)."""
        return sessions.is_held(self._wanted_sdp)

    @property
    def held_by_peer(self):
        # type: () -> bool
        """True while the peer holds: its latest session description wants to receive nothing (RFC 3264, 8.4)."""
        return sessions.is_held(self.remote_sdp)

    def hold(self, timeout=32.0):
        # type: (Optional[float]) -> Optional[Response]
        """Put the call on hold with a re-INVITE (RFC 3264, 8.4). Returns the Response, or None if it was on hold.

        Raises what :meth:`reinvite` raises, and CallStateError when we have sent no SDP, or while an earlier offer of
        ours has no answer: after a TimeoutError nobody knows whether the peer took that offer.
        """
        return sessions.change_direction(self, "hold", True, timeout)

    def resume(self, timeout=32.0):
        # type: (Optional[float]) -> Optional[Response]
        """Take the call off hold. Returns and raises the same as :meth:`hold`."""
        return sessions.change_direction(self, "resume", False, timeout)

    def begin_transfer(self, to, headers=(), timeout=32.0):
        # type: (Union[str, Call], HeaderFields, Optional[float]) -> Transfer
        """Ask the peer to call somebody else (REFER, RFC 3515). Returns the Transfer once the peer has accepted.

        ``to`` is a URI or a name-addr. Or it is another :class:`Call`: then our peer calls the peer of that call and
        takes our place in it (Replaces, RFC 3891). Referred-By names us (RFC 3892). The peer reports how it goes; each
        report is a :class:`~sipbridge.TransferProgress`. Raises what :meth:`request` raises, and CallStateError while
        another transfer of this call goes on.
        """
        return _transfer.begin(self, to, headers, timeout)

    def transfer(self, to, headers=(), timeout=60.0):
        # type: (Union[str, Call], HeaderFields, Optional[float]) -> Transfer
        """Transfer the peer, wait until the target has answered, and hang up (RFC 5589, 6.1). Returns the Transfer.

        It waits at most ``timeout`` seconds (None: no limit). The other arguments are those of :meth:`begin_transfer`.
        Raises what that raises, ResponseError also when the target refuses, and CallStateError when the call ends
        before the result is known. After any other error this call is still up.
        """
        check_timeout(timeout)
        deadline = None if timeout is None else monotonic() + timeout
        under_way = self.begin_transfer(to, headers, timeout)
        under_way.wait_ended(None if deadline is None else max(0.0, deadline - monotonic()))
        self.hangup()
        return under_way

    def transfer_to(self, other, headers=(), timeout=60.0):
        # type: (Call, HeaderFields, Optional[float]) -> Transfer
        """Connect our peer with the peer of another call, and hang up (attended transfer; RFC 5589, 7).

        The peer of ``other`` hangs up that call. Returns and raises the same as :meth:`transfer`.
        """
        if not hasattr(getattr(other, "_core", other), "call_id"):
            raise InputError("other must be the other call, not %r; transfer() takes a URI" % (other,))
        return self.transfer(other, headers, timeout)

    def _accept_transfer(self, event, sdp, headers, options):
        # type: (TransferRequested, Optional[Body], HeaderFields, Dict[str, Optional[str]]) -> Call
        return _transfer.accept(self, event, sdp, headers, options)

    # -- for the endpoint, under its lock where the state changes -------------------------------------------

    def _send_within(self, method, content, on_response):
        # type: (str, Optional[Content], Callable[[Response], object]) -> None
        self._agent.send_within(self, self._id, method, content, on_response)

    def _watch(self, watcher):
        # type: (Callable[[Any], object]) -> None
        self._watchers += (watcher,)

    def _accept(self, content, sdp):
        # type: (Optional[Content], Optional[Body]) -> None
        """Send the 2xx. Without the lock, since a worker takes its time; so the state changes first, as nobody may see
        the ACK before the state "accepted".
        """
        with self._agent.lock:
            before = self.state, self.local_sdp, self._wanted_sdp
            if self.state == "incoming":
                self.state = "accepted"
                self._taken()
                self._sent(sdp)
        try:
            self._engine.answer_call(self._id, content)
        except Exception:
            with self._agent.lock:
                if before[0] == "incoming" and self.state == "accepted":
                    self.state, self.local_sdp, self._wanted_sdp = before
                    self._not_taken()
            raise
        if self._agent.observers.call_answered:
            with self._agent.lock:
                self._note_answer()
            self._agent.observers.tell()

    def _ack_with(self, sdp, content):
        # type: (Body, Optional[Content]) -> None
        self._engine.ack(self._id, content)
        self._establish()
        self._sent(sdp)

    def _leave(self, content):
        # type: (Optional[Content]) -> None
        """Hang up, if the call has not ended meanwhile."""
        self._attempt = None  # so that no response makes us send the INVITE again
        try:
            self._engine.hangup(self._id, content)
            self.state = "ending"
        except CallStateError:
            pass

    def _sent(self, sdp):
        # type: (Optional[Body]) -> None
        if sdp is not None:
            self.local_sdp = self._wanted_sdp = bytes(sdp)

    def _establish(self):
        # type: () -> None
        self.state = "established"
        self._was_established = True  # a thread that waits for it may look only after the call has ended

    def _received(self, sdp):
        # type: (Optional[bytes]) -> None
        if sdp:
            self.remote_sdp = sdp

    def _end(self, send):
        # type: (Callable[[], object]) -> None
        with naming(self), self._agent.lock:
            send()
            self.state = "ending"

    def _acknowledge(self, offered):
        # type: (bool) -> None
        """Acknowledge a 2xx, unless it has the peer's offer: the ACK must have our answer then."""
        if not offered and self.remote_sdp:
            return
        try:
            self._engine.ack(self._id, None)
            self._establish()
        except CallStateError:  # the user hung up: the engine sends ACK and BYE itself
            pass
        except InputError:  # the 2xx has no usable Contact (RFC 3261, 12.1.2)
            self._engine.hangup(self._id, None)
            self.state = "ending"

    def _reinvited(self, response, offered):
        # type: (Response, bool) -> None
        if response.ok:
            self.remote_sdp = response.body or None
            self._acknowledge(offered)
