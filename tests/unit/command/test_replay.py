"""``sipbridge replay``: the calls of a capture, played against an endpoint."""

from __future__ import absolute_import, division, print_function

import re
import sys

import pytest

from sipbridge import record
from sipbridge._command import cli
from unit.command.process import Listening, one_line, run


@pytest.fixture(scope="module")
def capture(tmpdir_factory):
    """A call, recorded by the endpoint that took it."""
    path = str(tmpdir_factory.mktemp("replay").join("call.pcap"))
    with Listening("--once", "--record", path) as listening:
        assert run("call", listening.uri, "--dtmf", "4", "--duration", "0").process.returncode == 0
        assert listening.finish() == 0
    return path


def test_a_call_is_listed_and_played(capture):
    listed = run("replay", capture, "--list").output.splitlines()
    assert len(listed) == 1 and listed[0].startswith("1  20")
    assert "  INVITE  " in listed[0] and "  200 OK  " in listed[0]
    with Listening("--once") as listening:
        played = run("replay", capture, "--to", listening.uri, "--speed", "0", "--call", "1")
        assert (played.process.returncode, played.errors) == (0, ""), played.output
        assert listening.finish() == 0 and "DTMF 4" in listening.output
    assert played.output.splitlines()[-1].endswith(" messages, as recorded")
    assert re.search(r"  -> INVITE [0-9]+ \(SDP\)\n", played.output), played.output
    call_id = listed[0].split()[-1]
    with Listening("--once") as listening:
        played = run("replay", capture, "--to", listening.uri, "--step", "--call", call_id, standard_input=b"\n" * 9)
        assert played.process.returncode == 0 and played.output.count("Enter sends it.") == 4, played.output
        assert listening.finish() == 0


def test_calls_are_played_one_after_the_other(capture):
    with Listening() as listening:
        played = run("replay", capture, "--to", listening.uri, "--speed", "0", "--call", "1", "--call", "1")
    said = re.findall("^call 1: .*", played.output, re.MULTILINE)
    assert len(said) == 2 and all(each.endswith(" messages, as recorded") for each in said), played.output
    assert played.process.returncode == 0 and len(re.findall(" -> INVITE ", played.output)) == 2


def test_what_differs_is_told(capture):
    with Listening("--reject", "486") as listening:
        played = run("replay", capture, "--to", listening.uri, "--speed", "0")
    assert played.process.returncode == 1, played.output
    lines = [line.strip() for line in played.output.splitlines()]
    assert {"-SIP/2.0 200 OK", "+SIP/2.0 486 Busy Here", "-Content-Type: application/sdp"}.issubset(lines)
    assert any("-> ACK" in line for line in lines) and lines[-1] == "2 messages, 1 of them otherwise than recorded"


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        ([], 2, "give --to URI"),
        (["--to", "sip:127.0.0.1:9", "--listen", "udp://127.0.0.1:0"], 2, "give --to URI"),
        (["--to", "nonsense"], 2, "nonsense"),
        (["--to", "sips:127.0.0.1:9"], 7, "not over tls"),
        (["--to", "sip:127.0.0.1:9", "--call", "2"], 2, "no such call"),
        (["--to", "sip:127.0.0.1:9", "--party", "192.0.2.1:5060"], 2, "there are 127.0.0.1:"),
        (["--to", "sip:127.0.0.1:9", "--speed", "-1"], 2, "must be 0 or a factor from 0.01"),
        (["--to", "sip:127.0.0.1:9", "--speed", "1e-300"], 2, "must be 0 or a factor from 0.01"),
        (["--to", "sip:127.0.0.1:9", "--timeout", "0.2", "--speed", "0"], 6, "nothing came from the endpoint"),
        (["--to", "sip:127.0.0.1:9;transport=tcp"], 3, "Connection refused"),
        (["--to", "sip:127.0.0.1:9", "--local", "udp://192.0.2.1:0"], 3, "cannot use 192.0.2.1:0"),
        (["--role", "callee", "--scenario", "no/such/folder.xml"], 2, "cannot write"),
        (["--role", "caller", "--scenario", "x.xml", "--call", "1", "--call", "1"], 2, "a scenario is of one call"),
    ],
)
def test_what_cannot_be_played(capture, arguments, code, told):
    command = run("replay", capture, *arguments)
    assert command.process.returncode == code and told in one_line(command.errors), command.errors


def test_files_that_are_no_captures(tmpdir):
    path = tmpdir.join("call.pcap")
    for octets, told in ((b"hello", "not a capture file"), (b"\xd4\xc3\xb2\xa1\x02", "cut off")):
        path.write_binary(octets)
        command = run("replay", str(path), "--list")
        assert command.process.returncode == 2 and told in one_line(command.errors)
        assert "call.pcap" in command.errors
    assert "cannot read" in one_line(run("replay", str(tmpdir.join("none")), "--list").errors)


def test_without_what_reads_captures(monkeypatch, capsys):
    monkeypatch.setattr(record, "dpkt", None)  # not loaded yet
    monkeypatch.setitem(sys.modules, "dpkt", None)
    assert cli.main(["replay", "call.pcap", "--list"]) == 7
    assert "pip install sipbridge[pcap]" in one_line(capsys.readouterr().err)
