"""The calls of a capture, and what each side said in one of them."""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

from sipbridge import record
from sipbridge._capture.passed import call_id_of
from sipbridge._compat import NamedTuple
from sipbridge._replay.message import Message, address_of
from sipbridge._text.printable import printable
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Iterable, Iterator, List, Optional, Set, Tuple, Union

    from sipbridge._capture.passed import Passed

_CALLS = 100000  # of a capture
_MESSAGES = 20000  # of a call
_OCTETS = 33554432
_ALL_OCTETS = 134217728  # of all calls together, where all are kept
_TWICE = 0.01  # seconds within which a message is captured twice: when it leaves a device and when it enters another

_RECENT = 64  # messages among which the same is looked for


class Call(NamedTuple("Call", [
    ("number", "int"),
    ("call_id", "str"),
    ("method", "str"),
    ("from_", "str"),
    ("to", "str"),
    ("messages", "int"),
    ("result", "str"),
    ("begin", "float"),
    ("duration", "float"),
])):
    """A call of a capture: what has one Call-ID. The result is the last final answer to the first request."""

    __slots__ = ()


class Step(object):
    """A message of the call.

    Attributes:
        ours: True when the side that is played has sent it.
        time: seconds since 1970.
        message: the :class:`~sipbridge._replay.message.Message` as recorded.
        repeats: True when the same message passed before.
    """

    def __init__(self, ours, time, data, repeats):
        # type: (bool, float, bytes, bool) -> None
        self.ours = ours
        self.time = time
        self.data = data
        self.message = Message(data)
        self.repeats = repeats


class Dialogue(NamedTuple("Dialogue", [
    ("steps", "List[Step]"),
    ("role", "str"),
    ("party", "str"),
    ("far", "Set[str]"),
    ("transport", "str"),
])):
    """What is to be played: the steps, the role that is played ("caller" or "callee"), the address that the endpoint
    under test had, the addresses of the other side, and the transport."""

    __slots__ = ()


# -- the calls ---------------------------------------------------------------------------------------------


class _Summary(object):
    def __init__(self, number, call_id, passed):
        # type: (int, str, Passed) -> None
        message = Message(passed.data)
        self._number = number
        self._call_id = call_id
        self._method = message.method
        self._ends = [printable(address_of(message.get(key))) for key in (u"from", u"to")]
        self._begin = self._end = passed.time
        self._messages = 0
        self._result = u""

    def add(self, passed):
        # type: (Passed) -> None
        self._messages += 1
        self._end = max(self._end, passed.time)
        if not _is_request(passed):
            message = Message(passed.data)
            if message.status >= 200 and message.method == self._method:
                self._result = printable(message.answer)

    def made(self):
        # type: () -> Call
        return Call(
            self._number, self._call_id, printable(self._method), self._ends[0], self._ends[1], self._messages,
            self._result or u"no answer", self._begin, self._end - self._begin,
        )  # fmt: skip


def calls(stream):
    # type: (BinaryIO) -> List[Call]
    """The calls of a capture that is open for reading bytes, in the order in which they began.

    Raises InputError and NotSupportedError.
    """
    found = []  # type: List[_Summary]
    for passed, call_id, number in _Messages(stream):
        if number > len(found):
            found.append(_Summary(number, call_id, passed))
        found[number - 1].add(passed)
    return [each.made() for each in found]


def call_of(number, recorded):
    # type: (int, Recorded) -> Call
    """The call with that number, of its messages."""
    first = recorded.messages[0]
    summary = _Summary(number, call_id_of(first.data), first)
    for passed in recorded.messages:
        summary.add(passed)
    return summary.made()


# -- one of them -------------------------------------------------------------------------------------------


class Recorded(NamedTuple("Recorded", [
    ("messages", "List[Passed]"),
    ("everywhere", "Optional[Set[str]]"),
])):
    """The messages of a call, and the addresses that take part in every message of the capture."""

    __slots__ = ()

    @property
    def ends(self):
        # type: () -> Set[str]
        """The addresses that take part in the call."""
        return set([each.source for each in self.messages] + [each.target for each in self.messages])


class _Messages(object):
    """The messages of a capture, each with its Call-ID and the number of its call, in the order of :func:`calls`.

    Attributes:
        calls: how many calls there were so far.
        everywhere: the addresses that took part in every message so far; None before the first.
    """

    def __init__(self, stream):
        # type: (BinaryIO) -> None
        self._stream = stream
        self._numbers = {}  # type: dict[str, int]
        self.everywhere = None  # type: Optional[Set[str]]

    @property
    def calls(self):
        # type: () -> int
        return len(self._numbers)

    def __iter__(self):
        # type: () -> Iterator[Tuple[Passed, str, int]]
        for passed in _once(record.read(self._stream)):
            ends = set([passed.source, passed.target])
            self.everywhere = ends if self.everywhere is None else self.everywhere & ends
            call_id = call_id_of(passed.data)
            if call_id not in self._numbers:
                if len(self._numbers) >= _CALLS:
                    raise InputError("more than %d calls: cut the capture (editcap, tcpdump -r)" % _CALLS)
                self._numbers[call_id] = len(self._numbers) + 1
            yield passed, call_id, self._numbers[call_id]


def _recorded(stream, which):
    # type: (BinaryIO, Union[None, int, str]) -> Recorded
    kept = []  # type: List[Passed]
    size = 0
    messages = _Messages(stream)
    for passed, call_id, number in messages:
        if which not in (None, call_id, number) or (which is None and messages.calls > 1):
            continue
        kept.append(passed)
        size += len(passed.data)
        _check_size(len(kept), size)
    if which is None and messages.calls > 1:
        raise InputError("the capture has %d calls: name one with --call, as --list numbers them" % messages.calls)
    if not kept:
        raise InputError("no such call in the capture" if which is not None else "no SIP message in the capture")
    return Recorded(kept, messages.everywhere)


def _check_size(messages, octets):
    # type: (int, int) -> None
    if messages > _MESSAGES or octets > _OCTETS:
        raise InputError("the call has more than %d messages or %d octets" % (_MESSAGES, _OCTETS))


def by_call(stream):
    # type: (BinaryIO) -> List[Recorded]
    """What :func:`played_of` takes, for each call of a capture in the order of :func:`calls`, read at one go.

    Raises InputError, also for a capture that is too large for that, and NotSupportedError.
    """
    found = OrderedDict()  # type: OrderedDict[str, List[Passed]]
    size = 0
    messages = _Messages(stream)
    for passed, call_id, _ in messages:
        found.setdefault(call_id, []).append(passed)
        size += len(passed.data)
        if size > _ALL_OCTETS:
            raise InputError("more than %d octets of SIP: cut the capture (editcap, tcpdump -r)" % _ALL_OCTETS)
    return [Recorded(each, messages.everywhere) for each in found.values()]


def load(stream, which=None, role=None, party=None):
    # type: (BinaryIO, Union[None, int, str], Optional[str], Optional[str]) -> Dialogue
    """What is to be played of a capture that is open for reading bytes.

    Args:
        which: the call, by its number or its Call-ID; None when the capture has one.
        role: whom to play, "caller" (the side that sent the first request) or "callee"; None for what party says, or
            else for the caller, where no single address takes part in every message of the capture.
        party: "host:port" that the endpoint under test had in the capture, or None to take it from the role.

    Raises InputError and NotSupportedError.
    """
    return played_of(_recorded(stream, which), role, party)


def played_of(recorded, role=None, party=None):
    # type: (Recorded, Optional[str], Optional[str]) -> Dialogue
    """As :func:`load`, of messages that were read."""
    messages, everywhere = recorded
    _check_size(len(messages), sum(len(each.data) for each in messages))
    for passed in messages:
        if passed.cut:
            raise InputError("the capture has not all of a message: record whole packets (tcpdump -s 0)")
    role, party = _sides(messages, everywhere, role, party)
    ours = _Sides(messages, role, party)
    steps = []  # type: List[Step]
    seen = set()
    far = set()
    for passed in messages:
        if not ours.takes_part(passed):
            continue
        sent = ours.sent(passed)
        far.add(passed.source if sent else passed.target)
        key = (sent, passed.data)
        steps.append(Step(sent, passed.time, passed.data, key in seen))
        seen.add(key)
    if not any(each.ours for each in steps):
        raise InputError("the other side of %s says nothing in this call" % party)
    return Dialogue(steps, role, party, far - set([party]), messages[0].transport)


def _once(messages):
    # type: (Iterable[Passed]) -> Iterator[Passed]
    """The messages without those that were captured twice."""
    last = OrderedDict()  # type: OrderedDict[Tuple[str, str, bytes], float]
    for passed in messages:
        key = (passed.source, passed.target, passed.data)
        if passed.time - last.pop(key, -1.0) > _TWICE:
            yield passed
        last[key] = passed.time
        if len(last) > _RECENT:
            last.popitem(last=False)


def _sides(messages, everywhere, role, party):
    # type: (List[Passed], Optional[Set[str]], Optional[str], Optional[str]) -> Tuple[str, str]
    """The role to play, and the endpoint under test."""
    only = min(everywhere) if everywhere is not None and len(everywhere) == 1 else None
    if role is None and party is None:
        party = only
    if party is not None:
        involved = [each for each in messages if party in (each.source, each.target)]
        if not involved:
            ends = ", ".join(sorted(Recorded(messages, None).ends))
            raise InputError("%s takes no part in this call: there are %s" % (party, ends))
        first = involved[0]
        found = "caller" if (first.target == party) == _is_request(first) else "callee"
        if role not in (None, found):
            raise InputError("%s is the %s of this call, which cannot be tested by playing the %s" % (
                party, "callee" if found == "caller" else "caller", role
            ))  # fmt: skip
        return found, party
    first = messages[0]
    if not _is_request(first):
        first = first._replace(source=first.target, target=first.source)
    role = role or "caller"
    party = first.target if role == "caller" else first.source
    if only is not None and party != only:
        raise InputError(
            "%s takes part in every message of the capture, so it is the endpoint under test, and it is the %s here:"
            " %s (or name the other with --party)"
            % (only, "caller" if role == "caller" else "callee",
               "give --listen instead of --to" if role == "caller" else "give --to instead of --listen")
        )  # fmt: skip
    return role, party


def _is_request(passed):
    # type: (Passed) -> bool
    return passed.data[:4].upper() != b"SIP/"


class _Sides(object):
    """Tells who sent a message: by address; over TCP, where ports change, by the tag of From."""

    def __init__(self, messages, role, party):
        # type: (List[Passed], str, str) -> None
        self._party = party
        self._caller = role == "caller"
        self._tag = Message(messages[0].data).tag(u"from")
        self._by_tag = any(
            each.transport == "tcp" and party not in (each.source, each.target) for each in messages
        )

    def takes_part(self, passed):
        # type: (Passed) -> bool
        return self._by_tag or self._party in (passed.source, passed.target)

    def sent(self, passed):
        # type: (Passed) -> bool
        """True when the side that is played has sent it."""
        if self._party in (passed.source, passed.target):
            return passed.target == self._party
        by_caller = (Message(passed.data).tag(u"from") == self._tag) == _is_request(passed)
        return by_caller == self._caller
