"""What a peer answered to a request."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple
from sipbridge.errors import AuthenticationError, PeerUnreachable, ResponseError, TimeoutError
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._engine.records import RawEvent
    from sipbridge.errors import SipbridgeError


class Response(NamedTuple("Response", [
    ("status", "int"),
    ("reason", "str"),
    ("headers", "Headers"),
    ("body", "bytes"),
])):
    """A final response (RFC 3261, 7.2): status code, reason phrase, :class:`~sipbridge.Headers`, bytes."""

    __slots__ = ()

    @property
    def ok(self):
        # type: () -> bool
        """True for a 2xx."""
        return 200 <= self.status <= 299

    @property
    def content_type(self):
        # type: () -> Optional[str]
        """The Content-Type as it stands, or None."""
        return self.headers.get("Content-Type")


class NoResponse(Response):
    """What stands for the response to a request that reached nobody: 503 (RFC 3261, 8.1.3.1), and why."""

    __slots__ = ()


def response_of(raw):
    # type: (RawEvent) -> Response
    """The response that an event of the engine tells of."""
    kind = NoResponse if raw.cause == "unreachable" else Response
    return kind(raw.status, raw.reason, Headers(raw.headers), raw.body)


def check_response(response, what):
    # type: (Response, str) -> Response
    """The response where it is a 2xx; else raises what :func:`error_of` returns."""
    error = error_of(response, what)
    if error is not None:
        raise error
    return response


def error_of(response, what):
    # type: (Response, str) -> Optional[SipbridgeError]
    """What a response that is no 2xx comes to, else None.

    PeerUnreachable where there was none because the request reached nobody, TimeoutError for a 408, which is also
    what no answer at all comes to (RFC 3261, 8.1.3.1), AuthenticationError for a 401 or 407, ResponseError for others.
    """
    if response.ok:
        return None
    if isinstance(response, NoResponse):
        return PeerUnreachable("%s: %s" % (what, response.reason), response.reason)
    if response.status == 408:
        return TimeoutError("%s: 408 %s" % (what, response.reason))
    kind = AuthenticationError if response.status in (401, 407) else ResponseError
    return kind(response.status, response.reason, response.headers, response.body)
