"""Several endpoints in one program, each with a worker: also where the library has one stack per process."""

from __future__ import absolute_import, division, print_function

import os
import select
import signal

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge import shield
from worker.processes import lose


def test_two_endpoints_call_each_other(make_phone):
    phones = [make_phone("sip:number%d@sipbridge.test" % number) for number in range(3)]
    for phone in phones:
        phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.answer(ANSWER)
    calls = [phone.endpoint.call(phones[number - 1].uri, OFFER) for number, phone in enumerate(phones)]
    for call in calls:
        call.send_dtmf("1")
        call.hangup()
        assert call.wait_ended().cause == "local-bye"
    for phone in phones:
        phone.wait("ended remote-bye 200")
        phone.wait("ended local-bye 200")
        assert sorted(phone.labels) == [
            "answered 200 sdp", "confirmed", "ended local-bye 200", "ended remote-bye 200", "incoming sdp", "info 1",
        ]  # fmt: skip


def test_a_lost_worker_leaves_the_others_alone(phone, other, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 200, [("Content-Type", "application/sdp")], ANSWER)
    call.wait_established(10.0)
    lose(other, signal.SIGKILL)
    assert (call.state, phone.labels) == ("established", ["answered 200 sdp"])


def test_one_worker_serves_one_endpoint():
    engine = sipbridge.Worker()
    with sipbridge.Endpoint(engine=engine):
        with pytest.raises(sipbridge.EngineError) as caught:
            sipbridge.Endpoint(engine=engine)
    assert "one for each endpoint" in str(caught.value)


def test_a_worker_that_was_never_opened():
    engine = sipbridge.Worker()
    for command in (lambda: engine.close(0), lambda: engine.hangup(1, None)):
        with pytest.raises(sipbridge.EngineError) as caught:
            command()
        assert "not open" in str(caught.value)


def test_a_worker_is_no_engine_name():
    with pytest.raises(sipbridge.InputError) as caught:
        sipbridge.Endpoint(engine=sipbridge.Worker)
    assert "a name, a Worker, a Sidecar, a Container or an InProcess" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"hang_timeout": 0},
        {"hang_timeout": -1.0},
        {"max_restarts": -1},
        {"backoff": -0.5},
        {"crash_folder": "/dev/null/nonexistent"},
    ],
)
def test_bad_options(options):
    with pytest.raises(sipbridge.InputError) as caught:
        sipbridge.Worker(**options)
    assert list(options)[0] in str(caught.value)


def is_readable(descriptor, seconds):
    return bool(select.select([descriptor], [], [], seconds)[0])


def test_a_descriptor_tells_of_events(by_hand):
    """It stays the same after a restart, and is readable exactly while events wait."""
    engine = sipbridge.Worker()
    engine.open("udp", "127.0.0.1", 0)
    descriptor = engine.fileno()
    try:
        for _ in range(3):
            assert not is_readable(descriptor, 0)
            by_hand.request(engine.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
            assert is_readable(descriptor, 10.0)
            engine.add_credentials(None, u"alice", u"secret")  # reads the socket too
            assert engine.wait(0).type == "request"
            assert engine.wait(0) is None
            os.kill(engine.pid, signal.SIGKILL)
            for kind in ("engine-lost", "engine-restarted"):
                assert is_readable(descriptor, 10.0)
                assert engine.wait(0).type == kind
            assert engine.fileno() == descriptor
    finally:
        engine.close(0)


def test_the_worker_has_the_shield(phone, by_hand):
    """The worker has it where there is one, even if this process has not; its counters can be read here."""
    if phone.endpoint.engine_name == "sofia" or shield.library() is None:
        with pytest.raises(sipbridge.EngineError) as caught:
            sipbridge.Worker().shield_counters()
        assert "not open" in str(caught.value)
        return
    by_hand.send(phone.endpoint.port, b"INVITE sip:x@127.0.0.1 SIP/2.0\r\nFrom: <sip:y@z>;tag=1\r\n\r\n")
    assert wait_until(lambda: [each for each in phone.endpoint._engine.shield_counters() if each.dropped])
    assert "restarted" not in phone.labels


def test_errors_are_the_same_as_in_process(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    with pytest.raises(sipbridge.CallStateError):
        call.answer(ANSWER)
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.invite(by_hand.uri, OFFER, headers={"Via": "x"})
    with pytest.raises(sipbridge.TransportError) as caught:
        sipbridge.Endpoint("udp://127.0.0.1:%d" % phone.endpoint.port, engine=sipbridge.Worker())
    assert str(phone.endpoint.port) in str(caught.value)
    with pytest.raises(sipbridge.InputError):
        sipbridge.Endpoint(engine=sipbridge.Worker("asterisk"))


def test_text_and_octets_arrive_as_they_are(phone, by_hand):
    body = bytes(bytearray(range(255, -1, -1))) + u"\u20ac".encode("utf-8")
    phone.endpoint.invite(by_hand.uri, body, [("X-Name", u"Gr\xfc\xdfe \u20ac")], content_type="application/x-octets")
    sent = by_hand.next("INVITE")
    assert (sent.body, sent["X-Name"]) == (body, u"Gr\xfc\xdfe \u20ac")
    by_hand.request(phone.endpoint.port, "MESSAGE", [("X-Name", u"Gr\xfc\xdfe \u20ac"), ("Content-Type", "a/b")], body)
    event = phone.wait("request MESSAGE")
    assert (event.body, event.headers["X-Name"]) == (body, u"Gr\xfc\xdfe \u20ac")
