"""What passes between the facade and an engine, wherever that runs: text, bytes and numbers."""

from __future__ import absolute_import, division, print_function

from collections import namedtuple


class RawEvent(
    namedtuple(
        "RawEvent",
        "type cause state status expires outgoing call registration subscription transaction time"
        " method reason request_uri headers peer body",
    )
):
    """An sb_event (csrc/contract/engine.h): numbers as they are, ``time`` in seconds since 1970, text as
    text with what is no UTF-8 replaced, the body as bytes.
    """

    __slots__ = ()


class Content(namedtuple("Content", "headers content_type body")):
    """What a message carries: pairs of text, text or None, bytes or None."""

    __slots__ = ()


class Parties(namedtuple("Parties", "to from_ route")):
    """Between whom a request goes: text; the last two may be None."""

    __slots__ = ()
