"""What observers are told, in which order, and what becomes of one that fails."""

from __future__ import absolute_import, division, print_function

import threading
import time

import pytest

import sipbridge
from peers.waiting import wait_until
from sipbridge import testing
from sipbridge._agent import telling as module
from sipbridge._agent.observers import RULES
from sipbridge._agent.telling import KINDS, Observers

LIMIT = 10.0  # seconds: only a test that fails waits that long


class Recorder(sipbridge.Observer):
    """Has a list of what it was told."""

    def __init__(self):
        self.told = []
        self.changed = threading.Condition()

    def add(self, kind, arguments):
        with self.changed:
            self.told.append((kind,) + arguments)
            self.changed.notify_all()

    def until(self, kind):
        """The first that was told of that kind, once there is one."""
        end = time.time() + LIMIT
        with self.changed:
            while not self.of(kind):  # another kind wakes it, too
                assert time.time() < end, "%s: not in %s" % (kind, self.kinds())
                self.changed.wait(end - time.time())
        return self.of(kind)[0]

    def of(self, kind):
        return [told[1:] for told in self.told if told[0] == kind]

    def kinds(self):
        return [told[0] for told in self.told]


def _telling(kind):
    return lambda self, *arguments: self.add(kind, arguments)


def observing(endpoint, *kinds):
    """A Recorder that the endpoint tells of these kinds alone."""
    methods = dict((kind, _telling(kind)) for kind in kinds)
    return endpoint.observe(type("Some", (Recorder,), methods)())


CALL = ("call_started", "call_progress", "call_answered", "call_ended")


def ring_and_answer(endpoint):
    def take(event):
        event.call.ring()
        event.call.answer(testing.SDP)

    endpoint.on(sipbridge.IncomingCall, take)


def test_a_call_is_told_of_on_both_sides_and_in_order(alice, bob):
    ring_and_answer(bob)
    ours, theirs = observing(alice, *CALL), observing(bob, *CALL)
    call = alice.call(bob.uri, testing.SDP)
    call.hangup()
    ended = call.wait_ended(LIMIT)
    for observer, cause in ((ours, "local-bye"), (theirs, "remote-bye")):
        assert observer.until("call_ended")[0].cause == cause
        assert observer.kinds() == list(CALL)
        assert {getattr(told[1], "call", told[1]).call_id for told in observer.told} == {call.call_id}
        assert observer.of("call_progress")[0][1] == 180
        assert 0.0 <= observer.of("call_answered")[0][1] < LIMIT
    assert ours.of("call_ended") == [(ended,)]


def test_a_call_that_cannot_begin_is_told_of_as_ended(alice, bob):
    bob.close()
    observer = observing(alice, *CALL)
    with pytest.raises(sipbridge.PeerUnreachable):
        alice.call("sip:nobody@example.com", testing.SDP)
    ended, = observer.until("call_ended")
    assert (observer.kinds(), ended.cause, ended.status) == (["call_started", "call_ended"], "unreachable", 503)


def test_what_is_refused_has_its_rule(alice, bob):
    observer = observing(bob, "refused", "call_started")
    ring_and_answer(bob)
    call = alice.call(bob.uri, testing.SDP)
    draining = threading.Thread(target=bob.drain, args=(LIMIT,))
    draining.start()
    wait_until(lambda: bob._agent.draining is not None)
    with pytest.raises(sipbridge.ResponseError):
        alice.call(bob.uri, testing.SDP)
    refusal, = observer.until("refused")
    call.hangup()
    draining.join()
    assert (refusal.rule, refusal.status, refusal.method) == ("draining", 503, "INVITE")
    assert refusal.rule in RULES and refusal.call_id
    assert len(observer.of("call_started")) == 1


def test_registrations_are_told_of_from_the_first_state_on(alice):
    observer = observing(alice, "registration_changed")
    alice.register("sip:example.org").unregister()
    alice.close()
    states = [(before, changed.state) for changed, before in observer.of("registration_changed")]
    assert states == [(None, "pending"), ("pending", "active"), ("active", "ended")]


def test_messages_are_those_of_the_call(alice, bob):
    ring_and_answer(bob)
    ours, theirs = observing(alice, "message", "call_ended"), observing(bob, "message", "call_ended")
    call = alice.call(bob.uri, testing.SDP)
    call.wait_established(LIMIT)
    call.send_dtmf("4")
    call.hangup()
    for observer, is_ours in ((ours, True), (theirs, False)):
        observer.until("call_ended")
        told = sorted((told[0] for told in observer.of("message")), key=lambda message: message.time)
        assert {message.call_id for message in told} == {call.call_id}
        shown = [(message.outgoing is is_ours, message.method, message.status) for message in told]
        assert shown == [
            (True, "INVITE", 0),
            (False, "INVITE", 180),
            (False, "INVITE", 200),
            (True, "ACK", 0),
            (True, "INFO", 0),
            (False, "INFO", 200),
            (True, "BYE", 0),
        ]


def test_handlers_are_told_of_on_their_thread_and_their_faults(alice, bob):
    threads = []
    observer = observing(bob, "handler_began", "handler_ended", "fault")
    add = observer.add
    observer.add = lambda kind, arguments: (threads.append(threading.current_thread()), add(kind, arguments))

    @bob.on(sipbridge.MessageReceived)
    def fail(event):
        threads.append(threading.current_thread())
        raise ValueError(event.body)

    with pytest.raises(sipbridge.ResponseError):
        alice.message(bob.uri, "hello")
    event, seconds, failed = observer.until("handler_ended")
    assert observer.kinds() == ["handler_began", "fault", "handler_ended"]
    assert (event.body, failed, len(set(threads))) == (b"hello", True, 1) and seconds >= 0.0
    fault, = observer.until("fault")
    assert fault.handler is fail and fault.call_id == event.headers["Call-ID"]


def test_a_function_that_serves_calls_has_no_time_of_its_own(alice, bob):
    observer = observing(bob, "handler_began", "handler_ended")
    bob.serve(lambda call: call.answer(testing.SDP))
    alice.call(bob.uri, testing.SDP).wait_ended(LIMIT)
    assert observer.until("handler_ended")[1:] == (None, False)
    assert observer.kinds() == ["handler_began", "handler_ended"]


def test_one_that_fails_disturbs_nothing_and_is_logged_once(alice, bob, caplog):
    class Broken(sipbridge.Observer):
        def call_started(self, call):
            raise ValueError("broken")

    bob.observe(Broken())
    observer = observing(bob, "call_started")
    ring_and_answer(bob)
    for _ in range(2):
        assert alice.call(bob.uri, testing.SDP).state == "established"
    assert len(observer.of("call_started")) == 2
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == 1 and "call_started" in logged[0].getMessage()


def test_it_may_ask_the_endpoint_and_place_a_call(alice, bob):
    class Curious(sipbridge.Observer):
        def __init__(self):
            self.seen = []

        def call_started(self, call):
            self.seen.append(list(bob.calls))
            if call.incoming:
                bob.invite(alice.uri, testing.SDP)

    curious = bob.observe(Curious())
    observer = observing(bob, "call_answered")
    for endpoint in (alice, bob):
        ring_and_answer(endpoint)
    assert alice.call(bob.uri, testing.SDP).state == "established"
    observer.until("call_answered")
    assert [len(calls) for calls in curious.seen] == [1, 2]


def test_two_threads_tell_in_order_and_one_at_a_time():
    observers, seen, busy = Observers(), [], threading.Lock()

    class Slow(sipbridge.Observer):
        def call_started(self, call):
            assert busy.acquire(False)
            seen.append(call)
            busy.release()

    observers.add(Slow())
    lock = threading.Lock()
    numbers = iter(range(2000))

    def run(wait):
        while True:
            with lock:
                number = next(numbers, None)
                if number is None:
                    return
                observers.note("call_started", number)
            observers.tell(wait)

    threads = [threading.Thread(target=run, args=(wait,)) for wait in (True, False, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(2000))


def test_what_nobody_wants_to_know_is_not_noted():
    observers = Observers()
    observers.add(sipbridge.Observer())
    assert set(kind for kind in KINDS if getattr(observers, kind)) == set(module._Lines.kinds)  # for the log


def test_the_kinds_are_the_methods_of_an_observer():
    methods = [name for name in vars(sipbridge.Observer) if not name.startswith("_")]
    assert sorted(KINDS) == sorted(methods)


def test_each_event_is_told_also_where_there_is_no_handler(alice, bob):
    ours, theirs = observing(alice, "event", "handler_began"), observing(bob, "event", "handler_began")
    ring_and_answer(bob)
    call = alice.call(bob.uri, testing.SDP)
    call.wait_established(LIMIT)
    call.hangup()
    call.wait_ended(LIMIT)
    wait_until(lambda: len(theirs.of("event")) == 3 and len(ours.of("event")) == 3)
    names = [[type(told[0]).__name__ for told in each.of("event")] for each in (ours, theirs)]
    assert names == [["CallProgress", "CallAnswered", "CallEnded"], ["IncomingCall", "CallConfirmed", "CallEnded"]]
    assert theirs.kinds()[0] == "event" and len(theirs.of("handler_began")) == 1 and not ours.of("handler_began")
