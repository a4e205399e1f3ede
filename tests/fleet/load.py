"""Calls at a steady rate from one endpoint, and what became of each."""

from __future__ import absolute_import, division, print_function

import threading
import time

import sipbridge
from conformance.sdp import OFFER
from fleet.running import LIMIT, engine_of
from peers.waiting import wait_until


class Placed(object):
    """One call.

    Attributes:
        began: when it was placed, as time.time() has it.
        engine: the number of the engine that answered, or None.
        answered: seconds until it did, or None.
        end: cause and status, as ("local-bye", 200), or None.
    """

    def __init__(self):
        self.began = time.time()
        self.engine = self.answered = self.end = None

    def __repr__(self):
        return "<%.3f engine %s after %s: %s>" % (self.began, self.engine, self.answered, self.end)


class Load(object):
    """So many calls a second, each of which stays up a while; a context manager, in which they are placed.

    Args:
        phone: who calls.
        uri: whom.
        rate: calls per second.
        hold: seconds that each stays up.

    Attributes:
        placed: a Placed for each call, in order.
    """

    def __init__(self, phone, uri, rate, hold):
        self._endpoint, self._uri, self._gap, self._hold = phone.endpoint, uri, 1.0 / rate, hold
        self.placed = []
        self._by_call = {}
        self._gone = set()  # engines whose calls nobody hangs up
        self._stopped = threading.Event()
        self._endpoint.on(sipbridge.CallAnswered, self._answered)
        self._endpoint.on(sipbridge.CallEnded, self._ended)
        self._thread = threading.Thread(target=self._place)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()

    def forget(self, number):
        """An engine is gone: its calls need not end."""
        self._gone.add(number)

    def _place(self):
        due = time.time()
        while not self._stopped.wait(max(0.0, due - time.time())):
            due += self._gap
            placed = Placed()
            self.placed.append(placed)
            self._by_call[self._endpoint.invite(self._uri, OFFER).call_id] = placed

    def _of(self, call):
        """The Placed of a call, whose event may come before invite() has returned."""
        wait_until(lambda: call.call_id in self._by_call)
        return self._by_call[call.call_id]

    def _answered(self, event):
        placed = self._of(event.call)
        placed.answered = time.time() - placed.began
        placed.engine = engine_of(event.sdp)
        timer = threading.Timer(self._hold, self._hang_up, [event.call, placed])
        timer.daemon = True
        timer.start()

    def _hang_up(self, call, placed):
        if placed.engine not in self._gone:
            call.hangup()

    def _ended(self, event):
        self._of(event.call).end = (event.cause, event.status)

    def up(self):
        """How many are up."""
        return sum(each.answered is not None and each.end is None for each in self.placed)

    def wait(self, more):
        """Wait until so many calls more were placed, and the one before these has been answered."""
        wanted = len(self.placed) + more
        wait_until(lambda: len(self.placed) >= wanted, LIMIT + more * self._gap)

    def finish(self):
        """Wait until all calls are over, but those on engines that are gone."""
        wait_until(lambda: all(each.end is not None or each.engine in self._gone for each in self.placed), LIMIT)
        return self.placed


def failed(placed):
    """The calls that were not answered, or did not last until they were hung up."""
    return [each for each in placed if each.answered is None or each.end != ("local-bye", 200)]
