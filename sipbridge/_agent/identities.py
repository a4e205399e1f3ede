"""The part of an endpoint that has identities: credentials, registrations, accounts."""

from __future__ import absolute_import, division, print_function

from sipbridge import events
from sipbridge._agent.requests import Requests
from sipbridge._call.call import Call
from sipbridge._later import later
from sipbridge._text.arguments import check_kind
from sipbridge._text.checks import check_password, check_quoted
from sipbridge.errors import InputError
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Sequence, Tuple, Union, cast

    from sipbridge._agent import account as _account
    from sipbridge._agent.account import Account
    from sipbridge._engine.choice import Engine
    from sipbridge._kept import registration
    from sipbridge._kept.registration import Registration
    from sipbridge.events import IncomingCall, RequestReceived
else:
    _account, registration = later("sipbridge._agent.account", "sipbridge._kept.registration")


class Identities(Requests):
    """The part of :class:`~sipbridge.Endpoint` that registers, and answers for whom it is asked who it is."""

    if TYPE_CHECKING:
        _engine = cast("Engine", None)
    _accounts = ()  # type: Tuple[Account, ...]

    def add_credentials(self, user, password, realm=None):
        # type: (str, str, Optional[str]) -> None
        """Answer digest challenges (RFC 3261, 22) for ``realm``, or, with None, for any realm, with these.

        Of several for one realm those are taken whose user is the one in From, or else the latest; a second call for
        the same realm and user replaces the first. Raises InputError.
        """
        realm = None if realm is None else check_quoted(realm, "realm")
        self._engine.add_credentials(realm, check_quoted(user, "user"), check_password(password))

    def clear_credentials(self):
        # type: () -> None
        """Forget all of them."""
        self._engine.clear_credentials()

    def register(self, registrar, aor=None, contact=None, expires=3600, timeout=32.0, keep=False):
        # type: (str, Optional[str], Optional[str], int, Optional[float], bool) -> Registration
        """Register at a registrar (RFC 3261, 10) and keep it up. Returns the Registration once it is active.

        Args:
            registrar: its URI, as ``sip:example.com``.
            aor: the address-of-record; None for the identity.
            contact: the URI to be reached at; None for this endpoint. One of ``0.0.0.0`` is an
                UnreachableContactWarning.
            expires: seconds to ask for; refreshed before they have passed.
            timeout: seconds to wait for the registrar.
            keep: after a failure that may pass (no answer, 408, 480, 5xx) try again, the first time and later, after
                a time that grows (RFC 5626, 4.5). Then such a failure is not raised: the state is "waiting".

        Raises AuthenticationError, ResponseError, TimeoutError, PeerUnreachable and InputError.
        """
        return self._register(registrar, self._own(aor), contact, expires, timeout, keep, None)

    def _register(self, registrar, own, contact, expires, timeout, keep, route):
        # type: (str, str, Optional[str], int, Optional[float], bool, Optional[str]) -> Registration
        """As :meth:`register`; ``own`` and ``route`` are checked."""
        return registration.register(self._agent, own, registrar, contact, expires, timeout, keep, route)

    # -- accounts ------------------------------------------------------------------------------------------

    @property
    def accounts(self):
        # type: () -> Tuple[Account, ...]
        """The accounts that were added, a tuple."""
        return self._accounts

    def add_account(self, address, user=None, password=None, realm=None, registrar=None, route=None):
        # type: (str, Optional[str], Optional[str], Optional[str], Optional[str], Union[None, str, Sequence[str]]) -> Account
        """Have one more identity. Returns the :class:`~sipbridge._agent.account.Account`.

        Args:
            address: its URI or name-addr.
            user, password, realm: its credentials, as for :meth:`add_credentials`; ``user`` None for the user in
                ``address``, ``password`` None for no credentials.
            registrar: URI of its registrar, or None.
            route: URI of a proxy that its requests go to first, or a list of several, as ``outbound_proxy``; None for
                the endpoint's.

        Raises InputError.
        """
        account = _account.make_account(self, address, user, password, realm, registrar, route)  # type: ignore[arg-type]  # what is derived from this
        self._accounts += (account,)
        return account

    def remove_account(self, account):
        # type: (Account) -> None
        """Have an identity no more: :meth:`account_of` does not find it, and another one may have its address.

        Its calls go on, and its registration is kept up: :meth:`~sipbridge.Registration.unregister` takes that back.
        The engine keeps its credentials until others take their place. Raises InputError for an account of others.
        """
        check_kind(account, _account.Account, "account")
        if account not in self._accounts:
            raise InputError("%r is no account of this endpoint" % account)
        self._accounts = tuple(each for each in self._accounts if each is not account)
        if account._trunk is not None:
            self._agent.remove_trunk(account._trunk)

    def account_of(self, event):
        # type: (Union[Call, IncomingCall, RequestReceived]) -> Optional[Account]
        """The account that an IncomingCall, a call or a RequestReceived is for, by its Request-URI and its To.

        None when that names none of them.
        """
        kinds = (events.IncomingCall, Call, events.RequestReceived)
        about = getattr(check_kind(event, kinds, "event"), "call", None) or event  # type: Any
        headers = about.headers
        uris = [about.request_uri if isinstance(about, Call) else about.request.uri]
        for uri in uris + [address_uri(headers.get("To", ""))]:
            for account in self._accounts:
                if account.is_named_by(uri):
                    return account
        return None
