"""Play one side of a recorded call: send what it sent, when it did, and compare what the endpoint says."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import monotonic
from sipbridge._replay import leaving
from sipbridge._replay.comparison import differences
from sipbridge._replay.message import Message
from sipbridge.errors import PeerUnreachable, TimeoutError
from sipbridge.ladder import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AbstractSet, Callable, Dict, List, Optional, Set, Union

    from sipbridge._replay.dialogue import Dialogue, Step
    from sipbridge._replay.fitting import Fitting
    from sipbridge._replay.links import Link, Watched

#: Seconds that an answer may take, beyond what it took when it was recorded: SIP's own limit (RFC 3261, 17: 64 * T1).
TIMEOUT = 32.0

_LEAVING = 2.0  # seconds for the answer to a request that was cancelled
_LINGER = 0.2  # seconds at the end, for what was not recorded


class Live(object):
    """A message that came.

    Attributes:
        data: its octets.
        message: the :class:`~sipbridge._replay.message.Message`.
        source: "host:port" of who has sent it.
    """

    def __init__(self, data, source):
        # type: (bytes, str) -> None
        self.data = data
        self.message = Message(data, source)
        self.source = source


class Pace(object):
    """How fast to play.

    Attributes:
        speed: how many times as fast as recorded; 0 is as fast as possible.
        timeout: seconds to wait for what has to come, beyond the recorded ones; None is for ever.
        patient: True to wait for the first message of the endpoint for ever.
        before: called with a line about each message before it is sent, to wait for the user; or None.
    """

    def __init__(self, speed=1.0, timeout=TIMEOUT, patient=False, before=None):
        # type: (float, Optional[float], bool, Optional[Callable[[str], None]]) -> None
        self.speed = speed
        self.timeout = timeout
        self.patient = patient
        self.before = before


class Player(object):
    """Plays a dialogue once.

    Args:
        dialogue, fitting: what to play, and what makes it fit.
        link: the sockets.
        peer: "host:port" of the endpoint, or None when it calls.
        pace: a :class:`Pace`.
        tell: takes lines about what happens.
        ignored: header fields not to compare, in lower case and in full.

    Attributes:
        played: how many recorded messages were sent or have come.
        different: how many differed, were missing, or had not been recorded.
    """

    def __init__(self, dialogue, fitting, link, peer, pace, tell, ignored=frozenset()):
        # type: (Dialogue, Fitting, Union[Link, Watched], Optional[str], Pace, Callable[[List[str]], None], AbstractSet[str]) -> None
        self._steps = [each for each in dialogue.steps if each.ours or not _is_uncertain(each)]
        self._fitting = fitting
        self._link = link
        self._peer = peer
        self._called = peer is None
        self._pace = pace
        self._tell = tell
        self._ignored = ignored
        self._waiting = []  # type: List[Live]
        self._seen = set()  # type: Set[bytes]
        self._sent = {}  # type: Dict[bytes, bytes]  # by what was recorded
        self._said = []  # type: List[Message]
        self._heard = []  # type: List[Live]
        self._stopped_at = None  # type: Optional[int]  # how many of them were there when it could not go on
        self._left = False  # the endpoint has ended it
        self.played = 0
        self.different = 0

    def play(self):
        # type: () -> None
        """Play all of it, or to where it can not go on.

        Raises TimeoutError when the endpoint says nothing at all, PeerUnreachable, and InputError.
        """
        before, recorded_at = monotonic(), self._steps[0].time
        for number, step in enumerate(self._steps):
            gap = max(0.0, step.time - recorded_at)
            recorded_at = step.time
            going_on = self._send(step, before, gap) if step.ours else self._expect(step, gap)
            if not going_on:
                self._stop(len(self._steps) - number - 1)
                return
            before = monotonic()
        self._linger()

    @property
    def heard(self):
        # type: () -> List[bytes]
        """The messages of the endpoint, in their order: without 100, repetitions, and what came after it stopped."""
        return [each.data for each in self._heard[: self._stopped_at]]

    def names(self):
        # type: () -> List[str]
        """As :meth:`Fitting.names`."""
        return self._fitting.names()

    # -- sending -------------------------------------------------------------------------------------------

    def _send(self, step, before, gap):
        # type: (Step, float, float) -> bool
        due = before + (gap / self._pace.speed if self._pace.speed else 0.0)
        while not self._left and self._receive(max(0.0, due - monotonic())):
            pass
        if self._left:
            return False
        if self._pace.before is not None:
            self._pace.before(label(step.data))
        data = self._sent.get(step.data)
        if data is None:
            data = self._sent[step.data] = self._fitting.fit(step.data)
        answered = self._fitting.source_of(step.message) if step.message.status else None
        self.send(data, answered.source if answered else None)
        self.played += 1
        return True

    def send(self, data, peer=None):
        # type: (bytes, Optional[str]) -> None
        """Send that, and tell so. Without a ``peer`` it goes where the endpoint is."""
        peer = peer or self._peer
        if peer is None:
            raise PeerUnreachable("the endpoint has not called yet, so nothing can be sent to it")
        self._link.send(data, peer)
        self._said.append(Message(data))
        self._tell(["-> %s" % label(data)])

    # -- receiving -----------------------------------------------------------------------------------------

    def _expect(self, step, gap):
        # type: (Step, float) -> bool
        """Wait for this message and compare it. True when it can go on."""
        live = self._wait(step, gap)
        if live is None:
            if self._call_is_open():
                self._differs(["<- nothing, but recorded: %s" % label(step.data)])
                return 100 <= step.message.status < 200
            raise TimeoutError("nothing came from the endpoint within %g s" % (self._pace.timeout or 0.0))
        self.played += 1
        if self._called:
            self._peer = live.source
        self._fitting.learn(step.message, live.message)
        found = differences(step.message, live.message, self._fitting.names(), self._ignored)
        line = "<- %s" % label(live.data)
        if found:
            self._differs([line + ", otherwise than recorded:"] + ["     " + each for each in found])
        else:
            self._tell([line])
        return step.message.status // 100 == live.message.status // 100 or (
            step.message.status >= 300 and live.message.status >= 300
        )

    def _wait(self, step, gap):
        # type: (Step, float) -> Optional[Live]
        """The message that takes the place of the recorded one; None when none does."""
        limit = None if self._pace.timeout is None else monotonic() + gap + self._pace.timeout
        if self._pace.patient and not self._call_is_open():
            limit = None
        while True:
            found = self._find(step)
            if found is not None:
                self._waiting.remove(found)
                return found
            if self._left or self._is_answered(step):
                return None
            left = None if limit is None else limit - monotonic()
            if left is not None and left <= 0:
                return None
            self._receive(left)

    def _find(self, step):
        # type: (Step) -> Optional[Live]
        matching = [each for each in self._waiting if self._is_for(step, each.message)]
        same = [each for each in matching if each.message.status == step.message.status]
        return (same + matching + [None])[0]

    def _is_for(self, step, live):
        # type: (Step, Message) -> bool
        recorded = step.message
        if not recorded.status:
            return not live.status and live.method == recorded.method
        return (
            live.status > 0
            and (live.status < 200) == (recorded.status < 200)
            and self._is_same_transaction(recorded, live)
        )

    def _is_same_transaction(self, recorded, live):
        # type: (Message, Message) -> bool
        return (
            live.method == recorded.method
            and live.cseq[0] == recorded.cseq[0]
            and self._fitting.recorded_branch(live.branch) == recorded.branch
        )

    def _is_answered(self, step):
        # type: (Step) -> bool
        """Whether a final response is there, so that no provisional one will come."""
        return step.message.status < 200 and any(
            each.message.status >= 200 and self._is_same_transaction(step.message, each.message)
            for each in self._waiting
            if step.message.status
        )

    def _call_is_open(self):
        # type: () -> bool
        return bool(self._seen)

    def _receive(self, seconds):
        # type: (Optional[float]) -> bool
        """Take what comes in that time. False when nothing did."""
        received = self._link.receive(seconds)
        if received is None:
            return False
        live = Live(*received)
        message = live.message
        known = self._fitting.call_id
        if known is not None and message.get(u"call-id") != known:
            self._tell(["<- %s of another call, not answered" % label(live.data)])
        elif message.status != 100 and live.data not in self._seen and (message.status or message.cseq[1]):
            self._take(live)
        return True

    def _take(self, live):
        # type: (Live) -> None
        method = live.message.method
        if not live.message.status and not any(
            not each.ours and not each.message.status and each.message.method == method for each in self._steps
        ):
            if not self._call_is_open():
                self._tell(["<- %s before the call, not answered" % label(live.data)])
                return
            self._hear(live)
            self._differs(["<- %s, which was not recorded" % label(live.data)])
            ends = method in (u"BYE", u"CANCEL")
            self.send(leaving.response(live.message, 200 if ends else 501), live.source)
            self._left = self._left or ends
            return
        self._hear(live)
        self._waiting.append(live)

    def _hear(self, live):
        # type: (Live) -> None
        self._seen.add(live.data)
        self._heard.append(live)

    def _differs(self, lines):
        # type: (List[str]) -> None
        self.different += 1
        self._tell(lines)

    # -- the end -------------------------------------------------------------------------------------------

    def _linger(self):
        # type: () -> None
        """Take what still comes: it was not recorded."""
        end = monotonic() + _LINGER
        while monotonic() < end:
            self._receive(max(0.0, end - monotonic()))
        for live in self._waiting:
            self._differs(["<- %s, which was not recorded" % label(live.data)])

    def _stop(self, left):
        # type: (int) -> None
        """It cannot go on: end what was begun."""
        self._stopped_at = len(self._heard)
        self._tell(["stopped: %d more messages were recorded" % left])
        end = monotonic() + _LEAVING
        while True:
            for data, request in list(leaving.messages(self._said, [each.message for each in self._heard])):
                self.send(data, request.source if request else None)
            if self._left or not self._is_cancelled() or monotonic() >= end:
                return
            self._receive(max(0.0, end - monotonic()))

    def _is_cancelled(self):
        # type: () -> bool
        """Whether a CANCEL of ours was the last, so that there is an answer to acknowledge."""
        return bool(self._said) and self._said[-1].start.startswith(u"CANCEL ")


def _is_uncertain(step):
    # type: (Step) -> bool
    """What the endpoint sends or not, as time goes: repetitions, and 100 Trying."""
    return step.repeats or step.message.status == 100
