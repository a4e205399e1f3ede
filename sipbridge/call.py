"""A call: an INVITE and the dialog that it sets up (RFC 3261, 12 to 15)."""

from __future__ import absolute_import, division, print_function

from sipbridge.content import check_line, check_reason, check_status, make_content
from sipbridge.errors import CallStateError, InputError, TimeoutError
from sipbridge.response import Response, check_response
from sipbridge.uri import address_uri, check_address

SDP = "application/sdp"
DTMF_RELAY = "application/dtmf-relay"
_DTMF_KEYS = frozenset("0123456789*#ABCDabcd")
_DTMF_BODIES = {DTMF_RELAY: "Signal=%(key)s\r\nDuration=%(duration)d\r\n", "application/dtmf": "%(key)s"}


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
    """

    def __init__(self, endpoint, incoming, request_uri, headers, local_sdp=None, remote_sdp=None, peer=""):
        self._endpoint = endpoint
        self._engine = endpoint._engine
        self._id = None
        self._peer = peer
        self.incoming = incoming
        self.state = "incoming" if incoming else "calling"
        self.headers = headers
        self.request_uri = request_uri
        self.local_sdp = local_sdp
        self.remote_sdp = remote_sdp
        self.ended = None

    def __repr__(self):
        return "<Call %s %s %s>" % ("from" if self.incoming else "to", self.remote_uri, self.state)

    @property
    def remote_uri(self):
        """The peer's URI: of From when it called, else the one that was called."""
        return address_uri(self.headers.get("From", "")) if self.incoming else address_uri(self._peer)

    @property
    def local_uri(self):
        """Our URI: of To when we were called, else of From ("" before the first response)."""
        return address_uri(self.headers.get("To" if self.incoming else "From", ""))

    @property
    def call_id(self):
        """The Call-ID, text ("" for a call of ours before the first response)."""
        return self.headers.get("Call-ID", "")

    # -- the callee ----------------------------------------------------------------------------------------

    def ring(self, status=180, sdp=None, headers=(), reliable=False):
        """Send a provisional response, 101 to 199 (RFC 3261, 13.3.1.1): 180 rings, 183 may carry early media.

        With ``reliable`` it is repeated until the caller has acknowledged it (RFC 3262).

        Raises CallStateError when the call is not an unanswered incoming one, NotSupportedError when it is to be
        reliable and the caller or the engine does not know that, and InputError.
        """
        pairs = list(headers.items() if hasattr(headers, "items") else headers)
        content = make_content(pairs + [("Require", "100rel")] if reliable else pairs, sdp, SDP)
        self._engine.ring(self._id, check_status(status, 101, 199), content)
        self._sent(sdp)

    def answer(self, sdp=None, headers=()):
        """Take the call with 200 and this SDP, bytes (RFC 3261, 13.3.1.4). Returns at once.

        Raises CallStateError when the call is not an unanswered incoming one, and InputError.
        """
        content = make_content(headers, sdp, SDP)
        with self._endpoint._lock:  # so that the ACK is not seen before the state that it ends
            self._engine.answer_call(self._id, content)
            self.state = "accepted"
        self._sent(sdp)

    def reject(self, status=486, reason=None, headers=()):
        """Refuse the call, 400 to 699 (RFC 3261, 13.3.1.3); the reason phrase is the standard one by default.

        Raises CallStateError when the call is not an unanswered incoming one, and InputError.
        """
        content = make_content(headers, None, None)
        check_status(status, 400, 699)
        self._end(lambda: self._engine.reject(self._id, status, check_reason(reason), content))

    def redirect(self, contact, status=302):
        """Send the caller elsewhere, 300 to 399 (RFC 3261, 13.3.1.2). ``contact`` is a URI or a name-addr.

        Raises CallStateError when the call is not an unanswered incoming one, and InputError.
        """
        contact = check_address(contact)
        check_status(status, 300, 399)
        self._end(lambda: self._engine.redirect(self._id, status, contact))

    # -- both ----------------------------------------------------------------------------------------------

    def ack(self, sdp=None, headers=()):
        """Acknowledge a 2xx. Only due when we sent no offer, so that the answer goes here (RFC 3261, 13.2.2.4).

        Raises CallStateError when no 2xx waits for it.
        """
        content = make_content(headers, sdp, SDP)
        with self._endpoint._lock:
            self._engine.ack(self._id, content)
            self.state = "established"
        self._sent(sdp)

    def hangup(self, headers=()):
        """End the call, whatever its state takes: BYE, CANCEL, or 603 to one not yet answered. Returns at once.

        For a call that is ending or has ended this does nothing. Wait for :meth:`wait_ended` to see it through.
        """
        content = make_content(headers, None, None)
        if self.state in ("ending", "ended"):
            return
        try:
            self._end(lambda: self._engine.hangup(self._id, content))
        except CallStateError:  # it ended meanwhile
            pass

    def wait_answered(self, timeout=60.0):
        """Wait, at most ``timeout`` seconds (None: no limit), until the peer has taken a call of ours.

        Raises TimeoutError (the call goes on: hang up to cancel it), also when the peer sent no response in
        64*T1; ResponseError or AuthenticationError when it was refused or redirected; CallStateError when it
        was cancelled or the call is an incoming one.
        """
        if self.incoming:
            raise CallStateError("this is an incoming call: answer it")
        settled = ("answered", "established", "ended")
        if not self._endpoint._wait(lambda: self.state in settled, timeout):
            raise TimeoutError("no answer from %s in %s s" % (self.remote_uri, timeout))
        if self.ended is not None and self.ended.cause != "remote-bye":  # which only follows an answer (15)
            self._raise_unanswered()

    def _raise_unanswered(self):
        ended = self.ended
        if ended.error is not None:
            raise ended.error
        what = "call to %s" % self.remote_uri
        if ended.cause in ("rejected", "redirected", "timeout"):
            check_response(Response(ended.status, ended.reason, ended.headers, b""), what)
        if ended.cause == "failed":
            check_response(Response(ended.status or 503, ended.reason, ended.headers, b""), what)
        raise CallStateError("%s: ended before it was answered (%s)" % (what, ended.cause))

    def wait_established(self, timeout=32.0):
        """Wait, at most ``timeout`` seconds (None: no limit), until 2xx and ACK have been exchanged.

        Raises TimeoutError, and CallStateError when the call ends first.
        """
        if not self._endpoint._wait(lambda: self.state in ("established", "ended"), timeout):
            raise TimeoutError("%r: not established in %s s" % (self, timeout))
        if self.ended is not None:
            raise self.ended.error or CallStateError(
                "the call ended before it was established (%s)" % self.ended.cause
            )

    def wait_ended(self, timeout=32.0):
        """Wait, at most ``timeout`` seconds (None: no limit), for the end. Returns the CallEnded.

        Raises TimeoutError.
        """
        if not self._endpoint._wait(lambda: self.ended is not None, timeout):
            raise TimeoutError("%r: not ended in %s s" % (self, timeout))
        return self.ended

    def request(self, method, body=None, content_type=None, headers=(), timeout=32.0):
        """Send a request of any method within the dialog (RFC 3261, 12.2.1) and return the 2xx Response.

        INVITE, ACK, BYE, CANCEL and PRACK are not sent this way. Raises ResponseError for any other final
        response, TimeoutError when there is none in ``timeout`` seconds, CallStateError when the call is not
        established or ends first, and InputError.
        """
        content = make_content(headers, body, content_type)
        method = check_line(method, "method")
        return self._endpoint._transact(
            lambda: self._engine.call_request(self._id, method, content), timeout, method, self
        )

    def info(self, body, content_type, headers=(), timeout=32.0):
        """Send an INFO (RFC 6086); as :meth:`request`."""
        return self.request("INFO", body, content_type, headers, timeout)

    def send_dtmf(self, keys, duration_ms=160, timeout=32.0, content_type=DTMF_RELAY):
        """Send keys, "0" to "9", "*", "#" and "A" to "D", as one INFO each.

        ``duration_ms`` is what each INFO tells the peer, in milliseconds; ``timeout`` is for each;
        ``content_type`` is "application/dtmf-relay" or "application/dtmf", which tells no duration. Raises
        InputError, quoting the key, before anything is sent; else as :meth:`request`.
        """
        keys = check_line(keys, "keys")
        if isinstance(duration_ms, bool) or not isinstance(duration_ms, int) or duration_ms <= 0:
            raise InputError("the duration must be milliseconds above 0, not %r" % (duration_ms,))
        for key in keys:
            if key not in _DTMF_KEYS:
                raise InputError("not a DTMF key: %r" % key)
        if content_type not in _DTMF_BODIES:
            raise InputError("DTMF is %s, not %r" % (" or ".join(sorted(_DTMF_BODIES)), content_type))
        for key in keys:
            body = _DTMF_BODIES[content_type] % {"key": key.upper(), "duration": duration_ms}
            self.info(body.encode("ascii"), content_type, timeout=timeout)

    def reinvite(self, sdp=None, headers=(), timeout=32.0):
        """Offer a new session by a re-INVITE (RFC 3261, 14.1): hold, resume, other media. Returns the Response.

        The 2xx is acknowledged here, unless ``sdp`` is None and the peer sent its offer in it: then
        :meth:`ack` with the answer is due. Raises as :meth:`request`; after a refusal the session is as it
        was. 491 means that the peer's own re-INVITE crossed (try again, 14.1).
        """
        content = make_content(headers, sdp, SDP)
        offered = sdp is not None
        response = self._endpoint._transact(
            lambda: self._engine.reinvite(self._id, content),
            timeout,
            "re-INVITE",
            self,
            lambda response: self._reinvited(response, offered),
        )
        self._sent(sdp)
        return response

    def update(self, sdp=None, headers=(), timeout=32.0):
        """Offer a new session by UPDATE (RFC 3311); as :meth:`request`. Returns the Response."""
        response = self.request("UPDATE", sdp, SDP, headers, timeout)
        self._received(response.body)
        self._sent(sdp)
        return response

    # -- for the endpoint, under its lock where the state changes -------------------------------------------

    def _sent(self, sdp):
        if sdp is not None:
            self.local_sdp = bytes(sdp)

    def _received(self, sdp):
        if sdp:
            self.remote_sdp = sdp

    def _end(self, send):
        with self._endpoint._lock:
            send()
            self.state = "ending"

    def _acknowledge(self, offered):
        """Acknowledge a 2xx, unless the peer's offer is in it and our answer to that has to go in the ACK."""
        if not offered and self.remote_sdp:
            return
        try:
            self._engine.ack(self._id, None)
            self.state = "established"
        except CallStateError:  # hung up meanwhile: the engine acknowledges by itself and says BYE
            pass

    def _reinvited(self, response, offered):
        if response.ok:
            self.remote_sdp = response.body or None
            self._acknowledge(offered)
