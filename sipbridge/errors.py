"""The exceptions of sipbridge. All are :class:`SipbridgeError`."""

from __future__ import absolute_import, division, print_function

from contextlib import contextmanager

from sipbridge._compat import TimeoutBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Optional

    from sipbridge._call.call import Call
    from sipbridge.events import CallEnded
    from sipbridge.headers import Headers


class SipbridgeError(Exception):
    """The root of every exception that sipbridge raises on purpose.

    Attributes:
        call: the :class:`~sipbridge.Call` that failed, if ``Endpoint.call()`` or a method of a call that waits raised
            this and the call was made. Else None.
    """

    call = None  # type: Optional[Call]


@contextmanager
def naming(call):
    # type: (Optional[Call]) -> Iterator[None]
    """A context that sets ``call`` of each error that is raised inside.

    If the call has ended, a CallStateError becomes a CallHungUp.
    """
    try:
        yield
    except SipbridgeError as error:
        if call is not None and type(error) is CallStateError:
            check_up(call, str(error))
        if error.call is None:
            error.call = call
        raise


def quietly(action, *arguments):
    # type: (Callable[..., object], *Any) -> None
    """Call the function. Ignore a SipbridgeError: what it acts on has ended already."""
    try:
        action(*arguments)
    except SipbridgeError:
        pass


class InputError(SipbridgeError, ValueError):
    """An argument is wrong: a URI that does not parse, say, or a header with a line break. Nothing was sent."""


class TransportError(SipbridgeError):
    """The local address cannot be used: the port is in use, the address is not of this machine, or you may not."""


class PeerUnreachable(TransportError):
    """A request reached nobody, so there is no response (RFC 3261, 8.1.3.1).

    The port or connection is refused, no route leads to the address, the host name has no address, or the server's
    certificate is not valid. When a peer itself answers 503, that is a :class:`ResponseError`; when it does not
    answer, a :class:`TimeoutError`.

    Attributes:
        reason: why, in the words of the engine.
    """

    def __init__(self, message, reason=None):
        # type: (str, Optional[str]) -> None
        super(PeerUnreachable, self).__init__(message)
        self.reason = message if reason is None else reason  # type: str


class CallStateError(SipbridgeError):
    """The call, registration or request has ended, or is in a state in which this is not possible."""


class CallHungUp(CallStateError):
    """The call has ended, so this cannot be done, or waited for, any more. ``ended.cause`` tells how.

    Methods of a call raise it. In a function that :meth:`~sipbridge.Endpoint.serve` calls you need not catch it.
    """

    @property
    def ended(self):
        # type: () -> CallEnded
        """The :class:`~sipbridge.CallEnded` of :attr:`call`."""
        ended = None if self.call is None else self.call.ended
        assert ended is not None  # see check_up()
        return ended


#: What the causes of CallEnded mean; of others the word itself has to do.
_TOLD = {
    "local-bye": "it was hung up here",
    "remote-bye": "the peer hung up",
    "cancelled": "the caller cancelled it",
    "engine-lost": "its engine was lost",
}


def check_up(call, what):
    # type: (Call, str) -> None
    """Raise CallHungUp if the call has ended. ``what`` was to be done."""
    if call.ended is not None:
        cause = call.ended.cause
        error = CallHungUp("%s: the call has ended: %s" % (what, _TOLD.get(cause, cause)))
        error.call = call
        raise error


class TimeoutError(SipbridgeError, TimeoutBase):
    """The peer did not answer in time. In Python 3 it is the built-in ``TimeoutError`` as well."""


class ResponseError(SipbridgeError):
    """The peer refused a request with a final response of 300 to 699.

    Attributes:
        status: status code (RFC 3261, 21).
        reason: reason phrase.
        headers: the response's :class:`~sipbridge.Headers`.
        body: the response's body, bytes.
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
        """The values of the Contact headers, in order: where a redirection (3xx) points."""
        return self.headers.get_all("Contact")


class AuthenticationError(ResponseError):
    """The peer wants credentials (401, 407): none are set for its realm, or it refuses them (RFC 3261, 22)."""


class EngineError(SipbridgeError):
    """The engine or its library has failed, or the engine is closed.

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
    """This engine cannot do what was asked for."""


class UnreachableContactWarning(RuntimeWarning):
    """Peers are told to send to ``0.0.0.0`` or ``[::]``, where nobody can send to: give an address of this machine."""


class UnshieldedEngineWarning(RuntimeWarning):
    """An engine runs without the shield, and one malformed datagram can crash its library.

    See :mod:`sipbridge.shield` for how to get the shield.
    """
