"""What differs between Python 2.7 and 3, in one place."""

from __future__ import absolute_import, division, print_function

import os
import sys
import time
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import NamedTuple as NamedTuple
else:

    def NamedTuple(name, fields):
        """A class as ``typing.NamedTuple`` makes it, from (name, type) pairs. Python 2.7 lacks typing."""
        return namedtuple(name, [field for field, _ in fields])


PY2 = sys.version_info[0] == 2

if PY2:
    text_type = unicode  # noqa: F821
    TimeoutBase = Exception

    def _steady():
        # type: () -> float
        """Seconds on a clock that never jumps: that of times(2), which has steps of 10 ms."""
        return os.times()[4]

else:
    text_type = str
    TimeoutBase = TimeoutError
    _steady = time.monotonic

_moved = 0.0


def monotonic():
    # type: () -> float
    """Seconds on a clock that never jumps, but where a test wants it to."""
    return _steady() + _moved


def wall_clock():
    # type: () -> float
    """Seconds since 1970, UTC, as other machines have them; a test may want them otherwise."""
    return time.time() + _moved


def move_clock(seconds):
    # type: (float) -> None
    """Let so many seconds have passed: for sipbridge.testing."""
    global _moved
    _moved += seconds


def to_text(value):
    # type: (Any) -> Any
    """A `str` of either Python as text, decoded as UTF-8 in Python 2; any other value as it is."""
    if PY2 and isinstance(value, str):
        return value.decode("utf-8")
    return value
