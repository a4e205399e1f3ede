"""The lines of a session description (RFC 8866), and what a single line means."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import PY2, NamedTuple, text_type, to_text
from sipbridge._text.arguments import check_sequence
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator, Match, Optional, Pattern, Tuple

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

_ENDS = re.compile("\r\n|\n|\r")
_CONNECTION = re.compile(r"(\S+) +(\S+) +(\S+)[ \t]*\Z")

# Octets that are not UTF-8 become lone surrogates, like Python 3's "surrogateescape", which Python 2 lacks.
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
    """One line: Line("a", "sendrecv") is ``a=sendrecv``."""

    __slots__ = ()

    @property
    def text(self):
        # type: () -> str
        """The line as it is written."""
        return u"%s=%s" % self


def checked_line(line):
    # type: (Tuple[str, str]) -> Line
    """The Line, from a pair. Raises InputError."""
    try:
        kind, value = [to_text(each) for each in check_sequence(line, "line")]
    except ValueError:  # an InputError is a ValueError, too
        raise InputError("one of lines must be a Line, a type and a value, not %r" % (line,))
    if not isinstance(kind, text_type) or not re.match(r"[a-z]\Z", kind):
        raise InputError("one of lines begins with one small letter, not %r" % (kind,))
    if not isinstance(value, text_type) or re.search("[\x00\r\n]", value):
        raise InputError("one of lines has a value with a line break or NUL, or no text: %r" % (value,))
    return Line(kind, value)


def split(data):
    # type: (bytes) -> Iterator[Line]
    """The lines of a body. Raises InputError."""
    for text in _ENDS.split(decode(data.rstrip(b"\x00"))):
        if not text.strip():
            continue  # some peers send blank lines, mostly at the end, though SDP has none
        kind, equals, value = text.partition("=")
        if not equals or not re.match(r"[A-Za-z]\Z", kind):
            raise InputError("not a line of a session description: %r (expected a=..., say)" % (text,))
        if "\x00" in value:
            raise InputError("NUL in a line of a session description: %r" % (text,))
        yield Line(kind, value)


class Origin(NamedTuple("Origin", [
    ("username", "str"),
    ("session_id", "int"),
    ("version", "int"),
    ("network", "str"),
    ("address_type", "str"),
    ("address", "str"),
])):
    """The parts of an o= line (RFC 8866, 5.2): text, but for ``session_id`` and ``version``, which are ints."""

    __slots__ = ()


class Connection(NamedTuple("Connection", [("network", "str"), ("address_type", "str"), ("address", "str")])):
    """The parts of a c= line (RFC 8866, 5.7), like ("IN", "IP4", "192.0.2.7")."""

    __slots__ = ()


def attributes(lines, name):
    # type: (Iterable[Line], str) -> Iterator[Optional[str]]
    """The values of an attribute; None for one without a value, like a=sendrecv."""
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
    """The lines with this direction in place of another one. None: without a direction."""
    kept = [line for line in lines if line.type != "a" or line.value.strip() not in DIRECTIONS]
    return tuple(kept if direction is None else kept + [Line("a", direction)])
