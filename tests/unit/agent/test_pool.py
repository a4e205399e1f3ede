"""The threads that run handlers (sipbridge._agent.pool): lanes, how many threads there are, and the end."""

from __future__ import absolute_import, division, print_function

import subprocess
import sys
import threading
import time

import pytest

from peers.waiting import wait_until
from sipbridge._agent import pool as module
from sipbridge._agent.pool import Pool

LIMIT = 10.0  # seconds: only a test that fails waits that long


class Served(object):
    """A pool that calls what it serves, and the values that came of it, in order."""

    def __init__(self, most):
        self.values = []
        self.pool = Pool(self._serve, most)
        self.gates = []

    def _serve(self, item):
        self.values.append(item())

    def blocked(self, lane):
        """Have a thread stand still in that lane. Returns once it does."""
        gate, begun = threading.Event(), threading.Event()
        self.gates.append(gate)
        self.pool.put(lane, lambda: (begun.set(), gate.wait(60.0))[1])
        self.until(begun.is_set)
        return gate

    def until(self, predicate):
        """Wait, as the event thread: it looks whether lanes wait in vain."""
        deadline = time.time() + LIMIT
        while not predicate():
            assert time.time() < deadline
            self.pool.add_stalled()
            time.sleep(0.002)

    def stop(self):
        for gate in self.gates:
            gate.set()
        self.pool.close()
        assert self.pool.join(LIMIT)
        wait_until(lambda: not self.pool.has_threads)


@pytest.fixture
def make():
    made = []

    def make_pool(most=4):
        made.append(Served(most))
        return made[-1]

    yield make_pool
    for each in made:
        each.stop()


def test_a_lane_keeps_its_order_and_others_do_not_wait_for_it(make):
    served = make()
    gate = served.blocked("one")
    for number in range(100):
        served.pool.put("one", lambda number=number: number)
    served.pool.put("other", lambda: "other")
    served.until(lambda: served.values == ["other"])
    assert served.pool.length("one") == 100 and served.pool.waiting == 100
    gate.set()
    served.until(lambda: len(served.values) == 102)
    assert served.values[1:] == [True] + list(range(100))


def test_no_more_threads_than_allowed_and_what_is_full(make):
    served = make(3)
    gates = [served.blocked(number) for number in range(3)]
    assert not served.pool.is_full
    for number in range(3, 6):
        served.pool.put(number, lambda number=number: number)
    assert served.pool.is_full and not served.pool.may_stall
    served.pool.add_stalled()
    assert served.pool.statistics(7) == (3, 3, 3, 3, 7)
    gates[0].set()
    served.until(lambda: len(served.values) == 4)
    assert not served.pool.is_full


def test_it_is_not_full_while_a_thread_is_on_its_way_to_what_waits(make, monkeypatch):
    """On a busy machine a thread that was started runs later: what it is for waits for no other."""
    late = []
    monkeypatch.setattr(Pool, "_start", lambda pool, start=Pool._start: late.append(lambda: start(pool)) or True)
    served = make(1)
    served.pool.put(1, lambda: 1)
    assert served.pool.statistics(0)[1:] == (1, 1, 1, 0) and not served.pool.is_full
    served.pool.put(2, lambda: 2)
    assert served.pool.is_full
    late[0]()
    served.until(lambda: served.values == [1, 2])


def test_short_work_is_done_by_few_threads(make):
    served = make(100)
    for number in range(2000):
        served.pool.put(number, lambda: None)
    served.until(lambda: len(served.values) == 2000)
    assert served.pool.statistics(0).threads < 50


def test_threads_without_work_leave_and_come_again(make):
    served = make()
    gates = [served.blocked(number) for number in range(3)]
    for gate in gates:
        gate.set()
    served.until(lambda: not served.pool.is_busy)
    wait_until(lambda: served.pool.statistics(0).busy == 0)
    assert served.pool.reap() and served.pool.statistics(0).threads == 3  # they may just have come
    assert not served.pool.reap()
    names = [thread.name for thread in threading.enumerate()]
    wait_until(lambda: "sipbridge handlers" not in [thread.name for thread in threading.enumerate()]), names
    served.pool.put("again", lambda: "again")
    served.until(lambda: "again" in served.values)


def test_a_thread_that_works_does_not_leave(make):
    served = make()
    served.blocked("one")
    for _ in range(5):
        assert served.pool.reap()


def test_joining_waits_for_all_but_the_lane_that_joins(make):
    served = make()
    joined = []

    def join():
        served.pool.close()
        joined.append(served.pool.join(0.05))
        joined.append(served.pool.join(LIMIT))

    gate = served.blocked("other")
    served.pool.put("own", join)
    served.pool.put("own", lambda: "last")
    served.until(lambda: joined == [False])
    gate.set()
    served.until(lambda: joined == [False, True])
    assert served.pool.join(LIMIT) and served.values[-1] == "last"


def test_on_closing_what_waits_is_served_at_once(make):
    """Nobody looks for lanes that wait in vain any more."""
    served = make()
    gate = served.blocked("one")
    served.pool.put("other", lambda: "other")
    served.pool.close()
    wait_until(lambda: served.values == ["other"])
    gate.set()


def test_where_no_thread_can_be_started_who_joins_serves(make, monkeypatch):
    served = make()

    def refuse(thread):
        raise threading.ThreadError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        for number in range(3):
            served.pool.put(number % 2, lambda number=number: number)
        assert served.values == [] and not served.pool.has_threads
        served.pool.close()
        assert served.pool.join(LIMIT)
    assert sorted(served.values) == [0, 1, 2]


def test_while_the_interpreter_exits():
    """Python 3.12 and later start no thread then."""
    code = (
        "import atexit, sys, threading\n"
        "from sipbridge._agent.pool import Pool\n"
        "pool = Pool(lambda item: print(item) or sys.stdout.flush(), 3)\n"
        "def finish():\n"
        "    pool.put('lane', 'served')\n"
        "    pool.close()\n"
        "    pool.join(10.0)\n"
        "atexit.register(finish)\n"
    )
    code = "from __future__ import print_function\n" + code
    assert subprocess.check_output([sys.executable, "-c", code]).split() == [b"served"]


def test_a_stall_is_noticed_soon_enough():
    """What a new call may wait for while others' handlers stand still."""
    assert module.STALL <= 0.02
