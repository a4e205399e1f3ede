"""A call: an INVITE and the dialog that it sets up (RFC 3261, 12 to 15)."""

from __future__ import absolute_import, division, print_function

from sipbridge._call.incoming import answer_for
from sipbridge._call.replacing import supporting
from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._engine.response import Response, check_response
from sipbridge._later import later
from sipbridge._text.arguments import check_pairs, check_timeout, is_whole
from sipbridge._text.checks import check_line, check_reason, check_status, check_token
from sipbridge.errors import (
    CallStateError,
    InputError,
    TimeoutError,
    TransportError,
    naming,
)
from sipbridge.headers import check_headers
from sipbridge.uri import address_uri, check_address, parse_uri, warn_of_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Literal, NoReturn, Optional, Sequence, Tuple, Union

    from sipbridge import reason as _reason
    from sipbridge._call import sessions
    from sipbridge._call import transfer as _transfer
    from sipbridge._call.agent import Agent
    from sipbridge._call.incoming import IncomingRequest
    from sipbridge._call.placing import Attempt
    from sipbridge._call.session_timer import SessionTimer
    from sipbridge._call.transfer import Transfer
    from sipbridge._engine.records import Content
    from sipbridge._text.arguments import Body
    from sipbridge.events import CallEnded, RequestReceived, TransferRequested
    from sipbridge.headers import HeaderFields, Headers
    from sipbridge.reason import Reason

    #: What ``state`` may be.
    State = Literal["incoming", "calling", "accepted", "answered", "established", "ending", "ended"]
else:
    _reason, sessions, _transfer = later(
        "sipbridge.reason",
        "sipbridge._call.sessions",
        "sipbridge._call.transfer",
    )

SDP = "application/sdp"
DTMF_RELAY = "application/dtmf-relay"
_DTMF_KEYS = frozenset("0123456789*#ABCDabcd")
_DTMF_BODIES = {DTMF_RELAY: "Signal=%(key)s\r\nDuration=%(duration)d\r\n", "application/dtmf": "%(key)s"}


def _with_reason(headers, why):
    # type: (HeaderFields, Optional[Reason]) -> List[Tuple[str, str]]
    """The headers, with a Reason where there is one."""
    if why is None:
        return check_pairs(headers)
    return _reason.with_reason(headers, why)


class Call(object):
    """One call, incoming or outgoing. Made by an endpoint, never by hand; safe to use from any thread.

    Attributes:
        incoming: True when the peer placed it.
        state: "incoming" or "calling", then "accepted" (2xx sent, no ACK yet) or "answered" (2xx received, not
            yet acknowledged), "established", "ending" (we hung up or refused), "ended".
        headers: the :class:`~sipbridge.Headers` of the peer's INVITE, or of its latest response to ours.
        request_uri: where the INVITE went, text.
        local_sdp, remote_sdp: the session descriptions sent and received last, bytes or None.
        ended: the :class:`~sipbridge.CallEnded`, or None while the call lives.
        replaces: the Call that this one takes the place of once it is answered (RFC 3891), or None.
    """

    def __init__(self, agent, incoming, request_uri, headers, local_sdp=None, remote_sdp=None, peer=""):
        # type: (Agent, bool, str, Headers, Optional[bytes], Optional[bytes], str) -> None
        self._agent = agent
        self._engine = agent.engine
        self._id = 0  # its number, once the engine has given one
        self._peer = peer
        self.incoming = incoming
        self.state = "incoming" if incoming else "calling"  # type: State
        self.headers = headers
        self.request_uri = request_uri
        self.local_sdp = self._wanted_sdp = local_sdp  # differ while the peer holds and nobody handles that
        self.remote_sdp = remote_sdp
        self.ended = None  # type: Optional[CallEnded]
        self._was_established = False
        self.replaces = None  # type: Optional[Call]
        self._ack = None  # type: Optional[Headers]  # the headers of the ACK for our 2xx, which have our own tag in them
        self._watchers = ()  # type: Tuple[Callable[[Any], object], ...]  # called with each event of the call, under the endpoint's lock
        self._attempt = None  # type: Optional[Attempt]  # how to send the INVITE again
        self._session_timer = None  # type: Optional[SessionTimer]
        self._timer_fields = ()  # type: Sequence[Tuple[str, str]]  # of the session timer, for the 2xx
        self._their_offer = None  # type: Optional[IncomingRequest]  # the request with the peer's latest offer
        self._offering = False  # the answer to an offer of ours, a hold among them, is still to come
        self._transfer = None  # type: Optional[Transfer]  # the one that we asked for last
        self._referred = False  # the peer has asked for one
        # Events of the peer's requests that may wait for their answer still.
        self._requests = []  # type: List[RequestReceived]

    def __repr__(self):
        # type: () -> str
        return "<Call %s %s %s>" % ("from" if self.incoming else "to", self.remote_uri, self.state)

    @property
    def remote_uri(self):
        # type: () -> str
        """The peer's URI: of From when it called, else the one that was called."""
        return address_uri(self.headers.get("From", "")) if self.incoming else address_uri(self._peer)

    @property
    def local_uri(self):
        # type: () -> str
        """Our URI: of To when we were called, else of From ("" before the first response)."""
        return address_uri(self.headers.get("To" if self.incoming else "From", ""))

    @property
    def call_id(self):
        # type: () -> str
        """The Call-ID, text ("" for a call of ours before the first response)."""
        return self.headers.get("Call-ID", "")

    # -- the callee ----------------------------------------------------------------------------------------

    def ring(self, status=180, sdp=None, headers=(), reliable=False):
        # type: (int, Optional[Body], HeaderFields, bool) -> None
        """Send a provisional response, 101 to 199 (RFC 3261, 13.3.1.1): 180 rings, 183 may carry early media.

        With ``reliable`` it is repeated until the caller has acknowledged it (RFC 3262).

        Raises CallStateError when the call is not an unanswered incoming one, NotSupportedError when it is to be
        reliable and the caller or the engine does not know that, and InputError.
        """
        pairs = check_pairs(headers)
        content = make_content(pairs + [("Require", "100rel")] if reliable else pairs, sdp, SDP)
        self._engine.ring(self._id, check_status(status, 101, 199), content)
        self._sent(sdp)

    def answer(self, sdp=None, headers=()):
        # type: (Optional[Body], HeaderFields) -> None
        """Take the call with 200 and this SDP, bytes (RFC 3261, 13.3.1.4). Returns at once.

        Without ``sdp`` the one of the last :meth:`ring` goes once more. A call that this one replaces is hung up.
        Raises CallStateError when the call is not an unanswered incoming one or no SDP was given ever, and
        InputError.
        """
        if self.state == "incoming":
            sdp = answer_for(self, sdp)
        pairs = check_headers(headers)
        content = make_content(supporting(pairs + list(self._timer_fields)), sdp, SDP)
        with self._agent.lock:  # so that the ACK is not seen before the state that it ends
            self._engine.answer_call(self._id, content)
            self.state = "accepted"
        self._sent(sdp)
        if self.replaces is not None:
            self.replaces.hangup()

    def reject(self, status=486, reason=None, headers=(), why=None):
        # type: (int, Optional[str], HeaderFields, Optional[Reason]) -> None
        """Refuse the call, 400 to 699 (RFC 3261, 13.3.1.3); the reason phrase is the standard one by default.

        ``why`` is a :class:`~sipbridge.Reason` for the header of that name (RFC 3326), or None. Raises
        CallStateError when the call is not an unanswered incoming one, and InputError.
        """
        content = make_content(_with_reason(headers, why), None, None)
        check_status(status, 400, 699)
        self._end(lambda: self._engine.reject(self._id, status, check_reason(reason), content))

    def redirect(self, contact, status=302):
        # type: (str, int) -> None
        """Send the caller elsewhere, 300 to 399 (RFC 3261, 13.3.1.2). ``contact`` is a URI or a name-addr.

        Raises CallStateError when the call is not an unanswered incoming one, and InputError.
        """
        contact = check_address(contact, "contact")
        warn_of_wildcard(parse_uri(address_uri(contact)).host, "contact")
        check_status(status, 300, 399)
        self._end(lambda: self._engine.redirect(self._id, status, contact))

    # -- both ----------------------------------------------------------------------------------------------

    def ack(self, sdp=None, headers=()):
        # type: (Optional[Body], HeaderFields) -> None
        """Acknowledge a 2xx. Only due when we sent no offer, so that the answer goes here (RFC 3261, 13.2.2.4).

        Raises CallStateError when no 2xx waits for it, or without ``sdp``.
        """
        if sdp is None:
            raise CallStateError("the peer's offer came in its 2xx, so the ACK has to answer it: ack(sdp)")
        content = make_content(headers, sdp, SDP)
        with self._agent.lock:
            self._engine.ack(self._id, content)
            self._establish()
        self._sent(sdp)

    def hangup(self, headers=(), why=None):
        # type: (HeaderFields, Optional[Reason]) -> None
        """End the call, whatever its state takes: BYE, CANCEL, or 603 to one not yet answered. Returns at once.

        ``why`` is a :class:`~sipbridge.Reason` for the header of that name (RFC 3326), or None; libeXosip2
        cannot send one with a CANCEL. For a call that is ending or has ended this does nothing. Wait for
        :meth:`wait_ended` to see it through.
        """
        content = make_content(_with_reason(headers, why), None, None)
        if self.state in ("ending", "ended"):
            return
        self._agent.answer_by_default(self._requests)  # they go with the call
        self._attempt = None  # whatever the peer says now, the INVITE is not sent again
        try:
            self._end(lambda: self._engine.hangup(self._id, content))
        except CallStateError:  # it ended meanwhile
            pass

    def wait_answered(self, timeout=60.0):
        # type: (Optional[float]) -> None
        """Wait, at most ``timeout`` seconds (None: no limit), until the peer has taken a call of ours.

        Raises TimeoutError (the call goes on: hang up to cancel it), also when the peer sent no response in
        64*T1; ResponseError or AuthenticationError when it was refused or redirected; PeerUnreachable when it
        reached nobody, and TransportError when it was lost later; CallStateError when it was cancelled or the
        call is an incoming one.
        """
        check_timeout(timeout)
        if self.incoming:
            raise CallStateError("this is an incoming call: answer it")
        settled = ("answered", "established", "ended")
        with naming(self):
            if not self._agent.wait(lambda: self.state in settled, timeout):
                raise TimeoutError("no answer from %s in %s s" % (self.remote_uri, timeout))
            if self.ended is not None and self.ended.cause != "remote-bye":  # which only follows an answer (15)
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
        raise CallStateError("%s: ended before it was answered (%s)" % (what, ended.cause))

    def wait_established(self, timeout=32.0):
        # type: (Optional[float]) -> None
        """Wait, at most ``timeout`` seconds (None: no limit), until 2xx and ACK have been exchanged.

        Raises TimeoutError, and CallStateError when the call ends first.
        """
        check_timeout(timeout)
        with naming(self):
            if not self._agent.wait(lambda: self._was_established or self.ended is not None, timeout):
                raise TimeoutError("%r: not established in %s s" % (self, timeout))
            if not self._was_established and self.ended is not None:
                raise self.ended.error or CallStateError(
                    "the call ended before it was established (%s)" % self.ended.cause
                )

    def wait_ended(self, timeout=32.0):
        # type: (Optional[float]) -> CallEnded
        """Wait, at most ``timeout`` seconds (None: no limit), for the end. Returns the CallEnded.

        Raises TimeoutError.
        """
        check_timeout(timeout)
        with naming(self):
            if not self._agent.wait(lambda: self.ended is not None, timeout) or self.ended is None:
                raise TimeoutError("%r: not ended in %s s" % (self, timeout))
        return self.ended

    def request(self, method, body=None, content_type=None, headers=(), timeout=32.0):
        # type: (str, Optional[Body], Optional[str], HeaderFields, Optional[float]) -> Response
        """Send a request of any method within the dialog (RFC 3261, 12.2.1) and return the 2xx Response.

        INVITE, ACK, BYE, CANCEL and PRACK are not sent this way. Raises ResponseError for any other final
        response, TimeoutError when there is none in ``timeout`` seconds, PeerUnreachable when it reached nobody,
        CallStateError when the call is not established or ends first, and InputError.
        """
        content = make_content(headers, body, content_type)
        method = check_token(method, "method")
        return self._agent.transact(
            lambda: self._engine.call_request(self._id, method, content), timeout, method, self
        )

    def info(self, body, content_type, headers=(), timeout=32.0):
        # type: (Optional[Body], Optional[str], HeaderFields, Optional[float]) -> Response
        """Send an INFO (RFC 6086); as :meth:`request`."""
        return self.request("INFO", body, content_type, headers, timeout)

    def send_dtmf(self, keys, duration_ms=160, timeout=32.0, content_type=DTMF_RELAY):
        # type: (str, int, Optional[float], str) -> None
        """Send keys, "0" to "9", "*", "#" and "A" to "D", as one INFO each.

        ``duration_ms`` is what each INFO tells the peer, in milliseconds; ``timeout`` is for each;
        ``content_type`` is "application/dtmf-relay" or "application/dtmf", which tells no duration. Raises
        InputError, quoting the key, before anything is sent; else as :meth:`request`.
        """
        keys = check_line(keys, "keys")
        check_timeout(timeout)
        if not is_whole(duration_ms) or duration_ms <= 0:
            raise InputError("duration_ms must be milliseconds above 0, not %r" % (duration_ms,))
        for key in keys:
            if key not in _DTMF_KEYS:
                raise InputError("not a DTMF key, in keys: %r" % key)
        if check_line(content_type, "content type") not in _DTMF_BODIES:
            known = " or ".join(sorted(_DTMF_BODIES))
            raise InputError("the content type of DTMF is %s, not %r" % (known, content_type))
        for key in keys:
            body = _DTMF_BODIES[content_type] % {"key": key.upper(), "duration": duration_ms}
            self.info(body.encode("ascii"), content_type, timeout=timeout)

    def reinvite(self, sdp=None, headers=(), timeout=32.0, glare_retries=3):
        # type: (Optional[Body], HeaderFields, Optional[float], int) -> Response
        """Offer a new session by a re-INVITE (RFC 3261, 14.1): hold, resume, other media. Returns the Response.

        The 2xx is acknowledged here, unless ``sdp`` is None and the peer sent its offer in it: then
        :meth:`ack` with the answer is due. A 491, which means that the peer's own re-INVITE crossed, is
        followed by another try after the random time of 14.1, ``glare_retries`` times at most and within
        ``timeout``. Raises as :meth:`request`; after a refusal the session is as it was. CallStateError also
        while an offer of the peer waits for our answer. An answer that comes after a TimeoutError is heeded all the
        same: it is acknowledged, and what was offered is agreed on from then on.
        """
        return sessions.reinvite(self, sdp, headers, timeout, glare_retries)

    def update(self, sdp=None, headers=(), timeout=32.0):
        # type: (Optional[Body], HeaderFields, Optional[float]) -> Response
        """Offer a new session by UPDATE (RFC 3311); as :meth:`request`, and late answers as of :meth:`reinvite`.

        Returns the Response.
        """
        return sessions.update(self, sdp, headers, timeout)

    # -- hold and transfer ---------------------------------------------------------------------------------

    @property
    def on_hold(self):
        # type: () -> bool
        """True while our latest session description says that we do not want to receive (RFC 3264, 8.4)."""
        return sessions.is_held(self._wanted_sdp)

    @property
    def held_by_peer(self):
        # type: () -> bool
        """True while the peer's latest session description puts the call on hold."""
        return sessions.is_held(self.remote_sdp)

    def hold(self, timeout=32.0):
        # type: (Optional[float]) -> Optional[Response]
        """Put the call on hold by a re-INVITE (RFC 3264, 8.4). Returns the Response, or None when it was already.

        Raises as :meth:`reinvite`, and CallStateError when no SDP of ours was sent, or while the answer to an earlier
        one is still to come, after whose TimeoutError nobody knows yet whether the call is on hold.
        """
        return sessions.change_direction(self, "hold", True, timeout)

    def resume(self, timeout=32.0):
        # type: (Optional[float]) -> Optional[Response]
        """Take the call off hold; as :meth:`hold`."""
        return sessions.change_direction(self, "resume", False, timeout)

    def begin_transfer(self, to, headers=(), timeout=32.0):
        # type: (Union[str, Call], HeaderFields, Optional[float]) -> Transfer
        """Ask the peer to call somebody else (REFER, RFC 3515). Returns the Transfer once the peer has agreed.

        ``to`` is a URI or a name-addr, or another :class:`Call` whose peer ours is to be connected with, in our
        place (Replaces, RFC 3891). Referred-By names us (RFC 3892). A :class:`~sipbridge.TransferProgress`
        follows for each thing that the peer tells. Raises as :meth:`request`, and CallStateError while another
        transfer of this call is under way.
        """
        return _transfer.begin(self, to, headers, timeout)

    def transfer(self, to, headers=(), timeout=60.0):
        # type: (Union[str, Call], HeaderFields, Optional[float]) -> Transfer
        """Transfer the peer, see it through, and hang up (RFC 5589, 6.1). Returns the Transfer.

        Waits at most ``timeout`` seconds (None: no limit) until the target has taken the peer's call. Arguments as
        for :meth:`begin_transfer`. Raises what that does; ResponseError also when the target refused, and
        CallStateError when the call ended before the result was known. After an error this call is still up.
        """
        check_timeout(timeout)
        deadline = None if timeout is None else monotonic() + timeout
        under_way = self.begin_transfer(to, headers, timeout)
        under_way.wait_ended(None if deadline is None else max(0.0, deadline - monotonic()))
        self.hangup()
        return under_way

    def transfer_to(self, other, headers=(), timeout=60.0):
        # type: (Call, HeaderFields, Optional[float]) -> Transfer
        """Connect our peer with the peer of another call of ours, and leave (attended; RFC 5589, 7).

        As :meth:`transfer`. The peer of ``other`` hangs that one up.
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

    def _sent(self, sdp):
        # type: (Optional[Body]) -> None
        if sdp is not None:
            self.local_sdp = self._wanted_sdp = bytes(sdp)

    def _establish(self):
        # type: () -> None
        self.state = "established"
        self._was_established = True  # whoever waits for it may come to look when it has ended again

    def _received(self, sdp):
        # type: (Optional[bytes]) -> None
        if sdp:
            self.remote_sdp = sdp

    def _end(self, send):
        # type: (Callable[[], object]) -> None
        with self._agent.lock:
            send()
            self.state = "ending"

    def _acknowledge(self, offered):
        # type: (bool) -> None
        """Acknowledge a 2xx, unless the peer's offer is in it and our answer to that has to go in the ACK."""
        if not offered and self.remote_sdp:
            return
        try:
            self._engine.ack(self._id, None)
            self._establish()
        except CallStateError:  # hung up meanwhile: the engine acknowledges by itself and says BYE
            pass
        except InputError:  # the 2xx does not say where to (RFC 3261, 12.1.2)
            self._engine.hangup(self._id, None)
            self.state = "ending"

    def _reinvited(self, response, offered):
        # type: (Response, bool) -> None
        if response.ok:
            self.remote_sdp = response.body or None
            self._acknowledge(offered)
