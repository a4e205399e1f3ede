"""In what a message of today differs from the recorded one, apart from what is never the same."""

from __future__ import absolute_import, division, print_function

import difflib
import re

from sipbridge._replay.addresses import TRANSPORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List

    from sipbridge._replay.message import Message

#: Header fields whose values are other ones each time, or with each version: that they are there is compared.
_VOLATILE = frozenset(
    u"via call-id max-forwards user-agent server date timestamp content-length rseq rack sip-etag sip-if-match"
    u" route record-route path in-reply-to replaces target-dialog".split()
)
_DIGEST = frozenset(
    u"authorization proxy-authorization www-authenticate proxy-authenticate authentication-info".split()
)

_ADDRESS = re.compile(
    u"(?:\\[[0-9A-Fa-f:.]+\\]|(?<![0-9.])[0-9]{1,3}(?:\\.[0-9]{1,3}){3}(?![0-9.]))(?::[0-9]{1,5})?"
)
_URI = re.compile(u"(sips?:(?:[^@\\s<>\"]*@)?)([^\\s<>\";?,]+)", re.IGNORECASE)
_OTHER = re.compile(
    u"(;\\s*(?:tag|branch|received|rport|line|rinstance|epid)\\s*=\\s*)[^\\s;,>\"]*", re.IGNORECASE
)
_PROOF = re.compile(
    u"\\b(nonce|cnonce|nc|response|opaque|uri|rspauth|nextnonce)(\\s*=\\s*)(\"[^\"]*\"|[^\\s,]*)", re.IGNORECASE
)
_SDP = (
    (re.compile(u"^o=.*", re.MULTILINE), u"o=..."),
    (re.compile(u"^(m=\\S+ )[1-9][0-9]*", re.MULTILINE), u"\\1(port)"),
    (re.compile(u"^(a=(?:rtcp|ssrc|ice-ufrag|ice-pwd|fingerprint|crypto|candidate)):.*", re.MULTILINE), u"\\1:..."),
)
_NOWHERE = (u"0.0.0.0", u"[::]")


def differences(recorded, live, names, ignored=()):
    # type: (Message, Message, Iterable[str], Iterable[str]) -> List[str]
    """The lines of a diff: "-" for what was recorded, "+" for what came. Empty when both say the same.

    Args:
        names: Call-IDs and tags, which are left out wherever they stand.
        ignored: the names of header fields that are not compared, in lower case and in full.
    """
    before, now = (_lines(each, list(names), frozenset(ignored)) for each in (recorded, live))
    if recorded.status and recorded.status == live.status:
        before[0] = now[0]  # the reason phrase says nothing (RFC 3261, 7.2)
    found = difflib.unified_diff(before, now, n=0, lineterm=u"")
    return [line for line in found if not line.startswith((u"---", u"+++", u"@@"))]


def _lines(message, names, ignored):
    # type: (Message, List[str], frozenset[str]) -> List[str]
    start = message.start if message.status else u"%s %s" % (message.method, _plain(message.uri))
    fields = sorted(
        u"%s: %s" % (_title(field.key), _value(field.key, field.plain, names))
        for field in message.fields
        if field.key and field.key not in ignored
    )
    body = message.body
    if message.get(u"content-type").lower().startswith(u"application/sdp"):
        for pattern, text in _SDP:
            body = pattern.sub(text, body)
    lines = body.replace(u"\r\n", u"\n").rstrip(u"\n").split(u"\n") if body else []
    return [start] + fields + [_plain(_without(line, names)) for line in lines]


def _title(key):
    # type: (str) -> str
    return u"-".join(part.capitalize() for part in key.split(u"-")).replace(u"Id", u"ID").replace(u"Cseq", u"CSeq")


def _value(key, value, names):
    # type: (str, str, List[str]) -> str
    if key in _VOLATILE:
        return u"..."
    if key in _DIGEST:
        return _PROOF.sub(u"\\1\\2...", value)
    if key == u"cseq":
        return u"... " + value.partition(u" ")[2]
    return _plain(_without(value, names))


def _without(text, names):
    # type: (str, List[str]) -> str
    for name in names:
        text = text.replace(name, u"...")
    return text


def _plain(text):
    # type: (str) -> str
    text = _OTHER.sub(u"\\1...", _URI.sub(u"\\1...", TRANSPORT.sub(u"", text)))
    return _ADDRESS.sub(lambda found: found.group() if found.group() in _NOWHERE else u"(address)", text)
