"""``sipbridge compare``: what it says, with one engine that is compared with itself, and what cannot be compared."""

from __future__ import absolute_import, division, print_function

import io
import json
import os

import pytest

import sipbridge
from sipbridge import record
from sipbridge._command import cli, compare_party, comparing
from unit.command.process import one_line, run

CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "captures")
NAMES = ["sipp-udp.pcapng", "baresip.pcapng", "kamailio.pcap"]
CALLED = os.path.join(CAPTURES, NAMES[0])

ENGINE = os.environ.get("SIPBRIDGE_ENGINE") or sorted(sipbridge.engines(), reverse=True)[0]
ITSELF = ("--engine", ENGINE, "--engine", ENGINE, "--speed", "0")

#: A program that refuses calls at one of two engines that are called the same: at the one that has the lock.
PROGRAM = u"""
import os
import sipbridge

def take(event):
    try:
        os.mkdir("here")
    except OSError:
        event.call.reject(486)
    else:
        event.call.answer(b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\n")

print("to nobody")
with sipbridge.Endpoint(os.environ["SIP_ADDRESS"]) as endpoint:
    endpoint.on(sipbridge.IncomingCall, take)
    endpoint.wait_closed()
"""


def verdict(line):
    return line.split("  ")[-1].partition(":")[0]


def ends(name):
    """The address of who begins in a capture, and of whom it asks."""
    with io.open(os.path.join(CAPTURES, name), "rb") as stream:
        first = next(iter(record.read(stream)))
    return first.source, first.target


@pytest.mark.parametrize("role", ["caller", "callee"])
@pytest.mark.parametrize("name", NAMES, ids=["sipp", "phone", "server"])
def test_an_engine_agrees_with_itself(name, role):
    command = run("compare", os.path.join(CAPTURES, name), "--role", role, *ITSELF)
    lines = command.output.splitlines()
    assert (command.process.returncode, command.errors) == (0, ""), command.output
    assert lines[0].startswith("1 of 1  %s call 1  " % name) and verdict(lines[0]) == "same", command.output
    assert lines[2].startswith("compared: %s " % ENGINE) and ", %s (2) " % ENGINE in lines[2]
    assert lines[4].split() == ["1", "1", "0", "0", "0", "0"]


def test_a_report_for_machines():
    command = run("compare", CALLED, CALLED, "--json", *ITSELF)
    assert command.process.returncode == 0, command.errors
    report = json.loads(command.output)
    assert report["engines"] == [ENGINE, ENGINE + " (2)"]
    assert report["sums"] == {"same": 2, "differs": 0, "died": 0, "failed": 0, "not compared": 0}
    first = report["calls"][0]
    assert (first["method"], first["verdict"], first["differences"]) == ("INVITE", "same", [])
    assert [each["outcome"] for each in first["runs"]] == ["played", "played"]
    assert first["runs"][0]["events"] == ["IncomingCall", "CallConfirmed", "CallEnded"]
    assert [verdict(line) for line in command.errors.splitlines()] == ["same", "same"]


def test_a_program_that_does_not_do_the_same_each_time(tmpdir):
    path = tmpdir.join("program.py")
    path.write_text(PROGRAM.replace(u'"here"', u"%r" % str(tmpdir.join("here"))), "utf-8")
    command = run("compare", CALLED, "--app", str(path), *ITSELF)
    assert command.process.returncode == 1, command.output + command.errors
    lines = [line.strip() for line in command.output.splitlines()]
    assert verdict(lines[0]) == "differs" and "message: 200 to INVITE" in lines and "event: CallConfirmed" in lines
    assert sum(line in ("-486 to INVITE", "+486 to INVITE") for line in lines) == 1, command.output
    assert "to nobody" not in command.output


def test_a_call_that_cannot_be_played_is_told():
    party = ends(NAMES[2])[0]
    command = run("compare", CALLED, os.path.join(CAPTURES, NAMES[2]), "--party", party, *ITSELF)
    first, second = command.output.splitlines()[:2]
    assert command.process.returncode == 0 and (verdict(first), verdict(second)) == ("not compared", "same")
    assert "there are 127.0.0.1:" in first


def test_where_nothing_was_compared_it_fails():
    """No address of this capture is both: the callee, and who is tested by playing the callee."""
    command = run("compare", CALLED, "--party", ends(NAMES[0])[1], "--role", "callee", *ITSELF)
    assert command.process.returncode == 2 and verdict(command.output.splitlines()[0]) == "not compared"
    assert "nothing was compared" in one_line(command.errors)


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        ((), 2, "argument"),
        ((CALLED, "--engine", "other"), 2, "other"),
        ((CALLED, "--speed", "1e-300"), 2, "must be 0 or a factor from 0.01"),
        ((CALLED, "--engine", ENGINE), 2, "one engine is nothing to compare"),
        ((CALLED, "--party", "192.0.2.1:5060") + ITSELF, 2, "192.0.2.1:5060 is in no capture: there are 127.0.0.1:"),
        ((CALLED, "--call", "2") + ITSELF, 2, "no such call in the capture: it has 1"),
        ((CALLED, "--ignore", "") + ITSELF, 2, "--ignore: must be the name of a header, as Contact, not ''"),
        ((CALLED, "--ignore", "a b:") + ITSELF, 2, "--ignore: must be the name of a header, as Contact, not 'a b:'"),
        ((CALLED,) + ITSELF + ("--", "--listen"), 2, "is for a program, and none is named: give --app PROGRAM"),
        ((CALLED, "--app", "none.py") + ITSELF, 2, "there is no program none.py"),
        ((os.path.join(CAPTURES, "make.py"),) + ITSELF, 2, "make.py: not a capture file"),
        ((os.path.join(CAPTURES, "none.pcap"),) + ITSELF, 2, "cannot read"),
    ],
)
def test_wrong_usage_is_one_line(arguments, code, told):
    command = run("compare", *arguments)
    assert command.process.returncode == code and told in one_line(command.errors), command.errors


def test_with_one_engine_it_says_how_to_get_another(monkeypatch, capsys):
    monkeypatch.setattr(comparing, "available", lambda: {"sofia": "1.13"})
    assert cli.main(["compare", CALLED]) == 7
    told = one_line(capsys.readouterr().err)
    assert "there is sofia here, and it takes two" in told and "libeXosip2 3.x" in told and "make develop" in told
    assert cli.main(["compare", CALLED, "--engine", "exosip", "--engine", "sofia"]) == 7
    assert "the exosip engine is not built here" in one_line(capsys.readouterr().err)


def test_a_capture_is_read_once(monkeypatch, capsys):
    monkeypatch.setattr(comparing, "available", lambda: {"sofia": "1.13", "exosip": "3.6.0"})
    reads, read = [], record.read

    def counted(stream):
        reads.append(stream)
        return read(stream)

    monkeypatch.setattr(record, "read", counted)
    assert cli.main(["compare", CALLED, "--call", "2"]) == 2
    assert "it has 1" in one_line(capsys.readouterr().err) and len(reads) == 1


def test_the_endpoint_is_of_the_same_package_wherever_the_command_is_run(tmpdir, monkeypatch, capfd):
    for name in ("json.py", "runpy.py", "sipbridge/__init__.py"):
        tmpdir.join(name).write("raise SystemExit('of the current folder')\n", ensure=True)
    monkeypatch.chdir(tmpdir)
    code = cli.main(["compare", CALLED] + list(ITSELF))
    output = capfd.readouterr().out
    assert (code, verdict(output.splitlines()[0])) == (0, "same"), output


def test_an_event_as_data(alice, bob):
    seen = []
    bob.on(sipbridge.MessageReceived, seen.append)
    alice.message(bob.uri, u"caf\xe9", headers=[("Subject", "lunch")])
    told = compare_party.described(seen[0])
    assert (told["event"], told["fields"]) == ("MessageReceived", {"method": "MESSAGE", "body": True, "call": None})
    assert told["body"].encode("latin-1").decode("utf-8") == u"caf\xe9"
    assert [value for name, value in told["headers"] if name == "Subject"] == ["lunch"]
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(told))
