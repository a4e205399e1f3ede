"""python -m telephony: its commands, and what it says when something is wrong."""

import contextlib
import json
import os
import shlex
import signal
import sqlite3
import subprocess

import pytest

from peers.ports import free_port
from peers.waiting import wait_until
from service.running import LIMIT, SECRET, Running


@pytest.fixture
def copy(tmp_path):
    running = Running(tmp_path)
    yield running
    if running.process:
        running.stop(signal.SIGKILL)


def fail(running, *words):
    """Run a command that fails; its exit code and what it said."""
    done = running.run(*words)
    return done.returncode, done.stderr


def test_help_names_the_commands(copy):
    said = copy.command("--help")
    for name in ("serve", "demo", "debug", "token", "settings", "openapi"):
        assert name in said


def test_the_settings_are_shown_without_secrets(copy):
    said = copy.command("settings")
    assert "SIP_ADDRESS" in said and copy.environment["SIP_ADDRESS"] in said and SECRET not in said


@pytest.mark.parametrize(
    "settings, words, expected",
    [
        (
            {"SECRET_KEY": "short"},
            ["serve"],
            (2, "telephony: SECRET_KEY: Value error, must have 32 characters"),
        ),
        ({"SIP_ENGINE": "phlogiston"}, ["serve"], (2, "telephony: SIP_ENGINE: ")),
        (
            {},
            ["token", "me", "--scope", "everything"],
            (2, "telephony: no such scope: everything; there are calls:read"),
        ),
        (
            {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"},
            ["token", "me"],
            (1, "the database is away: "),
        ),
        ({}, ["token", "m" * 65], (2, "telephony: NAME has 1 to 64 letters")),
    ],
    ids=["secret", "engine", "scope", "database", "name"],
)
def test_what_is_wrong_is_said_in_a_line(copy, settings, words, expected):
    copy.environment.update(settings)
    code, said = fail(copy, *words)
    assert code == expected[0] and said.startswith(expected[1]), said
    assert said.strip() and "Traceback" not in said


def test_two_copies_do_not_share_a_spool(copy):
    copy.start()
    code, said = fail(copy, "serve")
    assert code == 1 and "another copy of the service has" in said, said


def test_the_demo_prints_a_line_that_calls_its_phone_and_ends_with_ctrl_c(copy, tmp_path):
    demo = copy.begin("log", "demo", "--phone", str(free_port()))
    try:
        wait_until(lambda: "curl" in copy.log(), LIMIT)
        called = shlex.split(next(line for line in copy.log().splitlines() if "curl" in line))
        answer = json.loads(subprocess.check_output(called))
        copy.api.headers["Authorization"] = called[called.index("-H") + 1].partition(": ")[2]
        copy.wait_call(answer["id"], state="answered")
        assert copy.api.get("/docs").status_code == 200 and copy.api.get("/admin/login").status_code == 200
        assert copy.environment["ADMIN_PASSWORD"] in copy.log()
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        code = demo.wait(LIMIT)
    assert code == 0 and "Traceback" not in copy.log(), copy.log()[-3000:]
    assert copy.rows("SELECT state FROM calls") == [("ended",)]


@contextlib.contextmanager
def debugged(copy):
    """A copy for debugging beside this one, which then ends as it should; its URL."""
    beside = copy.begin("debug-log", "debug", "--debugger", "none")
    try:
        yield "http://127.0.0.1:%d" % (copy.http_port + 1)
    finally:
        beside.send_signal(signal.SIGTERM)
        code = beside.wait(LIMIT)
    assert code == 0, (copy.folder / "debug-log").read_text()[-3000:]


def test_a_copy_for_debugging_runs_beside_on_the_next_ports_with_the_calls_of_the_first(
    copy, telephone, tmp_path
):
    copy.api.headers.update(copy.token())
    copy.start()
    id = copy.api.post("/calls", json={"to": telephone.uri("busy")}).json()["id"]
    wait_until(lambda: (id, "ended", "rejected") in copy.rows(), LIMIT)
    with debugged(copy) as url:
        wait_until(lambda: _answers(copy, url + "/calls/" + id), LIMIT)
        assert copy.api.get(url + "/calls/" + id).json()["cause"] == "rejected"
        answer = copy.api.post(url + "/calls", json={"to": telephone.uri("busy")})
        assert answer.status_code == 202
        assert (
            copy.api.get("/calls/" + answer.json()["id"]).status_code == 404
        )  # production knows nothing of it
        said = (copy.folder / "debug-log").read_text()
        assert "WITH_TRUNKS=false" in said and "SENTRY_ENVIRONMENT=debug" in said
    assert copy.api.get("/health/ready").status_code == 200
    with sqlite3.connect(str(copy.folder / "debug" / "telephony.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM calls").fetchall() == [(1,)]


def test_on_postgresql_the_copy_for_debugging_has_a_schema_of_its_own(copy, telephone, postgresql, tmp_path):
    copy.environment["DATABASE_URL"] = postgresql.make("debugged")
    copy.api.headers.update(copy.token())
    copy.start()
    assert copy.api.put("/numbers/100", json={"menu": {}}).status_code == 200
    with debugged(copy) as url:
        wait_until(lambda: _answers(copy, url + "/numbers"), LIMIT)
        assert list(copy.api.get(url + "/numbers").json()) == ["100"]
        assert copy.api.put(url + "/numbers/200", json={"menu": {}}).status_code == 200
        assert list(copy.api.get("/numbers").json()) == ["100"]


def _answers(copy, url):
    try:
        return copy.api.get(url).status_code == 200
    except Exception:
        return False
