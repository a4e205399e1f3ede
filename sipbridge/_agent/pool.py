"""The threads that run handlers.

Events wait in lanes, one for each call and the like. One thread at a time serves a lane, so that its events keep their
order; lanes run side by side. A thread that has served its lane goes on with the next that is ready. One more is taken
when those at work have not come by for a while, as they wait for something themselves.
"""

from __future__ import absolute_import, division, print_function

import threading
import time
from collections import deque

from sipbridge._compat import PY2, NamedTuple, monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, Dict, Hashable, List, Optional

#: Threads that one endpoint has at most, where nothing else is asked for: hundreds of calls, whose handlers all wait.
MOST = 256

#: Seconds without work after which a thread leaves, at the earliest. At the latest it is twice that.
IDLE = 5.0

#: Seconds in which no thread took an event: then all of them are taken to wait for something. Most handlers have
#: returned sooner, and one thread that serves several lanes costs less than several that are woken.
STALL = 0.004

# The clock of monotonic() has steps of 10 ms in Python 2.
_clock = time.time if PY2 else monotonic


class HandlerStatistics(NamedTuple("HandlerStatistics", [
    ("most", "int"), ("threads", "int"), ("busy", "int"), ("waiting", "int"), ("refused", "int"),
])):
    """How busy the handlers of an endpoint are; see :attr:`~sipbridge.Endpoint.handler_statistics`.

    Attributes:
        most: threads that there may be: ``Endpoint(handlers=...)``.
        threads: those that there are.
        busy: those of them that run a handler.
        waiting: events that wait for a handler.
        refused: new calls, requests and subscriptions that were answered 503 since the endpoint was opened.
    """

    __slots__ = ()


class _Thread(object):
    """One thread, as the pool sees it."""

    __slots__ = ("gate", "since", "is_coming", "dismissed", "lane")

    def __init__(self):
        # type: () -> None
        self.gate = threading.Lock()  # where it waits for work; opened by whoever has some
        self.gate.acquire()
        self.since = 0  # the round of reap() in which it has become idle
        self.is_coming = True  # it was started or woken, and has not looked for work yet
        self.dismissed = False
        self.lane = None  # type: Optional[Hashable]  # that it serves


class Pool(object):
    """Serves items on threads: ``serve(item)``, which must not raise anything.

    Only one thread may call :meth:`put`, :meth:`call_next`, :meth:`add_stalled` and :meth:`reap`; others are for any.

    Attributes:
        most: how many threads there may be.
        lent: how many there may be beside them, for items that keep theirs for long.
        waiting: how many items wait.
    """

    def __init__(self, serve, most):
        # type: (Callable[[Any], object], int) -> None
        self._serve = serve
        self.most = most
        self.lent = 0
        self.waiting = 0
        self._lock = threading.Lock()
        self._emptied = threading.Condition(self._lock)  # told when a lane has been served, while somebody joins
        self._joining = 0
        self._lanes = {}  # type: Dict[Hashable, Deque[Any]]  # what waits in each that is served or ready
        self._ready = deque()  # type: Deque[Hashable]  # the lanes that wait for a thread
        self._aside = deque()  # type: Deque[Callable[[], object]]  # for the next thread that comes by
        self._idle = []  # type: List[_Thread]
        self._count = 0  # threads, the idle ones among them
        self._coming = 0  # those of them that were started or woken, and have not looked for work yet
        self._moved = 0.0  # when one of them took an item, or was woken to take one
        self._more = 1  # threads to add when these are all waiting
        self._round = 0
        self._closing = False
        self._here = threading.local()  # .thread: the _Thread that this one is

    def put(self, lane, item):
        # type: (Hashable, Any) -> None
        """Have an item served after those that are in this lane already."""
        with self._lock:
            self.waiting += 1
            items = self._lanes.get(lane)
            if items is not None:
                items.append(item)
                return
            self._lanes[lane] = deque((item,))
            if not self._ready:
                self._more = 1
            self._ready.append(lane)
            wanted = self._closing or self._are_stalled()
        if wanted:
            self._add(1)

    def call_next(self, function):
        # type: (Callable[[], object]) -> None
        """Call a function, which must not raise anything or wait, on the next thread that comes by. No event waits for
        that, and it counts as none.
        """
        self._aside.append(function)
        self._add(1)

    def lend(self, number):
        # type: (int) -> None
        """Allow so many more threads, or fewer."""
        with self._lock:
            self.lent += number

    def length(self, lane):
        # type: (Hashable) -> int
        """How many items wait in a lane."""
        return len(self._lanes.get(lane, ()))

    def serves(self, lane):
        # type: (Hashable) -> bool
        """Whether an item of that lane waits or is being served."""
        return lane in self._lanes

    @property
    def is_here(self):
        # type: () -> bool
        """Whether this thread is one of them."""
        return getattr(self._here, "thread", None) is not None

    def is_serving_here(self, lane):
        # type: (Hashable) -> bool
        """Whether this thread serves an item of that lane: the others in it wait for this thread."""
        own = getattr(self._here, "thread", None)
        return own is not None and own.lane == lane

    @property
    def is_busy(self):
        # type: () -> bool
        """Whether anything waits or is being served."""
        return bool(self._lanes)

    @property
    def has_threads(self):
        # type: () -> bool
        """Whether there is a thread."""
        return self._count > 0

    @property
    def may_stall(self):
        # type: () -> bool
        """Whether a lane waits for a thread, and there may be one for it: then :meth:`add_stalled` is due soon."""
        return bool(self._ready) and self.has_room

    @property
    def has_room(self):
        # type: () -> bool
        """Whether a thread has nothing to do, or there may be one more."""
        return bool(self._idle) or self._count < self.most + self.lent

    @property
    def is_full(self):
        # type: () -> bool
        """Whether every thread is at work, and as many lanes wait for one."""
        return len(self._ready) - self._coming >= self.most and not self._idle and self._count >= self.most + self.lent

    def statistics(self, refused):
        # type: (int) -> HandlerStatistics
        """How busy it is; ``refused`` is the caller's to know."""
        with self._lock:
            return HandlerStatistics(self.most, self._count, self._count - len(self._idle), self.waiting, refused)

    # -- how many threads ----------------------------------------------------------------------------------------

    def _are_stalled(self):
        # type: () -> bool
        """Whether none of the threads is likely to come by soon. Under the lock."""
        return self._count == len(self._idle) or _clock() - self._moved >= STALL

    def add_stalled(self):
        # type: () -> None
        """Add threads where lanes have waited for a while; each time it is in vain, twice as many."""
        with self._lock:
            if not self._ready or not self._are_stalled():
                return
            number, self._more = min(self._more, len(self._ready)), 2 * self._more
        self._add(number)

    def _add(self, number):
        # type: (int) -> None
        """Wake so many threads, or start them as long as there may be more."""
        for _ in range(number):
            with self._lock:
                self._moved = _clock()
                if self._idle:
                    self._coming += 1
                    self._idle.pop().gate.release()
                    continue
                if self._count >= self.most + self.lent:
                    return
                self._count += 1
                self._coming += 1
            if not self._start():
                return

    def _start(self):
        # type: () -> bool
        """Start one thread, which is counted already; whether that could be done."""
        thread = threading.Thread(target=self._run, args=(_Thread(),), name="sipbridge handlers")
        thread.daemon = True
        try:
            thread.start()
        except threading.ThreadError:  # the system has no more, or the interpreter is about to exit: see join()
            with self._lock:
                self._count -= 1
                self._coming -= 1
            return False
        return True

    def reap(self):
        # type: () -> bool
        """To be called every IDLE seconds: let those go that had nothing to do since last time. Whether any is left."""
        with self._lock:
            self._round += 1
            leaving = [thread for thread in self._idle if thread.since < self._round - 1]
            self._dismiss(leaving)
            return self._count > 0

    def _dismiss(self, leaving):
        # type: (List[_Thread]) -> None
        """Let these idle threads go. Under the lock."""
        self._idle = [thread for thread in self._idle if thread not in leaving]
        self._count -= len(leaving)
        for thread in leaving:
            thread.dismissed = True
            thread.gate.release()

    # -- a thread ------------------------------------------------------------------------------------------------

    def _run(self, me):
        # type: (_Thread) -> None
        self._here.thread = me
        while not me.dismissed:
            while self._aside:
                self._call_aside()
            with self._lock:
                if me.is_coming:
                    me.is_coming = False
                    self._coming -= 1
                me.lane = self._next(me.lane)
                if me.lane is not None:
                    item = self._lanes[me.lane].popleft()
                    self.waiting -= 1
                    self._moved = _clock()
                elif self._closing:
                    self._count -= 1
                    return
                else:
                    me.since = self._round
                    me.is_coming = True  # when it is woken
                    self._idle.append(me)
            if me.lane is None:
                me.gate.acquire()
            else:
                self._serve(item)
                item = None

    def _call_aside(self):
        # type: () -> None
        try:
            function = self._aside.popleft()
        except IndexError:  # another thread has it
            return
        function()

    def _next(self, served):
        # type: (Optional[Hashable]) -> Optional[Hashable]
        """The lane to serve an item of, after one of another (None: none) was. Under the lock."""
        if served is not None:
            if not self._lanes[served]:
                del self._lanes[served]
                if self._joining:
                    self._emptied.notify_all()
            elif self._ready:  # the others have waited for longer
                self._ready.append(served)
            else:
                return served
        return self._ready.popleft() if self._ready else None

    # -- the end -------------------------------------------------------------------------------------------------

    def close(self):
        # type: () -> None
        """Serve what waits, on as many threads as it takes, and let each go when nothing is left for it."""
        with self._lock:
            self._closing = True
            number = len(self._ready)
            self._dismiss(self._idle[number:])
        self._add(number)

    def join(self, timeout):
        # type: (float) -> bool
        """After :meth:`close`: wait until all is served but this thread's own lane, at most ``timeout`` seconds.

        Returns whether it is. Where no thread can be started, as while the interpreter exits, it is served here.
        """
        own = getattr(self._here, "thread", None)
        deadline = monotonic() + timeout
        with self._lock:
            self._joining += 1
            try:
                while len(self._lanes) > (own is not None and own.lane in self._lanes):
                    left = deadline - monotonic()
                    if self._count == 0:
                        self._serve_here()
                    elif left <= 0:
                        return False
                    else:
                        self._emptied.wait(left)
            finally:
                self._joining -= 1
        return True

    def _serve_here(self):
        # type: () -> None
        """Serve what is ready on this thread. Under the lock, which is given up meanwhile."""
        self._count += 1
        self._coming += 1
        self._lock.release()
        try:
            self._run(_Thread())
        finally:
            self._lock.acquire()
            self._here.thread = None
