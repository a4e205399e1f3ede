"""A service that does not read its events: nothing grows without bound, and each call still has its end."""

from __future__ import absolute_import, division, print_function

import socket
import time

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge._agent import dispatch
from sipbridge._engine import remote
from worker.processes import worker_of


@pytest.fixture
def unshielded(monkeypatch):
    """The shield lets everything in that comes: it is the engine that is to be congested."""
    monkeypatch.setenv("SIPBRIDGE_SHIELD_INVITE", "off")


class Stuck(object):
    """Has the event thread of a phone stand still until the test lets it go, as where the machine is too busy."""

    def __init__(self, phone):
        self._lock = phone.endpoint._dispatcher.lock
        self._lock.acquire()
        self._is_stuck = True

    def let_go(self):
        if self._is_stuck:
            self._lock.release()
        self._is_stuck = False


@pytest.fixture
def stuck(phone):
    """The event thread of ``phone``, standing still."""
    stuck = Stuck(phone)
    yield stuck
    stuck.let_go()


def test_events_wait_at_the_engine(monkeypatch, make_phone, other):
    """No more than the window is sent ahead, whatever else goes through the socket."""
    monkeypatch.setattr(remote, "WINDOW", 20)
    phone = make_phone()
    stuck = Stuck(phone)
    calls = [other.endpoint.invite(phone.uri, OFFER) for _ in range(60)]
    for call in calls:
        assert wait_until(lambda call=call: call.state == "calling")
        call.hangup()
    for call in calls:
        assert call.wait_ended().cause == "cancelled"
        phone.endpoint.add_credentials("alice", "secret")  # reads what has come, for its own result
    waiting = len(phone.endpoint._engine._events)
    assert 10 < waiting <= 20
    stuck.let_go()
    phone.wait("ended cancelled 487", 60)
    assert phone.labels.count("incoming sdp") == 60
    incoming = [event.call for event in phone.events if isinstance(event, sipbridge.IncomingCall)]
    ended = [event.call for event in phone.events if isinstance(event, sipbridge.CallEnded)]
    assert sorted(map(id, incoming)) == sorted(map(id, ended))


def test_an_iterator_that_nobody_moves(monkeypatch, phone, other):
    """Calls below the limit end in order; the endpoint refuses those above it, and the iterator never sees them."""
    monkeypatch.setattr(dispatch, "CONGESTED", 10)
    with phone.endpoint.events(60.0) as stream:
        calls = [other.endpoint.invite(phone.uri, OFFER) for _ in range(30)]
        assert wait_until(lambda: sum(call.ended is not None for call in calls) >= 15)
        for call in calls:
            call.hangup()
        statuses = [call.wait_ended().status for call in calls]
        refused = [status for status in statuses if status != 487]
        assert set(refused) == {503}
        seen, ended = [], []
        # A call that was cancelled before it was told of is among the 487, and never seen.
        while len(seen) < 10 or len(ended) < len(seen):
            event = next(stream)
            (seen if isinstance(event, sipbridge.IncomingCall) else ended).append(event.call)
        assert seen == [event.call for event in phone.events if isinstance(event, sipbridge.IncomingCall)][: len(seen)]
        assert sorted(map(id, seen)) == sorted(map(id, ended))
        assert len(seen) <= 15
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.answer(ANSWER)
    other.endpoint.call(phone.uri, OFFER).hangup()


def test_handlers_that_wait_while_calls_come(make_phone, other, silent):
    """Each in a call of its own: four have a thread, four wait for one, and there is no room for the others."""
    phone = make_phone(handlers=4)
    placed = []

    def place(event):
        placed.append(phone.endpoint.invite(silent.uri, OFFER))
        placed[-1].wait_ended(60.0)

    phone.reactions[sipbridge.IncomingCall] = place
    calls = [other.endpoint.invite(phone.uri, OFFER) for _ in range(8)]
    assert wait_until(lambda: phone.endpoint.handler_statistics[1:4] == (4, 4, 4))
    calls += [other.endpoint.invite(phone.uri, OFFER) for _ in range(12)]
    assert wait_until(lambda: sum(call.ended is not None for call in calls) == 12)
    assert set(call.ended.status for call in calls if call.ended is not None) == {503}
    assert len(placed) == 4 and phone.endpoint.handler_statistics.refused == 12
    phone.endpoint.close()
    for call in calls:
        call.wait_ended()


def answered(by_hand, phone):
    """Whether an INVITE, which the engine may be too busy to receive, is refused as the service has it."""
    by_hand.request(phone.endpoint.port, "INVITE")
    names = [getattr(by_hand.take(2.0), "name", None) for _ in range(3)]
    return "486" in names


def rss_kb(pid):
    with open("/proc/%d/status" % pid) as status:
        (line,) = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1])


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_minute_without_reading_under_load(unshielded, phone, stuck, by_hand):
    """Calls come until the engine answers 503, and a while longer; each call that was taken gets its end."""
    load = Load(phone.endpoint.port)
    load.run(seconds=60.0)
    for _ in range(24):
        if load.refused <= 100:
            load.run(seconds=10.0)
    assert load.refused > 100, "%d calls were not enough to congest it" % load.sent
    at_limit = rss_kb(worker_of(phone))
    assert len(phone.endpoint._engine._events) <= remote.WINDOW
    load.run(seconds=20.0)
    load.stop()
    assert rss_kb(worker_of(phone)) < at_limit + 20000
    ended = []
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(486)
    phone.reactions[sipbridge.CallEnded] = lambda event: ended.append(event.call)
    stuck.let_go()
    assert wait_until(lambda: len(ended) > 5000 and not phone.endpoint.calls, 300.0)
    # Events come in order: what came before has been seen.
    assert any(answered(by_hand, phone) for _ in range(30))
    assert wait_until(lambda: not phone.endpoint.calls)
    incoming = [event.call for event in phone.events if isinstance(event, sipbridge.IncomingCall)]
    assert len(ended) == len(set(ended)) and set(ended) == set(incoming)


class Load(object):
    """INVITEs, some hundred a second, none of them twice, and a count of the 503s that came back."""

    def __init__(self, port):
        self._peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._peer.bind(("127.0.0.1", 0))
        self._peer.setblocking(False)
        self._port = port
        self.sent = self.refused = 0

    def run(self, seconds):
        deadline = time.time() + seconds
        while time.time() < deadline:
            for _ in range(10):
                self._send()
            time.sleep(0.02)
            self._receive()

    def stop(self):
        self._peer.close()

    def _send(self):
        self.sent += 1
        own = "127.0.0.1:%d" % self._peer.getsockname()[1]
        lines = (
            "INVITE sip:engine@127.0.0.1:%d SIP/2.0" % self._port,
            "Via: SIP/2.0/UDP %s;branch=z9hG4bKload%d" % (own, self.sent),
            "Max-Forwards: 70",
            "From: <sip:load@%s>;tag=load%d" % (own, self.sent),
            "To: <sip:engine@127.0.0.1:%d>" % self._port,
            "Call-ID: load%d" % self.sent,
            "CSeq: 1 INVITE",
            "Contact: <sip:load@%s>" % own,
            "Content-Length: 0",
        )
        self._peer.sendto(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"), ("127.0.0.1", self._port))

    def _receive(self):
        while True:
            try:
                answer = self._peer.recv(65536)
            except socket.error:  # nothing more
                return
            self.refused += answer.startswith(b"SIP/2.0 503")
