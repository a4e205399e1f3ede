"""Handlers that take their time: whom they hold up, what the peers are told meanwhile, and answers that come later."""

from __future__ import absolute_import, division, print_function

import threading
import time

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge._agent import dispatch, pool

LIMIT = 10.0  # seconds: only a test that fails waits that long
TEXT = [("Content-Type", "text/plain")]


class Gate(object):
    """A handler that stands still until the test lets it go.

    Attributes:
        entered: how many calls of it stand still.
    """

    def __init__(self):
        self._go_on = threading.Event()
        self.entered = 0

    def __call__(self, event):
        self.entered += 1
        assert self._go_on.wait(60.0)
        self.entered -= 1

    def open(self):
        self._go_on.set()


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.open()


def another(phone, by_hand):
    """One more call, beside a first."""
    del phone.events[:]
    return Dialog(phone, by_hand, False)


def handler_threads():
    return [thread for thread in threading.enumerate() if thread.name == "sipbridge handlers"]


# -- whom a handler holds up ----------------------------------------------------------------------------------


def test_a_handler_that_stands_still_holds_up_its_own_call_alone(phone, by_hand, gate):
    held = Dialog(phone, by_hand, False)
    phone.reactions[sipbridge.InfoReceived] = gate
    held.within("INFO", 2)
    phone.wait("info None")
    phone.reactions[sipbridge.InfoReceived] = lambda event: event.answer(202)
    held.within("INFO", 3)
    other = another(phone, by_hand)
    other.within("INFO", 2)
    assert by_hand.next("202")["Call-ID"] == other.invite["Call-ID"]
    gate.open()
    assert [by_hand.next("200", "202")["CSeq"] for _ in range(2)] == ["2 INFO", "3 INFO"]


def test_so_does_one_outside_of_calls(phone, by_hand, gate):
    phone.reactions[sipbridge.MessageReceived] = gate
    first = by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    wait_until(lambda: gate.entered == 1)
    phone.reactions[sipbridge.MessageReceived] = lambda event: event.answer(202)
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("202")
    gate.open()
    assert by_hand.next("200")["Call-ID"] == first["Call-ID"]


def test_the_events_of_a_call_keep_their_order_and_its_end_is_the_last(phone, by_hand, gate):
    """All of them come while the first handler stands still."""
    seen = []
    phone.reactions[sipbridge.IncomingCall] = lambda event: (event.call.answer(ANSWER), gate(event))
    phone.endpoint.on(sipbridge.CallConfirmed, lambda event: seen.append("confirmed"))
    phone.endpoint.on(sipbridge.InfoReceived, lambda event: seen.append(event.dtmf))
    phone.endpoint.on(sipbridge.CallEnded, lambda event: seen.append("ended"))
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    to = by_hand.next("200")["To"]
    by_hand.within(phone.endpoint.port, invite, to, "ACK", 1)
    for number in range(5):
        relay = [("Content-Type", "application/dtmf-relay")]
        by_hand.within(phone.endpoint.port, invite, to, "INFO", 2 + number, relay, b"Signal=%d\r\n" % number
                       if not isinstance(b"", str) else "Signal=%d\r\n" % number)
    by_hand.within(phone.endpoint.port, invite, to, "BYE", 9)
    wait_until(lambda: phone.endpoint.calls == ())
    assert seen == []
    gate.open()
    wait_until(lambda: "ended" in seen)
    assert seen == ["confirmed", "0", "1", "2", "3", "4", "ended"]


def test_blocking_calls_in_many_handlers_at_once(phone, by_hand, elsewhere):
    """Each asks a peer, and each of the answers reaches the one that asked."""
    bodies = {}

    def ask(event):
        bodies[event.body] = phone.endpoint.message(elsewhere.uri, event.body, timeout=LIMIT).body

    phone.reactions[sipbridge.MessageReceived] = ask
    for number in range(20):
        by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x%d" % number if bytes is not str else "x%d" % number)
    asked = [elsewhere.next("MESSAGE") for _ in range(20)]
    for message in reversed(asked):
        elsewhere.reply(message, 200, TEXT, message.body)
    wait_until(lambda: len(bodies) == 20)
    assert all(body == answered for body, answered in bodies.items())
    assert [by_hand.next("200").name for _ in range(20)] == ["200"] * 20


def test_the_event_thread_runs_no_code_of_ours(make_phone, by_hand):
    threads = {}

    def note(name):
        def noted(event):
            threads.setdefault(name, threading.current_thread().name)
            if name == "handler":
                raise ValueError("for on_error")

        return noted

    phone = make_phone(trace=note("trace"), on_error=note("hook"))
    phone.reactions[sipbridge.MessageReceived] = note("handler")
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("500")
    wait_until(lambda: len(threads) == 3)
    assert set(threads.values()) == set(["sipbridge handlers"])


def test_a_fault_of_our_own_is_told_there_too(make_phone, by_hand, monkeypatch):
    told = []
    phone = make_phone(on_error=lambda fault: told.append((fault, threading.current_thread().name)))
    monkeypatch.setattr(sipbridge.events, "MessageReceived", None)
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("500")
    wait_until(lambda: told)
    assert told[0][0].handler is None and told[0][1] == "sipbridge handlers"


# -- how many threads there are -------------------------------------------------------------------------------


def test_a_quiet_endpoint_has_no_threads_for_handlers(make_phone, by_hand, monkeypatch):
    monkeypatch.setattr(dispatch, "IDLE", 0.1)
    phone = make_phone()
    assert handler_threads() == []
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("200")
    phone.wait("request MESSAGE")
    wait_until(lambda: handler_threads() == [])
    assert phone.endpoint.handler_statistics == (pool.MOST, 0, 0, 0, 0)
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("200")


def test_events_for_an_iterator_need_no_thread(phone, by_hand):
    endpoint = phone.endpoint
    endpoint.off(sipbridge.RequestReceived, phone._record)
    with endpoint.events(LIMIT) as events:
        by_hand.request(endpoint.port, "MESSAGE", TEXT, b"x")
        next(events).answer(202)
    by_hand.next("202")
    assert handler_threads() == []


@pytest.fixture
def full(make_phone, by_hand, gate):
    """A phone with two threads, both in handlers, and as many events that wait for one; how often it refused so far."""
    phone = make_phone(handlers=2)
    phone.dialog = Dialog(phone, by_hand, False)
    phone.reactions[sipbridge.MessageReceived] = gate
    for _ in range(4):
        by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    wait_until(lambda: phone.endpoint.handler_statistics[1:] == (2, 2, 2, 0))
    return phone


def test_what_is_new_is_refused_while_all_threads_and_as_many_more_are_taken(full, by_hand, gate):
    port = full.endpoint.port
    invite = by_hand.request(port, "INVITE", SDP, OFFER)
    refusal = by_hand.next("503")
    assert refusal["Call-ID"] == invite["Call-ID"] and refusal["Retry-After"] == "2"
    by_hand.acknowledge(port, invite, refusal)
    by_hand.request(port, "FROB")
    assert by_hand.next("503")["Retry-After"] == "2"
    by_hand.request(port, "SUBSCRIBE", [("Event", "presence"), ("Expires", "60")])
    assert by_hand.next("503").method == "SUBSCRIBE"
    assert full.endpoint.handler_statistics == (2, 2, 2, 2, 3)
    assert full.labels[:3] == ["incoming sdp", "confirmed", "request MESSAGE"]
    gate.open()
    assert [by_hand.next("200").method for _ in range(4)] == ["MESSAGE"] * 4
    by_hand.request(port, "MESSAGE", TEXT, b"x")
    by_hand.next("200")
    assert full.endpoint.handler_statistics.refused == 3


def test_a_call_that_is_there_is_not_refused(full, by_hand, gate):
    full.dialog.within("INFO", 2)
    full.dialog.within("BYE", 3)
    assert by_hand.next("200", "503").name == "200"
    gate.open()
    full.wait("ended remote-bye 200")
    assert "info None" in full.labels


def test_a_call_whose_handler_stands_still_is_congested_alone(phone, by_hand, gate, monkeypatch):
    monkeypatch.setattr(dispatch, "LANE_CONGESTED", 4)
    dialog = Dialog(phone, by_hand, False)
    phone.reactions[sipbridge.InfoReceived] = gate
    dialog.within("INFO", 2)
    wait_until(lambda: gate.entered == 1)
    for number in range(3, 10):
        dialog.within("INFO", number)
    assert [by_hand.next("503")["CSeq"] for _ in range(2)] == ["8 INFO", "9 INFO"]
    other = another(phone, by_hand)
    gate.open()
    other.within("INFO", 2)
    while by_hand.next("200")["Call-ID"] != other.invite["Call-ID"]:
        pass


def test_a_trace_that_nobody_keeps_up_with_congests_nothing(make_phone, by_hand, gate, monkeypatch):
    monkeypatch.setattr(dispatch, "CONGESTED", 5)
    phone = make_phone(trace=gate)
    for _ in range(10):
        by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
        by_hand.next("200")


# -- answers that come later ----------------------------------------------------------------------------------


def deferring(*seconds):
    def defer(event):
        event.defer(*seconds)

    return defer


def test_an_answer_from_another_thread(phone, by_hand):
    """Of a request, whose handler has returned long ago; nothing else answers it."""
    phone.reactions[sipbridge.MessageReceived] = deferring()
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    event = phone.wait("request MESSAGE")
    wait_until(lambda: not phone.endpoint._dispatcher._pool.is_busy)
    assert by_hand.take(0.3) is None
    event.answer(202)
    by_hand.next("202")
    with pytest.raises(sipbridge.CallStateError):
        event.defer()


@pytest.mark.parametrize("iterated", [False, True])
@pytest.mark.parametrize(
    "method, headers, default",
    [("MESSAGE", TEXT, "200"), ("FROB", [], "501"), ("SUBSCRIBE", [("Event", "presence"), ("Expires", "60")], "489")],
)
def test_the_default_answer_comes_when_its_time_is_up(phone, by_hand, method, headers, default, iterated):
    began = time.time()
    if not iterated:
        for kind in (sipbridge.MessageReceived, sipbridge.RequestReceived, sipbridge.SubscriptionRequested):
            phone.reactions[kind] = deferring(0.5)
        by_hand.request(phone.endpoint.port, method, headers)
        assert by_hand.next("200", "501", "489").name == default
    else:
        with phone.endpoint.events(LIMIT) as events:
            by_hand.request(phone.endpoint.port, method, headers)
            next(events).defer(0.5)
        assert by_hand.next("200", "501", "489").name == default
    assert time.time() - began >= 0.4


def test_a_call_that_is_answered_later_and_one_that_is_not(phone, by_hand):
    phone.reactions[sipbridge.IncomingCall] = deferring(60.0)
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    threading.Timer(0.1, phone.wait("incoming sdp").call.answer, [ANSWER]).start()
    by_hand.within(phone.endpoint.port, invite, by_hand.next("200")["To"], "ACK", 1)
    phone.wait("confirmed")
    phone.reactions[sipbridge.IncomingCall] = deferring(0.3)
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    by_hand.acknowledge(phone.endpoint.port, invite, by_hand.next("480"))
    phone.wait("ended rejected 480")


def test_a_deferral_can_be_prolonged(phone, by_hand):
    phone.reactions[sipbridge.MessageReceived] = deferring(0.2)
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    phone.wait("request MESSAGE").defer(30.0)
    assert by_hand.take(0.8) is None
    phone.events[0].answer(202)
    by_hand.next("202")


def test_an_offer_within_a_call(phone, by_hand):
    dialog = Dialog(phone, by_hand, False)
    phone.reactions[sipbridge.CallReinvited] = deferring(0.3)
    dialog.within("INVITE", 2, SDP, OFFER)
    answered = by_hand.next("200")
    assert answered.method == "INVITE" and b"m=audio" in answered.body
    dialog.within("ACK", 2)
    dialog.is_alive()


def test_hanging_up_answers_what_was_deferred(phone, by_hand):
    dialog = Dialog(phone, by_hand, False)
    phone.reactions[sipbridge.InfoReceived] = deferring(60.0)
    dialog.within("INFO", 2)
    event = phone.wait("info None")
    wait_until(lambda: event.request.answer_by is not None)
    dialog.call.hangup()
    assert by_hand.next("200")["CSeq"] == "2 INFO"
    by_hand.reply(by_hand.next("BYE"), 200)


def test_a_handler_that_raises_has_not_deferred(phone, by_hand):
    def fail(event):
        event.defer()
        raise ValueError

    phone.reactions[sipbridge.MessageReceived] = fail
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("500")


# -- the end --------------------------------------------------------------------------------------------------


def test_a_handler_may_close_the_endpoint(phone, by_hand):
    """It does not wait for itself; who waits for the end does so until it has returned from that."""
    closed = []
    phone.reactions[sipbridge.MessageReceived] = lambda event: (
        event.answer(202), phone.endpoint.close(), closed.append(phone.endpoint.wait_closed(0.0))
    )  # fmt: skip
    dialog = Dialog(phone, by_hand, False)
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    by_hand.next("202")
    by_hand.reply(by_hand.next("BYE"), 200)
    assert phone.endpoint.wait_closed(LIMIT)
    wait_until(lambda: closed == [True])
    assert dialog.call.ended.cause == "local-bye"
    assert phone.labels[-1] == "ended local-bye 200"


def test_closing_waits_for_handlers_as_long_as_for_peers(phone, by_hand, gate):
    phone.reactions[sipbridge.MessageReceived] = gate
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    wait_until(lambda: gate.entered == 1)
    threading.Timer(0.3, gate.open).start()
    phone.endpoint.close(timeout=LIMIT)
    assert gate.entered == 0


def test_closing_does_not_wait_for_ever(phone, by_hand, gate):
    phone.reactions[sipbridge.MessageReceived] = gate
    by_hand.request(phone.endpoint.port, "MESSAGE", TEXT, b"x")
    wait_until(lambda: gate.entered == 1)
    phone.endpoint.close(timeout=0.2)
    assert gate.entered == 1
    assert phone.endpoint.wait_closed(LIMIT)


def test_handlers_that_wait_when_it_closes_are_woken(phone, by_hand):
    """Each sees the end of its own call, or learns that there is no more to wait for."""
    ends = []
    phone.reactions[sipbridge.IncomingCall] = lambda event: (
        event.call.answer(ANSWER), ends.append(event.call.wait_ended(60.0).cause)
    )  # fmt: skip
    for _ in range(3):
        invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
        by_hand.within(phone.endpoint.port, invite, by_hand.next("200")["To"], "ACK", 1)
    wait_until(lambda: [call.state for call in phone.endpoint.calls] == ["established"] * 3)
    closing = threading.Thread(target=phone.endpoint.close, args=(LIMIT,))
    closing.start()
    for _ in range(3):
        by_hand.reply(by_hand.next("BYE"), 200)
    closing.join(LIMIT)
    assert ends == ["local-bye"] * 3 and not closing.is_alive()
