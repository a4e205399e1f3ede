"""Engines that die, fall silent, are too busy or are restarted: what their callers see of it."""

from __future__ import absolute_import, division, print_function

import time

import pytest

from conformance.sdp import OFFER
from fleet.load import Load, failed
from fleet.running import LIMIT, engine_of
from peers.ports import HOST

#: Calls a second, and seconds that each stays up.
RATE, HOLD = 20, 2.0

#: Seconds in which Kamailio has to see that an engine is silent, and what a busy machine may add.
SEEN, BUSY = 3.0, 1.0


@pytest.fixture
def fleet(make_fleet):
    return make_fleet(4, carriers=[HOST])


def answered_by(fleet, phone, count):
    """The engines that answer so many calls, in order."""
    calls = [phone.endpoint.call(fleet.proxy.uri, OFFER, timeout=LIMIT) for _ in range(count)]
    for each in calls:
        each.hangup()
    return [engine_of(each.remote_sdp) for each in calls]


def test_an_engine_that_is_killed_takes_no_other_call_along(fleet, phone):
    with Load(phone, fleet.proxy.uri, RATE, HOLD) as load:
        load.wait(RATE * 3)
        load.forget(1)
        fleet.engines[1].kill()
        killed = time.time()
        load.wait(RATE * 5)
    placed = load.finish()
    before = [each for each in placed if each.began < killed]
    after = [each for each in placed if each.began >= killed]
    assert failed(after) == []
    assert [each for each in failed(before) if each.engine not in (1, None)] == []
    # Without an answer are those that it had not answered when it died.
    assert all(each.began > killed - 1.0 for each in failed(before) if each.engine is None)
    assert [each for each in after if each.answered > 1.5 and each.began > killed + SEEN] == []
    assert fleet.proxy.flags()[fleet.ports[1]] == "IP"


def test_a_silent_engine_is_found_without_calls(fleet):
    with fleet.engines[2].paused():
        silent = time.time()
        fleet.proxy.wait_flags("IP", fleet.ports[2])
        assert time.time() - silent < SEEN + BUSY
    fleet.proxy.wait_flags("AP", fleet.ports[2])


def test_a_call_to_a_silent_engine_goes_to_the_next_at_once(fleet, phone):
    """The first one does, and none is sent there after it."""
    fleet.proxy.pause_probes()
    engines = fleet.since()
    with fleet.engines[0].paused():
        began = time.time()
        assert 0 not in answered_by(fleet, phone, 4)
        assert time.time() - began < 0.5 + BUSY
        assert fleet.proxy.flags()[fleet.ports[0]] == "IP"
        assert 0 not in answered_by(fleet, phone, 8)
    assert sum(each.seen("incoming sdp") for each in engines[1:]) == 12


def test_a_silent_engine_that_wakes_up_rings_nobody(fleet, phone):
    """It gets a CANCEL; the call is with the next one, and nothing happens to it."""
    for each in fleet.engines:
        each.start("phone", "ring_calls").result()
    engines = fleet.since()
    with fleet.engines[0].paused():
        for _ in range(4):
            phone.endpoint.invite(fleet.proxy.uri, OFFER)
        phone.wait("progress 180", 4)
    engines[0].wait("ended cancelled 487")
    fleet.proxy.wait_flags("AP", fleet.ports[0])
    assert phone.labels == ["progress 180"] * 4
    assert engines[0].seen() == ["incoming sdp", "ended cancelled 487"]
    assert sum(each.seen("incoming sdp") for each in engines[1:]) == 4


def test_a_call_that_got_503_goes_to_the_next(fleet, phone):
    """The engine stays in: it may have refused this caller alone."""
    engines = fleet.since()
    fleet.engines[3].start("phone", "refuse_calls", 503).result()
    began = time.time()
    answered = answered_by(fleet, phone, 8)
    assert time.time() - began < 0.5 * 8 and set(answered) == {0, 1, 2}
    assert engines[3].seen("incoming sdp") == 2
    assert fleet.proxy.flags()[fleet.ports[3]] == "AP"
    assert phone.labels.count("ended local-bye 200") == 8


def test_what_an_engine_decides_is_told(fleet, phone):
    for each in fleet.engines:
        each.start("phone", "refuse_calls", 486).result()
    engines = fleet.since()
    phone.endpoint.invite(fleet.proxy.uri, OFFER)
    phone.wait("ended rejected 486")
    assert sum(each.seen("incoming sdp") for each in engines) == 1


def test_where_no_engine_is_left_callers_are_told_when_to_try_again(fleet, by_hand):
    for port in fleet.ports:
        fleet.proxy.set_state("d", port)
    by_hand.request(fleet.proxy.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    assert by_hand.next("503")["Retry-After"] == "5"


def test_an_engine_that_is_out_gets_nothing_new_and_its_calls_go_on(fleet, phone):
    calls = [phone.endpoint.call(fleet.proxy.uri, OFFER, timeout=LIMIT) for _ in range(4)]
    [ours] = [each for each in calls if engine_of(each.remote_sdp) == 2]
    fleet.proxy.set_state("d", fleet.ports[2])
    engines = fleet.since()
    assert 2 not in answered_by(fleet, phone, 9)
    assert [each.seen("incoming sdp") for each in engines] == [3, 3, 0, 3]
    ours.send_dtmf("5")
    engines[2].wait("info 5")
    assert fleet.proxy.flags()[fleet.ports[2]] == "DX"
    fleet.proxy.set_state("ip", fleet.ports[2])
    fleet.proxy.wait_flags("AP", fleet.ports[2])
    assert sorted(answered_by(fleet, phone, 4)) == [0, 1, 2, 3]
    ours.hangup()
    engines[2].wait("ended remote-bye 200", 2)


def test_another_kamailio_takes_over_a_call(fleet, phone):
    """It has the same configuration. All that it needs is in what the two sides send."""
    call = phone.endpoint.call(fleet.proxy.uri, OFFER, timeout=LIMIT)
    engine = fleet.engines[engine_of(call.remote_sdp)]
    fleet.proxy.restart()
    call.send_dtmf("6")
    engine.wait("info 6")
    engine.call("hangup")
    phone.wait("ended remote-bye 200")


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_a_rolling_restart_fails_no_call(fleet, phone, told):
    """Also where nobody tells Kamailio: the engine that drains does."""
    with Load(phone, fleet.proxy.uri, RATE, HOLD) as load:
        load.wait(RATE)
        for number, port in enumerate(fleet.ports):
            if told:
                fleet.proxy.set_state("d", port)
            fleet.restart(number)
            if told:
                fleet.proxy.set_state("ip", port)
            fleet.proxy.wait_flags("AP", port)
            load.wait(RATE)
    placed = load.finish()
    assert failed(placed) == []
    assert len(placed) >= 5 * RATE
    assert set(each.engine for each in placed[-RATE:]) == {0, 1, 2, 3}
