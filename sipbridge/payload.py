"""RTP payload formats in session descriptions: static payload types (RFC 3551, 6), a=rtpmap and a=fmtp."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_kind, check_sequence, check_text, check_whole
from sipbridge._text.checks import check_line
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, FrozenSet, Iterable, List, Optional, Set, Tuple

#: The keys, in the order of their event numbers from 0 on (RFC 4733, 3.2).
KEYS = "0123456789*#ABCD"

_TELEPHONE_EVENT = "telephone-event"
_RTPMAP = re.compile(r"([0-9]{1,3})[ \t]+([^\s/]+)/([0-9]{1,9})(?:/([0-9]{1,3}))?[ \t]*\Z")
_EVENTS = re.compile(r"[0-9]{1,3}(?:-[0-9]{1,3})?(?:,[0-9]{1,3}(?:-[0-9]{1,3})?)*\Z")


class Codec(NamedTuple("Codec", [
    ("payload_type", "int"),
    ("name", "str"),
    ("clock_rate", "int"),
    ("channels", "int"),
    ("parameters", "Optional[str]"),
])):
    """A payload format: payload type (0 to 127), encoding name, clock rate in Hz, number of channels, and the text
    of its a=fmtp or None.
    """

    __slots__ = ()

    def __new__(cls, payload_type, name, clock_rate=8000, channels=1, parameters=None):
        # type: (int, str, int, int, Optional[str]) -> Codec
        name = check_line(name, "encoding name")
        if re.search(r"[\s/]", name):
            raise InputError("an encoding name has no blank and no slash: %r" % (name,))
        numbers = (("payload type", payload_type, 0, 127), ("clock rate", clock_rate, 1, 999999999))
        for what, value, lowest, highest in numbers + (("channels", channels, 1, 255),):
            check_whole(value, what, lowest, highest)
        if parameters is not None:
            parameters = check_line(parameters, "format parameters")
        return super(Codec, cls).__new__(cls, payload_type, name, clock_rate, channels, parameters)

    @property
    def rtpmap(self):
        # type: () -> str
        """The text for a=rtpmap (RFC 8866, 6.6): ``"PCMU/8000"``, ``"opus/48000/2"``."""
        channels = "/%d" % self.channels if self.channels > 1 else ""
        return "%s/%d%s" % (self.name, self.clock_rate, channels)

    @property
    def is_telephone_event(self):
        # type: () -> bool
        """True for DTMF in RTP (RFC 4733)."""
        return self.name.lower() == _TELEPHONE_EVENT

    @property
    def events(self):
        # type: () -> FrozenSet[int]
        """The numbers of its telephone events, a frozenset; 0 to 15 without a=fmtp (RFC 4733, 2.4.1)."""
        if not self.is_telephone_event:
            return frozenset()
        return parse_events(self.parameters) if self.parameters else frozenset(range(16))

    def is_same_as(self, other):
        # type: (Codec) -> bool
        """Whether both are one format (RFC 3264, 6.1), whatever their payload types and parameters."""
        check_kind(other, Codec, "other")
        return self._identity() == other._identity()

    def _identity(self):
        # type: () -> Tuple[str, int, int]
        return self.name.lower(), self.clock_rate, self.channels


def telephone_event(payload_type=101, clock_rate=8000, events="0-15"):
    # type: (int, int, str) -> Codec
    """The Codec for DTMF in RTP (RFC 4733). Give the clock rate, in Hz, of the audio codec beside it."""
    parse_events(events)
    return Codec(payload_type, _TELEPHONE_EVENT, clock_rate, 1, events)


def parse_events(text):
    # type: (str) -> FrozenSet[int]
    """The event numbers in a list like ``"0-15,32"`` (RFC 4733, 2.4.1), a frozenset. Raises InputError."""
    compact = re.sub(r"\s", "", check_text(text, "a list of telephone events"))
    if compact.lower().startswith("events="):  # some phones send this form
        compact = compact[len("events=") :]
    if not _EVENTS.match(compact):
        raise InputError("not a list of telephone events: %r" % (text,))
    found = set()  # type: Set[int]
    for part in compact.split(","):
        first, _, last = part.partition("-")
        if int(last or first) > 255:
            raise InputError("telephone event above 255: %r" % (text,))
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def format_events(events):
    # type: (Iterable[int]) -> str
    """The list, like ``"0-15,32"``, of event numbers (RFC 4733, 2.4.1). Raises InputError."""
    ranges = []  # type: List[List[int]]
    for event in sorted(check_whole(each, "one of events", 0, 255) for each in check_sequence(events, "events")):
        if ranges and ranges[-1][1] == event - 1:
            ranges[-1][1] = event
        else:
            ranges.append([event, event])
    return ",".join("%d" % first if first == last else "%d-%d" % (first, last) for first, last in ranges)


def parse_rtpmap(value):
    # type: (str) -> Codec
    """The Codec in the value of an a=rtpmap, like ``"0 PCMU/8000"``. Raises InputError, which quotes the value."""
    found = _RTPMAP.match(check_text(value, "an rtpmap"))
    try:
        number, name, rate, channels = found.groups() if found else ("", "", "", "")
        return Codec(int(number), name, int(rate), int(channels or 1))
    except ValueError:
        raise InputError("not an rtpmap: %r (expected something like 0 PCMU/8000)" % (value,))


def _static():
    # type: () -> Dict[int, Codec]
    """The static payload types of RFC 3551, tables 4 and 5."""
    table = (
        "0 PCMU/8000, 3 GSM/8000, 4 G723/8000, 5 DVI4/8000, 6 DVI4/16000, 7 LPC/8000, 8 PCMA/8000,"
        "9 G722/8000, 10 L16/44100/2, 11 L16/44100, 12 QCELP/8000, 13 CN/8000, 14 MPA/90000,"
        "15 G728/8000, 16 DVI4/11025,"
        "17 DVI4/22050, 18 G729/8000, 25 CelB/90000, 26 JPEG/90000, 28 nv/90000, 31 H261/90000, 32 MPV/90000,"
        "33 MP2T/90000, 34 H263/90000"
    )
    found = (parse_rtpmap(entry.strip()) for entry in table.split(","))
    return dict((codec.payload_type, codec) for codec in found)


#: The formats that need no a=rtpmap, by payload type.
STATIC = _static()

PCMU = STATIC[0]
PCMA = STATIC[8]
G722 = STATIC[9]
G729 = STATIC[18]
