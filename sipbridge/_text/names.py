"""The names of header fields."""

from __future__ import absolute_import, division, print_function

#: Compact forms (RFC 3261, 7.3.3, and IANA's registry of header fields).
COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}


def key_of(name):
    # type: (str) -> str
    """What is the same for all ways to write the name of a header field: in lower case, and in full."""
    name = name.lower()
    return COMPACT.get(name, name)
