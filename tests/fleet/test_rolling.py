"""``sipbridge fleet`` and Kamailio, each as it is shipped, while calls come in: who calls notices nothing."""

import shlex

import pytest

from fleet.load import Load, failed
from fleet.running import Balancer, description
from peers.fleet import LISTEN
from peers.ports import HOST, free_port

#: Calls a second, and seconds that each stays up.
RATE, HOLD = 10, 2.0


@pytest.fixture
def behind(make_supervised, tmp_path):
    """A fleet of two behind Kamailio, whose engines say which they are."""
    fleet = make_supervised(2)
    balancer = Balancer(fleet.ports, free_port(), carriers=[HOST])
    for index in range(3):
        (tmp_path / ("%d.sdp" % index)).write_bytes(description(index))
    program = LISTEN + ("--sdp", str(tmp_path / "{index}.sdp"))
    fleet.start(program, ("--kamcmd", shlex.join(balancer.kamcmd), "--dispatcher", balancer.list))
    balancer.wait_flags("AP", *fleet.ports)
    yield fleet, balancer
    print(balancer.report())
    balancer.stop()


def test_a_rolling_restart_of_a_fleet_fails_no_call(behind, phone):
    fleet, balancer = behind
    before = fleet.pids()
    with Load(phone, balancer.uri, RATE, HOLD) as load:
        load.wait(RATE)
        told = fleet.run("--rolling").output
        load.wait(RATE)
    placed = load.finish()
    assert failed(placed) == []
    assert len(placed) > 3 * RATE and set(each.engine for each in placed[-RATE:]) == {0, 1}
    assert not set(before.values()) & set(fleet.pids().values())
    assert told.count("Kamailio sends it no new calls") == told.count("Kamailio sends it calls again") == 2


def test_an_engine_more_and_one_less(behind, phone):
    fleet, balancer = behind
    with Load(phone, balancer.uri, RATE, HOLD) as load:
        load.wait(RATE)
        fleet.run(1)
        assert list(balancer.flags()) == fleet.ports[:1]
        load.wait(RATE)
        fleet.run(2)
        balancer.wait_flags("AP", *fleet.ports)
        load.wait(RATE)
    placed = load.finish()
    assert failed(placed) == []
    assert set(each.engine for each in placed[-RATE:]) == {0, 1}
