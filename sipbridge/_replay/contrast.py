"""In what two engines differ that were played the same recorded call: their messages, and the events that they told."""

from __future__ import absolute_import, division, print_function

from collections import Counter, OrderedDict

from sipbridge._compat import NamedTuple
from sipbridge._replay import habits
from sipbridge._replay.comparison import body_lines, changes, differences, header_lines, plain, title
from sipbridge._replay.message import Message
from sipbridge._text.names import key_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

    from sipbridge._replay.comparison import Evened
    from sipbridge._replay.habits import Habit

    _Compare = Callable[[str, Any, Any], List[str]]

#: The outcome of a call that was played, to its end or to where it could not go on; and the begin of the outcome of one
#: that was not over then.
PLAYED = "played"

#: The header fields of the habits.
_KEYS = frozenset(each.header for each in habits.IN_MESSAGES + habits.IN_EVENTS)

#: How the outcome of a call begins whose engine's process died.
DIED = "the engine died"

#: The same of a program that has another engine than the one that it was to have.
NAMES_ONE = "the program names its engine itself"


class Run(NamedTuple("Run", [
    ("engine", "str"), ("version", "str"), ("outcome", "str"), ("played", "int"), ("messages", "List[bytes]"),
    ("events", "List[Dict[str, Any]]"), ("names", "List[str]"), ("notes", "List[str]"),
])):
    """What became of one call with one engine.

    Attributes:
        engine: its name.
        version: of its library, or "".
        outcome: "played", or what went wrong, as "the engine died: SIGSEGV".
        played: how many recorded messages were sent or have come.
        messages: what the endpoint sent.
        events: what the endpoint told, each as :func:`sipbridge._command.compare_party.described` makes it.
        names: Call-IDs and tags.
        notes: the last lines that its process wrote.
    """

    __slots__ = ()


class Difference(NamedTuple("Difference", [("kind", "str"), ("what", "str"), ("lines", "List[str]")])):
    """Something in which two runs differ.

    Attributes:
        kind: "outcome", "message", "event" or "order".
        what: which message or event.
        lines: "-" for the first engine, "+" for the second.
    """

    __slots__ = ()


class Contrast(NamedTuple("Contrast", [("differences", "List[Difference]"), ("left_out", "Counter[str]")])):
    """All differences, and how often each habit of the engines was seen and left out, as "Contact: the reason"."""

    __slots__ = ()


class _Item(object):
    """A message or an event: its kind, as "200 to INVITE", its name, which has its number among them, and itself."""

    def __init__(self, kind, number, about):
        # type: (str, int, Any) -> None
        self.kind = kind
        self.name = kind if number == 1 else u"%s, number %d" % (kind, number)
        self.about = about


def contrast(first, second, ignored=frozenset(), everything=False):
    # type: (Run, Run, AbstractSet[str], bool) -> Contrast
    """The :class:`Contrast` of two runs.

    Args:
        ignored: names of header fields that are not compared, in lower case and in full.
        everything: also show what always differs.
    """
    names = sorted(set(first.names + second.names), key=len, reverse=True)
    left_out = Counter()  # type: Counter[str]
    found = []
    if _outcome(first) != _outcome(second):
        found.append(Difference("outcome", u"the call", [u"-" + first.outcome, u"+" + second.outcome]))

    def compared(known, compare):
        # type: (Sequence[Habit], Callable[[Any, Any, AbstractSet[str], Optional[Evened]], List[str]]) -> _Compare
        def differ(name, one, other):
            # type: (str, Any, Any) -> List[str]
            every = compare(one, other, ignored, None)
            here = [each for each in known if not each.where or name in each.where]
            if not every or everything or not here:
                return every
            whole = frozenset(each.header for each in here if each.even is None)
            evened = dict((key, [each.even for each in here if each.even and each.header == key]) for key in _KEYS)
            shown = compare(one, other, ignored | whole, evened)
            left_out.update(_habits_of(every, shown, here))
            return shown

        return differ

    def of_messages(one, other, skipped, evened):
        # type: (Message, Message, AbstractSet[str], Optional[Evened]) -> List[str]
        return differences(one, other, names, skipped, evened or {})

    def of_events(one, other, skipped, evened):
        # type: (Dict[str, Any], Dict[str, Any], AbstractSet[str], Optional[Evened]) -> List[str]
        return changes(*[_lines_of(each, names, skipped, evened) for each in (one, other)])

    pairs = [_messages(each.messages) for each in (first, second)]
    found.extend(_contrasted("message", pairs[0], pairs[1], compared(habits.IN_MESSAGES, of_messages)))
    pairs = [_events(each.events) for each in (first, second)]
    found.extend(_contrasted("event", pairs[0], pairs[1], compared(habits.IN_EVENTS, of_events)))
    return Contrast(found, left_out)


def refusals(recorded, runs):
    # type: (Iterable[bytes], Sequence[Run]) -> List[Tuple[Message, List[Message]]]
    """What every engine's endpoint refuses, and the recorded one did not: its answer, and today's.

    Args:
        recorded: the messages that the recorded endpoint sent.
    """
    every = [_answers(each.messages) for each in runs]
    found = []
    for request, before in _answers(recorded).items():
        now = [each[request] for each in every if request in each]
        if before.status < 300 and len(now) == len(every) and min(each.status for each in now) >= 400:
            found.append((before, now))
    return found


def _answers(octets):
    # type: (Iterable[bytes]) -> OrderedDict[Tuple[str, ...], Message]
    """The final answers, by number and method of the request."""
    messages = [Message(each) for each in octets]
    return OrderedDict((tuple(each.cseq), each) for each in messages if each.status >= 200)


def _outcome(run):
    # type: (Run) -> str
    """The outcome, without the version that an error may name."""
    return run.outcome.replace(run.version, u"") if run.version else run.outcome


def _habits_of(every, shown, here):
    # type: (List[str], List[str], List[Habit]) -> Iterator[str]
    """The habits that were seen: each as "Contact: the reason"."""
    names, left = [set(line[1:].partition(u":")[0] for line in lines) for lines in (every, shown)]
    for name in sorted(names - left):
        reasons = [each.reason for each in here if not each.header or title(each.header) == name]
        yield u"%s: %s" % (name, reasons[0])


def _contrasted(kind, first, second, compare):
    # type: (str, List[_Item], List[_Item], _Compare) -> Iterator[Difference]
    """The differences of two lists of items, each with the one of the same name."""
    others = dict((each.name, each) for each in second)
    for item in first:
        other = others.get(item.name)
        lines = [u"-" + item.name] if other is None else compare(item.kind, item.about, other.about)
        if lines:
            yield Difference(kind, item.name, lines)
    known = set(each.name for each in first)
    for item in second:
        if item.name not in known:
            yield Difference(kind, item.name, [u"+" + item.name])
    both = known.intersection(others)
    before, now = [[each.name for each in items if each.name in both] for items in (first, second)]
    if before != now:
        yield Difference("order", u"%ss" % kind, [u"-" + u", ".join(before), u"+" + u", ".join(now)])


def _numbered(kinds, items):
    # type: (List[str], Sequence[Any]) -> List[_Item]
    seen = Counter()  # type: Counter[str]
    seen_before = []  # type: List[int]
    for kind in kinds:
        seen[kind] += 1
        seen_before.append(seen[kind])
    return [_Item(*each) for each in zip(kinds, seen_before, items)]


def _messages(octets):
    # type: (List[bytes]) -> List[_Item]
    messages = [Message(each) for each in octets]
    kinds = [u"%d to %s" % (each.status, each.method) if each.status else each.method for each in messages]
    return _numbered(kinds, messages)


def _events(told):
    # type: (List[Dict[str, Any]]) -> List[_Item]
    return _numbered([each["event"] for each in told], told)


def _lines_of(event, names, ignored, evened):
    # type: (Dict[str, Any], List[str], AbstractSet[str], Optional[Evened]) -> List[str]
    fields = [u"%s %s" % (name, plain(u"%s" % value, names)) for name, value in sorted(event["fields"].items())]
    headers = [(key_of(name), value) for name, value in event["headers"]]
    kind = dict(headers).get(u"content-type", u"application/sdp")
    if evened is not None:
        headers = _joined(headers)
    return fields + header_lines(headers, names, ignored, evened or {}) + body_lines(event["body"], kind, names)


def _joined(headers):
    # type: (List[Tuple[str, str]]) -> List[Tuple[str, str]]
    """With each name once: a list in several fields is the same as in one (RFC 3261, 7.3.1)."""
    found = OrderedDict()  # type: OrderedDict[str, List[str]]
    for key, value in headers:
        found.setdefault(key, []).append(value)
    return [(key, u", ".join(values)) for key, values in found.items()]
