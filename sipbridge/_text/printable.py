"""Text and times that are safe to show in a terminal."""

from __future__ import absolute_import, division, print_function

import re
import time

# Control characters (C0 but for the tab, C1), and characters that break a line or change its direction.
_UNPRINTABLE = re.compile(u"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text):
    # type: (str) -> str
    """The text on one line. Characters of a peer that could control the terminal become escapes like ``\\x1b``."""
    return _UNPRINTABLE.sub(lambda found: _escape(ord(found.group())), text)


def _escape(code):
    # type: (int) -> str
    return "\\x%02x" % code if code < 256 else "\\u%04x" % code


def clock(seconds):
    # type: (float) -> str
    """Seconds since 1970 as local time: ``16:20:03.456``."""
    milliseconds = int(seconds * 1000)
    return "%s.%03d" % (
        time.strftime("%H:%M:%S", time.localtime(milliseconds // 1000)),
        milliseconds % 1000,
    )
