"""The requests that an endpoint sends outside of calls."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.content import check_message_size, make_content
from sipbridge._engine.records import Parties
from sipbridge._later import later
from sipbridge._text.arguments import check_timeout
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
        """Ask a registrar for the bindings of an address-of-record (RFC 3261, 10.2.3).

        ``aor`` None stands for the identity; ``timeout`` is in seconds. Returns the values of the Contact headers, a
        list of text. Raises what :meth:`request` raises.
        """
        return self._bindings(registrar, aor, False, timeout).headers.get_all("Contact")

    def unregister_all(self, registrar, aor=None, timeout=32.0):
        # type: (str, Optional[str], float) -> None
        """Remove all bindings of an address-of-record, also those of other devices (RFC 3261, 10.2.2).

        The arguments are those of :meth:`bindings`. Raises what :meth:`request` raises.
        """
        self._bindings(registrar, aor, True, timeout)

    def _own(self, aor):
        # type: (Optional[str]) -> str
        """The given address-of-record, else the identity. Raises InputError when there is neither."""
        own = self.identity if aor is None else check_address(aor, "aor")
        if own is None:
            raise InputError("an address-of-record is needed: aor=, or the endpoint's identity=")
        return own

    def _bindings(self, registrar, aor, clear, timeout):
        # type: (str, Optional[str], bool, float) -> Response
        own = self._own(aor)
        registrar = check_uri(registrar, "registrar")
        check_timeout(timeout)
        agent = self._agent

        def send(parties, left):
            # type: (Parties, Optional[float]) -> Response
            ask = lambda: agent.engine.bindings(registrar, parties, clear)  # noqa: E731
            return agent.transact(ask, left, "REGISTER", route=parties.route)

        return agent.through(agent.rerouted(Parties(own, own, None)), send, timeout)

    def request(
        self, method, to, body=None, content_type=None, headers=(), from_=None, route=None, timeout=32.0
    ):
        # type: (str, str, Optional[Body], Optional[str], HeaderFields, Optional[str], Optional[str], Optional[float]) -> Response
        """Send a request outside of any call. Returns the 2xx Response. For methods that start no dialog.

        Args:
            method: the method, "MESSAGE" or another token.
            to: the URI or name-addr of the peer.
            body: bytes, or None.
            content_type: the media type of the body.
            headers: more headers, a mapping or pairs.
            from_: the URI or name-addr for From; None for the identity.
            route: the URI of the proxy to which it goes first; None for the endpoint's (RFC 3261, 8.1.2).
            timeout: seconds to wait for the final response; None for no limit.

        Raises ResponseError for a final response that is no 2xx, AuthenticationError, TimeoutError when none comes in
        time, PeerUnreachable when the request reached nobody, and InputError.
        """
        parties = self._agent.parties(to, from_, route)
        content = make_content(headers, body, content_type)
        return self._request(check_token(method, "method"), parties, content, timeout)

    def _request(self, method, parties, content, timeout):
        # type: (str, Parties, Optional[Content], Optional[float]) -> Response
        agent = self._agent

        def send(parties, left):
            # type: (Parties, Optional[float]) -> Response
            ask = lambda: agent.engine.request(method, parties, content)  # noqa: E731
            return agent.transact(ask, left, method, route=parties.route)

        check_timeout(timeout)
        return agent.through(parties, send, timeout)

    def message(
        self, to, body, content_type="text/plain", headers=(), from_=None, route=None, timeout=32.0,
        large=False
    ):
        # type: (str, Union[str, Body], str, HeaderFields, Optional[str], Optional[str], Optional[float], bool) -> Response
        """Send a MESSAGE (RFC 3428). ``body`` is bytes, or text, which is sent as UTF-8. Returns the 2xx Response.

        Over UDP, a message of more than about 1300 octets with its headers raises InputError, because it could congest
        the network (RFC 3428, 8). Give ``large=True`` to send it all the same. The other arguments and errors are those
        of :meth:`request`.
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
        """Ask a peer for its capabilities, or whether it is there (RFC 3261, 11). Returns the 2xx Response.

        The arguments and errors are those of :meth:`request`.
        """
        return self.request("OPTIONS", to, None, None, headers, from_, route, timeout)

    def watch(self, uri, interval=30.0):
        # type: (str, float) -> Watch
        """Ask a peer every ``interval`` seconds, with OPTIONS, whether it is there. Returns the Watch.

        A :class:`~sipbridge.PeerAvailable` or :class:`~sipbridge.PeerUnavailable` tells each change. Raises
        InputError and EngineError.
        """
        return _watch.Watch(self._agent, self._agent.parties(check_address(uri, "uri"), None, None), interval)

    # -- event packages ------------------------------------------------------------------------------------

    def subscribe(
        self, to, event, expires=3600, accept=None, body=None, content_type=None, headers=(), from_=None,
        route=None, resubscribe=True, timeout=32.0
    ):
        # type: (str, str, int, Union[None, str, Iterable[str]], Optional[Body], Optional[str], HeaderFields, Optional[str], Optional[str], bool, Optional[float]) -> Subscription
        """Subscribe to the state of a resource (RFC 6665), and refresh the subscription until you end it.

        Args:
            to: the URI or name-addr of the resource.
            event: the event package, with parameters if it needs some: ``"presence"``, ``"dialog"``,
                ``"message-summary"``, ``"reg"``...
            expires: seconds to ask for. 0 asks for the state once (RFC 6665, 4.4.3); the Subscription that is returned
                has ended then.
            accept: the media types that you understand, text or a list; None for the default of the package.
            body, content_type: a filter (bytes) and its media type.
            headers: more headers, a mapping or pairs.
            from_, route: as for :meth:`invite`.
            resubscribe: True to subscribe again when the subscription is lost, or when the notifier ends it for a
                reason that allows it (4.1.3). The pause before each try grows and is partly random.
            timeout: seconds to wait for the notifier; None for no limit.

        Returns the Subscription once the notifier has accepted it. Each NOTIFY is a :class:`~sipbridge.NotifyReceived`.
        Raises ResponseError (489: the notifier does not know the package), AuthenticationError, TimeoutError,
        PeerUnreachable, InputError and NotSupportedError.
        """
        return subscription.subscribe(
            self._agent, self._agent.parties(to, from_, route), event, expires, accept, body, content_type,
            headers, resubscribe, timeout
        )

    def publish(
        self, to, event, body, content_type, expires=3600, headers=(), from_=None, route=None, timeout=32.0
    ):
        # type: (str, str, Body, str, int, HeaderFields, Optional[str], Optional[str], Optional[float]) -> Publication
        """Publish state at an event state compositor (RFC 3903), and refresh it until you remove it.

        Args:
            to: the URI of the resource whose state it is.
            event: the event package, like ``"presence"``.
            body, content_type: the state (bytes) and its media type, like ``"application/pidf+xml"``.
            expires: seconds to ask for.
            headers, from_, route: as for :meth:`invite`.
            timeout: seconds to wait for the compositor; None for no limit.

        Returns the Publication once the compositor has accepted it. Raises ResponseError, AuthenticationError,
        TimeoutError, PeerUnreachable, InputError and NotSupportedError.
        """
        parties = self._agent.parties(to, from_, route)
        return publication.publish(self._agent, parties, event, body, content_type, expires, headers, timeout)
