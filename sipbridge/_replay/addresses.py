"""The addresses in values of header fields and in session descriptions, and names of the same form as others."""

from __future__ import absolute_import, division, print_function

import random
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Match, Optional, Tuple

_URI = re.compile(
    u"(sips?:)((?:[^@\\s<>\"]*@)?)(\\[[0-9A-Fa-f:.]+\\]|[^\\s<>\";?,:/\\]]+)(:[0-9]+)?([^\\s>,\"]*)", re.IGNORECASE
)
#: A parameter of URIs.
TRANSPORT = re.compile(u";transport=[A-Za-z]+", re.IGNORECASE)
_SENT_BY = re.compile(
    u"(\\s*SIP\\s*/\\s*2\\.0\\s*/\\s*)([A-Za-z]+)(\\s+)(\\[[0-9A-Fa-f:.]+\\]|[^\\s;,:]+)(\\s*:\\s*[0-9]+)?",
    re.IGNORECASE,
)
_NOWHERE = (u"0.0.0.0", u"::")

_DIGITS = u"0123456789"
_LOWER = u"abcdefghijklmnopqrstuvwxyz"
_random = random.SystemRandom()


def split_host_port(text):
    # type: (str) -> Tuple[str, int]
    """Host and port of "host:port"."""
    host, _, port = text.rpartition(u":")
    return host.strip(u"[]"), int(port)


def place_of(uri):
    # type: (str) -> Optional[str]
    """The "host:port" of a SIP URI; None where there is none. Without a port it is 5060."""
    found = _URI.search(uri)
    return None if found is None else _place(found.group(3), found.group(4))


def _place(host, port):
    # type: (str, Optional[str]) -> str
    return host.lower() + (port or u":5060").replace(u" ", u"")


def moved(value, places, forced=None, transport=None):
    # type: (str, Dict[str, str], Optional[str], Optional[str]) -> str
    """A value in whose SIP URIs the addresses are others.

    Args:
        places: new "host:port" by the old one.
        forced: the new one of every other address, or None.
        transport: the ``transport=`` of those that change: None leaves it as it is, "" takes it away.
    """

    def fitted(found):
        # type: (Match[str]) -> str
        scheme, user, host, port, rest = found.groups(u"")
        new = places.get(_place(host, port), forced)
        if new is None:
            return found.group()
        if transport is not None:
            rest = TRANSPORT.sub(u"", rest)
            if transport:
                rest = u";transport=" + transport + rest
        return scheme + user + new + rest

    return _URI.sub(fitted, value)


def sent_by(via):
    # type: (str) -> Optional[str]
    """The "host:port" of a Via."""
    found = _SENT_BY.match(via)
    return None if found is None else _place(found.group(4), found.group(5))


def sent_from(via, place, transport):
    # type: (str, str, str) -> str
    """The first Via of a value with another sender and transport."""
    return _SENT_BY.sub(
        lambda found: found.group(1) + transport.upper() + found.group(3) + place, via, count=1
    )


def described(body, host, port):
    # type: (str, str, Optional[int]) -> str
    """A session description of that address.

    ``port`` is where its first stream is, the next one two ports on; None keeps them. An address on which nothing is to
    be sent (0.0.0.0) and a port of 0 stay.
    """
    kind = u"IP6" if u":" in host else u"IP4"
    ports = [port or 0]

    def connection(found):
        # type: (Match[str]) -> str
        return found.group() if found.group(2) in _NOWHERE else u"%s%s %s" % (found.group(1), kind, host)

    def stream(found):
        # type: (Match[str]) -> str
        if found.group(2) == u"0":
            return found.group()
        ports[0] += 2
        return u"%s%d" % (found.group(1), ports[0] - 2)

    body = re.sub(u"(?m)^(c=IN )IP[46] ([^\\s/]+)", connection, body)
    body = re.sub(u"(?m)^(o=\\S+ \\S+ \\S+ IN )IP[46] (\\S+)", connection, body)
    return body if port is None else re.sub(u"(?m)^(m=\\S+ )([0-9]+)", stream, body)


def alike(text):
    # type: (str) -> str
    """A new name of the same form: other digits and letters, all else as it is; longer if it would be too short."""
    begin = 7 if text[:7] == u"z9hG4bK" else 0
    made = [_other(each) for each in text[begin:]]
    changed = sum(one != other for one, other in zip(made, text[begin:]))
    more = u"" if changed >= 6 else u"".join(_random.choice(_DIGITS) for _ in range(8))
    return text[:begin] + u"".join(made) + more


def _other(character):
    # type: (str) -> str
    for characters in (_DIGITS, _LOWER, _LOWER.upper()):
        if character in characters:
            return _random.choice(characters)
    return character
