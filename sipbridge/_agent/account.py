"""Several identities on one endpoint, each with its own credentials, registrar and route."""

from __future__ import absolute_import, division, print_function

from sipbridge._agent.configuration import check_proxies, make_trunk
from sipbridge._text.checks import check_quoted
from sipbridge.errors import InputError
from sipbridge.uri import address_uri, check_address, check_uri, parse_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Sequence, TypeVar, Union

    from typing_extensions import Concatenate, ParamSpec

    from sipbridge._agent.endpoint import Endpoint
    from sipbridge._kept.registration import Registration

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

    def _as_of(method):
        # type: (Callable[Concatenate[Endpoint, _P], _T]) -> Callable[Concatenate[Account, _P], _T]
        """A method with the signature of the endpoint's, but for ``from_`` and ``route``, which the account sets."""
        raise NotImplementedError


class Account(object):
    """One address-of-record of an endpoint (RFC 3261, 10). :meth:`Endpoint.add_account` makes it.

    Its requests have its address in From, go over its route, and answer challenges with its credentials.
    :meth:`Endpoint.account_of` tells which account an incoming request is for.

    Attributes:
        address: the URI or name-addr for From.
        uri: the URI in ``address``: the address-of-record.
        registrar: the URI of its registrar, or None.
        route: the URI of the proxy to which its requests go first (RFC 3261, 8.1.2); None for the endpoint's. Of
            several proxies it is the one that is taken now.
        registration: its :class:`~sipbridge.Registration`; None before you call :meth:`register`.
    """

    def __init__(self, endpoint, address, registrar, route):
        # type: (Endpoint, str, Optional[str], Union[None, str, Sequence[str]]) -> None
        self._endpoint = endpoint
        self.address = check_address(address, "address")  # type: str
        self.uri = address_uri(self.address)  # type: str
        self.registrar = None if registrar is None else check_uri(registrar, "registrar")  # type: Optional[str]
        self._proxies = check_proxies(route, "route")
        self._trunk = make_trunk(endpoint._agent, self._proxies)
        self.registration = None  # type: Optional[Registration]
        self._parsed = parse_uri(self.uri)

    def __repr__(self):
        # type: () -> str
        return "<Account %s>" % self.uri

    @property
    def route(self):
        # type: () -> Optional[str]
        if self._trunk is not None:
            return self._trunk.route()
        return self._proxies[0] if self._proxies else None

    @property
    def contact(self):
        # type: () -> str
        """The URI for its Contact: the endpoint's, with the account's user."""
        contact = self._endpoint.uri
        user = (self._parsed.user or "").partition(":")[0]  # a password may follow the colon
        return contact if not user else contact.replace(":", ":%s@" % user, 1)

    def register(self, expires=3600, timeout=32.0, keep=False, contact=None):
        # type: (int, Optional[float], bool, Optional[str]) -> Registration
        """Register at the account's registrar, over its route, and keep the registration up.

        ``contact`` is the URI to bind; None for :attr:`contact`. The other arguments, the result and the errors are
        those of :meth:`Endpoint.register`.
        """
        if self.registrar is None:
            raise InputError("the account %s has no registrar" % self.uri)
        contact = self.contact if contact is None else contact
        self.registration = self._endpoint._register(
            self.registrar, self.address, contact, expires, timeout, keep, self.route
        )
        return self.registration

    if TYPE_CHECKING:
        invite = _as_of(Endpoint.invite)
        call = _as_of(Endpoint.call)
        message = _as_of(Endpoint.message)
        request = _as_of(Endpoint.request)
        options = _as_of(Endpoint.options)
        subscribe = _as_of(Endpoint.subscribe)
        publish = _as_of(Endpoint.publish)
    else:

        def invite(self, to, *args, **options):
            """As :meth:`Endpoint.invite`, from this account."""
            return self._endpoint.invite(to, *args, **self._own(options))

        def call(self, to, *args, **options):
            """As :meth:`Endpoint.call`, from this account."""
            return self._endpoint.call(to, *args, **self._own(options))

        def message(self, to, *args, **options):
            """As :meth:`Endpoint.message`, from this account."""
            return self._endpoint.message(to, *args, **self._own(options))

        def request(self, method, to, *args, **options):
            """As :meth:`Endpoint.request`, from this account."""
            return self._endpoint.request(method, to, *args, **self._own(options))

        def options(self, to, *args, **options):
            """As :meth:`Endpoint.options`, from this account."""
            return self._endpoint.options(to, *args, **self._own(options))

        def subscribe(self, to, event, *args, **options):
            """As :meth:`Endpoint.subscribe`, from this account."""
            return self._endpoint.subscribe(to, event, *args, **self._own(options))

        def publish(self, to, event, body, content_type, *args, **options):
            """As :meth:`Endpoint.publish`, from this account."""
            return self._endpoint.publish(to, event, body, content_type, *args, **self._own(options))

    def _own(self, options):
        # type: (Dict[str, Any]) -> Dict[str, Any]
        for name in ("from_", "route"):
            if name in options:
                raise InputError("%s= is the account's own" % name)
        return dict(options, from_=self.address, route=self.route)

    def is_named_by(self, uri):
        # type: (str) -> bool
        """True when a URI has this account's user, and its host or the endpoint's (RFC 3261, 19.1.4)."""
        try:
            parsed = parse_uri(uri)
        except InputError:
            return False
        endpoint = self._endpoint
        hosts = (self._parsed.host.lower(), parse_uri(endpoint.uri).host.lower(), endpoint._local.host.lower())
        return parsed.user == self._parsed.user and parsed.host.lower() in hosts


def make_account(endpoint, address, user, password, realm, registrar, route):
    # type: (Endpoint, str, Optional[str], Optional[str], Optional[str], Optional[str], Union[None, str, Sequence[str]]) -> Account
    """A new :class:`Account`. From now on the endpoint has its credentials. Raises InputError."""
    account = Account(endpoint, address, registrar, route)
    if any(each.uri == account.uri for each in endpoint.accounts):
        raise InputError("there is an account %s already" % account.uri)
    if password is not None:
        user = account._parsed.user if user is None else check_quoted(user, "user")
        if not user:
            raise InputError("the account %s has no user to answer challenges with" % account.uri)
        endpoint.add_credentials(user, password, realm)
    if account._trunk is not None:
        endpoint._agent.add_trunk(account._trunk)
    return account
