"""Under load: the database goes away, engines die, the service is killed, it is drained. No record is lost.

`make soak-service` runs this for ten minutes and prints what came of it; without it each part takes seconds.
"""

import asyncio
import collections
import os
import signal
import subprocess

import pytest

from peers.process import children
from peers.waiting import wait_until
from service.load import Load, every, later
from service.running import Running

#: Calls a second, and for how many seconds; seconds for which the database is away, and between two deaths of engines.
RATE = float(os.environ.get("SIPBRIDGE_SOAK_RATE", "20"))
SECONDS = float(os.environ.get("SIPBRIDGE_SOAK_SECONDS", "8"))
AWAY = min(60.0, SECONDS / 2)
BETWEEN = min(10.0, SECONDS / 3)

LIMIT = 120.0


@pytest.fixture
def service(postgresql, tmp_path, request):
    """A copy on PostgreSQL that answers the number 100."""
    running = Running(
        tmp_path, DATABASE_URL=postgresql.make("soak_%d" % abs(hash(request.node.name))), SIP_ENGINE="worker"
    )
    running.api.headers.update(running.token("soak", "--calls", "1000000", "--minutes", "1000000"))
    running.start()
    running.api.put("/numbers/100", json={"menu": {}})
    yield running
    running.stop(signal.SIGKILL)


def records(postgresql, service):
    """The records in the database: by id, the direction, the state and the cause."""
    name = service.environment["DATABASE_URL"].rpartition("/")[2]
    query = "COPY (SELECT id, direction, state, cause FROM calls) TO STDOUT"
    command = [
        "psql",
        "-h",
        "127.0.0.1",
        "-p",
        str(postgresql.port),
        "-U",
        "telephony",
        "-d",
        name,
        "-A",
        "-t",
        "-c",
        query,
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout
    return {line.split("\t")[0]: tuple(line.split("\t")[1:]) for line in told.splitlines()}


def wait_written(postgresql, service, count):
    """Wait until the spool is empty and the database has so many records; all of them."""
    wait_until(lambda: "telephony_spool_calls 0.0" in service.api.get("/metrics").text, LIMIT)
    wait_until(lambda: len(records(postgresql, service)) >= count, LIMIT)
    return records(postgresql, service)


def tell(title, load, found):
    causes = collections.Counter("%s %s" % (direction, cause) for direction, _, cause in found.values())
    counts = len(load.placed), load.came_in, load.failed_in, len(load.refused), len(found), dict(causes)
    print(
        "%s: %d placed by HTTP, %d came in by SIP, %d of them failed, %d refused, %d records: %s"
        % (title, *counts)
    )


def test_the_database_goes_away_under_load_and_no_record_is_lost(postgresql, service, tmp_path):
    load = Load(service, tmp_path / "load", RATE, SECONDS)
    away = later((SECONDS - AWAY) / 2, postgresql.stop), later((SECONDS + AWAY) / 2, postgresql.start)
    asyncio.run(load.run(*away))
    found = wait_written(postgresql, service, len(load.placed) + load.came_in)
    tell("database away for %.0f s of %.0f" % (AWAY, SECONDS), load, found)
    assert (load.refused, load.failed_in) == ([], 0)
    assert len(load.placed) == load.came_in == int(RATE * SECONDS / 2)
    outbound = {id: record for id, record in found.items() if record[0] == "outbound"}
    assert sorted(outbound) == sorted(load.placed) and len(found) == len(load.placed) + load.came_in
    assert set(found.values()) == {("outbound", "ended", "local-bye"), ("inbound", "ended", "remote-bye")}


def test_engines_die_under_load_and_each_call_has_its_end(postgresql, service, tmp_path):
    seconds = min(SECONDS, 60.0)

    def kill():
        for pid in children(service.process.pid):
            os.kill(pid, signal.SIGKILL)
        assert service.api.get("/health/live").status_code == 200

    load = Load(service, tmp_path / "load", RATE, seconds)
    asyncio.run(load.run(every(BETWEEN, seconds, kill)))
    found = wait_written(postgresql, service, len(load.placed))
    tell("engine killed every %.0f s" % BETWEEN, load, found)
    assert set(load.placed) <= set(found)
    wait_until(lambda: {state for _, state, _ in records(postgresql, service).values()} == {"ended"}, LIMIT)
    causes = {cause for _, _, cause in records(postgresql, service).values()}
    assert "engine-lost" in causes and "" not in causes
    assert set(load.refused) <= {503, 502}
    assert service.process.poll() is None


def test_a_service_that_is_killed_under_load_loses_no_call(postgresql, service, tmp_path):
    seconds = min(SECONDS, 30.0)

    def kill():
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()

    load = Load(service, tmp_path / "load", RATE, seconds)
    asyncio.run(load.run(later(seconds / 2, kill)))
    assert load.placed and load.refused  # some before, some after
    service.start()
    found = wait_written(postgresql, service, len(load.placed))
    tell("killed with -9 in the middle", load, found)
    assert set(load.placed) <= set(found)
    assert {state for _, state, _ in found.values()} == {"ended"}
    assert "service-lost" in {cause for _, _, cause in found.values()}


def test_a_service_that_is_drained_and_started_again_fails_no_call(postgresql, service, tmp_path):
    seconds = min(SECONDS, 30.0)
    load = Load(service, tmp_path / "load", RATE, seconds)

    def restart():
        assert service.api.post("/drain").status_code == 202
        wait_until(lambda: service.api.get("/health/ready").status_code == 503, LIMIT)
        assert service.stop() == 0
        service.start()

    asyncio.run(load.run(later(seconds / 2, restart)))
    found = wait_written(postgresql, service, len(load.placed))
    tell("drained and started again", load, found)
    assert set(load.placed) <= set(found)
    assert set(found.values()) == {("outbound", "ended", "local-bye"), ("inbound", "ended", "remote-bye")}
