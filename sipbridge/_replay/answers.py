"""Answer the digest challenge of today in place of the recorded one (RFC 7616, 3.4; RFC 3261, 22)."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._access import digest
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Match, Optional

_PARAMETER = re.compile(u"([A-Za-z0-9_-]+)(\\s*=\\s*)(\"(?:[^\"\\\\]|\\\\.)*\"|[^\\s,]+)(\\s*,\\s*)?")


def is_digest(value):
    # type: (str) -> bool
    """Whether these are digest credentials or such a challenge."""
    return value.lstrip()[:6].lower() == u"digest"


def answer(recorded, challenge, method, uri, user, password):
    # type: (str, str, str, str, Optional[str], str) -> str
    """The value of an Authorization as recorded, with what answers this challenge.

    Args:
        recorded: the value that was recorded; the order and the form of its parameters stay.
        challenge: the value of WWW-Authenticate or Proxy-Authenticate that is to be answered.
        method, uri: of the request, as it will be sent.
        user: None for the recorded one.
        password: text.

    Raises InputError when that cannot be done.
    """
    asked = digest.parse(challenge)
    given = digest.parse(recorded)
    if not asked or given is None or "nonce" not in asked:
        raise InputError("a challenge that is no digest cannot be answered: %s" % challenge)
    algorithm = asked.get("algorithm", "MD5").upper()
    if algorithm not in digest.HASHES:
        raise InputError("a challenge with the algorithm %s cannot be answered" % algorithm)
    kept = ("realm", "nonce", "opaque", "algorithm")
    changed = dict((name, asked[name]) for name in kept if name in asked)  # type: Dict[str, str]
    changed["username"] = user or given.get("username", "")
    changed["uri"] = uri
    counted = "qop" in asked and "qop" in given
    if counted:
        changed["qop"] = "auth"
    changed["response"] = _response(algorithm, changed, given if counted else {}, method, password)
    dropped = set() if counted else set(["qop", "nc", "cnonce"])
    dropped.update(name for name in ("opaque", "algorithm") if name not in asked)
    return _written(recorded, changed, dropped)


def _response(algorithm, values, given, method, password):
    # type: (str, Dict[str, str], Dict[str, str], str, str) -> str
    secret = digest.digest(algorithm, "%s:%s:%s" % (values["username"], values["realm"], password))
    own = digest.digest(algorithm, "%s:%s" % (method, values["uri"]))
    parts = [secret, values["nonce"]]
    if given:
        parts += [given.get("nc", "00000001"), given.get("cnonce", ""), "auth"]
    return digest.digest(algorithm, ":".join(parts + [own]))


def _written(recorded, changed, dropped):
    # type: (str, Dict[str, str], set[str]) -> str
    written = set()

    def fitted(found):
        # type: (Match[str]) -> str
        name, equals, value, comma = found.groups(u"")
        key = name.lower()
        if key in dropped:
            return u""
        written.add(key)
        if key in changed:
            quoted = value[:1] == u'"'
            value = (u'"%s"' if quoted else u"%s") % changed[key]
        return name + equals + value + comma

    scheme, _, parameters = recorded.lstrip().partition(u" ")
    text = scheme + u" " + _PARAMETER.sub(fitted, parameters)
    text = re.sub(u"\\s*,\\s*\\Z", u"", text)
    for name in ("opaque", "algorithm"):
        if name in changed and name not in written:
            text += u', %s="%s"' % (name, changed[name]) if name == "opaque" else u", %s=%s" % (name, changed[name])
    return text
