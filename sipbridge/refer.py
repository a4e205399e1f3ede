"""What a REFER asks for (RFC 3515): the URI in Refer-To, and the Replaces in that URI (RFC 5589, 7.3)."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import PY2, quote, unquote
from sipbridge.replaces import parse_replaces
from sipbridge.uri import address_uri


def with_replaces(uri, replaces):
    """A URI for Refer-To that makes the call to it take the place of a dialog."""
    text = str(replaces)
    escaped = quote(text.encode("utf-8") if PY2 else text, safe="")
    return "%s?Replaces=%s" % (uri.partition("?")[0], escaped)


def target_of(headers):
    """The URI that a REFER names, without the headers in it."""
    return address_uri(headers.get("Refer-To", "")).partition("?")[0]


def replaces_of(headers):
    """The Replaces that a REFER's URI has in it, or None."""
    for field in address_uri(headers.get("Refer-To", "")).partition("?")[2].split("&"):
        name, _, value = field.partition("=")
        if _unescaped(name).lower() == "replaces":
            return parse_replaces(_unescaped(value))
    return None


def _unescaped(text):
    return unquote(text.encode("utf-8")).decode("utf-8", "replace") if PY2 else unquote(text)
