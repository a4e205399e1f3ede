"""What a worker may send, and what becomes of one that sends something else."""

from __future__ import absolute_import, division, print_function

import json
import select

import pytest

import sipbridge
from peers import abilities
from peers.byhand import ByHand
from peers.waiting import wait_until
from sipbridge._engine import protocol
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.records import Content, Parties, ProtocolError, Vocabulary
from sipbridge._version import __version__
from worker.fake_worker import FIRST, LATER
from worker.processes import worker_of
from worker.test_lost import established


@pytest.fixture
def fake(interpreter):
    """Makes an interpreter that is a fake worker, of the kind asked for."""
    return lambda mode: interpreter("fake_worker.py", mode)


# -- a worker that is none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", sorted(FIRST) + ["open-null", "open-text"])
def test_a_wrong_hello_is_an_error(fake, mode):
    with pytest.raises(sipbridge.EngineError) as caught:
        sipbridge.Endpoint(engine=sipbridge.Worker(python=fake(mode)))
    if mode.endswith("version"):
        assert "two releases of sipbridge" in str(caught.value)
    if mode == "other-release":
        assert "sipbridge 0.0.9" in str(caught.value) and __version__ in str(caught.value)


def test_a_worker_that_ends_at_once_is_an_error(fake):
    with pytest.raises(sipbridge.EngineLost) as caught:
        sipbridge.Endpoint(engine=sipbridge.Worker(python=fake("exit")))
    assert "exit code 3" in str(caught.value)


def test_a_missing_interpreter_is_an_error():
    with pytest.raises(sipbridge.EngineLost) as caught:
        sipbridge.Endpoint(engine=sipbridge.Worker(python="/nonexistent/python"))
    assert "cannot be started" in str(caught.value)


@pytest.mark.parametrize("mode", sorted(LATER))
def test_noise_from_a_worker_ends_it(fake, make_phone, mode):
    phone = make_phone(python=fake(mode), max_restarts=2, backoff=0.0)
    failed = phone.wait("failed")
    assert "sent what it should not" in failed.reason
    assert set(phone.labels) <= {"restarted", "failed"}
    with pytest.raises(sipbridge.EngineLost):
        phone.endpoint.invite("sip:bob@127.0.0.1:9")


def test_subscriptions_from_outside_end_with_their_worker(fake):
    engine = sipbridge.Worker(python=fake("subscriptions"), backoff=30.0)
    engine.open("udp", "127.0.0.1", 0)
    try:
        before = [engine.wait(10.0).type for _ in range(3)]
        with pytest.raises(sipbridge.EngineLost):
            engine._command("probe")
        after = [engine.wait(10.0) for _ in range(2)]
    finally:
        engine.close(0)
    assert before == ["subscribe", "subscribe", "unsubscribed"]
    assert [(event.type, event.subscription) for event in after] == [("engine-lost", 0), ("unsubscribed", 12)]


# -- frames ------------------------------------------------------------------------------------------------------


def frames_of(octets):
    return protocol.Decoder().feed(octets)


@pytest.mark.parametrize("method, arguments", [
    (u"close", [0.5]),
    (u"hangup", [1 << 40, None]),
    (u"call", [Parties(u"sip:bob@h\u00e4.test", None, None), Content([[u"X", u"\u20ac"]], u"a/b", b"\x00\xff\r\n")]),
    (u"answer", [3, 200, None, Content([], None, None)]),
])  # fmt: skip
def test_a_command_is_packed_and_unpacked(method, arguments):
    ((kind, payload),) = frames_of(protocol.command(7, method, arguments))
    assert kind == protocol.COMMAND
    assert protocol.parse_command(payload) == (7, method, arguments)


@pytest.mark.parametrize("payload", [
    b"", b"\x00" * 7, b"\x00\x00\x00\x01\x00\x00\x00\x02[]", b"\x00\x00\x00\x01\x00\x00\x00\x04[1,2",
    b'\x00\x00\x00\x01\x00\x00\x00\x31["x",[{"record":"Popen","fields":["id"]}]]     ',
])  # fmt: skip
def test_a_malformed_command(payload):
    with pytest.raises(ProtocolError):
        protocol.parse_command(payload)


@pytest.mark.parametrize("error", [
    sipbridge.InputError(u"h\u00e4"), sipbridge.CallStateError("x"), sipbridge.TransportError("x"),
    sipbridge.EngineError("x", -4), sipbridge.NotSupportedError("x", -8),
])  # fmt: skip
def test_an_error_is_packed_and_unpacked(error):
    ((_, payload),) = frames_of(protocol.failure(9, error))
    number, found = protocol.parse_failure(payload)
    assert (number, type(found), found.args) == (9, type(error), error.args)
    assert getattr(found, "code", 0) == getattr(error, "code", 0)


def test_a_command_that_is_longer_than_a_frame_may_be_is_not_sent(phone, by_hand):
    """The worker would take it for noise, and every call would end."""
    pid = worker_of(phone)
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.invite("sip:bob@127.0.0.1:%d" % by_hand.port, headers=[("X-Long", "x" * protocol.MAX_FRAME)])
    established(phone, by_hand)
    assert worker_of(phone) == pid


@pytest.mark.parametrize("command", [
    ("hangup", 1 << 100, None), ("reject", 1, 1 << 40, None, None), ("hangup", {}, None), ("nonesuch",), ("port",),
    ("_check", 1, "x"), ("hangup", [[]]), ("open", 0, [], "nonesuch", "127.0.0.1", 0),
])  # fmt: skip
def test_a_command_that_makes_no_sense_is_an_error_and_no_more(phone, by_hand, command):
    pid = worker_of(phone)
    with pytest.raises(sipbridge.EngineError) as caught:
        phone.endpoint._engine._command(*command)
    assert not isinstance(caught.value, sipbridge.EngineLost)
    established(phone, by_hand)
    assert worker_of(phone) == pid


def test_an_error_of_another_kind():
    number, found = protocol.parse_failure(frames_of(protocol.failure(9, KeyError("x")))[0][1])
    assert (number, type(found)) == (9, sipbridge.EngineError)
    assert "KeyError" in str(found)


def test_frames_come_in_pieces():
    octets = b"".join([protocol.result(1, None), protocol.credit(5), protocol.result(2, [u"x"])])
    decoder, found = protocol.Decoder(), []
    for start in range(len(octets)):
        found += decoder.feed(octets[start : start + 1])
    assert found == frames_of(octets) and len(found) == 3
    assert protocol.parse_credit(found[1][1]) == 5
    assert protocol.parse_result(found[2][1]) == (2, [u"x"])


def received(engine, take):
    """What an engine makes of a MESSAGE, taken from it by ``take``."""
    peer = ByHand()
    try:
        fields = [("Content-Type", "a/b"), ("X-Name", u"\u20ac")]
        peer.request(engine.port, "MESSAGE", fields, bytes(bytearray(range(1, 256))))
        assert wait_until(lambda: select.select([engine.fileno()], [], [], 0)[0])
        return take()
    finally:
        peer.stop()


def test_events_are_the_same_in_frames():
    """What csrc/core/frames.c writes is what sb_wait() gives."""
    engine = InProcess()
    engine.open("udp", "127.0.0.1", 0, last_id=5 << 32)
    try:
        first = received(engine, lambda: engine.wait(0))
        count, octets = received(engine, lambda: engine.take_frames(1000))
        assert engine.take_frames(1) == (0, b"")
    finally:
        engine.close(0)
    ((kind, payload),) = frames_of(octets)
    second = Vocabulary(json.loads(json.dumps(engine.vocabulary()))).event(payload)
    assert (count, kind) == (1, protocol.EVENT)
    assert first.transaction == (5 << 32) + 1 and second.transaction == first.transaction + 1
    same = ("type", "cause", "state", "status", "method", "request_uri", "body", "outgoing", "expires", "peer")
    assert [getattr(first, name) for name in same] == [getattr(second, name) for name in same]
    assert len(second.body) == 255 and u"X-Name: \u20ac\n".lower() in second.headers.lower()
    assert 0 <= second.time - first.time < 60
    known = abilities.knows_sources()
    for event in (first, second):
        assert (event.source is not None) == known
        assert not known or event.source[::2] == ("127.0.0.1", "udp")
