"""In what a message of today differs from the recorded one, apart from what is never the same."""

from __future__ import absolute_import, division, print_function

import difflib
import re

from sipbridge._replay.addresses import TRANSPORT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Callable, Iterable, List, Mapping, Sequence, Tuple

    from sipbridge._replay.message import Message

    Evened = Mapping[str, Sequence[Callable[[str], str]]]

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
_AS_IT_IS = {}  # type: Evened


def differences(recorded, live, names, ignored=(), evened=_AS_IT_IS):
    # type: (Message, Message, Iterable[str], Iterable[str], Evened) -> List[str]
    """The lines of a diff: "-" for what was recorded, "+" for what came. Empty when both say the same.

    Args:
        names: Call-IDs and tags, which are left out wherever they stand.
        ignored: the names of header fields that are not compared, in lower case and in full.
        evened: functions by the names of header fields: each takes out of a value what is not compared.
    """
    before, now = (_lines(each, list(names), frozenset(ignored), evened) for each in (recorded, live))
    if recorded.status and recorded.status == live.status:
        before[0] = now[0]  # the reason phrase says nothing (RFC 3261, 7.2)
    return changes(before, now)


def changes(before, now):
    # type: (List[str], List[str]) -> List[str]
    """The lines of a diff without the lines around them."""
    found = difflib.unified_diff(before, now, n=0, lineterm=u"")
    return [line for number, line in enumerate(found) if number > 1 and not line.startswith(u"@@")]


def _lines(message, names, ignored, evened):
    # type: (Message, List[str], frozenset[str], Evened) -> List[str]
    start = message.start if message.status else u"%s %s" % (message.method, _plain(message.uri))
    fields = header_lines(((field.key, field.plain) for field in message.fields), names, ignored, evened)
    return [start] + fields + body_lines(message.body, message.get(u"content-type"), names)


def header_lines(fields, names, ignored, evened):
    # type: (Iterable[Tuple[str, str]], List[str], AbstractSet[str], Evened) -> List[str]
    """Header fields, sorted, with what is never the same as "...".

    Args:
        fields: pairs of a name, in lower case and in full, and a value on one line.
        names, ignored, evened: as of :func:`differences`.
    """
    return sorted(
        u"%s: %s" % (title(key), _evened(_value(key, value, names), evened.get(key, ())))
        for key, value in fields
        if key and key not in ignored
    )


def _evened(value, functions):
    # type: (str, Sequence[Callable[[str], str]]) -> str
    for function in functions:
        value = function(value)
    return value


def body_lines(body, content_type, names):
    # type: (str, str, List[str]) -> List[str]
    """The lines of a body, with what is never the same as "..."."""
    if content_type.lower().startswith(u"application/sdp"):
        for pattern, text in _SDP:
            body = pattern.sub(text, body)
    lines = body.replace(u"\r\n", u"\n").rstrip(u"\n").split(u"\n") if body else []
    return [plain(line, names) for line in lines]


def title(key):
    # type: (str) -> str
    """The usual form of a header's name in lower case."""
    return u"-".join(part.capitalize() for part in key.split(u"-")).replace(u"Id", u"ID").replace(u"seq", u"Seq")


def _value(key, value, names):
    # type: (str, str, List[str]) -> str
    if key in _VOLATILE:
        return u"..."
    if key in _DIGEST:
        return _PROOF.sub(u"\\1\\2...", value)
    if key == u"cseq":
        return u"... " + value.partition(u" ")[2]
    return plain(value, names)


def plain(text, names):
    # type: (str, List[str]) -> str
    """A text with what is never the same as "...": these names, tags, branches and addresses."""
    for name in names:
        text = text.replace(name, u"...")
    return _plain(text)


def _plain(text):
    # type: (str) -> str
    text = _OTHER.sub(u"\\1...", _URI.sub(u"\\1...", TRANSPORT.sub(u"", text)))
    return _ADDRESS.sub(lambda found: found.group() if found.group() in _NOWHERE else u"(address)", text)
