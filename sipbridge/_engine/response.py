"""The response to a request."""

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
    """A final response (RFC 3261, 7.2): status code, reason phrase, :class:`~sipbridge.Headers`, body (bytes)."""

    __slots__ = ()

    @property
    def ok(self):
        # type: () -> bool
        """True for a 2xx."""
        return 200 <= self.status <= 299

    @property
    def content_type(self):
        # type: () -> Optional[str]
        """The value of Content-Type, or None."""
        return self.headers.get("Content-Type")


class NoResponse(Response):
    """Stands for the response when a request reached nobody: 503 (RFC 3261, 8.1.3.1), with the reason."""

    __slots__ = ()


def is_absence(response):
    # type: (Response) -> bool
    """Whether whom it was sent to is not there, or takes nothing now: not reached, silent (408), or a 503."""
    return response.status == 503 or (response.status == 408 and not list(response.headers))


def response_of(raw):
    # type: (RawEvent) -> Response
    """The Response in an event of the engine."""
    kind = NoResponse if raw.cause == "unreachable" else Response
    return kind(raw.status, raw.reason, Headers(raw.headers), raw.body)


def check_response(response, what):
    # type: (Response, str) -> Response
    """Return the response when it is a 2xx, else raise the error that :func:`error_of` returns."""
    error = error_of(response, what)
    if error is not None:
        raise error
    return response


def error_of(response, what):
    # type: (Response, str) -> Optional[SipbridgeError]
    """The error that a response stands for, or None for a 2xx.

    PeerUnreachable when the request reached nobody; TimeoutError for 408, which also stands for no response at all
    (RFC 3261, 8.1.3.1); AuthenticationError for 401 and 407; ResponseError for any other status.
    """
    if response.ok:
        return None
    if isinstance(response, NoResponse):
        return PeerUnreachable("%s: %s" % (what, response.reason), response.reason)
    if response.status == 408:
        return TimeoutError("%s: 408 %s" % (what, response.reason))
    kind = AuthenticationError if response.status in (401, 407) else ResponseError
    return kind(response.status, response.reason, response.headers, response.body)
