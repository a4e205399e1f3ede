"""The lines of a session description (RFC 8866), and what one says by itself."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import PY2, NamedTuple
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator, Match, Optional, Pattern, Tuple

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

_CONNECTION = re.compile(r"(\S+) +(\S+) +(\S+)[ \t]*\Z")

# Octets that are no UTF-8, as lone surrogates: Python 3's "surrogateescape", which Python 2 lacks.
_NO_ASCII = re.compile(u"[\x80-\xff]")
_ESCAPED = re.compile(b"\xed([\xb2\xb3])([\x80-\xbf])")


def decode(octets):
    # type: (bytes) -> str
    if not PY2:
        return octets.decode("utf-8", "surrogateescape")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return _NO_ASCII.sub(lambda found: _surrogate(found.group()), octets.decode("latin-1"))


def _surrogate(character):
    # type: (str) -> str
    return (u"\\u%04x" % (0xDC00 + ord(character))).encode("ascii").decode("unicode-escape")


def encode(text):
    # type: (str) -> bytes
    if not PY2:
        return text.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(_octet, text.encode("utf-8"))


def _octet(found):
    # type: (Match[bytes]) -> bytes
    high, low = bytearray(found.group(1) + found.group(2))
    return bytes(bytearray([(high & 3) << 6 | low & 63]))


class Line(NamedTuple("Line", [("type", "str"), ("value", "str")])):
    """``a=sendrecv`` is Line("a", "sendrecv")."""

    __slots__ = ()

    @property
    def text(self):
        # type: () -> str
        """As it is written."""
        return u"%s=%s" % self


class Origin(NamedTuple("Origin", [
    ("username", "str"),
    ("session_id", "int"),
    ("version", "int"),
    ("network", "str"),
    ("address_type", "str"),
    ("address", "str"),
])):
    """The o= line (5.2): text, ``session_id`` and ``version`` ints."""

    __slots__ = ()


class Connection(NamedTuple("Connection", [("network", "str"), ("address_type", "str"), ("address", "str")])):
    """A c= line (5.7), as ("IN", "IP4", "192.0.2.7")."""

    __slots__ = ()


def attributes(lines, name):
    # type: (Iterable[Line], str) -> Iterator[Optional[str]]
    """The values of an attribute, None where it has none: a=sendrecv."""
    for line in lines:
        if line.type == "a":
            key, colon, value = line.value.partition(":")
            if key.strip() == name:
                yield value.strip() if colon else None


def connection_in(lines):
    # type: (Iterable[Line]) -> Optional[Connection]
    for line in lines:
        if line.type == "c":
            return Connection(*match_line(_CONNECTION, line, "IN IP4 192.0.2.7"))
    return None


def direction_in(lines):
    # type: (Iterable[Line]) -> Optional[str]
    for line in lines:
        if line.type == "a" and line.value.strip() in DIRECTIONS:
            return line.value.strip()
    return None


def match_line(pattern, line, example):
    # type: (Pattern[str], Line, str) -> Tuple[str, ...]
    found = pattern.match(line.value)
    if not found:
        raise InputError("cannot parse %r (expected something like %s=%s)" % (line.text, line.type, example))
    return found.groups()


def with_direction(lines, direction):
    # type: (Iterable[Line], Optional[str]) -> Tuple[Line, ...]
    """The lines with that direction in the place of another; None: with none."""
    kept = [line for line in lines if line.type != "a" or line.value.strip() not in DIRECTIONS]
    return tuple(kept if direction is None else kept + [Line("a", direction)])
