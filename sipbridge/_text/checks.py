"""Check the parts of a message before an engine sees them. Each function raises InputError."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._text.arguments import check_text, is_whole
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional


#: The control characters, of which TAB alone may stand in a line.
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


def check_line(value, what):
    # type: (str, str) -> str
    """Text of one line, not empty."""
    text = check_text(value, "the " + what)
    if not text.strip():
        raise InputError("the %s must be text, not %r" % (what, value))
    if CONTROL.search(text):
        raise InputError("line break or control character in the %s: %r" % (what, text))
    return text


_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")


def check_token(value, what):
    # type: (str, str) -> str
    """A token (RFC 3261, 25.1) as text."""
    text = check_line(value, what)
    if not _TOKEN.match(text):
        raise InputError("the %s is one word, not %r" % (what, text))
    return text


_WORD = r"[A-Za-z0-9.!%*_+`'~()<>:\\\"/\[\]?{}-]+"
_CALL_ID = re.compile(_WORD + "(?:@" + _WORD + r")?\Z")


def check_call_id(value):
    # type: (str) -> str
    """A Call-ID (callid, RFC 3261, 25.1) of 255 octets at most as text, or InputError."""
    text = check_line(value, "call_id")
    if not _CALL_ID.match(text) or len(text) > 255:
        raise InputError("call_id must be a word or two with an @ between, 255 octets at most, not %r" % (text,))
    return text


def check_quoted(value, what):
    # type: (str, str) -> str
    """Text of one line that can stand between quotes without escapes, like the user name in credentials."""
    text = check_line(value, what)
    if '"' in text or text.endswith("\\"):
        raise InputError('the %s has a " in it or a backslash at its end: %r' % (what, text))
    return text


def check_password(value):
    # type: (str) -> str
    """Text of one line, not empty. The error does not quote it, so that no password gets into a log."""
    try:
        return check_line(value, "password")
    except InputError:
        pass
    raise InputError("the password must be text of one line, not empty and without control characters")


def check_reason(value):
    # type: (Optional[str]) -> Optional[str]
    """A reason phrase as text; None stands for the standard one."""
    return None if value is None else check_line(value, "reason phrase")


def check_status(status, lowest, highest):
    # type: (int, int, int) -> int
    """A status code from ``lowest`` to ``highest``."""
    if not is_whole(status) or not lowest <= status <= highest:
        raise InputError("status %r is not one of %d to %d" % (status, lowest, highest))
    return status


def check_seconds(value, what):
    # type: (int, str) -> int
    """A whole number of seconds above 0."""
    if not is_whole(value) or not 0 < value < 2**31:
        raise InputError("%s must be whole seconds above 0, not %r" % (what, value))
    return value


def check_text_body(text):
    # type: (str) -> bytes
    """Text as octets of UTF-8."""
    try:
        return text.encode("utf-8")
    except (AttributeError, UnicodeError):
        raise InputError("the body of a message is bytes or text, not %r" % (text,))
