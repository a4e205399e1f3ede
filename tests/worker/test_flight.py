"""The flight recorder has the last messages of a worker that died, and those of the next one."""

from __future__ import absolute_import, division, print_function

import io
import json
import signal

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge import record
from sipbridge._engine import flight
from sipbridge._engine.records import ProtocolError
from worker.processes import lose


@pytest.fixture
def recorder(tmpdir):
    return sipbridge.FlightRecorder(str(tmpdir.join("incidents")))


@pytest.fixture
def phone(make_phone, recorder):
    return make_phone(flight=recorder)


def establish(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 200, [("Content-Type", "application/sdp")], ANSWER)
    by_hand.next("ACK")
    call.wait_established(10.0)
    return call


def methods(path):
    with io.open(path, "rb") as stream:
        return [each.data.split(b" ", 1)[0].decode("ascii") for each in record.read(stream)]


def lost(tmpdir):
    """The incidents of lost engines that are whole."""
    paths = tmpdir.join("incidents").listdir()
    return [path for path in paths if "Z-engine-lost-" in path.basename and path.basename[0] != "."]


def test_the_last_messages_of_a_dead_worker_are_there(phone, by_hand, tmpdir, recorder):
    establish(phone, by_hand)
    wait_until(lambda: len(flight.parse(phone.endpoint._engine.flight_records())) == 3)
    lose(phone, signal.SIGKILL)
    by_hand.waiting = []
    establish(phone, by_hand)
    wait_until(lambda: len(flight.parse(phone.endpoint._engine.flight_records())) == 6)
    path = recorder.dump()
    assert methods(path + "/window.pcapng") == ["INVITE", "SIP/2.0", "ACK"] * 2
    wait_until(lambda: lost(tmpdir))
    assert "SIGKILL" in json.loads(lost(tmpdir)[0].join("incident.json").read())["text"]


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
