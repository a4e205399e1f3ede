"""Messages as a ladder diagram: a column for each party, an arrow for each message. See also sipbridge.svg.

>>> print(draw(recorded, "127.0.0.1:5060", [("127.0.0.1:5060", "alice"), ("127.0.0.1:5070", "bob")]))
        alice                       bob
   127.0.0.1:5060             127.0.0.1:5070
          |                          |
   0.000  |----- INVITE 1 (SDP) ---->|
   0.012  |<- 180 Ringing INVITE 1 --|
          |                          |
"""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_kind, check_octets, check_sequence, check_text, check_whole
from sipbridge._text.printable import printable
from sipbridge.events import TraceMessage
from sipbridge.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator, List, Optional, Tuple, Union

_REQUEST = re.compile(u"([A-Za-z0-9.!%*_+`'~-]+) \\S+ SIP/2\\.0\\Z", re.IGNORECASE)
_RESPONSE = re.compile(u"SIP/2\\.0 ([0-9]{3})(?: (.*))?\\Z", re.IGNORECASE)

_SHORTEST_GAP = 12  # the least number of columns between two lifelines
_ARROW = 5  # the columns that an arrow needs besides its label


class Arrow(NamedTuple("Arrow", [
    ("time", "float"),
    ("source", "str"),
    ("target", "str"),
    ("text", "str"),
    ("brief", "str"),
])):
    """One arrow: seconds since 1970, "host:port" of sender and receiver, its label, and a shorter label."""

    __slots__ = ()


def label(data, brief=False):
    # type: (bytes, bool) -> str
    """The label for the arrow of a message (bytes): ``INVITE 1 (SDP)``, ``200 OK INVITE 1``.

    With ``brief`` it lacks the reason phrase.
    """
    head, _, body = check_octets(data, "data").replace(b"\r\n", b"\n").partition(b"\n\n")
    start, _, fields = head.decode("utf-8", "replace").partition("\n")
    headers = Headers(fields)
    number, _, method = headers.get("CSeq", "").partition(" ")
    request = _REQUEST.match(start)
    response = _RESPONSE.match(start)
    if request:
        text = "%s %s" % (request.group(1), number)
    elif response:
        reason = "" if brief else response.group(2)
        text = " ".join(part for part in (response.group(1), reason, method.strip(), number) if part)
    else:
        return "%d octets, not SIP" % len(data)
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return printable(text.strip() + (" (SDP)" if kind == "application/sdp" and body.strip() else ""))


def arrows(messages, local):
    # type: (Iterable[TraceMessage], str) -> Iterator[Arrow]
    """The arrows of :class:`~sipbridge.TraceMessage` records of the endpoint at ``local``. Raises InputError."""
    check_text(local, "local")
    for message in check_sequence(messages, "messages"):
        check_kind(message, TraceMessage, "one of messages")
        peer = message.peer or "?"
        ends = (local, peer) if message.outgoing else (peer, local)
        yield Arrow(message.time, ends[0], ends[1], label(message.data), label(message.data, True))


def draw(messages, local, parties=(), width=None, times=True):
    # type: (Iterable[TraceMessage], str, Iterable[Union[str, Tuple[str, str]]], Optional[int], bool) -> str
    """The diagram of traced messages as text, lines joined by line breaks.

    Args:
        messages: :class:`~sipbridge.TraceMessage` records of one endpoint, in order.
        local: "host:port" of that endpoint.
        parties, width, times: as for :func:`draw_arrows`.

    Raises InputError.
    """
    return draw_arrows(arrows(messages, local), parties, width, times)


def draw_arrows(rows, parties=(), width=None, times=True):
    # type: (Iterable[Arrow], Iterable[Union[str, Tuple[str, str]]], Optional[int], bool) -> str
    """The diagram of :class:`Arrow` records, in order, as text.

    Args:
        rows: the Arrow records.
        parties: pairs of "host:port" and name, or "host:port" alone, one for each column from left to right. Other
            addresses get columns behind these, in the order in which they appear.
        width: the columns of the terminal; long labels are cut to fit. None: as many columns as the labels need.
        times: True to begin each line with the seconds since the first message.

    Raises InputError when an argument is none of these.
    """
    rows = [check_kind(row, Arrow, "one of rows") for row in check_sequence(rows, "rows")]
    if width is not None:
        check_whole(width, "width", 1, 10**6)
    columns = make_columns(rows, parties)
    if not columns:
        return ""
    edge = max(_name_width(column) for column in columns) // 2
    left = max(edge, 10 if times else 0)
    gap = _gap(rows, columns, None if width is None else width - left - edge)
    canvas = _Canvas(columns, left, gap)
    lines = canvas.heads() + [canvas.lifelines()]
    for row in rows:
        line = canvas.arrow(row)
        lines.append("%8.3f" % (row.time - rows[0].time) + line[8:] if times else line)
    return "\n".join(line.rstrip() for line in lines + [canvas.lifelines()])


def make_columns(rows, parties=()):
    # type: (Iterable[Arrow], Iterable[Union[str, Tuple[str, str]]]) -> List[Tuple[str, str]]
    """Pairs of address and name, each address once."""
    columns = [_party(each) for each in check_sequence(parties, "parties")]
    known = set(address for address, _ in columns)
    for row in rows:
        for address in (row.source, row.target):
            if address not in known:
                known.add(address)
                columns.append((address, ""))
    return columns


def _party(party):
    # type: (Union[str, Tuple[str, str]]) -> Tuple[str, str]
    address, name = party if isinstance(party, tuple) and len(party) == 2 else (party, "")
    return check_text(address, "one of parties"), check_text(name, "one of parties")


def _name_width(column):
    # type: (Tuple[str, str]) -> int
    return max(len(column[0]), len(column[1]))


def _gap(rows, columns, width):
    # type: (List[Arrow], List[Tuple[str, str]], Optional[int]) -> int
    """The columns between two lifelines: as many as names and labels need, within ``width``."""
    places = dict((address, place) for place, (address, _) in enumerate(columns))
    needed = max([_SHORTEST_GAP] + [_name_width(column) + 2 for column in columns])
    for row in rows:
        span = max(1, abs(places[row.source] - places[row.target]))
        needed = max(needed, -(-(len(row.text) + _ARROW + 1) // span))
    if width is None or len(columns) == 1:
        return needed
    return max(_SHORTEST_GAP, min(needed, width // (len(columns) - 1)))


class _Canvas(object):
    """The lines of a diagram. Its first lifeline is at column ``left``, each next one ``gap`` columns further."""

    def __init__(self, columns, left, gap):
        # type: (List[Tuple[str, str]], int, int) -> None
        self._columns = columns
        self._gap = gap
        self._at = dict((address, left + gap * place) for place, (address, _) in enumerate(columns))

    def lifelines(self):
        # type: () -> str
        line = [" "] * (max(self._at.values()) + 1)
        for place in self._at.values():
            line[place] = "|"
        return "".join(line)

    def heads(self):
        # type: () -> List[str]
        """The names, if there are any, and the addresses, centred on the lifelines."""
        return [
            self._centred([(address, column[kind]) for address, column in zip(self._order(), self._columns)])
            for kind in (1, 0)
            if any(column[kind] for column in self._columns)
        ]

    def _order(self):
        # type: () -> List[str]
        return [address for address, _ in self._columns]

    def _centred(self, texts):
        # type: (List[Tuple[str, str]]) -> str
        line = ""
        for address, text in texts:
            text = _cut(text, self._gap - 1)
            line = line.ljust(max(0, self._at[address] - len(text) // 2)) + text
        return line

    def arrow(self, row):
        # type: (Arrow) -> str
        """A line with all lifelines and one arrow."""
        line = self.lifelines()
        source, target = self._at[row.source], self._at[row.target]
        if source == target:
            text = _cut("<> " + row.text, self._gap - 1).ljust(self._gap - 1)
            return line[: source + 1] + text + line[source + self._gap :]
        left, right = sorted((source, target))
        inside = right - left - 1
        room = inside - _ARROW
        text = row.text if len(row.text) <= room else _cut(row.brief, room)
        shaft = (" %s " % text).center(inside - 1, "-")
        shaft = shaft + ">" if target > source else "<" + shaft
        return line[: left + 1] + shaft + line[right:]


def _cut(text, width):
    # type: (str, int) -> str
    """The text; when it is longer than ``width``, its beginning and ".."."""
    return text if len(text) <= width else text[: max(0, width - 2)] + ".."
