"""Draining: nothing new is taken, what is up finishes or is hung up, and the endpoint closes."""

from __future__ import absolute_import, division, print_function

import threading
import time

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import OFFER
from peers.phone import engine_under_test

LIMIT = 10.0  # seconds: only a test that fails waits that long
TEXT = [("Content-Type", "text/plain")]


class Draining(threading.Thread):
    """A thread in which an endpoint drains.

    Attributes:
        result: what drain() has returned, or None.
    """

    def __init__(self, phone, *arguments, **options):
        super(Draining, self).__init__()
        self._phone, self._arguments, self._options = phone, arguments, options
        self.result = None
        self.daemon = True
        self.start()
        deadline = time.time() + LIMIT
        while phone.endpoint._agent.draining is None:
            assert time.time() < deadline
            time.sleep(0.002)

    def run(self):
        self.result = self._phone.endpoint.drain(*self._arguments, **self._options)

    def finish(self):
        self.join(LIMIT)
        assert not self.is_alive() and self._phone.endpoint.wait_closed(LIMIT)
        return self.result


def asked(by_hand, port):
    """The status that an OPTIONS gets, once the engine knows."""
    for _ in range(100):
        by_hand.request(port, "OPTIONS")
        status = by_hand.next("200", "503").name
        if status == "503":
            break
        time.sleep(0.02)
    return status


def test_what_is_new_is_refused_and_what_is_up_finishes(phone, by_hand):
    dialog, port = Dialog(phone, by_hand, False), phone.endpoint.port
    by_hand.request(port, "OPTIONS")
    by_hand.next("200")
    draining = Draining(phone, 60.0, retry_after=120)
    assert asked(by_hand, port) == "503"
    invite = by_hand.request(port, "INVITE", SDP, OFFER)
    refusal = by_hand.next("503")
    assert (refusal["Call-ID"], refusal["Retry-After"]) == (invite["Call-ID"], "120")
    by_hand.acknowledge(port, invite, refusal)
    by_hand.request(port, "MESSAGE", TEXT, b"x")
    assert by_hand.next("503")["Retry-After"] == "120"
    by_hand.request(port, "SUBSCRIBE", [("Event", "presence"), ("Expires", "60")])
    assert by_hand.next("503").method == "SUBSCRIBE"
    dialog.within("INFO", 2)
    assert by_hand.next("200").method == "INFO"
    dialog.within("OPTIONS", 3)
    assert by_hand.next("200").method == "OPTIONS"
    assert draining.result is None
    dialog.within("BYE", 4)
    assert by_hand.next("200").method == "BYE"
    assert draining.finish() is True
    assert phone.labels == ["incoming sdp", "confirmed", "info None", "ended remote-bye 200"]


def test_new_calls_are_sent_elsewhere(phone, by_hand):
    dialog, port = Dialog(phone, by_hand, False), phone.endpoint.port
    draining = Draining(phone, 60.0, "sip:other@127.0.0.1:9")
    invite = by_hand.request(port, "INVITE", SDP, OFFER)
    moved = by_hand.next("302")
    assert "sip:other@127.0.0.1:9" in moved["Contact"]
    by_hand.acknowledge(port, invite, moved)
    by_hand.request(port, "MESSAGE", TEXT, b"x")
    by_hand.next("503")
    dialog.within("BYE", 2)
    by_hand.next("200")
    assert draining.finish() is True


def test_calls_that_do_not_finish_are_hung_up(phone, by_hand):
    Dialog(phone, by_hand, False)
    draining = Draining(phone, 0.3)
    by_hand.reply(by_hand.next("BYE"), 200)
    assert draining.finish() is False
    assert phone.labels[-1] == "ended local-bye 200"


def test_closing_ends_it(phone, by_hand):
    Dialog(phone, by_hand, False)
    draining = Draining(phone, 60.0)
    closing = threading.Thread(target=phone.endpoint.close)
    closing.start()
    by_hand.reply(by_hand.next("BYE"), 200)
    closing.join(LIMIT)
    assert draining.finish() in (True, False)


def test_registrations_are_taken_back_at_once(phone, by_hand):
    registering = threading.Thread(target=phone.endpoint.register, args=(by_hand.uri,), kwargs={"keep": True})
    registering.start()
    request = by_hand.next("REGISTER")
    by_hand.reply(request, 200, [("Contact", request["Contact"]), ("Expires", "600")])
    registering.join(LIMIT)
    dialog = Dialog(phone, by_hand, False)
    draining = Draining(phone, 60.0)
    request = by_hand.next("REGISTER")
    assert request["Expires"] == "0" or "expires=0" in request["Contact"]
    by_hand.reply(request, 200)
    phone.wait("registration ended 200")
    assert dialog.call.state == "established"
    dialog.within("BYE", 2)
    by_hand.next("200")
    assert draining.finish() is True


def test_an_endpoint_without_calls_closes_at_once():
    endpoint = sipbridge.Endpoint(engine=engine_under_test())
    began = time.time()
    assert endpoint.drain(60.0) is True
    assert endpoint.wait_closed(0.0) and time.time() - began < 30.0
    assert endpoint.drain(60.0) is True


def test_in_a_handler(phone, by_hand):
    phone.reactions[sipbridge.InfoReceived] = lambda event: (event.answer(), phone.endpoint.drain(60.0))
    dialog = Dialog(phone, by_hand, False)
    dialog.within("INFO", 2)
    by_hand.next("200")
    assert asked(by_hand, phone.endpoint.port) == "503"
    dialog.within("BYE", 3)
    by_hand.next("200")
    assert phone.endpoint.wait_closed(LIMIT)


def test_what_is_wrong_changes_nothing(phone, by_hand):
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.drain(redirect="nowhere")
    by_hand.request(phone.endpoint.port, "OPTIONS")
    by_hand.next("200")
