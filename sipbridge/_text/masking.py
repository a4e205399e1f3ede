"""Mask the credentials in SIP messages, so that nobody who reads them can log in."""

from __future__ import absolute_import, division, print_function

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Match

#: The text in place of a credential.
MASK = "***"

_HEAD_END = re.compile(u"\r?\n\r?\n")

# A header field with its continuation lines (RFC 3261, 7.3.1).
_CREDENTIALS = re.compile(
    u"^((?:Proxy-)?Authorization|(?:Proxy-)?Authentication-Info)([ \t]*:[ \t]*)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
# The parameters from which a password can be guessed offline (RFC 3261, 22.4; RFC 7616, 3.4 and 3.5). A quoted
# string without a closing quote goes to the end.
_DIGEST = re.compile(u"\\b(response|rspauth)(\\s*=\\s*)(\"(?:[^\"\\\\]|\\\\.?)*(?:\"|$)|[^,\\s]*)", re.IGNORECASE)

# The keys of SRTP in a session description (RFC 4568, 6.1; RFC 8866, 5.12).
_KEY_LINE = re.compile(u"^(?:a=crypto:|k=)[^\r\n]*", re.MULTILINE)
_KEY = re.compile(u"(inline:|k=(?:clear|base64):)([^\\s|;]*)")


# The same in a text that may be anything, as the repr() of a message or of its header fields.
_ANYWHERE = re.compile(
    u"((?:Proxy-)?Authorization['\"]?\\s*[:,]\\s*u?['\"]?)(?!Digest)([^\r\n'\"]+)", re.IGNORECASE
)

# The password of a URI within a text. So long and no longer, so that no text takes more than linear time.
_PASSWORD = re.compile(u"(\\bsips?:[^@:\\s<>\"']{0,256}):[^@\\s<>\"']{1,256}@", re.IGNORECASE)


def masked_anywhere(text):
    # type: (str) -> str
    """Any text in which digest responses, other credentials, passwords in URIs and keys of SRTP are masked."""
    text = _PASSWORD.sub(u"\\1:%s@" % MASK, text)
    text = _ANYWHERE.sub(u"\\1" + MASK, text)
    text = _DIGEST.sub(lambda digest: u"%s%s%s" % (digest.group(1), digest.group(2), MASK), text)
    return _KEY.sub(_blotted, text)


def masked(text):
    # type: (str) -> str
    """The text of a message in which digest responses, credentials of other schemes and SRTP keys are masked.

    The body keeps its length.
    """
    end = _HEAD_END.search(text)
    split = end.start() if end else len(text)
    body = _KEY_LINE.sub(lambda line: _KEY.sub(_blotted, line.group()), text[split:])
    return _CREDENTIALS.sub(_masked_field, text[:split]) + body


def without_credentials(data):
    # type: (bytes) -> bytes
    """The octets of a message, masked likewise."""
    return masked(data.decode("latin-1")).encode("latin-1")


def _blotted(key):
    # type: (Match[str]) -> str
    return key.group(1) + u"x" * len(key.group(2))  # still Base64, so that Wireshark can parse it


def _masked_field(found):
    # type: (Match[str]) -> str
    name, colon, value = found.groups()
    if name.lower().endswith("authorization") and not value.lower().startswith("digest"):
        return name + colon + MASK
    return name + colon + _DIGEST.sub(lambda digest: '%s%s"%s"' % (digest.group(1), digest.group(2), MASK), value)


# The password in a URI (RFC 3261, 19.1.1; RFC 3986, 3.2.1): userinfo is "user:password@". A peer may write any scheme,
# and "@" and "?" where they must not stand. What looks like a port is one.
_USERINFO = re.compile(
    u"^(\\s*[a-z][a-z0-9+.-]*:(?://)?[^@:]*):(?![0-9]{0,5}(?:[;?]|\\Z)).*@", re.IGNORECASE | re.DOTALL
)


def masked_uri(uri):
    # type: (str) -> str
    """A URI whose password is masked, without the headers that it may have (19.1.1), which may hold others."""
    return _USERINFO.sub(u"\\1:%s@" % MASK, uri).partition(u"?")[0]
