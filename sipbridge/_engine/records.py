"""What passes between the facade and an engine, wherever that runs: text, bytes and numbers."""

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
    """An sb_event (csrc/contract/engine.h): numbers as they are, ``time`` in seconds since 1970, text as
    text with what is no UTF-8 replaced, the body as bytes.
    """

    __slots__ = ()


class Content(NamedTuple("Content", [
    ("headers", "List[Tuple[str, str]]"),
    ("content_type", "Optional[str]"),
    ("body", "Optional[bytes]"),
])):
    """What a message carries: pairs of text, text or None, bytes or None."""

    __slots__ = ()


class Parties(NamedTuple("Parties", [("to", "str"), ("from_", "Optional[str]"), ("route", "Optional[str]")])):
    """Between whom a request goes: text; the last two may be None."""

    __slots__ = ()
