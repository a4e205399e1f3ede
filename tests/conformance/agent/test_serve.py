"""A function for each incoming call: Endpoint.serve()."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.sdp import ANSWER, OFFER
from peers.phone import engine_under_test
from peers.waiting import wait_until

LIMIT = 10.0  # seconds: only a test that fails waits that long
RELAY = [("Content-Type", "application/dtmf-relay")]


class Caller(object):
    """A call of a peer by hand, which is taken."""

    def __init__(self, endpoint, peer):
        self._port, self._peer, self._cseq = endpoint.port, peer, 1
        self.invite = peer.request(self._port, "INVITE", SDP, OFFER)

    def taken(self):
        self._to = self._peer.next("200")["To"]
        self._peer.within(self._port, self.invite, self._to, "ACK", 1)
        return self

    def send(self, method, headers=(), body=b""):
        self._cseq += 1
        self._peer.within(self._port, self.invite, self._to, method, self._cseq, headers, body)

    def press(self, keys):
        for key in keys:
            self.send("INFO", RELAY, ("Signal=%s\r\n" % key).encode("ascii"))
            assert self._peer.next("200")["CSeq"].endswith("INFO")

    def hang_up(self):
        self.send("BYE")
        self._peer.next("200")

    def is_hung_up(self):
        bye = self._peer.next("BYE")
        assert bye["Call-ID"] == self.invite["Call-ID"]
        self._peer.reply(bye, 200)


def test_it_runs_from_top_to_bottom_and_the_call_ends_with_it(plain, by_hand):
    keyed = []

    @plain.serve
    def take(call):
        call.ring()
        call.answer(ANSWER)
        call.wait_established(LIMIT)
        keyed.append(call.collect(terminator="#", timeout=LIMIT))

    assert callable(take)
    caller = Caller(plain, by_hand)
    by_hand.next("180")
    caller.taken().press("42#")
    caller.is_hung_up()
    assert keyed == ["42"]


def test_the_peers_hang_up_is_an_exception_to_it(plain, by_hand, caplog):
    ends = []

    @plain.serve
    def take(call):
        call.answer(ANSWER)
        try:
            for key in call.keys():
                ends.append(key)
        finally:
            ends.append(call.ended.cause)

    caller = Caller(plain, by_hand).taken()
    caller.press("1")
    caller.hang_up()
    wait_until(lambda: ends == ["1", "remote-bye"])
    plain.close()
    assert caplog.records == []  # nobody has to catch it


def test_a_caller_who_cancels_is_no_fault_either(plain, by_hand, caplog):
    gate, told = threading.Event(), []

    @plain.serve
    def take(call):
        call.ring()
        gate.wait(LIMIT)
        try:
            call.answer(ANSWER)
        except sipbridge.CallStateError as error:
            told.append(error)
            raise

    caller = Caller(plain, by_hand)
    by_hand.next("180")
    by_hand.cancel(plain.port, caller.invite)
    by_hand.next("487")
    gate.set()
    wait_until(lambda: told)
    plain.close()
    assert caplog.records == []


def test_several_calls_are_served_at_once_each_from_its_start(plain, by_hand):
    """They stand still all at the same time, and none has another's keys."""
    here, keyed = threading.Semaphore(0), []

    @plain.serve
    def take(call):
        call.answer(ANSWER)
        call.data = call.collect(count=1, timeout=LIMIT)
        here.release()
        keyed.append((call.data, call.collect(count=1, timeout=LIMIT)))

    callers = [Caller(plain, by_hand).taken() for _ in range(5)]
    for number, caller in enumerate(callers):
        caller.press("%d" % number)
    for _ in callers:
        here.acquire()
    for number, caller in enumerate(callers):
        caller.press("%d" % (9 - number))
        caller.is_hung_up()
    assert sorted(keyed) == [("0", "9"), ("1", "8"), ("2", "7"), ("3", "6"), ("4", "5")]


def test_handlers_for_the_call_run_while_it_is_served(plain, by_hand):
    """Those of the endpoint, which may come before the function, and those that the function has given."""
    seen = []

    @plain.on(sipbridge.CallEnded)
    def ended(event):
        seen.append(event.cause)

    @plain.serve
    def take(call):
        call.on(sipbridge.RequestReceived, lambda event: event.answer(202))
        call.answer(ANSWER)
        call.wait_ended(None)

    caller = Caller(plain, by_hand).taken()
    caller.send("FROB")
    by_hand.next("202")
    caller.hang_up()
    wait_until(lambda: seen == ["remote-bye"])


def test_a_call_that_it_leaves_without_an_answer_is_refused(plain, by_hand):
    plain.serve(lambda call: call.ring())
    Caller(plain, by_hand)
    by_hand.next("480")


def test_what_it_raises_is_told_as_with_other_handlers(by_hand, caplog):
    told = []
    with sipbridge.Endpoint(engine=engine_under_test(), on_error=told.append) as endpoint:

        @endpoint.serve
        def take(call):
            if b"answer" in call.remote_sdp:
                call.answer(ANSWER)
                call.wait_established(LIMIT)
            raise ValueError("nonsense")

        by_hand.request(endpoint.port, "INVITE", SDP, OFFER)
        by_hand.next("500")
        by_hand.request(endpoint.port, "INVITE", SDP, OFFER + b"a=answer\r\n")
        answered = by_hand.next("200")
        by_hand.within(endpoint.port, answered, answered["To"], "ACK", 1)
        by_hand.reply(by_hand.next("BYE"), 200)
        wait_until(lambda: len(told) == 2)
    assert [(type(fault.error), fault.handler, fault.fatal) for fault in told] == [(ValueError, take, False)] * 2
    assert told[0].call_id and type(told[0].event) is sipbridge.IncomingCall
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2


def test_the_end_of_another_call_is_a_fault(plain, by_hand, elsewhere, caplog):
    """A CallHungUp of a call that the function placed itself."""

    @plain.serve
    def take(call):
        other = plain.invite(elsewhere.uri, OFFER)
        call.answer(ANSWER)
        other.hangup()
        other.wait_ended(LIMIT)
        other.wait_answered(LIMIT)

    caller = Caller(plain, by_hand)
    elsewhere.reply(elsewhere.next("INVITE"), 486)
    caller.taken()
    caller.is_hung_up()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_sys_exit_in_it_closes_the_endpoint(plain, by_hand, caplog):
    @plain.serve
    def take(call):
        raise SystemExit(3)

    Caller(plain, by_hand)
    with pytest.raises(sipbridge.EngineError) as caught:
        plain.wait_closed(LIMIT)
    assert isinstance(caught.value.__cause__, SystemExit)


def test_more_calls_than_it_may_serve_are_refused(by_hand):
    gate = threading.Event()
    with sipbridge.Endpoint(engine=engine_under_test(), handlers=2) as endpoint:

        @endpoint.serve
        def take(call):
            call.ring()
            gate.wait(LIMIT)

        endpoint.on(sipbridge.MessageReceived, lambda event: event.answer(202))
        for _ in range(2):
            by_hand.request(endpoint.port, "INVITE", SDP, OFFER)
            by_hand.next("180")
        by_hand.request(endpoint.port, "INVITE", SDP, OFFER)
        assert by_hand.next("503")["Retry-After"] == "2"
        assert endpoint.handler_statistics.refused == 1
        by_hand.request(endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        by_hand.next("202")  # handlers have threads of their own
        gate.set()
        assert [by_hand.next("480").name for _ in range(2)] == ["480"] * 2
        by_hand.request(endpoint.port, "INVITE", SDP, OFFER)
        by_hand.next("180")


def test_closing_ends_what_waits_for_its_call(plain, by_hand, caplog):
    left = []

    @plain.serve
    def take(call):
        call.answer(ANSWER)
        try:
            call.collect(count=1, timeout=None)
        finally:
            left.append(call.ended.cause)

    Caller(plain, by_hand).taken()
    wait_until(lambda: [call.state for call in plain.calls] == ["established"])
    closing = threading.Thread(target=plain.close, args=(LIMIT,))
    closing.start()
    by_hand.reply(by_hand.next("BYE"), 200)
    closing.join(LIMIT)
    assert left == ["local-bye"] and caplog.records == []


def test_an_endpoint_has_one_such_function(plain):
    plain.serve(len)
    with pytest.raises(sipbridge.InputError):
        plain.serve(len)
