"""Handlers and iterators for the events of one call."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.dialog import Dialog
from peers.waiting import wait_until

LIMIT = 10.0  # seconds: only a test that fails waits that long
TEXT = [("Content-Type", "text/plain")]


@pytest.fixture
def dialogs(phone, by_hand, elsewhere):
    """Two calls."""
    first = Dialog(phone, by_hand, False)
    del phone.events[:]
    return first, Dialog(phone, elsewhere, True)


def over(dialog):
    dialog.within("BYE", 90)
    assert dialog.call.wait_ended(LIMIT).cause == "remote-bye"


def test_a_handler_gets_the_events_of_its_call_alone(phone, dialogs):
    seen, mine, other = [], dialogs[0], dialogs[1]
    phone.endpoint.on(sipbridge.InfoReceived, lambda event: seen.append("endpoint"))
    mine.call.on(sipbridge.RequestReceived, lambda event: seen.append(event.method))

    @mine.call.on(sipbridge.InfoReceived)
    def answer(event):
        seen.append(event.call is mine.call)
        event.answer(202)

    assert callable(answer)
    other.within("INFO", 20)
    other.peer.next("200")
    mine.within("INFO", 20)
    mine.peer.next("202")
    wait_until(lambda: len(seen) == 4)  # the answer goes out before the last handler is called
    assert seen == ["endpoint", "endpoint", True, "INFO"]  # the endpoint's first
    mine.call.off(sipbridge.InfoReceived, answer)
    mine.within("INFO", 21)
    mine.peer.next("200")
    assert seen[4:] == ["endpoint", "INFO"]


def test_an_iterator_ends_with_the_end_of_its_call(dialogs):
    mine, other = dialogs
    with mine.call.events(timeout=LIMIT) as events:
        other.within("INFO", 20)
        mine.within("INFO", 20)
        over(other)
        over(mine)
        found = [event for event in events if not isinstance(event, sipbridge.CallConfirmed)]  # on its way at the begin
    assert [type(event) for event in found] == [sipbridge.InfoReceived, sipbridge.CallEnded]
    assert set(event.call for event in found) == set([mine.call])
    assert list(mine.call.events()) == [mine.call.ended]


def test_an_iterator_ends_when_nothing_comes(dialogs):
    call = dialogs[0].call
    wait_until(lambda: list(call.events(timeout=0.05)) == [])  # what is still on its way comes first


def test_a_request_that_an_iterator_took_is_answered_when_it_goes_on(dialogs):
    mine = dialogs[0]
    with mine.call.events(timeout=LIMIT) as events:
        mine.within("MESSAGE", 20, TEXT, b"x")
        event = next(events)
        assert event.text == "x" and not event.request.answered
    mine.peer.next("200")


def test_the_answer_to_it_may_be_deferred(dialogs):
    mine = dialogs[0]
    with mine.call.events(timeout=LIMIT) as events:
        mine.within("FROB", 20)
        next(event for event in events if isinstance(event, sipbridge.RequestReceived)).defer(0.3)  # ACK may be late
    mine.peer.next("501")


def test_what_a_call_ends_with_reaches_its_handlers(dialogs):
    seen = []
    dialogs[1].call.on(sipbridge.CallEnded, lambda event: seen.append(event.cause))
    over(dialogs[1])
    assert dialogs[1].call._agent.wait(lambda: seen == ["remote-bye"], LIMIT)


def test_each_call_has_a_place_for_what_is_the_programs(dialogs):
    first, second = dialogs
    assert first.call.data is None
    first.call.data = {"pin": "4711"}
    assert second.call.data is None and first.call.data["pin"] == "4711"
