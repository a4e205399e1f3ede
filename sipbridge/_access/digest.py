"""Digest credentials (RFC 7616; RFC 3261, 22.4; RFC 8760): read them from a header, and compute what they should be."""

from __future__ import absolute_import, division, print_function

import hashlib
import hmac
import re

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Optional

#: The hash of each algorithm, by its name on the network (RFC 8760, 2.1), and the digits of what it gives.
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
DIGITS = {"MD5": 32, "SHA-256": 64}

#: Characters of a header with credentials that are looked at: real ones have some hundred.
LONGEST = 4096

_SCHEME = re.compile(r"\s*([A-Za-z0-9.!%*_+`'~-]+)\s+")
_PARAMETER = re.compile(
    r"\s*([A-Za-z0-9.!%*_+`'~-]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([A-Za-z0-9.!%*_+`'~/-]+))\s*(?:,|\Z)"
)
_COUNT = re.compile(r"[0-9A-Fa-f]{8}\Z")
_HEXADECIMAL = re.compile(r"[0-9a-f]+\Z")


class Credentials(NamedTuple("Credentials", [
    ("user", "str"), ("realm", "str"), ("algorithm", "str"), ("nonce", "str"), ("count", "int"), ("counted", "str"),
    ("cnonce", "str"), ("uri", "str"), ("response", "str"),
])):
    """What a client sends to prove that it knows a password: qop is always "auth".

    ``count`` is the nonce count, ``counted`` the same as the client wrote it.
    """

    __slots__ = ()

    def expected(self, method, secret):
        # type: (str, str) -> str
        """The response that proves it, for a request of that method. ``secret`` is H(user:realm:password), in hex."""
        own = digest(self.algorithm, "%s:%s" % (method, self.uri))
        parts = (secret, self.nonce, self.counted, self.cnonce, "auth", own)
        return digest(self.algorithm, ":".join(parts))


def digest(algorithm, text):
    # type: (str, str) -> str
    """The hash of a text as UTF-8, in hexadecimal digits."""
    return HASHES[algorithm](text.encode("utf-8")).hexdigest()


def parse(value):
    # type: (str) -> Optional[Dict[str, str]]
    """The parameters of a header with credentials, names in lower case.

    Without any where the scheme is another than Digest; None where it does not parse. No input takes more than linear
    time.
    """
    scheme = _SCHEME.match(value)
    if scheme is None or scheme.group(1).lower() != "digest":
        return {}
    if len(value) > LONGEST:
        return None
    found = {}  # type: Dict[str, str]
    position = scheme.end()
    while position < len(value):
        parameter = _PARAMETER.match(value, position)
        if parameter is None or parameter.group(1).lower() in found:
            return None
        quoted, token = parameter.group(2, 3)
        found[parameter.group(1).lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = parameter.end()
    return found


def read(parameters):
    # type: (Dict[str, str]) -> Optional[Credentials]
    """The credentials in these parameters; None where something is missing or malformed.

    The algorithm is as the client names it, in upper case; MD5 where it names none.
    """
    try:
        counted = parameters["nc"]
        found = Credentials(
            parameters["username"], parameters["realm"], parameters.get("algorithm", "MD5").upper(),
            parameters["nonce"], int(counted, 16) if _COUNT.match(counted) else 0, counted, parameters["cnonce"],
            parameters["uri"], parameters["response"].lower(),
        )  # fmt: skip
    except KeyError:
        return None
    digits = DIGITS.get(found.algorithm, len(found.response))
    if parameters.get("qop", "").lower() != "auth" or found.count == 0 or not found.cnonce or not found.user:
        return None
    return found if len(found.response) == digits and _HEXADECIMAL.match(found.response) else None


def _same(first, second):
    # type: (bytes, bytes) -> bool
    """As hmac.compare_digest(): the time tells only whether the lengths differ."""
    difference = len(first) ^ len(second)
    for one, other in zip(bytearray(first), bytearray(second)):
        difference |= one ^ other
    return difference == 0


#: Python 2.7.3 has none.
_compare = getattr(hmac, "compare_digest", _same)  # type: Callable[[bytes, bytes], bool]


def is_same(first, second):
    # type: (bytes, bytes) -> bool
    """Whether two secrets are the same, in a time that does not tell where they differ."""
    return bool(_compare(first, second))
