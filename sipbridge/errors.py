"""The exceptions of sipbridge. All are :class:`SipbridgeError`."""

from __future__ import absolute_import, division, print_function

from contextlib import contextmanager

from sipbridge._compat import TimeoutBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Optional

    from sipbridge._call.call import Call
    from sipbridge.headers import Headers


class SipbridgeError(Exception):
    """The root of every exception that sipbridge raises on purpose.

    Attributes:
        call: the :class:`~sipbridge.Call` that it comes of, where ``Endpoint.call()`` or a method of a call that waits
            raised it. None where there was no call yet, and elsewhere.
    """

    call = None  # type: Optional[Call]


@contextmanager
def naming(call):
    # type: (Optional[Call]) -> Iterator[None]
    """What is raised in here comes of this call (None: of none)."""
    try:
        yield
    except SipbridgeError as error:
        if error.call is None:
            error.call = call
        raise


def quietly(action, *arguments):
    # type: (Callable[..., object], *Any) -> None
    """Do it where that can still be done."""
    try:
        action(*arguments)
    except SipbridgeError:  # it is over already
        pass


class InputError(SipbridgeError, ValueError):
    """An argument is malformed: a URI that does not parse, a header with a line break. Nothing was sent."""


class TransportError(SipbridgeError):
    """The local address cannot be used: port in use, address not this machine's, permission missing."""


class PeerUnreachable(TransportError):
    """A request reached nobody, and there is no response: the port or the connection is refused, there is no way to the
    address or none from the endpoint's own, the host has no address, the server's certificate is not believed.

    A peer that was reached and says 503 itself is a :class:`ResponseError`; one that says nothing a TimeoutError.

    Attributes:
        reason: why, as the engine tells it.
    """

    def __init__(self, message, reason=None):
        # type: (str, Optional[str]) -> None
        super(PeerUnreachable, self).__init__(message)
        self.reason = message if reason is None else reason  # type: str


class CallStateError(SipbridgeError):
    """Not possible in the state that the call, registration or request is in, or it has ended."""


class TimeoutError(SipbridgeError, TimeoutBase):
    """The peer did not answer in time. In Python 3 it is the built-in ``TimeoutError`` as well."""


class ResponseError(SipbridgeError):
    """The peer refused a request with a final response of 300 to 699.

    Attributes:
        status: status code (RFC 3261, 21).
        reason: reason phrase.
        headers: the response's :class:`~sipbridge.Headers`.
        body: its body as bytes.
    """

    def __init__(self, status, reason, headers, body=b""):
        # type: (int, str, Headers, bytes) -> None
        super(ResponseError, self).__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body

    def __str__(self):
        # type: () -> str
        return "%d %s" % (self.status, self.reason)

    @property
    def contacts(self):
        # type: () -> List[str]
        """Where a redirection (3xx) points: the values of its Contact headers, in order."""
        return self.headers.get_all("Contact")


class AuthenticationError(ResponseError):
    """The peer wants credentials (401, 407): there are none for its realm, or it refuses them (RFC 3261, 22)."""


class EngineError(SipbridgeError):
    """The engine or its library failed, or is closed.

    Attributes:
        code: the contract's negative code (csrc/contract/engine.h), or 0.
    """

    def __init__(self, message, code=0):
        # type: (str, int) -> None
        super(EngineError, self).__init__(message)
        self.code = code


class EngineLost(EngineError):
    """The engine's process died or no longer answers."""


class NotSupportedError(EngineError):
    """This engine does not offer it."""


class UnreachableContactWarning(RuntimeWarning):
    """Peers are told to send to ``0.0.0.0`` or ``[::]``, which is no address of a machine's: name one in its place."""


class UnshieldedEngineWarning(RuntimeWarning):
    """An engine was opened whose library one malformed datagram can crash, and no shield is in front of it.

    See :mod:`sipbridge.shield` for how to get one.
    """
