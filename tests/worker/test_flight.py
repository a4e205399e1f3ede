"""The flight recorder has the last messages of a worker that died, and those of the next one."""

from __future__ import absolute_import, division, print_function

import io
import json
import os
import signal
import subprocess
import sys

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge import record
from sipbridge._engine import flight
from sipbridge._engine.last_received import LastReceived
from sipbridge._engine.records import ProtocolError
from worker.processes import established, lose


@pytest.fixture
def recorder(tmpdir):
    return sipbridge.FlightRecorder(str(tmpdir.join("incidents")))


@pytest.fixture
def phone(make_phone, recorder):
    return make_phone(flight=recorder)


def read(path):
    with io.open(path, "rb") as stream:
        return list(record.read(stream))


def methods(path):
    return [each.data.split(b" ", 1)[0].decode("ascii") for each in read(path)]


def lost(tmpdir):
    """The incidents of lost engines that are whole."""
    paths = tmpdir.join("incidents").listdir()
    return [path for path in paths if "Z-engine-lost-" in path.basename and path.basename[0] != "."]


def test_the_last_messages_of_a_dead_worker_are_there(phone, by_hand, tmpdir, recorder):
    established(phone, by_hand)
    wait_until(lambda: len(flight.parse(phone.endpoint._engine.flight_records())) == 3)
    lose(phone, signal.SIGKILL)
    by_hand.waiting = []
    established(phone, by_hand)
    wait_until(lambda: len(flight.parse(phone.endpoint._engine.flight_records())) == 6)
    path = recorder.dump()
    assert methods(path + "/window.pcapng") == ["INVITE", "SIP/2.0", "ACK"] * 2
    wait_until(lambda: lost(tmpdir))
    assert "SIGKILL" in json.loads(lost(tmpdir)[0].join("incident.json").read())["text"]


def killed_by_a_message(phone, by_hand, tmpdir):
    """Call a phone whose engine dies of ``X-Deadly: 1``, and send that in an INFO; the incident."""
    port = phone.endpoint.port
    invite = by_hand.request(port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    phone.wait("incoming sdp").call.answer(ANSWER)
    answer = by_hand.next("200")
    by_hand.within(port, invite, answer["To"], "ACK", 1)
    phone.wait("confirmed")
    by_hand.within(port, invite, answer["To"], "INFO", 2, [("X-Deadly", "1")], b"x")
    wait_until(lambda: lost(tmpdir), 20.0)
    (path,) = lost(tmpdir)
    told = json.loads(path.join("incident.json").read())
    assert "SIGSEGV" in told["text"] and told["call_id"] == invite["Call-ID"]
    assert methods(str(path.join("call.pcapng")))[-3:] == ["SIP/2.0", "ACK", "INFO"]
    return path


@pytest.mark.skipif("SIPBRIDGE_DOUBLE" not in os.environ, reason="only the double dies of what a test chooses")
def test_the_message_that_killed_the_worker_is_there_and_kills_the_next_one(
    monkeypatch, make_phone, by_hand, tmpdir, recorder
):
    monkeypatch.setenv("EXOSIP_DOUBLE_DIE_OF", "X-Deadly: 1")
    phone = make_phone(flight=recorder)
    if phone.endpoint.engine_name != "exosip":
        pytest.skip("the double stands for libeXosip2")
    path = killed_by_a_message(phone, by_hand, tmpdir)
    killer = read(str(path.join("call.pcapng")))[-1]
    assert killer.source == "127.0.0.1:%d" % by_hand.port and killer.target == "127.0.0.1:%d" % phone.endpoint.port
    assert "INFO" in path.join("call.txt").read()

    fresh = make_phone()
    command = [sys.executable, "-m", "sipbridge", "replay", str(path.join("call.pcapng")), "--to", fresh.endpoint.uri]
    replay = subprocess.Popen(command + ["--speed", "0", "--timeout", "5"], stdout=subprocess.PIPE)
    fresh.wait("incoming sdp").call.answer(ANSWER)
    output = replay.communicate()[0].decode("utf-8")
    assert "-> INFO" in output
    fresh.wait("restarted")


def test_what_was_received_last_is_added_once():
    kept = flight.Kept(1000)
    known = [flight.Record(1.0, False, "192.0.2.1:5060", b"a"), flight.Record(5.0, True, "192.0.2.1:5060", b"b")]
    for each in known:
        kept.add(flight.packed(each))
    last = [flight.Record(0.5, False, "192.0.2.1:5060", b"a"), flight.Record(1.5, False, "[2001:db8::1]:5060", b"c")]
    kept.add_unknown(b"".join(flight.packed(each) for each in last))
    assert flight.parse(kept.joined()) == known + last[1:]


def test_the_file_of_what_was_received_last():
    last = LastReceived()
    assert last.take() == b"" and last.take() == b"" and not os.path.exists(last.path)


def test_records_of_a_worker_are_bounded():
    kept = flight.Kept(100)
    for number in range(10):
        kept.add(str(number).encode("ascii") * 40)
    assert kept.joined() == b"8" * 40 + b"9" * 40


@pytest.mark.parametrize(
    "octets", [b"\x00", b"\x00" * 15, b"\xff" * 40, b"\x00\x00\x00\x0b" + b"\x00" * 9 + b"\x00\x09"]
)
def test_malformed_records(octets):
    with pytest.raises(ProtocolError):
        flight.parse(octets)
