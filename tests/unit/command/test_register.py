"""``sipbridge register``."""

from __future__ import absolute_import, division, print_function

import re
import signal

import pytest

from unit.command.process import Command, one_line, only_sofia, run

SECRET = {"SIPBRIDGE_PASSWORD": "secret"}


def test_register_once_removes_the_binding(registrar):
    command = run("register", registrar.uri, "--user", "alice", "--expires", "60", "--once", environment=SECRET)
    assert command.process.returncode == 0, command.errors
    assert re.search(r"registered sip:alice@127\.0\.0\.1 for 60 s", command.output)
    assert "unregistered sip:alice@127.0.0.1" in command.output
    assert registrar.answers[:2] == [("alice", 401), ("alice", 200)] and registrar.bindings == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_registration_stays_until_interrupted(registrar, number):
    arguments = ["register", registrar.uri, "--user", "alice", "--contact", "sip:alice@127.0.0.1:9"]
    with Command(*arguments, environment=SECRET) as command:
        command.expect("registered sip:alice@127.0.0.1 for 3600 s")
        assert registrar.bindings == {"alice": "sip:alice@127.0.0.1:9"}
        command.process.send_signal(number)
        assert command.finish() == 0, command.errors
    assert registrar.bindings == {}


@pytest.mark.parametrize(
    "arguments, environment, hint",
    [
        (["--aor", "sip:alice@127.0.0.1"], {}, "--user NAME"),
        (["--user", "alice"], {"SIPBRIDGE_PASSWORD": "Secret"}, "check --user"),
    ],
)
def test_a_refused_registration(registrar, arguments, environment, hint):
    command = run("register", registrar.uri, *arguments, environment=environment)
    assert command.process.returncode == 5
    line = one_line(command.errors)
    assert "401" in line and hint in line
    assert "secret" not in (line + command.output).lower()


def test_the_trace_shows_messages_and_masks_the_digest(registrar):
    command = run("register", registrar.uri, "--user", "alice", "--once", "--trace", environment=SECRET)
    assert command.process.returncode == 0, command.errors
    assert re.search(
        r"^\d\d:\d\d:\d\d\.\d{3} -> %s \(\d+ octets\)\n    REGISTER sip:" % re.escape(registrar.host_port),
        command.output,
        re.MULTILINE,
    )
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3} <- .*\n    SIP/2\.0 401 ", command.output, re.MULTILINE)
    (masked, _) = re.findall(r"^    Authorization: Digest .*$", command.output, re.MULTILINE)[:2]
    assert 'response="***"' in masked and 'username="alice"' in masked
    assert not re.search(r'response="[0-9a-f]', command.output)


@only_sofia
def test_the_bindings_are_listed_and_removed(registrar):
    registrar.bindings["alice"] = "sip:alice@192.0.2.7"
    own = ["register", registrar.uri, "--user", "alice"]
    assert run(*(own + ["--list"]), environment=SECRET).output == "<sip:alice@192.0.2.7>;expires=3600\n"
    command = run(*(own + ["--remove-all"]), environment=SECRET)
    assert (command.process.returncode, command.output) == (0, "no bindings\n")
    assert registrar.bindings == {}
