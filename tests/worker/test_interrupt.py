"""Ctrl-C in the main thread of a service, at the worst moment of what it says to its worker."""

from __future__ import absolute_import, division, print_function

import os
import signal
import sys
import threading
import time

import pytest

from peers.process import freeze
from peers.waiting import wait_until
from sipbridge._engine import stream
from sipbridge._engine.records import Content
from worker.processes import worker_of


@pytest.fixture(autouse=True)
def interruptible():
    """A process that was started in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def busy(make_phone, by_hand):
    """A phone whose event thread stands still, so that the main thread has to see to its own results."""
    phone = make_phone(hang_timeout=60.0)
    engine = phone.endpoint._engine
    with phone.endpoint._dispatcher.lock:
        by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        assert wait_until(lambda: engine._consumed and not engine._reading)  # it has that, and cannot follow it
        yield phone


def is_fine(phone, pid):
    """The same process still does what it is told."""
    done = threading.Event()

    def ask():
        for _ in range(3):
            phone.endpoint.add_credentials(u"alice", u"secret", u"sipbridge.test")
        done.set()

    asking = threading.Thread(target=ask)
    asking.daemon = True
    asking.start()
    assert done.wait(10.0), "what the worker answered was lost"
    assert worker_of(phone) == pid and "restarted" not in phone.labels


def test_an_interrupt_while_events_are_read_loses_no_octet(busy, monkeypatch):
    """If a part of a frame were lost, everything after it would be noise."""
    monkeypatch.setattr(stream, "_CHUNK", 4)
    pid = worker_of(busy)
    decoder = busy.endpoint._engine._channel._decoder
    feed, rounds = decoder.feed, []

    def interrupted(octets):
        rounds.append(octets)
        if len(rounds) == 1:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)  # for Python to heed it, if it does so here
        return feed(octets)

    decoder.feed = interrupted
    with pytest.raises(KeyboardInterrupt):
        busy.endpoint.add_credentials(u"alice", u"secret", u"sipbridge.test")
        time.sleep(10.0)
    is_fine(busy, pid)
    assert len(rounds) > 1


def test_an_interrupt_while_a_command_is_sent_loses_no_octet(busy):
    """The worker has a part of the command, and would take the next command for the rest."""
    pid = worker_of(busy)
    freeze(pid)
    alarm = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    alarm.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            busy.endpoint._engine.call_request(1, u"INFO", Content([], u"text/plain", b"x" * 3000000))
            time.sleep(10.0)
    finally:
        alarm.cancel()
        os.kill(pid, signal.SIGCONT)
    is_fine(busy, pid)


@pytest.mark.skipif(sys.version_info[0] < 3, reason="Python 2.7's main thread is not interrupted while it waits")
def test_an_interrupt_while_a_result_is_awaited(busy):
    pid = worker_of(busy)
    freeze(pid)
    alarm = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    alarm.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            busy.endpoint.add_credentials(u"alice", u"secret", u"sipbridge.test")
    finally:
        alarm.cancel()
        os.kill(pid, signal.SIGCONT)
    is_fine(busy, pid)


def test_the_reader_goes_when_it_is_not_needed(busy):
    for _ in range(5):
        busy.endpoint.add_credentials(u"alice", u"secret", u"sipbridge.test")

    def readers():
        return [thread for thread in threading.enumerate() if thread.name == "sipbridge engine reader"]

    assert wait_until(lambda: len(readers()) <= 1)
