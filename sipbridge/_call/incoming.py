"""A request that came in, which gets exactly one answer."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import monotonic
from sipbridge._engine.content import make_content
from sipbridge._text.arguments import check_delay, check_pairs
from sipbridge._text.checks import check_reason, check_status
from sipbridge._text.parameters import parse_parameters
from sipbridge.errors import CallStateError, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Sequence, Tuple

    from sipbridge._call.call import Call
    from sipbridge._engine.choice import Engine
    from sipbridge._engine.records import Content
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields, Headers

SDP = "application/sdp"


class IncomingRequest(object):
    """A request from the peer that waits for our final response.

    Attributes:
        uri: its Request-URI if it came outside of calls, else "".
        answered: True once it is answered, or can no longer be answered.
        answer_by: when it gets its default answer, on the monotonic clock; None: when its handlers have returned.
    """

    __slots__ = ("_engine", "_transaction", "_call", "_offer", "_more", "uri", "answered", "answer_by")

    def __init__(self, engine, transaction, call=None, offer=None, uri=""):
        # type: (Engine, int, Optional[Call], Optional[bytes], str) -> None
        self._engine = engine
        self._transaction = transaction
        self._call = call
        self._offer = offer  # it becomes the call's remote_sdp when we accept it
        self._more = ()  # type: Sequence[Tuple[str, str]]  # headers for a 2xx, besides those of the user
        self.uri = uri  # type: str
        self.answered = False  # type: bool
        self.answer_by = None  # type: Optional[float]

    def defer(self, seconds):
        # type: (float) -> None
        """Leave that many seconds for an answer, from now on."""
        if self.answered:
            raise CallStateError("this request has been answered before")
        self.answer_by = deferred(seconds)

    def answer(self, status, reason, body, content_type, headers):
        # type: (int, Optional[str], Optional[Body], Optional[str], HeaderFields) -> None
        """Send the final response, 200 to 699. Raises CallStateError when it was answered, and InputError."""
        content = self._content(check_status(status, 200, 699), headers, body, content_type)
        self._send(status, check_reason(reason), content)

    def _content(self, status, headers, body, content_type):
        # type: (int, HeaderFields, Optional[Body], Optional[str]) -> Optional[Content]
        return make_content(check_pairs(headers) + list(self._more if status < 300 else ()), body, content_type)

    def refuse(self, status, reason, headers=()):
        # type: (int, Optional[str], HeaderFields) -> None
        """Refuse the request with a final response, 300 to 699. Raises what :meth:`answer` raises."""
        self.answer(check_status(status, 300, 699), reason, None, None, headers)

    def accept(self, sdp, headers):
        # type: (Optional[bytes], HeaderFields) -> None
        """Answer a re-INVITE with 200 and the SDP, which becomes the call's. Raises what :meth:`answer` raises."""
        self._send(200, None, self._content(200, headers, sdp, SDP))
        if self._call is not None:
            self._call._sent(sdp)

    def _send(self, status, reason, content):
        # type: (int, Optional[str], Optional[Content]) -> None
        if self.answered:
            raise CallStateError("this request has been answered before")
        try:
            self._engine.answer(self._transaction, status, reason, content)
        except CallStateError:  # the call has ended, or the peer waits no more
            self.answered = True
            raise
        self.answered = True
        if status < 300 and self._call is not None and self._offer is not None:
            self._call._received(self._offer)

    def answer_by_default(self, status, sdp=None):
        # type: (int, Optional[bytes]) -> None
        """Answer the request if nobody has, and if that is still possible."""
        if self.answered:
            return
        try:
            self._send(status, None, self._content(status, (), sdp, SDP))
        except SipbridgeError:  # the call has ended meanwhile
            self.answered = True
        else:
            if sdp is not None and self._call is not None:
                self._call.local_sdp = sdp


def deferred(seconds):
    # type: (float) -> float
    """When an answer is due that is deferred by so many seconds, on the monotonic clock; or InputError."""
    return monotonic() + check_delay(seconds, "seconds")


def answer_for(call, sdp):
    # type: (Call, Optional[Body]) -> Optional[Body]
    """The SDP for the 2xx to the peer's INVITE: ``sdp``, or if that is None the one that we sent in a 18x.

    Raises CallStateError when there is neither. A 2xx needs one: the answer to the peer's offer, or else an offer
    (RFC 3261, 13.2.1).
    """
    if sdp is not None or call.local_sdp is not None or not _negotiates(call.headers):
        return sdp if sdp is not None else call.local_sdp
    if call.remote_sdp is None:
        raise CallStateError("the INVITE has no offer, so the answer has to make one: answer(sdp)")
    raise CallStateError("the peer's offer wants an answer: answer(sdp), or reject(488)")


def _negotiates(headers):
    # type: (Headers) -> bool
    """True when an INVITE has no body, or its body is a session description."""
    kind = headers.get("Content-Type")
    return kind is None or parse_parameters(kind)[0].lower() == SDP
