"""What an endpoint sends outside of calls."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.content import check_message_size, make_content
from sipbridge._engine.records import Parties
from sipbridge._later import later
from sipbridge._text.checks import check_text_body, check_token
from sipbridge.errors import InputError
from sipbridge.uri import check_address, check_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional, Union, cast

    from sipbridge._agent import watch as _watch
    from sipbridge._agent.agent import Agent
    from sipbridge._agent.watch import Watch
    from sipbridge._engine.records import Content
    from sipbridge._engine.response import Response
    from sipbridge._kept import publication, subscription
    from sipbridge._kept.publication import Publication
    from sipbridge._kept.subscription import Subscription
    from sipbridge._text.arguments import Body
    from sipbridge.headers import HeaderFields
    from sipbridge.uri import TransportAddress
else:
    _watch, publication, subscription = later(
        "sipbridge._agent.watch", "sipbridge._kept.publication", "sipbridge._kept.subscription"
    )


class Requests(object):
    """The part of :class:`~sipbridge.Endpoint` that sends requests, subscribes and publishes.

    Attributes:
        identity: the URI or name-addr for From, or None.
    """

    if TYPE_CHECKING:
        _agent = cast("Agent", None)
        _local = cast("TransportAddress", None)
        identity = cast("Optional[str]", None)  # type: Optional[str]

    def bindings(self, registrar, aor=None, timeout=32.0):
        # type: (str, Optional[str], float) -> List[str]
        """Ask a registrar where an address-of-record is to be reached (RFC 3261, 10.2.3).

        Returns the values of the Contact headers, a list of text. ``aor`` is None for the identity. Raises as
        :meth:`request`.
        """
        return self._bindings(registrar, aor, False, timeout).headers.get_all("Contact")

    def unregister_all(self, registrar, aor=None, timeout=32.0):
        # type: (str, Optional[str], float) -> None
        """Remove every binding of an address-of-record, also those of others (RFC 3261, 10.2.2); as :meth:`request`."""
        self._bindings(registrar, aor, True, timeout)

    def _own(self, aor):
        # type: (Optional[str]) -> str
        """The address-of-record that is meant, or InputError."""
        own = self.identity if aor is None else check_address(aor, "aor")
        if own is None:
            raise InputError("an address-of-record is needed: aor=, or the endpoint's identity=")
        return own

    def _bindings(self, registrar, aor, clear, timeout):
        # type: (str, Optional[str], bool, float) -> Response
        own = self._own(aor)
        parties = Parties(own, own, None)
        registrar = check_uri(registrar, "registrar")
        return self._agent.transact(
            lambda: self._agent.engine.bindings(registrar, parties, clear), timeout, "REGISTER"
        )

    def request(
        self, method, to, body=None, content_type=None, headers=(), from_=None, route=None, timeout=32.0
    ):
        # type: (str, str, Optional[Body], Optional[str], HeaderFields, Optional[str], Optional[str], Optional[float]) -> Response
        """Send a request outside of any call and return the 2xx Response.

        For methods that start no dialog. Raises ResponseError for any other final response, AuthenticationError,
        TimeoutError when there is none in ``timeout`` seconds, PeerUnreachable when it reached nobody, and InputError.
        """
        parties = self._agent.parties(to, from_, route)
        content = make_content(headers, body, content_type)
        return self._request(check_token(method, "method"), parties, content, timeout)

    def _request(self, method, parties, content, timeout):
        # type: (str, Parties, Optional[Content], Optional[float]) -> Response
        return self._agent.transact(lambda: self._agent.engine.request(method, parties, content), timeout, method)

    def message(
        self, to, body, content_type="text/plain", headers=(), from_=None, route=None, timeout=32.0,
        large=False
    ):
        # type: (str, Union[str, Body], str, HeaderFields, Optional[str], Optional[str], Optional[float], bool) -> Response
        """Send a MESSAGE (RFC 3428). ``body`` is bytes, or text, which goes as UTF-8. As :meth:`request`.

        Over UDP one of more than some 1300 octets, headers included, is an InputError, since it could clog the
        way there (RFC 3428, 8), unless ``large`` says that you know the way.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            body = check_text_body(body)
        parties = self._agent.parties(to, from_, route)
        content = make_content(headers, body, content_type)
        if self._local.transport == "udp" and not large:
            check_message_size(parties, content)
        return self._request("MESSAGE", parties, content, timeout)

    def options(self, to, headers=(), from_=None, route=None, timeout=32.0):
        # type: (str, HeaderFields, Optional[str], Optional[str], Optional[float]) -> Response
        """Ask a peer for its capabilities (RFC 3261, 11), or whether it is there. As :meth:`request`."""
        return self.request("OPTIONS", to, None, None, headers, from_, route, timeout)

    def watch(self, uri, interval=30.0):
        # type: (str, float) -> Watch
        """Ask a peer every ``interval`` seconds whether it is there (OPTIONS). Returns the Watch.

        :class:`~sipbridge.PeerAvailable` and :class:`~sipbridge.PeerUnavailable` tell each change. Raises
        InputError and EngineError.
        """
        return _watch.Watch(self._agent, self._agent.parties(check_address(uri, "uri"), None, None), interval)

    # -- event packages ------------------------------------------------------------------------------------

    def subscribe(
        self, to, event, expires=3600, accept=None, body=None, content_type=None, headers=(), from_=None,
        route=None, resubscribe=True, timeout=32.0
    ):
        # type: (str, str, int, Union[None, str, Iterable[str]], Optional[Body], Optional[str], HeaderFields, Optional[str], Optional[str], bool, Optional[float]) -> Subscription
        """Subscribe to the state of something (RFC 6665) and keep it up. Returns the Subscription once accepted.

        Args:
            to: the URI or name-addr whose state is asked for.
            event: the package, as ``"presence"``, ``"dialog"``, ``"message-summary"``, ``"reg"``; with parameters.
            expires: seconds to ask for, refreshed before they have passed; 0: the state as it is now and nothing
                more, and the Subscription has ended when it is returned.
            accept: media types that are understood, text or a list; None: the package's own.
            body, content_type: a filter, bytes.
            headers: more headers, a mapping or pairs.
            from_, route: as for :meth:`invite`.
            resubscribe: subscribe again, after a while that grows and is partly random, when the subscription is
                lost, or the notifier ended it with a reason that allows it (4.1.3).
            timeout: seconds to wait for the notifier.

        Each NOTIFY is a :class:`~sipbridge.NotifyReceived`. Raises ResponseError (489: it does not know the
        package), AuthenticationError, TimeoutError, PeerUnreachable, InputError and NotSupportedError.
        """
        return subscription.subscribe(
            self._agent, self._agent.parties(to, from_, route), event, expires, accept, body, content_type,
            headers, resubscribe, timeout
        )

    def publish(
        self, to, event, body, content_type, expires=3600, headers=(), from_=None, route=None, timeout=32.0
    ):
        # type: (str, str, Body, str, int, HeaderFields, Optional[str], Optional[str], Optional[float]) -> Publication
        """Publish state (RFC 3903) and keep it up. Returns the Publication once it was taken.

        Args:
            to: the URI whose state it is.
            event: the package, as ``"presence"``.
            body, content_type: the state, bytes, and what it is, as ``"application/pidf+xml"``.
            expires: seconds to ask for; refreshed before they have passed.
            headers, from_, route: as for :meth:`invite`.
            timeout: seconds to wait for the compositor.

        Raises ResponseError, AuthenticationError, TimeoutError, PeerUnreachable, InputError and NotSupportedError.
        """
        parties = self._agent.parties(to, from_, route)
        return publication.publish(self._agent, parties, event, body, content_type, expires, headers, timeout)
