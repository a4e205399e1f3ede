"""Digest authentication of requests that come in (RFC 3261, 22)."""

from __future__ import absolute_import, division, print_function

import binascii
import os

from sipbridge._access.digest import DIGITS, HASHES, digest, is_same, parse, read
from sipbridge._access.nonces import Counts, Nonces
from sipbridge._compat import NamedTuple, text_type
from sipbridge._text.arguments import (
    check_callable,
    check_delay,
    check_kind,
    check_sequence,
    check_text,
    check_whole,
)
from sipbridge._text.checks import check_quoted, check_token
from sipbridge._text.networks import Networks
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable, Iterable, List, Mapping, Optional, Tuple, Union

    from sipbridge._access.digest import Credentials
    from sipbridge._access.nonces import Nonce
    from sipbridge.headers import Headers

    #: A password, or H(user:realm:password) by algorithm, as ``{"MD5": "..."}``; None for a user whom nobody knows.
    Secret = Union[None, str, Mapping[str, str]]

#: Octets that a secret for nonces has at least.
SHORTEST_SECRET = 16

#: Fields with credentials of one request that are looked at: one for each realm and algorithm.
_MOST_FIELDS = 8


class Claim(NamedTuple("Claim", [("credentials", "Credentials"), ("nonce", "Nonce"), ("method", "str")])):
    """Somebody claims to be a user: whether that is so tells the user's password."""

    __slots__ = ()


class Authenticator(object):
    """Asks for digest credentials (RFC 3261, 22; RFC 7616; RFC 8760): ``Endpoint(authenticator=Authenticator(...))``.

    Args:
        realm: what the peers know their password for, as ``"example.com"``.
        lookup: called with (user, realm); returns the user's password, text; or ``{"MD5": ..., "SHA-256": ...}`` with
            the hexadecimal hash of ``user:realm:password`` for each algorithm; or None for a user whom you do not know.
            It runs on a thread of its own, and may take its time: other calls go on. With :mod:`sipbridge.aio` it may
            be a coroutine function, which runs in the event loop.
        algorithms: ``"SHA-256"`` and ``"MD5"``, the one to prefer first, or one of them. Each has a challenge of its
            own (RFC 8760, 2.3). Many clients fail where one is there that they do not know: so MD5 alone by default.
        secret: what nonces are signed with, 16 octets or more. Give all engines the same of which one is to take the
            nonces of another. None: a random one, of this object.
        lifetime: seconds for which a nonce is good. After that the peer gets a new one, with ``stale=true``, which most
            use without asking their user.
        proxy: True to challenge with 407 and Proxy-Authenticate, as a proxy does (22.3), and not with 401.
        methods: the methods to challenge, as ``["INVITE", "MESSAGE"]``; None for each but OPTIONS, with which others
            look whether the endpoint is there.
        exempt: networks, as ``["192.0.2.0/24"]``, whose requests are not challenged.
        lookups: how many may run at the same time, 1 to 1000. Beyond that they wait, and while a hundred wait for each
            of these, new requests that need one are answered 503.
        nonces: how many of those that were used are remembered at the same time, with their nonce counts.

    Requests within a dialog are not challenged: who sends one has proven at its beginning who he is, or knows its tags.
    Nor are ACK and CANCEL (22.1). Safe for any thread, and for several endpoints. Raises InputError.
    """

    def __init__(
        self, realm, lookup, algorithms=("MD5",), secret=None, lifetime=300.0, proxy=False, methods=None, exempt=(),
        lookups=16, nonces=10000
    ):
        # type: (str, Callable[[str, str], Union[Secret, Awaitable[Secret]]], Iterable[str], Union[None, bytes, str], float, bool, Optional[Iterable[str]], Iterable[str], int, int) -> None
        self.realm = check_quoted(realm, "realm")  # type: str
        self.lookup = check_callable(lookup, "lookup")  # type: Callable[[str, str], Any]
        self._algorithms = _check_algorithms(algorithms)
        if not check_delay(lifetime, "lifetime"):
            raise InputError("lifetime must be seconds above 0, not %r" % (lifetime,))
        check_kind(proxy, bool, "proxy")
        self._field, self._status = ("Proxy-Authenticate", 407) if proxy else ("WWW-Authenticate", 401)
        self._credentials = "Proxy-Authorization" if proxy else "Authorization"
        self._methods = None if methods is None else _check_methods(methods)
        self._exempt = Networks(exempt, "exempt")
        self.lookups = check_whole(lookups, "lookups", 1, 1000)  # type: int
        check_whole(nonces, "nonces", 1, 10**7)
        self._nonces = Nonces(os.urandom(32) if secret is None else _check_secret(secret), self.realm, lifetime)
        self._counts = Counts(nonces, lifetime)
        self._nobody = binascii.hexlify(os.urandom(32)).decode("ascii")

    def __repr__(self):
        # type: () -> str
        return "<Authenticator for %s>" % self.realm

    # -- for the endpoint ----------------------------------------------------------------------------------

    def wants(self, method, source):
        # type: (str, Optional[str]) -> bool
        """Whether a request of that method from that address is to be challenged."""
        if method == "OPTIONS" if self._methods is None else method not in self._methods:
            return False
        return source is None or not self._exempt.has(source)

    def challenge(self, site, stale):
        # type: (str, bool) -> Tuple[int, List[Tuple[str, str]]]
        """The status and header fields that ask for credentials (RFC 8760, 2.3: the preferred algorithm first)."""
        fields = [
            'Digest realm="%s",nonce="%s",qop="auth",algorithm=%s%s'
            % (self.realm, self._nonces.make(site), algorithm, ",stale=true" if stale else "")
            for algorithm in self._algorithms
        ]
        return self._status, [(self._field, field) for field in fields]

    def examine(self, method, headers, site):
        # type: (str, Headers, str) -> Union[Claim, str]
        """What a request claims; or the rule by which it is refused: "unauthenticated",
        "malformed-credentials" or "stale-nonce".
        """
        fields = headers.get_all(self._credentials)
        if len(fields) > _MOST_FIELDS:
            return "malformed-credentials"
        for field in fields:
            parameters = parse(field)
            if parameters is None:
                return "malformed-credentials"
            if parameters.get("realm") != self.realm:  # for another server on the way, or another scheme
                continue
            credentials = read(parameters)
            if credentials is None:
                return "malformed-credentials"
            if credentials.algorithm not in self._algorithms:
                continue
            nonce = self._nonces.known(credentials.nonce, site)
            return "stale-nonce" if nonce is None else Claim(credentials, nonce, method)
        return "unauthenticated"

    def judge(self, claim, secret):
        # type: (Claim, Secret) -> Optional[str]
        """None where a claim is proven; or the rule by which it is refused: "wrong-credentials" or
        "replayed-nonce".

        For a user whom nobody knows, it takes as long as for another. Raises InputError where ``secret`` is nothing
        that a lookup may return.
        """
        found = claim.credentials
        hashed = self._hashed(found, secret)
        proven = is_same(
            found.expected(claim.method, self._nobody if hashed is None else hashed).encode("ascii"),
            found.response.encode("ascii"),
        )
        if hashed is None or not proven:
            return "wrong-credentials"
        return None if self._counts.take(claim.nonce, found.count) else "replayed-nonce"

    def _hashed(self, found, secret):
        # type: (Credentials, Secret) -> Optional[str]
        """H(user:realm:password), or None."""
        if secret is None:
            digest(found.algorithm, "%s:%s:%s" % (found.user, self.realm, self._nobody))
            return None
        get = getattr(secret, "get", None)
        if get is not None:
            hashed = get(found.algorithm)
            if hashed is not None and len(check_text(hashed, "a hash that lookup returned")) != DIGITS[found.algorithm]:
                raise InputError("lookup returned no hash of %s" % found.algorithm)
            return None if hashed is None else check_text(hashed, "a hash").lower()
        return digest(found.algorithm, "%s:%s:%s" % (found.user, self.realm, _check_password(secret)))


def _check_password(secret):
    # type: (Any) -> str
    """The password that a lookup returned, as text. The error does not quote it."""
    try:
        return check_text(secret, "password")
    except InputError:
        pass
    raise InputError("lookup must return a password as text, a mapping, or None; not %s" % type(secret).__name__)


def _check_algorithms(algorithms):
    # type: (Iterable[str]) -> List[str]
    names = [check_token(each, "algorithms").upper() for each in check_sequence(algorithms, "algorithms")]
    if not names or len(set(names)) < len(names) or not set(names) <= set(HASHES):
        raise InputError("algorithms must be one or more of %s, not %r" % (", ".join(sorted(HASHES)), algorithms))
    for name in names:
        try:
            digest(name, "")
        except ValueError as error:  # OpenSSL in FIPS mode has no MD5
            raise InputError("algorithms: this Python cannot compute %s: %s" % (name, error))
    return names


def _check_methods(methods):
    # type: (Iterable[str]) -> List[str]
    names = [check_token(each, "methods") for each in check_sequence(methods, "methods")]
    for name in names:
        if name in ("ACK", "CANCEL"):
            raise InputError("methods: %s cannot be challenged (RFC 3261, 22.1)" % name)
    return names


def _check_secret(secret):
    # type: (Any) -> bytes
    """A secret for nonces as octets. The error does not quote it."""
    octets = secret.encode("utf-8") if isinstance(secret, text_type) else secret
    if not isinstance(octets, bytes) or len(octets) < SHORTEST_SECRET:
        raise InputError("the secret must be %d octets or more, as bytes or text" % SHORTEST_SECRET)
    return octets
