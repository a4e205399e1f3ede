"""The worker dies, at each step of what it may be doing."""

from __future__ import absolute_import, division, print_function

import os
import signal
import time

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.process import freeze
from peers.waiting import wait_until
from sipbridge._command.demo_registrar import Registrar
from sipbridge._engine.channel import Channel
from worker.processes import Background, established, is_alive, lose, worker_of

SIGNALS = [signal.SIGKILL, signal.SIGSEGV]


# -- calls: each of these brings one to a step, and returns it ---------------------------------------------------


def incoming(phone, by_hand):
    by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    return phone.wait("incoming sdp").call


def ringing(phone, by_hand):
    call = incoming(phone, by_hand)
    call.ring()
    by_hand.next("180")
    return call


def accepted(phone, by_hand):
    call = incoming(phone, by_hand)
    call.answer(ANSWER)
    by_hand.next("200")
    return call


def confirmed(phone, by_hand):
    invite = by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    by_hand.within(phone.endpoint.port, invite, by_hand.next("200")["To"], "ACK", 1)
    phone.wait("confirmed")
    return call


def calling(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.next("INVITE")
    return call


def progress(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 180)
    phone.wait("progress 180")
    return call


def cancelled(phone, by_hand):
    call = progress(phone, by_hand)
    call.hangup()
    by_hand.next("CANCEL")
    return call


def hung_up(phone, by_hand):
    call = established(phone, by_hand)
    call.hangup()
    by_hand.next("BYE")
    return call


STEPS = [incoming, ringing, accepted, confirmed, calling, progress, established, cancelled, hung_up]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("step", STEPS)
def test_a_call_ends_and_the_next_one_goes_through(phone, by_hand, step, number):
    call, port = step(phone, by_hand), phone.endpoint.port
    restarted = lose(phone, number)
    assert signal.SIGSEGV != number or "SIGSEGV" in restarted.reason
    ended = call.wait_ended(1.0)
    assert (ended.cause, ended.status) == ("engine-lost", 503)
    assert isinstance(ended.error, sipbridge.EngineLost)
    assert phone.labels[-2:] == ["ended engine-lost 503", "restarted"]
    assert phone.endpoint.calls == ()
    assert phone.endpoint.port == port
    with pytest.raises(sipbridge.CallStateError):
        call.info(b"", "text/plain")
    call.hangup()  # does nothing
    by_hand.waiting = []
    assert established(phone, by_hand).state == "established"


def test_every_call_ends_once(phone, by_hand):
    calls = [calling(phone, by_hand) for _ in range(20)]
    lose(phone, signal.SIGKILL)
    assert [call.wait_ended(1.0).cause for call in calls] == ["engine-lost"] * 20
    assert phone.labels.count("ended engine-lost 503") == 20


def test_a_call_that_had_ended_does_not_end_again(phone, by_hand):
    call = established(phone, by_hand)
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    phone.wait("ended local-bye 200")
    assert call.ended is not None
    labels = phone.labels
    lose(phone, signal.SIGKILL)
    assert phone.labels == labels + ["restarted"]


# -- whoever waits -----------------------------------------------------------------------------------------------


def test_a_function_that_serves_a_call_is_left(phone, by_hand, caplog):
    """It waits for keys, and the loss of its call is no fault of its own."""
    left = []

    @phone.endpoint.serve
    def take(call):
        call.answer(ANSWER)
        try:
            call.collect(count=1, timeout=None)
        except sipbridge.EngineLost as error:
            left.append(error.call is call)
            raise

    invite = by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    by_hand.within(phone.endpoint.port, invite, by_hand.next("200")["To"], "ACK", 1)
    phone.wait("confirmed")
    lose(phone, signal.SIGKILL)
    assert wait_until(lambda: left == [True])
    phone.endpoint.close()
    assert [record for record in caplog.records if "handler" in record.getMessage()] == []


@pytest.mark.parametrize("number", SIGNALS)
def test_each_waiting_method_raises_engine_lost(phone, by_hand, silent, number):
    up, placed = established(phone, by_hand), phone.endpoint.invite(silent.uri, OFFER)
    blocked = [
        Background(up.info, b"Signal=1\r\n", "application/dtmf-relay"),
        Background(up.reinvite, OFFER),
        Background(placed.wait_answered),
        Background(placed.wait_established),
        Background(phone.endpoint.call, silent.uri, OFFER),
        Background(phone.endpoint.message, silent.uri, u"text"),
        Background(phone.endpoint.options, silent.uri),
        Background(phone.endpoint.register, silent.uri, "sip:alice@sipbridge.test"),
    ]
    for name in ("INFO", "INVITE"):
        by_hand.next(name)
    assert wait_until(lambda: len(set(each.split(b" ", 1)[0] for each in silent_has(silent))) == 4)
    lose(phone, number)
    for each in blocked:
        assert isinstance(each.error(), sipbridge.EngineLost), each.error()


def silent_has(silent):
    """Everything that has arrived there so far."""
    silent.seen = getattr(silent, "seen", []) + silent.received()
    return silent.seen


def test_a_waiting_handler_gets_engine_lost(phone, by_hand, silent):
    raised = []

    def place(event):
        try:
            phone.endpoint.call(silent.uri, OFFER)
        except sipbridge.SipbridgeError as error:
            raised.append(error)

    phone.reactions[sipbridge.IncomingCall] = place
    by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    assert wait_until(silent.received), raised
    lose(phone, signal.SIGKILL)
    wait_until(lambda: raised)
    assert [type(error) for error in raised] == [sipbridge.EngineLost]


def test_an_iterator_sees_the_end_of_each_call(phone, by_hand):
    with phone.endpoint.events(10.0) as stream:
        call = calling(phone, by_hand)
        os.kill(worker_of(phone), signal.SIGKILL)
        kinds = [type(next(stream)), type(next(stream))]
    assert kinds == [sipbridge.CallEnded, sipbridge.EngineRestarted]
    assert call.ended.cause == "engine-lost"


# -- what is restored --------------------------------------------------------------------------------------------


def test_credentials_and_registrations_are_there_again(make_phone):
    with Registrar({"alice": "wonderland"}) as registrar:
        phone = make_phone("sip:alice@" + registrar.host_port)
        phone.endpoint.add_credentials("alice", "wonderland")
        registration = phone.endpoint.register(registrar.uri)
        for count in (2, 3):
            registrar.bindings.clear()
            lose(phone, signal.SIGKILL)
            phone.wait("registration active 200", count)
            assert ":%d" % phone.endpoint.port in registrar.bindings["alice"]
            assert registration.state == "active"
        registration.refresh()
        registration.unregister()
        assert (registration.state, registrar.bindings) == ("ended", {})
        phone.wait("registration ended 200")
        phone.wait("restarted", 2)
        labels = phone.labels
        lose(phone, signal.SIGKILL)
        assert phone.labels == labels + ["restarted"]
        assert registrar.bindings == {}


def test_a_registration_that_is_refused_afterwards_has_failed(make_phone):
    passwords = {"alice": "wonderland"}
    with Registrar(passwords) as registrar:
        phone = make_phone("sip:alice@" + registrar.host_port)
        phone.endpoint.add_credentials("alice", "wonderland")
        registration = phone.endpoint.register(registrar.uri)
        passwords["alice"] = "another"
        lose(phone, signal.SIGKILL)
        assert wait_until(lambda: registration.state == "failed")
        assert wait_until(lambda: phone.labels[-1].startswith("registration failed 40"))  # the event follows the state
        registration.unregister()  # does nothing


def test_a_worker_that_dies_while_it_registers_again_costs_no_registration(make_phone, monkeypatch):
    request, killed = Channel.request, []

    def dying(self, timeout, method, *arguments):
        if method == "register" and not killed:
            killed.append(self.process.pid)
            self.process.kill()
        return request(self, timeout, method, *arguments)

    with Registrar({"alice": "wonderland"}) as registrar:
        phone = make_phone("sip:alice@" + registrar.host_port)
        phone.endpoint.add_credentials("alice", "wonderland")
        registration = phone.endpoint.register(registrar.uri)
        monkeypatch.setattr(Channel, "request", dying)
        registrar.bindings.clear()
        lose(phone, signal.SIGKILL)
        phone.wait("registration active 200", 2)
        assert killed and worker_of(phone) not in killed
        assert registration.state == "active" and "alice" in registrar.bindings


def test_credentials_given_while_there_is_no_process(make_phone):
    phone = make_phone(backoff=1.0)
    lose(phone, signal.SIGKILL)
    pid = worker_of(phone)
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: worker_of(phone) is None)
    phone.endpoint.add_credentials("alice", "wonderland")
    with pytest.raises(sipbridge.EngineLost) as caught:
        phone.endpoint.invite("sip:bob@127.0.0.1:9", OFFER)
    assert str(pid) in str(caught.value)
    phone.wait("restarted", 2)
    with Registrar({"alice": "wonderland"}) as registrar:
        phone.endpoint.register(registrar.uri, "sip:alice@" + registrar.host_port)


def test_credentials_of_several_users_are_there_again(make_phone):
    passwords = {"alice": "wonderland", "bob": "builder"}
    phone = make_phone()
    with Registrar(passwords) as registrar:
        for user in ("bob", "alice", "alice"):  # one realm, which has a password for each
            phone.endpoint.add_credentials(user, passwords[user], realm="sipbridge demo")
        lose(phone, signal.SIGKILL)
        for user in passwords:
            phone.endpoint.register(registrar.uri, "sip:%s@%s" % (user, registrar.host_port))
        assert sorted(registrar.bindings) == ["alice", "bob"]


def test_credentials_that_were_refused_are_not_kept(phone, by_hand):
    phone.endpoint.add_credentials("alice", "wonderland")
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.add_credentials("x" * 5000, "wonderland")
    lose(phone, signal.SIGKILL)
    established(phone, by_hand)


# -- subscriptions -----------------------------------------------------------------------------------------------


def test_subscriptions_from_outside_end(phone, other):
    phone.reactions[sipbridge.SubscriptionRequested] = lambda event: event.notifier.accept()
    other.endpoint.subscribe(phone.uri, "presence")
    notifier = next(event.notifier for event in phone.events if isinstance(event, sipbridge.SubscriptionRequested))
    lose(phone, signal.SIGKILL)
    terminated = [event for event in phone.events if isinstance(event, sipbridge.SubscriptionTerminated)]
    assert [event.notifier for event in terminated] == [notifier]
    assert notifier.state == "ended"


# -- a hang ------------------------------------------------------------------------------------------------------


def test_a_worker_that_hangs_is_replaced(make_phone, by_hand):
    phone = make_phone(hang_timeout=1.0)
    call, pid = established(phone, by_hand), worker_of(phone)
    began = time.time()
    freeze(pid)
    blocked = Background(phone.endpoint.message, by_hand.uri, u"text")
    restarted = phone.wait("restarted", 1, 10.0)
    assert "no sign of life for 1 s" in restarted.reason
    assert time.time() - began > 0.9
    assert isinstance(blocked.error(), sipbridge.EngineLost)
    assert call.wait_ended(1.0).cause == "engine-lost"
    assert not is_alive(pid)
    by_hand.waiting = []
    established(phone, by_hand)


def test_a_worker_whose_main_loop_hangs_is_replaced(make_phone, interpreter, tmpdir, by_hand):
    """The process and its engine still run."""
    trigger = tmpdir.join("hang")
    phone = make_phone(hang_timeout=1.0, python=interpreter("hanging_worker.py", str(trigger)))
    call, pid = established(phone, by_hand), worker_of(phone)
    trigger.write("")
    assert wait_until(lambda: worker_of(phone) != pid)
    trigger.remove()
    assert "no sign of life for 1 s" in phone.wait("restarted").reason
    assert call.wait_ended(1.0).cause == "engine-lost"


class Unread(object):
    """A phone whose event thread stands still: nobody waits for its worker, but for the thread that watches it."""

    def __init__(self, phone, by_hand):
        self._lock = phone.endpoint._dispatcher.lock
        engine = phone.endpoint._engine
        self._lock.acquire()
        by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        assert wait_until(lambda: engine._consumed and not engine._reading)  # it has that, and cannot follow it

    def read(self):
        self._lock.release()


def test_signs_of_life_are_seen_while_nobody_reads(make_phone, by_hand):
    phone = make_phone(hang_timeout=1.0)
    unread, pid = Unread(phone, by_hand), worker_of(phone)
    channel = phone.endpoint._engine._channel
    before = channel.heard
    assert wait_until(lambda: channel.heard >= before + 8)  # one is sent every 0.2 s: longer than a hang
    unread.read()
    established(phone, by_hand)
    assert worker_of(phone) == pid and "restarted" not in phone.labels


def test_a_hang_is_seen_while_nobody_reads(make_phone, by_hand):
    phone = make_phone(hang_timeout=1.0)
    unread, pid = Unread(phone, by_hand), worker_of(phone)
    freeze(pid)
    assert wait_until(lambda: not is_alive(pid))
    unread.read()
    assert "no sign of life for 1 s" in phone.wait("restarted").reason


def test_a_death_is_seen_while_nobody_reads(make_phone, by_hand):
    phone = make_phone(hang_timeout=60.0)
    unread, engine = Unread(phone, by_hand), phone.endpoint._engine
    os.kill(worker_of(phone), signal.SIGKILL)
    assert wait_until(lambda: engine._supervisor.deaths == 1 and engine.pid)
    unread.read()
    assert "SIGKILL" in phone.wait("restarted").reason


def test_a_worker_whose_end_of_the_socket_lives_on_is_lost_all_the_same(make_phone, interpreter):
    """A child of the worker holds it."""
    phone = make_phone(python=interpreter("forking_worker.py"))
    lose(phone, signal.SIGKILL)


def test_a_short_pause_of_a_worker_is_tolerated(make_phone, by_hand):
    phone = make_phone(hang_timeout=5.0)
    pid = worker_of(phone)
    freeze(pid)
    time.sleep(1.0)
    os.kill(pid, signal.SIGCONT)
    established(phone, by_hand)
    assert worker_of(phone) == pid
    assert "restarted" not in phone.labels
