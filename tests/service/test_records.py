"""No record is lost: the service killed, the database away, the service stopped."""

import asyncio
import json
import os
import resource
import signal
import sqlite3

import pytest

import sipbridge
from peers.process import children
from peers.sidecar import EngineCommand
from peers.waiting import wait_until
from service.running import EXAMPLE, LIMIT, Running
from sipbridge.testing import SDP


@pytest.fixture
def copy(tmp_path):
    """Makes copies of the service on one folder of data, one after the other."""
    made = []

    def make(**settings):
        running = Running(tmp_path, **settings)
        if not made:
            (tmp_path / "token").write_text(running.command("token", "tests"))
        running.api.headers["Authorization"] = "Bearer " + (tmp_path / "token").read_text()
        made.append(running)
        return running.start()

    yield make
    for each in made:
        each.stop(signal.SIGKILL)


def place(service, to):
    answer = service.api.post("/calls", json={"to": to})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_a_killed_service_loses_no_record(copy, telephone):
    service = copy()
    ended, up = place(service, telephone.uri("alice")), place(service, telephone.uri("bob"))
    for id in (ended, up):
        service.wait_call(id, state="answered")
    service.api.delete("/calls/" + ended)
    for kind, _, facts in ((kind, number, facts) for number, kind, facts in service.listen(0)):
        if kind == "call.ended" and facts["id"] == ended:
            break
    service.process.send_signal(signal.SIGKILL)  # at once: the database need not have it
    service.process.wait(LIMIT)
    service = copy()
    assert service.wait_call(ended, state="ended")["cause"] == "local-bye"
    assert service.wait_call(up, state="ended")["cause"] == "service-lost"
    wait_until(
        lambda: (
            {(ended, "local-bye"), (up, "service-lost")} <= set(service.rows("SELECT id, cause FROM calls"))
        ),
        LIMIT,
    )
    assert service.api.get("/metrics").text.count("telephony_spool_calls 0.0") == 1


def test_while_the_database_is_away_calls_go_on_and_their_records_wait(copy, postgresql, telephone):
    service = copy(DATABASE_URL=postgresql.make("away"))
    postgresql.stop()
    ids = [place(service, telephone.uri("busy")) for _ in range(5)]
    for id in ids:
        service.wait_call(id, state="ended")  # the spool has it
    answer = service.api.get("/calls")
    assert (answer.status_code, answer.json()["title"]) == (503, "The database is away")
    ready = service.api.get("/health/ready")
    assert (ready.status_code, ready.json()["problems"]) == (200, ["database"])
    assert "telephony_spool_calls 5.0" in service.api.get("/metrics").text
    postgresql.start()

    def written():
        answer = service.api.get("/calls")
        return answer.status_code == 200 and sorted(each["id"] for each in answer.json()["calls"]) == sorted(
            ids
        )

    wait_until(written, LIMIT)
    wait_until(lambda: "telephony_spool_calls 0.0" in service.api.get("/metrics").text, LIMIT)


def test_a_record_that_the_database_refuses_does_not_stop_the_others(copy, postgresql, telephone):
    service = copy(DATABASE_URL=postgresql.make("strict"))
    postgresql.do("strict", "ALTER TABLE calls ADD CHECK (callee NOT LIKE '%strange%')")
    postgresql.stop()  # so that they come in one batch
    ids = [place(service, telephone.uri(user)) for user in ("busy", "strange", "busy")]
    service.wait_call(ids[1], state="answered")
    service.api.delete("/calls/" + ids[1])
    for id in ids:
        service.wait_call(id, state="ended")
    postgresql.start()
    wait_until(lambda: "telephony_spool_calls 0.0" in service.api.get("/metrics").text, LIMIT)
    assert {each["id"] for each in service.api.get("/calls").json()["calls"]} == {ids[0], ids[2]}
    [refused] = (service.folder / "refused").iterdir()
    assert (refused.name, json.loads(refused.read_text())["state"]) == (ids[1] + ".json", "ended")
    assert "telephony_records_refused_total 1.0" in service.api.get("/metrics").text
    assert service.api.get("/calls", params={"party": "\0"}).status_code == 422
    service.api.delete("/records", params={"number": "strange"})
    assert not refused.exists()


def test_a_spool_that_is_full_takes_no_new_calls(copy, postgresql, telephone):
    service = copy(DATABASE_URL=postgresql.make("full"), SPOOL_CALLS="2")
    service.api.put("/numbers/100", json={"menu": {}})
    postgresql.stop()
    try:
        for _ in range(2):
            service.wait_call(place(service, telephone.uri("busy")), state="ended")
        answer = service.api.post("/calls", json={"to": telephone.uri("busy")})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        host = service.uri.partition(":")[2]
        with pytest.raises(sipbridge.ResponseError, match="503"):
            telephone.endpoint.call("sip:100@" + host, SDP)
        assert service.api.get("/health/ready").json() == {"ready": False, "problems": ["database", "spool"]}
    finally:
        postgresql.start()


def test_a_lost_engine_ends_its_calls_and_the_api_stays_up(copy, telephone):
    service = copy(SIP_ENGINE="worker")
    id = place(service, telephone.uri("alice"))
    service.wait_call(id, state="answered")
    [worker] = [pid for pid in children(service.process.pid)]
    os.kill(worker, signal.SIGKILL)
    assert service.wait_call(id, state="ended")["cause"] == "engine-lost"
    assert service.api.get("/health/live").status_code == 200
    wait_until(lambda: service.api.get("/health/ready").status_code == 200, LIMIT)
    service.wait_call(place(service, telephone.uri("busy")), state="ended", cause="rejected")


def test_a_drained_service_lets_calls_finish(copy, telephone):
    service = copy(DRAIN_SECONDS="60")
    id = place(service, telephone.uri("alice"))
    call_id = service.wait_call(id, state="answered")["call_id"]
    assert service.api.post("/drain").json() == {"calls": 1}
    wait_until(lambda: service.api.get("/health/ready").status_code == 503, LIMIT)
    answer = service.api.post("/calls", json={"to": telephone.uri("busy")})
    assert (answer.status_code, answer.json()["title"]) == (503, "Draining")
    [call] = [each for each in telephone.endpoint.calls if each.call_id == call_id]
    call.hangup()
    assert service.stop() == 0
    assert service.rows("SELECT state, cause FROM calls") == [("ended", "remote-bye")]
    assert service.rows("SELECT who, what FROM audit") == [("token tests", "drain")]


def test_after_sigterm_the_api_refuses_what_is_new_until_calls_have_finished(copy, telephone):
    service = copy(DRAIN_SECONDS="60")
    id = place(service, telephone.uri("alice"))
    call_id = service.wait_call(id, state="answered")["call_id"]
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: service.api.get("/health/ready").status_code == 503, LIMIT)
    answer = service.api.post("/calls", json={"to": telephone.uri("busy")})
    assert (answer.status_code, answer.json()["title"]) == (503, "Draining")
    [call] = [each for each in telephone.endpoint.calls if each.call_id == call_id]
    call.hangup()
    assert service.process.wait(LIMIT) == 0
    assert service.rows("SELECT state, cause FROM calls") == [("ended", "remote-bye")]


def test_a_second_signal_ends_the_service_at_once(copy, telephone):
    service = copy(DRAIN_SECONDS="60")
    id = place(service, telephone.uri("alice"))
    service.wait_call(id, state="answered")
    service.process.send_signal(signal.SIGTERM)
    wait_until(lambda: service.api.get("/health/ready").status_code == 503, LIMIT)
    assert service.stop() == -signal.SIGTERM
    assert copy().wait_call(id, state="ended")["cause"] == "service-lost"


def test_a_number_is_erased_and_old_records_go(copy, telephone):
    service = copy()
    kept, erased = place(service, telephone.uri("busy")), place(service, telephone.uri("+49_30"))
    service.wait_call(kept, state="ended")
    service.wait_call(erased, state="answered")
    service.api.delete("/calls/" + erased)
    service.wait_call(erased, state="ended")
    answer = service.api.delete("/records", params={"number": "+49_30"})
    assert answer.json() == {"records": 1, "incidents": 0}
    last = place(service, telephone.uri("busy"))
    for _, kind, facts in service.listen(0):  # from the first event that is kept
        assert facts["id"] != erased
        if (kind, facts["id"]) == ("call.ended", last):
            break
    assert erased not in [row[0] for row in service.rows()]
    assert service.api.get("/calls/" + erased).status_code == 404


def test_a_disk_that_is_full_loses_no_record(copy, telephone):
    service = copy()
    id = place(service, telephone.uri("alice"))
    service.wait_call(id, state="answered")
    before = service.process.pid
    limit = (service.folder / "spool.sqlite3-wal").stat().st_size  # of any file that the process writes
    resource.prlimit(before, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    service.api.delete("/calls/" + id)
    wait_until(lambda: service.api.get("/health/ready").json()["problems"] == ["spool"], LIMIT)
    answer = service.api.post("/calls", json={"to": telephone.uri("busy")})
    assert answer.status_code == 503, answer.text
    resource.prlimit(before, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    service.wait_call(id, state="ended")
    wait_until(lambda: service.api.get("/health/ready").status_code == 200, LIMIT)
    wait_until(lambda: (id, "ended", "local-bye") in service.rows(), LIMIT)


def test_the_engine_of_a_sidecar_may_go_and_come_back(copy, telephone):
    engines = [EngineCommand()]
    try:
        service = copy(SIP_ENGINE="sidecar", SIP_SOCKET=engines[0].address)
        assert "the sidecar at " + engines[0].address in service.log()
        id = place(service, telephone.uri("alice"))
        service.wait_call(id, state="answered")
        engines[0].process.kill()
        engines[0].process.wait()
        assert service.wait_call(id, state="ended")["cause"] == "engine-lost"
        engines.append(EngineCommand(words=[engines[0].address]))
        wait_until(lambda: service.api.get("/health/ready").status_code == 200, LIMIT)
        service.wait_call(place(service, telephone.uri("busy")), state="ended", cause="rejected")
        assert service.stop() == 0
    finally:
        for engine in engines[::-1]:
            engine.stop()


def test_a_spool_that_could_not_be_written_can_be_again(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from telephony.store.spool import Spool

    spool = Spool(tmp_path / "spool.sqlite3")
    spool.open()
    spool.put({"id": "1", "state": "ended"})
    told = spool.take(10)
    spool._all("PRAGMA query_only = ON")  # as a full disk: it fails within a transaction
    with pytest.raises(sqlite3.OperationalError):
        spool.done(told)
    spool._all("PRAGMA query_only = OFF")
    assert spool.waiting()[0] == 1
    spool.done(told)
    assert spool.waiting()[0] == 0
    spool.close()


def test_copies_that_start_at_once_on_an_empty_database_make_its_tables_once(postgresql, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from telephony.settings import Settings
    from telephony.store.database import Database

    settings = Settings(_env_file=None, database_url=postgresql.make("shared"), database_schema="calls")

    async def migrate():
        copies = [Database(settings) for _ in range(4)]
        await asyncio.gather(*(each.migrate() for each in copies))
        for each in copies:
            await each.check()
            await each.engine.dispose()

    asyncio.run(migrate())
