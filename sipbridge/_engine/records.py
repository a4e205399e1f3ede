"""The records that pass between the facade and an engine, wherever it runs: text, bytes and numbers."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple



class RawEvent(NamedTuple("RawEvent", [
    ("type", "str"),
    ("cause", "str"),
    ("state", "Optional[str]"),
    ("status", "int"),
    ("expires", "int"),
    ("outgoing", "int"),
    ("call", "int"),
    ("registration", "int"),
    ("subscription", "int"),
    ("transaction", "int"),
    ("time", "float"),
    ("method", "str"),
    ("reason", "str"),
    ("request_uri", "str"),
    ("headers", "str"),
    ("peer", "str"),
    ("body", "bytes"),
])):
    """An sb_event (csrc/contract/engine.h). ``time`` is in seconds since 1970, the body is bytes. In text, octets that
    are not UTF-8 are replaced.
    """

    __slots__ = ()


class Content(NamedTuple("Content", [
    ("headers", "List[Tuple[str, str]]"),
    ("content_type", "Optional[str]"),
    ("body", "Optional[bytes]"),
])):
    """The content of a message: header fields as pairs of text, a media type or None, a body (bytes) or None."""

    __slots__ = ()


class Parties(NamedTuple("Parties", [("to", "str"), ("from_", "Optional[str]"), ("route", "Optional[str]")])):
    """The addresses of a request, text: To, From or None, and the URI of the first proxy or None."""

    __slots__ = ()
