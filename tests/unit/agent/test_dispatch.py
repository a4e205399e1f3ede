"""The event thread and lanes: order, waiting, blocking handlers, iterators (sipbridge._agent.dispatch, pool)."""

from __future__ import absolute_import, division, print_function

import threading
from collections import namedtuple

import pytest

from peers.waiting import wait_until
from sipbridge._agent.dispatch import Dispatcher
from sipbridge.errors import EngineError

try:
    import queue
except ImportError:  # Python 2
    import Queue as queue

LIMIT = 10.0  # seconds: only a test that fails waits that long


class Number(namedtuple("Number", "value")):
    pass


class Even(Number):
    pass


class ScriptedEngine(object):
    """An engine whose events the test puts in; closing it is one of them."""

    def __init__(self):
        self._events = queue.Queue()
        self.longest = 0.0  # that it was asked to wait for

    def put(self, *values):
        for value in values:
            self._events.put(value)

    def close(self, grace):
        self.put(None)

    def wait(self, timeout=None):
        self.longest = max(self.longest, timeout or 0.0)
        try:
            value = self._events.get(timeout=LIMIT if timeout is None else min(timeout, LIMIT))
        except queue.Empty:
            return None
        if value is None:
            raise EngineError("closed")
        return value


class Fixture(object):
    """A dispatcher in front of a scripted engine.

    Attributes:
        following: what is called on the event thread with what it follows; for tests to set.
    """

    def __init__(self, lane=lambda event: "the one", handlers=10):
        self.engine = ScriptedEngine()
        self.followed = []
        self.settled = []
        self.following = lambda raw: None
        self.dispatcher = Dispatcher(self.engine, self.follow, self.settle, handlers=handlers, lane=lane)

    def follow(self, raw):
        self.following(raw)
        self.followed.append(raw)
        if raw == "silent":
            return None
        if raw == "fault":
            raise RuntimeError("a fault in following")
        return (Even if raw % 2 == 0 else Number)(raw)

    def settle(self, event, seen, failed):
        self.settled.append((event.value, seen))

    def finish(self):
        self.dispatcher.close(0.0, LIMIT)
        assert self.dispatcher.closed


@pytest.fixture
def fixture():
    fixture = Fixture()
    fixture.dispatcher.start()
    yield fixture
    fixture.finish()


def wait_for(fixture, predicate):
    assert fixture.dispatcher.wait(predicate, LIMIT)


def test_handlers_get_their_type_and_its_subtypes_in_order(fixture):
    numbers, evens, done = [], [], threading.Event()
    fixture.dispatcher.on(Number, lambda event: numbers.append(event.value))
    fixture.dispatcher.on(Even, lambda event: evens.append(event.value))
    fixture.dispatcher.on(Number, lambda event: event.value == 4 and done.set())
    fixture.engine.put(1, 2, "silent", 3, 4)
    assert done.wait(LIMIT)
    assert numbers == [1, 2, 3, 4]
    assert evens[0] == 2


def test_a_handler_taken_back_is_not_called(fixture):
    numbers, done = [], threading.Event()
    fixture.dispatcher.on(Number, numbers.append)
    fixture.dispatcher.off(Number, numbers.append)
    fixture.dispatcher.on(Number, lambda event: done.set())
    fixture.engine.put(1)
    assert done.wait(LIMIT)
    assert numbers == []


def test_a_fault_in_a_handler_or_in_following_stops_nothing(fixture):
    numbers, done = [], threading.Event()
    fixture.dispatcher.on(Number, lambda event: 1 // 0)
    fixture.dispatcher.on(Number, lambda event: numbers.append(event.value))
    fixture.dispatcher.on(Even, lambda event: done.set())
    fixture.engine.put(1, "fault", 2)
    assert done.wait(LIMIT)
    assert numbers[0] == 1


def test_events_that_nobody_takes_are_settled_unseen(fixture):
    fixture.engine.put(1)
    wait_for(fixture, lambda: fixture.followed == [1])
    fixture.finish()
    assert fixture.settled == [(1, False)]


def test_events_are_followed_while_a_handler_waits_and_its_lane_keeps_its_order(fixture):
    order, done = [], threading.Event()

    def handler(event):
        order.append(("begin", event.value))
        if event.value == 1:
            order.append(("waited", fixture.dispatcher.wait(lambda: 3 in fixture.followed, LIMIT)))
        order.append(("end", event.value))
        if event.value == 3:
            done.set()

    fixture.dispatcher.on(Number, handler)
    fixture.engine.put(1, 2, 3)
    assert done.wait(LIMIT)
    assert order == [
        ("begin", 1),
        ("waited", True),
        ("end", 1),
        ("begin", 2),
        ("end", 2),
        ("begin", 3),
        ("end", 3),
    ]


# -- timers --------------------------------------------------------------------------------------------------


def at_once(fixture, *delays):
    """Timers set on the event thread for these seconds; what they append to the list, in the order of firing."""
    fired = []

    def set_them(raw):
        for delay in delays if raw == 1 else ():
            fixture.dispatcher.call_later(delay, lambda delay=delay: fired.append(delay))

    fixture.following = set_them
    fixture.engine.put(1)
    return fired


def test_timers_run_in_the_order_of_their_time(fixture):
    fired = at_once(fixture, 0.15, 0.05, 0.1, 0.05)
    wait_until(lambda: len(fired) == 4)
    assert fired == [0.05, 0.05, 0.1, 0.15]


def test_timers_run_while_a_handler_waits(fixture):
    released, done = threading.Event(), threading.Event()

    def handler(event):
        if released.wait(LIMIT):
            done.set()

    fixture.dispatcher.on(Number, handler)
    fixture.following = lambda raw: fixture.dispatcher.call_later(0.02, released.set)
    fixture.engine.put(1)
    assert done.wait(LIMIT)


def test_a_cancelled_timer_does_not_run_and_a_failing_one_stops_nothing(fixture):
    fired, done = [], threading.Event()

    def follow(raw):
        later = fixture.dispatcher.call_later
        cancelled = later(0.01, lambda: fired.append("cancelled"))
        later(0.0, cancelled.cancel)
        later(0.0, lambda: 1 // 0)
        later(0.03, done.set)

    fixture.following = follow
    fixture.engine.put(1)
    assert done.wait(LIMIT)
    assert fired == []


def test_a_timer_may_post_an_event(fixture):
    posted, done = [], threading.Event()
    fixture.dispatcher.on(Even, lambda event: (posted.append(event.value), done.set()))
    fixture.following = lambda raw: fixture.dispatcher.call_later(0.01, lambda: fixture.dispatcher.post(Even(8)))
    fixture.engine.put(1)
    assert done.wait(LIMIT)
    assert posted == [8]


def test_a_timer_that_is_due_in_years_is_not_waited_for_at_once(fixture):
    at_once(fixture, 2.0**31)
    fixture.engine.put(2)
    wait_for(fixture, lambda: 2 in fixture.followed)
    fixture.finish()
    assert 0 < fixture.engine.longest <= 86400  # a C library takes milliseconds in an int


def test_a_timer_set_on_another_thread_is_refused(fixture):
    with pytest.raises(RuntimeError):
        fixture.dispatcher.call_later(0.0, lambda: None)


def test_waiting_ends_in_time_and_when_the_engine_closes(fixture):
    assert not fixture.dispatcher.wait(lambda: False, 0.05)
    woken = []
    waiter = threading.Thread(target=lambda: woken.append(fixture.dispatcher.wait(lambda: False, None)))
    waiter.start()
    fixture.finish()
    waiter.join(LIMIT)
    assert woken == [False]


def test_waiting_for_longer_than_the_system_can(fixture):
    threading.Timer(0.05, fixture.engine.put, [1]).start()
    assert fixture.dispatcher.wait(lambda: 1 in fixture.followed, float("inf"))
    held = []
    wait = fixture.dispatcher.wait
    fixture.dispatcher.on(Even, lambda event: held.append(wait(lambda: 3 in fixture.followed, 1e300)))
    fixture.engine.put(2, 3)
    wait_until(lambda: held == [True])
    assert fixture.engine.longest <= 86400


def test_an_iterator_gets_everything_from_its_making_on(fixture):
    with fixture.dispatcher.stream(LIMIT) as stream:
        fixture.engine.put(1, 2, 3)
        assert [next(stream).value for _ in range(3)] == [1, 2, 3]
        assert (2, True) in fixture.settled and (3, True) not in fixture.settled
    assert fixture.settled == [(1, True), (2, True), (3, True)]


def test_an_iterator_ends_when_nothing_comes_and_when_the_engine_closes(fixture):
    assert list(fixture.dispatcher.stream(0.05)) == []
    stream = fixture.dispatcher.stream(None)
    fixture.engine.put(7)
    assert next(stream).value == 7
    fixture.finish()
    assert list(stream) == []


def test_events_left_in_a_closed_iterator_are_settled_unseen(fixture):
    stream = fixture.dispatcher.stream(LIMIT)
    fixture.engine.put(1, 2)
    wait_for(fixture, lambda: len(stream._events) == 2)
    assert next(stream).value == 1
    stream.close()
    assert fixture.settled == [(1, True), (2, False)]
