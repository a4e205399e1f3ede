"""Checks for what a message is made of, before an engine sees it."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge.arguments import check_octets, check_text, is_whole
from sipbridge.engine import Content
from sipbridge.errors import InputError
from sipbridge.headers import check_headers

#: Octets that a body may have at most (SB_MAX_BODY in csrc/contract/engine.h); an engine's library may take fewer.
MAX_BODY = 60000


def make_content(headers, body, content_type):
    """A Content of pairs, bytes and a media type, or None when there is nothing to carry.

    Raises InputError for a body that is not bytes or has no content type, and for what
    :func:`~sipbridge.headers.check_headers` refuses.
    """
    if not headers and body is None:
        return None
    pairs = check_headers(headers)
    if body is None:
        return Content(pairs, None, None)
    body = check_octets(body, "sdp" if content_type == "application/sdp" else "body")
    if len(body) > MAX_BODY:
        raise InputError(
            "a body of %d octets is more than the %d a message may carry" % (len(body), MAX_BODY)
        )
    if content_type is None:
        raise InputError("a body needs a content type, as text/plain or application/sdp")
    return Content(pairs, check_line(content_type, "content type"), body)


def check_line(value, what):
    """Text of one line, not empty, or InputError."""
    text = check_text(value, "the " + what)
    if not text.strip():
        raise InputError("the %s must be text, not %r" % (what, value))
    for character in text:
        if (character < " " and character != "\t") or character == "\x7f":
            raise InputError("line break or control character in the %s: %r" % (what, text))
    return text


_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")


def check_token(value, what):
    """A token (RFC 3261, 25.1) as text, or InputError."""
    text = check_line(value, what)
    if not _TOKEN.match(text):
        raise InputError("the %s is one word, not %r" % (what, text))
    return text


def check_quoted(value, what):
    """As :func:`check_line`, and fit to stand in quotes as it is, as a user does among credentials."""
    text = check_line(value, what)
    if '"' in text or text.endswith("\\"):
        raise InputError('the %s has a " in it or a backslash at its end: %r' % (what, text))
    return text


def check_password(value):
    """As :func:`check_line`, but what was given is not quoted: it would end up in a log."""
    try:
        return check_line(value, "password")
    except InputError:
        pass
    raise InputError("the password must be text of one line, not empty and without control characters")


def check_reason(value):
    """A reason phrase as text, or None for the standard one."""
    return None if value is None else check_line(value, "reason phrase")


def check_status(status, lowest, highest):
    """A status code within bounds, or InputError."""
    if not is_whole(status) or not lowest <= status <= highest:
        raise InputError("status %r is not one of %d to %d" % (status, lowest, highest))
    return status


def check_seconds(value, what):
    """A number of whole seconds above 0, or InputError."""
    if not is_whole(value) or not 0 < value < 2**31:
        raise InputError("%s must be whole seconds above 0, not %r" % (what, value))
    return value


#: Octets of a MESSAGE over a transport that nothing keeps from clogging (RFC 3428, 8).
MAX_MESSAGE = 1300

#: What the engine adds to the headers that are known here: Via, Call-ID, CSeq, tags, User-Agent and the like.
_OWN_HEADERS = 400


class MessageTooLarge(InputError):
    """A MESSAGE of so many octets; ``remedy`` is how to say that it may go all the same."""

    def __init__(self, size, remedy="large=True"):
        super(MessageTooLarge, self).__init__(
            "a MESSAGE of some %d octets is more than the %d that may go over UDP (RFC 3428, 8):"
            " use TCP or TLS, or %s when you know that the way there takes it" % (size, MAX_MESSAGE, remedy)
        )
        self.size = size


def check_message_size(parties, content):
    """MessageTooLarge when a MESSAGE between these, with this, would be longer than MAX_MESSAGE."""
    parts = [parties.to, parties.to, parties.from_ or "", parties.route or ""]
    if content is not None:
        parts += [part for header in content.headers for part in header] + [content.content_type or ""]
    size = _OWN_HEADERS + sum(len(part.encode("utf-8")) for part in parts)
    size += len(content.body or b"") if content is not None else 0
    if size > MAX_MESSAGE:
        raise MessageTooLarge(size)
