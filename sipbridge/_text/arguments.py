"""Check arguments before anything is sent. Each function raises InputError, which names and quotes the argument."""

from __future__ import absolute_import, division, print_function

import numbers
import os

from sipbridge._compat import text_type, to_text
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Optional, Tuple, Type, TypeVar, Union

    #: The types of a body.
    Body = Union[bytes, bytearray, memoryview]

    _T = TypeVar("_T")
    _Whole = TypeVar("_Whole", bound=int)
    _Real = TypeVar("_Real", bound=float)


def is_whole(value):
    # type: (object) -> bool
    """True for a whole number. (True and False themselves are none.)"""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_real(value):
    # type: (object) -> bool
    """True for a number that can stand for seconds: an int or float, not NaN."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and value == value


def check_text(value, what):
    # type: (object, str) -> str
    """The value as text that UTF-8 can encode. In Python 2 it may also be octets of UTF-8."""
    try:
        text = to_text(value)
    except UnicodeError:
        text = None
    if not isinstance(text, text_type):
        raise InputError("%s must be text, not %r" % (what, value))
    try:
        text.encode("utf-8")
    except UnicodeError:
        raise InputError("%s has half of a surrogate pair in it: %r" % (what, text))
    return text


def check_path(value, what):
    # type: (object, str) -> str
    """A path as text, from text or from an object that ``os.fspath()`` takes."""
    try:
        text = check_text(getattr(os, "fspath", lambda path: path)(value), what)
    except TypeError:
        text = ""
    if not text or "\0" in text:
        raise InputError("%s must be a path, not %r" % (what, value))
    return text


def check_file(path, what):
    # type: (object, str) -> str
    """The path of a file that can be read, as text and absolute."""
    text = check_path(path, what)
    try:
        with open(text, "rb"):
            return os.path.abspath(text)
    except (IOError, OSError) as error:
        raise InputError("%s: cannot read %s: %s" % (what, text, error.strerror))


def check_octets(value, what):
    # type: (object, str) -> bytes
    """The value as bytes."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise InputError("%s must be bytes, not %s; encode text first" % (what, type(value).__name__))
    return value.tobytes() if isinstance(value, memoryview) else bytes(value)


def check_whole(value, what, lowest, highest):
    # type: (_Whole, str, int, int) -> _Whole
    """A whole number within bounds."""
    if not is_whole(value) or not lowest <= value <= highest:
        raise InputError("%s %r is not one of %d to %d" % (what, value, lowest, highest))
    return value


def check_delay(seconds, what="timeout"):
    # type: (_Real, str) -> _Real
    """Seconds from 0 to less than 2**31, fractions included."""
    if not is_real(seconds) or not 0 <= seconds < 2**31:
        raise InputError("%s must be seconds from 0 on, not %r" % (what, seconds))
    return seconds


def check_timeout(seconds):
    # type: (Optional[float]) -> Optional[float]
    """Seconds to wait, like :func:`check_delay`, or None for no limit."""
    return None if seconds is None else check_delay(seconds)


def check_callable(value, what):
    # type: (_T, str) -> _T
    """A value that can be called."""
    if not callable(value):
        raise InputError("%s must be callable, not %r" % (what, value))
    return value


def check_kind(value, kind, what):
    # type: (object, Union[Type[_T], Tuple[Type[_T], ...]], str) -> _T
    """An object of this class, or of one of these classes."""
    if not isinstance(value, kind):
        names = [each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,))]
        raise InputError("%s must be a %s, not %r" % (what, " or ".join(names), value))
    return value


def check_sequence(value, what):
    # type: (Iterable[_T], str) -> List[_T]
    """An iterable as a list. Text is refused, because its items would be characters."""
    if isinstance(value, (bytes, text_type)) or not hasattr(value, "__iter__"):
        raise InputError("%s must be a sequence, not %r" % (what, value))
    return list(value)


def check_pairs(value, what="headers"):
    # type: (Any, str) -> List[Tuple[Any, Any]]
    """A list of pairs, from a mapping or an iterable of pairs."""
    if type(value) in (tuple, list) and not value:  # as in most calls
        return []
    items = value.items() if hasattr(value, "items") else value
    try:
        pairs = [tuple(check_sequence(each, what)) for each in check_sequence(items, what)]  # type: List[Any]
    except InputError:
        pairs = [()]
    if any(len(each) != 2 for each in pairs):
        raise InputError("%s must be a mapping or pairs of name and value, not %r" % (what, value))
    return pairs
