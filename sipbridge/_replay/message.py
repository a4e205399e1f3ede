"""A SIP message whose parts can be changed one by one; what is not changed stays as it was, octet for octet."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._text.names import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

_FOLD = re.compile(u"\r?\n[ \t]+")
_VALUE = re.compile(u"([ \t]*)(.*?)([ \t\r]*)\\Z", re.DOTALL)
_FIRST = re.compile(u"(?:[^,\"]|\"(?:[^\"\\\\]|\\\\.)*\")*")  # of a list
_TAG = re.compile(u";\\s*tag\\s*=\\s*([^\\s;,>\"]*)", re.IGNORECASE)
_BRANCH = re.compile(u";\\s*branch\\s*=\\s*([^\\s;,]*)", re.IGNORECASE)


class Field(object):
    """A line of a head: its name, and its value with folds but without white space around it."""

    __slots__ = ("key", "before", "value", "after")

    def __init__(self, text):
        # type: (str) -> None
        name, colon, rest = text.partition(u":")
        self.key = key_of(name.strip()) if colon else u""
        if not self.key:
            name, colon, rest = u"", u"", text
        found = _VALUE.match(rest)
        assert found is not None
        self.before = name + colon + found.group(1)
        self.value = found.group(2)
        self.after = found.group(3)

    @property
    def plain(self):
        # type: () -> str
        """The value on one line."""
        return _FOLD.sub(u" ", self.value)


class Message(object):
    """A message; text is its octets as Latin-1, which has a character for each.

    Attributes:
        start: its first line.
        fields: the :class:`Field` of each header line, in order.
        body: what follows the head.
        source: "host:port" that it came from, where that is known.
    """

    def __init__(self, data, source=None):
        # type: (bytes, Optional[str]) -> None
        self.source = source
        text = data.decode("latin-1")
        end = re.search(u"\r?\n\r?\n", text)
        head, self._blank, self.body = (text, u"", u"") if end is None else (
            text[: end.start()], end.group(), text[end.end() :]
        )  # fmt: skip
        lines = head.split(u"\n")
        first = lines.pop(0)
        self.start = first.rstrip(u"\r")
        self._after = first[len(self.start) :]
        folded = []  # type: List[str]
        for line in lines:
            if folded and line[:1] in (u" ", u"\t"):
                folded[-1] += u"\n" + line
            else:
                folded.append(line)
        self.fields = [Field(each) for each in folded]

    def octets(self):
        # type: () -> bytes
        """The message as it goes over the network."""
        lines = [self.start + self._after] + [each.before + each.value + each.after for each in self.fields]
        return (u"\n".join(lines) + self._blank + self.body).encode("latin-1")

    # -- reading -------------------------------------------------------------------------------------------

    def all(self, key):
        # type: (str) -> List[Field]
        """The fields of that name, in lower case and in full."""
        return [each for each in self.fields if each.key == key]

    def get(self, key):
        # type: (str) -> str
        """The first value of that name, on one line; "" where there is none."""
        for each in self.fields:
            if each.key == key:
                return each.plain
        return u""

    @property
    def status(self):
        # type: () -> int
        """The status of a response; 0 of a request."""
        found = re.match(u"SIP/2\\.0 ([0-9]{3})", self.start, re.IGNORECASE)
        return int(found.group(1)) if found else 0

    @property
    def answer(self):
        # type: () -> str
        """Status and reason of a response."""
        return self.start.partition(u" ")[2]

    @property
    def method(self):
        # type: () -> str
        """The method of a request, and the one that a response is for."""
        return self.cseq[1] if self.status else self.start.partition(u" ")[0]

    @property
    def uri(self):
        # type: () -> str
        """The Request-URI."""
        return self.start.partition(u" ")[2].rpartition(u" ")[0]

    @property
    def cseq(self):
        # type: () -> List[str]
        """Number and method."""
        return (self.get(u"cseq").split() + [u"", u""])[:2]

    @property
    def branch(self):
        # type: () -> Optional[str]
        """The branch of the topmost Via."""
        found = _BRANCH.search(first_of(self.get(u"via")))
        return found.group(1) if found else None

    def tag(self, key):
        # type: (str) -> str
        """The tag of From or To, or ""."""
        return tag_of(self.get(key))


def first_of(value):
    # type: (str) -> str
    """The first value of a list."""
    found = _FIRST.match(value)
    return found.group() if found else u""


def tag_of(value):
    # type: (str) -> str
    """The tag in a value of From or To, or ""."""
    found = _TAG.search(value.rpartition(u">")[2] if u">" in value else value)
    return found.group(1) if found else u""


def address_of(value):
    # type: (str) -> str
    """A value of From or To without its parameters."""
    return value[: value.rindex(u">") + 1] if u">" in value else value.partition(u";")[0].rstrip()
