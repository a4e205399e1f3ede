"""SIP header fields (RFC 3261, 7.3)."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import text_type, to_text
from sipbridge._later import later
from sipbridge._text.arguments import check_pairs, check_text
from sipbridge._text.checks import CONTROL
from sipbridge._text.names import COMPACT, key_of
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator, List, Mapping, Optional, Tuple, TypeVar, Union, overload

    HeaderFields = Union[Mapping[str, str], Iterable[Tuple[str, str]]]
    _T = TypeVar("_T")

    from sipbridge._text import masking as _masking
else:
    _masking = later("sipbridge._text.masking")

_WITH_COMPACT = frozenset(COMPACT.values())

# The engine writes these; a second one would contradict it.
_RESERVED = frozenset(
    "via from to call-id cseq contact record-route max-forwards content-type content-length".split()
)

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")


class Headers(object):
    """The header fields of a message, in order. Names are not case-sensitive, and compact names mean the same.

    ``headers["Contact"]`` is the first value of that name, or a KeyError; :meth:`get_all` gives all values. A value is
    text as it stands in the message; a comma-separated list in one field is one value.
    """

    __slots__ = ("_text", "_fields")

    def __init__(self, fields=()):
        # type: (Union[str, Iterable[Tuple[str, str]]]) -> None
        """``fields``: pairs of name and value, or the text of a header block, one field per line."""
        self._text = None  # type: Optional[str]
        self._fields = ()  # type: Tuple[Tuple[str, str], ...]
        fields = to_text(fields)
        if isinstance(fields, text_type):
            self._text = fields
        else:
            self._fields = tuple(check_pairs(fields, "fields"))

    def _all(self):
        # type: () -> Tuple[Tuple[str, str], ...]
        text = self._text  # which another thread may be parsing, too
        if text is not None:  # parsed when first used: most headers never are
            self._fields = tuple(self._parse(text))
            self._text = None
        return self._fields

    def _lacks(self, key):
        # type: (str) -> bool
        """True when one can see without parsing the text that there is no such field."""
        text = self._text
        return text is not None and key not in _WITH_COMPACT and key not in text.lower()

    @staticmethod
    def _parse(text):
        # type: (str) -> Iterator[Tuple[str, str]]
        for line in text.split("\n"):
            name, colon, value = line.partition(":")
            if colon:
                yield name.strip(), value.strip()

    def __getitem__(self, name):
        # type: (str) -> str
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name):
        # type: (str) -> bool
        return self.get(name) is not None

    def __iter__(self):
        # type: () -> Iterator[Tuple[str, str]]
        return iter(self._all())

    def __len__(self):
        # type: () -> int
        return len(self._all())

    def __eq__(self, other):
        # type: (object) -> bool
        return isinstance(other, Headers) and self._all() == other._all()

    def __ne__(self, other):
        # type: (object) -> bool
        return not self == other

    __hash__ = None  # type: None  # type: ignore[assignment]  # it has an __eq__ and can change

    def __repr__(self):
        # type: () -> str
        return _masking.masked_anywhere("Headers(%r)" % (list(self._all()),))  # it may come into logs

    if TYPE_CHECKING:

        @overload
        def get(self, name):
            # type: (str) -> Optional[str]
            pass

        @overload
        def get(self, name, default):
            # type: (str, _T) -> Union[str, _T]
            pass

    def get(self, name, default=None):
        # type: (str, Any) -> Any
        """The first value of that name, or ``default``."""
        key = key_of(check_text(name, "name"))
        if self._lacks(key):
            return default
        for field, value in self._all():
            if key_of(field) == key:
                return value
        return default

    def get_all(self, name):
        # type: (str) -> List[str]
        """Every value of that name, in order."""
        key = key_of(check_text(name, "name"))
        if self._lacks(key):
            return []
        return [value for field, value in self._all() if key_of(field) == key]


def check_headers(headers):
    # type: (HeaderFields) -> List[Tuple[str, str]]
    """Pairs of text for the engine, from a mapping or an iterable of (name, value).

    Raises InputError, which quotes the wrong part, for a name that is no token (RFC 3261, 25.1), for a line break or
    another control character in a value, and for a header that the engine itself writes.
    """
    checked = []
    for name, value in check_pairs(headers):
        name = check_text(name, "the name of a header")
        if not _TOKEN.match(name):
            raise InputError("not a header name: %r" % (name,))
        if key_of(name) in _RESERVED:
            raise InputError("the header %r is written by the engine and cannot be given" % (name,))
        value = check_text(value, "the value of the header %s" % name)
        if CONTROL.search(value):
            raise InputError("line break or control character in the header %s: %r" % (name, value))
        checked.append((name, value))
    return checked
