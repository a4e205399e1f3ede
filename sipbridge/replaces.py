"""The Replaces header (RFC 3891), which names the dialog that a new call takes the place of, and Replaces in the URI
of a Refer-To (RFC 3515; RFC 5589, 7.3).
"""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import PY2, NamedTuple
from sipbridge._text.parameters import parse_parameters
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge.headers import Headers

if PY2:
    from urllib import quote, unquote
else:
    from urllib.parse import quote, unquote  # novm


class Replaces(NamedTuple("Replaces", [
    ("call_id", "str"),
    ("to_tag", "str"),
    ("from_tag", "str"),
    ("early_only", "bool"),
])):
    """A Replaces header: the Call-ID and tags of a dialog, and True if it is meant only while it is early.

    ``to_tag`` is the tag of the side that receives the header, ``from_tag`` that of its peer.
    """

    __slots__ = ()

    def __str__(self):
        # type: () -> str
        text = "%s;to-tag=%s;from-tag=%s" % self[:3]
        return text + ";early-only" if self.early_only else text


def parse_replaces(text):
    # type: (str) -> Optional[Replaces]
    """The header's value as a :class:`Replaces`, or None when it is malformed (RFC 3891, 6.1)."""
    call_id, parameters = parse_parameters(text)
    to_tag, from_tag = parameters.get("to-tag"), parameters.get("from-tag")
    if not to_tag or not from_tag or not re.match(r"[^\s<>\"]+\Z", call_id):
        return None
    return Replaces(call_id, to_tag, from_tag, "early-only" in parameters)


def with_replaces(uri, replaces):
    # type: (str, Replaces) -> str
    """A URI for Refer-To: whoever calls it sends this Replaces in the INVITE."""
    text = str(replaces)
    escaped = quote(text.encode("utf-8") if PY2 else text, safe="")
    return "%s?Replaces=%s" % (uri.partition("?")[0], escaped)


def target_of(headers):
    # type: (Headers) -> str
    """The URI in the Refer-To of a REFER, without the headers in that URI."""
    return address_uri(headers.get("Refer-To", "")).partition("?")[0]


def replaces_of(headers):
    # type: (Headers) -> Optional[Replaces]
    """The Replaces in the URI of a REFER's Refer-To, or None."""
    for field in address_uri(headers.get("Refer-To", "")).partition("?")[2].split("&"):
        name, _, value = field.partition("=")
        if _unescaped(name).lower() == "replaces":
            return parse_replaces(_unescaped(value))
    return None


def _unescaped(text):
    # type: (str) -> str
    if PY2:
        return unquote(text.encode("utf-8")).decode("utf-8", "replace")
    return unquote(text)
