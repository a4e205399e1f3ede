"""Values that are none of their kind: what to pass in the place of a good argument."""

from __future__ import absolute_import, division, print_function

import sys

OBJECT = object()


def entry(good, **parameters):
    """A row of the tables: arguments that are fine, and for each parameter values that are not."""
    return good, parameters


#: Neither text nor anything else that a message is made of.
_NO_TEXT = [5, b"\xff\xfe", OBJECT, [u"x"]]

if sys.version_info[0] > 2:
    _NO_TEXT = _NO_TEXT + [u"\ud800"]  # UTF-8 cannot write it; Python 2's does

_INJECTION = u"x\r\nRoute: <sip:evil@example.com>"

LINE = _NO_TEXT + [_INJECTION, u"", u" ", u"a\x00b"]
OPTIONAL_LINE = LINE
#: What stands in quotes as it is.
QUOTED = LINE + [u'a"b', u"a\\"]
TEXT = _NO_TEXT
TOKEN = LINE + [u"a b", u"a;b"]
URI = _NO_TEXT + [_INJECTION, u"", u"bob", u"sip:", u"sip:a b@c", u"http://127.0.0.1", u"sip:a@b\r\nX: y"]
URI += [u"sip:a@b?Subject=x%0D%0AX:%20y", u"sip:a%0D%0AX:%20y@b", u"sip:a@b;x=%00"]
_HEADERS = [u"sip:a@b?", u"sip:a@b?Subject=x"]
ADDRESS = URI + _HEADERS + [u"<sip:a@b", u"<sip:a@b>;tag=1", u'"a\r\nb" <sip:a@b>', u"a, b <sip:a@b>"]
NO_NAME_ADDR = URI + _HEADERS + [u"<sip:a@b>"]
PATH = [5.5, OBJECT, [u"x"], u"a\x00b", u""]

OCTETS = [u"v=0", 5, OBJECT, [b"x"]]
PAIRS = [5, u"Subject: x", OBJECT, [5], [u"ab"], [(u"Subject",)], [(u"Subject", 5)], [(5, u"x")]]
PAIRS += [{u"Via": u"x"}, [(u"Subject", _INJECTION)], {u"Sub ject": u"x"}, {_INJECTION: u"x"}]
SEQUENCE = [5, u"text", b"text", OBJECT, None, [5], [OBJECT]]

TIMEOUT = [u"5", -1, -0.5, float("nan"), float("inf"), 2**31, True, OBJECT, [5]]
SECONDS = TIMEOUT + [None]
INTERVAL = [u"5", -1, 0, 0.5, 86401, float("nan"), True, OBJECT, None]
CALLABLE = [5, u"print", OBJECT, None]
THING = [5, u"text", OBJECT, None]
OPTIONAL_THING = [5, u"text", OBJECT]

#: Of which each value is a good one: what counts is whether it is true.
FLAG = []
#: What the function hands on as it is, and what it is only compared with.
ANY = []


def whole(lowest, highest=None):
    """Values that are no whole number from the one to the other."""
    found = [u"5", 1.5, OBJECT, None, True, [5], lowest - 1]
    return found + ([] if highest is None else [highest + 1])


def optional(values):
    """The same where None is a good value."""
    return [value for value in values if value is not None]
