"""The keys that are pressed in a call (DTMF): those that the peer presses wait here, ours are sent by INFO."""

from __future__ import absolute_import, division, print_function

from collections import deque

from sipbridge._compat import PY2, text_type
from sipbridge._text.arguments import check_timeout, check_whole, is_whole
from sipbridge._text.checks import check_line
from sipbridge.errors import EngineError, InputError, check_up, naming
from sipbridge.events import InfoReceived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Deque, Literal, Optional

    from sipbridge._call.call import Call

    #: What ended the collecting of keys.
    EndedBy = Literal["count", "terminator", "timeout"]

#: Keys that wait for whoever asks for them. More are dropped: nobody types as far ahead.
MOST = 256

_KEYS = frozenset(u"0123456789*#ABCD")
_BODIES = {
    "application/dtmf-relay": "Signal=%(key)s\r\nDuration=%(duration)d\r\n",
    "application/dtmf": "%(key)s",
}


class Digits(text_type):
    """Keys that were collected: text.

    Attributes:
        ended_by: what ended the collecting: "count", "terminator" or "timeout".
    """

    ended_by = "timeout"  # type: EndedBy

    @classmethod
    def made(cls, keys, ended_by):
        # type: (str, EndedBy) -> Digits
        digits = cls(keys)
        digits.ended_by = ended_by
        return digits


class KeyStream(object):
    """The keys that the peer of a call presses, one by one: an iterator. See :meth:`sipbridge.Call.keys`."""

    def __init__(self, call, timeout):
        # type: (Call, Optional[float]) -> None
        self._call = call
        self._timeout = timeout

    def __iter__(self):
        # type: () -> KeyStream
        return self

    def __next__(self):
        # type: () -> str
        key = self._take()
        if key is None:
            raise StopIteration
        return key

    if PY2:
        next = __next__

    def _take(self):
        # type: () -> Optional[str]
        return take(self._call, self._timeout)


def add(call, key):
    # type: (Call, str) -> None
    """The peer has pressed a key. Under the lock."""
    waiting = _waiting(call)
    if len(waiting) < MOST:
        waiting.append(key)


def _waiting(call):
    # type: (Call) -> Deque[str]
    """The keys that nobody has taken. Under the lock."""
    if call._keys is None:
        call._keys = deque()
    return call._keys


def put(call, key):
    # type: (Call, str) -> None
    """Do what :meth:`sipbridge.Call.put_key` does."""
    key = check_key(check_line(key, "key"), "key")
    with call._agent.lock:
        add(call, key)
    call._agent.wake()


def check_key(key, what):
    # type: (str, str) -> str
    """A key as events have it."""
    if key.upper() not in _KEYS:
        raise InputError("not a DTMF key, in %s: %r" % (what, key))
    return key.upper()


def take(call, timeout):
    # type: (Call, Optional[float]) -> Optional[str]
    """The next key of the peer; None if there was none in ``timeout`` seconds.

    Raises CallHungUp or EngineLost when the call has ended, and EngineError when the endpoint is closed.
    """
    with call._agent.lock:
        waiting = _waiting(call)
    with naming(call):
        while True:
            there = call._agent.wait(lambda: waiting or call.ended is not None, timeout)
            try:
                key = waiting.popleft()
                _answer_waiting(call)
                return key
            except IndexError:  # there was none, or somebody else was faster
                if call.ended is not None and call.ended.error is not None:
                    raise call.ended.error
                check_up(call, "no more keys")
                if call._agent.closed:
                    raise EngineError("no more keys: the endpoint was closed")
                if not there:
                    return None


def _answer_waiting(call):
    # type: (Call) -> None
    """In a handler of the call, answer each INFO that waits for this handler to return: before that, the peer sends no
    more keys.
    """
    if call.bridge is None and call._agent.is_handling_here(call):
        for event in call._requests:
            if isinstance(event, InfoReceived) and event.dtmf is not None and event.request.answer_by is None:
                event.request.answer_by_default(200)


def collect(call, count, terminator, timeout):
    # type: (Call, Optional[int], Optional[str], Optional[float]) -> Digits
    """Do what :meth:`sipbridge.Call.collect` does."""
    if count is not None:
        check_whole(count, "count", 1, 10**6)
    ends = set()
    if terminator is not None:
        ends = set(check_key(each, "terminator") for each in check_line(terminator, "terminator"))
    check_timeout(timeout)
    if count is None and terminator is None and timeout is None:
        raise InputError("count, terminator or timeout has to end the collecting of keys")
    keys = u""
    while count is None or len(keys) < count:
        key = take(call, timeout)
        if key is None:
            return Digits.made(keys, "timeout")
        if key in ends:
            return Digits.made(keys, "terminator")
        keys += key
    return Digits.made(keys, "count")


def send(call, keys, duration_ms, timeout, content_type):
    # type: (Call, str, int, Optional[float], str) -> None
    """Do what :meth:`sipbridge.Call.send_dtmf` does."""
    keys = "".join(check_key(key, "keys") for key in check_line(keys, "keys"))
    check_timeout(timeout)
    if not is_whole(duration_ms) or duration_ms <= 0:
        raise InputError("duration_ms must be milliseconds above 0, not %r" % (duration_ms,))
    if check_line(content_type, "content type") not in _BODIES:
        known = " or ".join(sorted(_BODIES))
        raise InputError("the content type of DTMF is %s, not %r" % (known, content_type))
    for key in keys:
        body = _BODIES[content_type] % {"key": key, "duration": duration_ms}
        call.info(body.encode("ascii"), content_type, timeout=timeout)
