"""Text and times as a terminal may show them."""

from __future__ import absolute_import, division, print_function

import re
import time

# C0 but for the tab, C1, and what turns the direction of a line or breaks it.
_UNPRINTABLE = re.compile(u"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text):
    # type: (str) -> str
    """The text on one line: what could steer a terminal is written as ``\\x1b``. Peers send what they like."""
    return _UNPRINTABLE.sub(lambda found: _escape(ord(found.group())), text)


def _escape(code):
    # type: (int) -> str
    return "\\x%02x" % code if code < 256 else "\\u%04x" % code


def clock(seconds):
    # type: (float) -> str
    """Seconds since 1970 as local time, ``16:20:03.456``."""
    milliseconds = int(seconds * 1000)
    return "%s.%03d" % (
        time.strftime("%H:%M:%S", time.localtime(milliseconds // 1000)),
        milliseconds % 1000,
    )
