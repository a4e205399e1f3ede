"""The keys that a peer presses, taken from its call: by INFO, or handed in by who has the media."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER

LIMIT = 10.0  # seconds: only a test that fails waits that long
RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"


@pytest.fixture
def dialog(phone, by_hand):
    return Dialog(phone, by_hand, False)


def press(dialog, keys, kind=RELAY):
    """The peer sends an INFO for each key, when the one before it is answered."""
    for key in keys:
        body = ("Signal=%s\r\nDuration=160\r\n" if kind == RELAY else "%s") % key
        dialog.cseq = getattr(dialog, "cseq", 1) + 1
        dialog.within("INFO", dialog.cseq, [("Content-Type", kind)], body.encode("ascii"))
        assert dialog.peer.next("200")["CSeq"] == "%d INFO" % dialog.cseq


def in_background(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.daemon = True
    thread.start()
    return thread


def test_none_is_lost_before_they_are_asked_for(dialog):
    press(dialog, "12")
    press(dialog, "a#", PLAIN)
    keys = dialog.call.keys(timeout=LIMIT)
    assert [next(keys) for _ in range(4)] == ["1", "2", "A", "#"]


def test_each_is_taken_once_and_the_iterator_ends_when_none_comes(dialog):
    press(dialog, "123")
    assert next(dialog.call.keys()) == "1"
    assert list(dialog.call.keys(timeout=0.1)) == ["2", "3"]
    assert list(dialog.call.keys(timeout=0.0)) == []


@pytest.mark.parametrize("watched", ["not watched", "by a handler", "by an iterator"])
def test_a_handler_may_wait_for_keys_while_the_peer_waits_for_the_answer_to_each(plain, by_hand, watched):
    """The peer sends no key before the INFO with the last is answered, as send_dtmf() does. Handlers and iterators, to
    which the INFO comes when the handler that waits has returned, change nothing.
    """
    taken, seen = [], []
    if watched == "by a handler":
        plain.on(sipbridge.InfoReceived, lambda event: seen.append(event.dtmf))
    elif watched == "by an iterator":
        iterator = plain.events(timeout=LIMIT)
        kind = sipbridge.InfoReceived
        in_background(lambda: seen.extend(event.dtmf for event in iterator if isinstance(event, kind)))

    @plain.on(sipbridge.IncomingCall)
    def take(event):
        event.call.answer(ANSWER)
        taken.append(event.call.collect(terminator="#", timeout=LIMIT))

    invite = by_hand.request(plain.port, "INVITE", SDP, OFFER)
    to = by_hand.next("200")["To"]
    by_hand.within(plain.port, invite, to, "ACK", 1)
    call = plain.calls[0]
    for number, key in enumerate("42#"):
        body = ("Signal=%s\r\n" % key).encode("ascii")
        by_hand.within(plain.port, invite, to, "INFO", 2 + number, [("Content-Type", RELAY)], body)
        assert by_hand.next("200")["CSeq"] == "%d INFO" % (2 + number)
    assert call._agent.wait(lambda: taken, LIMIT) or taken
    assert taken == ["42"]
    assert watched == "not watched" or call._agent.wait(lambda: len(seen) == 3, LIMIT)
    assert seen == ([] if watched == "not watched" else ["4", "2", "#"])
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)


def test_what_ends_the_collecting(dialog):
    press(dialog, "1234#56*7")
    collect = dialog.call.collect
    for keys, ended_by, found in [
        ("1234", "count", collect(count=4)),
        ("", "terminator", collect(count=4, terminator="#")),
        ("56", "terminator", collect(terminator="#*", timeout=LIMIT)),
        ("7", "timeout", collect(count=4, timeout=0.1)),
        ("", "timeout", collect(timeout=0.0)),
    ]:
        assert (found, found.ended_by) == (keys, ended_by)
        assert isinstance(found, type(u""))


def test_no_more_than_256_wait_and_the_first_are_kept(dialog):
    for key in "12" * 200:
        dialog.call.put_key(key)
    assert dialog.call.collect(timeout=0.0) == "12" * 128


def test_the_time_begins_anew_with_each_key(dialog):
    def type_slowly():
        for key in "4711":
            dialog.call._agent.wait(lambda: False, 0.4)
            dialog.call.put_key(key)

    in_background(type_slowly)
    assert dialog.call.collect(count=4, timeout=1.2) == "4711"  # which takes 1.6 s


def test_keys_of_the_media_come_from_any_thread_and_wake_who_waits(dialog):
    keys = dialog.call.keys(timeout=LIMIT)
    in_background(lambda: [dialog.call.put_key(key) for key in "7d"])
    assert [next(keys), next(keys)] == ["7", "D"]
    press(dialog, "1")
    assert next(keys) == "1"


def test_the_keys_that_were_pressed_before_the_peer_hung_up_come_first(dialog):
    press(dialog, "12")
    dialog.within("BYE", 9)
    dialog.call.wait_ended(LIMIT)
    keys = dialog.call.keys()
    assert [next(keys), next(keys)] == ["1", "2"]
    with pytest.raises(sipbridge.CallHungUp) as caught:
        next(keys)
    assert caught.value.call is dialog.call
    assert caught.value.ended.cause == "remote-bye"
    assert "the peer hung up" in str(caught.value)


def test_who_waits_for_keys_learns_that_the_peer_has_hung_up(dialog):
    errors = []

    def wait():
        try:
            dialog.call.collect(count=1, timeout=None)
        except sipbridge.CallHungUp as error:
            errors.append(error)

    waiting = in_background(wait)
    dialog.within("BYE", 9)
    waiting.join(LIMIT)
    assert [error.ended.cause for error in errors] == ["remote-bye"]


def test_who_waits_for_an_answer_learns_it_too(dialog, by_hand):
    errors = []

    def ask():
        with pytest.raises(sipbridge.CallHungUp) as caught:
            dialog.call.info(b"x", "text/plain")
        errors.append(caught.value)

    asking = in_background(ask)
    by_hand.next("INFO")
    dialog.within("BYE", 9)
    asking.join(LIMIT)
    assert [(error.call, error.ended.cause) for error in errors] == [(dialog.call, "remote-bye")]


def test_a_method_of_a_call_that_has_ended_says_how(dialog):
    dialog.within("BYE", 9)
    dialog.call.wait_ended(LIMIT)
    for method in (dialog.call.hold, dialog.call.ring, lambda: dialog.call.answer(ANSWER), dialog.call.wait_answered):
        with pytest.raises(sipbridge.CallStateError) as caught:
            method()
        if method != dialog.call.wait_answered:  # which is for calls of ours
            assert isinstance(caught.value, sipbridge.CallHungUp) and "the peer hung up" in str(caught.value)


def test_no_more_keys_come_when_the_endpoint_is_closed(phone, by_hand):
    dialog = Dialog(phone, by_hand, False)
    closing = in_background(phone.endpoint.close)
    by_hand.reply(by_hand.next("BYE"), 200)
    with pytest.raises(sipbridge.CallHungUp):
        next(dialog.call.keys())
    closing.join(LIMIT)
