"""Mask the credentials in SIP messages, so that nobody who reads them can log in."""

from __future__ import absolute_import, division, print_function

import hashlib
import os
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


# -- more than credentials, where that is asked for ---------------------------------------------------------

# The user of a URI (RFC 3261, 19.1.1): what stands before "@", but for the password. Or the number of a tel URI with
# its parameters (RFC 3966). So long and no longer, for linear time.
_USER = re.compile(
    u"(\\bsips?:)([^@:<>\\s\"]{1,128})(?=(?::[^@<>\\s]{0,128})?@)|(\\btel:)([^>\\s\",]{1,64})", re.IGNORECASE
)

# The display names of addresses (RFC 3261, 25.1), in any field, also in one that is folded: what stands before "<sip:".
_DISPLAY = re.compile(
    u"(?<=[:,])\\s{0,9}(?:\"[^\"<>]{0,256}\"\\s{0,9}|[^\"<>,;:]{1,256})(?=<(?:sips?|tel):)", re.IGNORECASE
)

# What a session description says in words (RFC 8866, 5.2 to 5.7): the user name of o=, and these lines.
_WORDS = re.compile(u"^([siuep]=)([^\r\n]*)|^(o=)([^\\s]*)", re.MULTILINE)
_IS_SDP = re.compile(u"^(?:Content-Type|c)[ \t]*:[ \t]*application/sdp", re.IGNORECASE | re.MULTILINE)

_UNIT = re.compile(u"%[0-9A-Fa-f]{2}|.", re.DOTALL)  # a character, or an escaped one, which stays
_ALPHANUMERIC = re.compile(u"[^\\W_]", re.UNICODE)
_VISIBLE = re.compile(u"[^\r\n]")


class Masker(object):
    """Masks the messages and texts of one incident alike: credentials, passwords in URIs, and what else is asked for.

    What is masked keeps its length. Equal users stay equal, so that one can follow a call; their key is forgotten.

    Args:
        numbers: mask users in URIs, telephone numbers and display names.
        bodies: mask bodies; of a session description, only its words.
    """

    def __init__(self, numbers=False, bodies=False):
        # type: (bool, bool) -> None
        self._numbers, self._bodies = numbers, bodies
        self._key = os.urandom(16)

    def message(self, data):
        # type: (bytes) -> bytes
        """The octets of a message, masked."""
        text = masked(data.decode("latin-1"))
        end = _HEAD_END.search(text)
        split = end.start() if end else len(text)
        head, body = _PASSWORD.sub(_blotted_password, text[:split]), text[split:]
        if self._bodies:
            body = _worded(body) if _IS_SDP.search(head) else _VISIBLE.sub(u"x", body)
        if self._numbers:
            head = _DISPLAY.sub(_blank, head)
            head, body = self._without_users(head), self._without_users(body)
        return (head + body).encode("latin-1")

    def text(self, text):
        # type: (str) -> str
        """Any text, masked."""
        text = masked_anywhere(text)
        return self._without_users(text) if self._numbers else text

    def _without_users(self, text):
        # type: (str) -> str
        return _USER.sub(self._masked_user, text)

    def _masked_user(self, found):
        # type: (Match[str]) -> str
        scheme, user = (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))
        digest = bytearray(hashlib.sha256(self._key + user.encode("utf-8")).digest())
        parts = _UNIT.findall(user)
        return scheme + u"".join(_replacement(each, digest[i % len(digest)]) for i, each in enumerate(parts))


def _replacement(character, number):
    # type: (str, int) -> str
    """A digit for a digit, a letter for a letter; other characters stay."""
    if len(character) > 1:
        return character
    if character.isdigit():
        return u"%d" % (number % 10)
    return u"abcdefghijklmnopqrstuvwxyz"[number % 26] if character.isalpha() else character


def _blotted_password(found):
    # type: (Match[str]) -> str
    return found.group(1) + u":" + u"x" * (len(found.group()) - len(found.group(1)) - 2) + u"@"


def _blank(found):
    # type: (Match[str]) -> str
    return _ALPHANUMERIC.sub(u"x", found.group())


def _worded(body):
    # type: (str) -> str
    return _WORDS.sub(_masked_words, body)


def _masked_words(found):
    # type: (Match[str]) -> str
    name, words = (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))
    return name + _ALPHANUMERIC.sub(u"x", words)
