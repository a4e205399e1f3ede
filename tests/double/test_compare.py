"""``sipbridge compare`` with two engines: the double and Sofia-SIP, from one folder."""

from __future__ import absolute_import, division, print_function

import io
import json
import os

import pytest

import sipbridge
from sipbridge import record
from sipbridge._capture.writing import Packets, pcap
from sipbridge._replay import habits
from sipbridge._replay.addresses import split_host_port
from unit.command.process import run

CAPTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "captures")
NAMES = ["sipp-udp.pcapng", "baresip.pcapng", "kamailio.pcap"]
CALLED = os.path.join(CAPTURES, NAMES[0])
PLAYED = ("--engine", "sofia", "--engine", "exosip", "--speed", "0")

PROGRAM = u"""
import os
import sipbridge

def take(event):
    if endpoint.engine_name == "sofia":
        event.call.ring()
    event.call.reject(480 if endpoint.engine_name == "sofia" else 486)

with sipbridge.Endpoint(os.environ["SIP_ADDRESS"]) as endpoint:
    endpoint.on(sipbridge.IncomingCall, take)
    endpoint.wait_closed()
"""


@pytest.fixture(scope="module")
def both(tmpdir_factory):
    """The environment of a command that finds both engines: this package, with the engine of the other tree."""
    here = os.path.dirname(os.path.abspath(sipbridge.__file__))
    tree = os.path.dirname(here)
    native = os.path.join(os.path.dirname(tree), os.path.basename(tree).split("-")[0] + "-native", "sipbridge")
    folder = tmpdir_factory.mktemp("both").mkdir("sipbridge")
    for place, wanted in ((here, lambda name: True), (native, lambda name: name.startswith("_sofia."))):
        for name in os.listdir(place):
            if wanted(name) and name != "__pycache__" and not os.path.exists(str(folder.join(name))):
                os.symlink(os.path.join(place, name), str(folder.join(name)))
    return {"PYTHONPATH": folder.dirname, "SIPBRIDGE_ENGINE": None}


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch, tmpdir):
    """ "python -m" looks for the package where it is started first, and the tree has one."""
    monkeypatch.chdir(str(tmpdir))


def compare(both, *arguments, **environment):
    command = run("compare", *(arguments + PLAYED), environment=dict(both, **environment))
    assert command.process.returncode in (0, 1), command.errors
    return command


def changed(path, folder, change):
    """A capture with other messages: those that the function makes of each."""
    with io.open(path, "rb") as stream:
        messages = list(record.read(stream))
    made = str(folder.join("changed.pcap"))
    with io.open(made, "wb") as stream:
        writer, packets = pcap(stream), Packets("udp")
        for each in messages:
            ends = [split_host_port(place) for place in (each.source, each.target)]
            for packet in packets.of(ends[0], ends[1], change(each.data)):
                writer.writepkt(packet, each.time)
    return made


@pytest.mark.parametrize("role", ["caller", "callee"])
@pytest.mark.parametrize("name", NAMES, ids=["sipp", "phone", "server"])
def test_the_engines_agree(both, name, role):
    command = compare(both, os.path.join(CAPTURES, name), "--role", role)
    assert command.process.returncode == 0, command.output
    assert command.output.splitlines()[0].split("  ")[-1].startswith("same: ")
    assert "what always differs" in command.output


def test_what_always_differs_is_shown_when_asked_for(both):
    command = compare(both, CALLED, "--all")
    assert command.process.returncode == 1
    assert "       -Allow: INVITE, ACK, BYE" in command.output and "       +User-Agent: ..." in command.output


def test_what_a_library_lacks_is_a_difference(both, tmpdir):
    """Sofia-SIP rings reliably where the caller requires that (RFC 3262), libeXosip2 does not."""
    path = changed(CALLED, tmpdir, lambda data: data.replace(b"\r\nMax-F", b"\r\nRequire: 100rel\r\nMax-F"))
    command = compare(both, path, "--timeout", "2")
    assert command.process.returncode == 1 and "  differs:" in command.output.splitlines()[0], command.output
    assert "     message: 180 to INVITE\n       -RSeq: ...\n       -Require: 100rel\n" in command.output
    assert "             1  message 180 to INVITE: RSeq\n" in command.output


def test_an_engine_that_dies_is_a_finding(both):
    """And not the end of the command: the other capture is played."""
    command = compare(both, os.path.join(CAPTURES, NAMES[1]), CALLED, "--json", EXOSIP_DOUBLE_DIE_OF="baresip")
    assert command.process.returncode == 1
    report = json.loads(command.output)
    assert report["sums"] == {"same": 1, "differs": 0, "died": 1, "failed": 0, "not compared": 0}
    assert [each["outcome"] for each in report["calls"][0]["runs"]] == ["played", "the engine died: SIGSEGV"]
    assert report["calls"][1]["verdict"] == "same"


def test_a_program_that_acts_otherwise_on_another_engine(both, tmpdir):
    path = tmpdir.join("program.py")
    path.write_text(PROGRAM, "utf-8")
    command = compare(both, CALLED, "--app", str(path))
    assert command.process.returncode == 1
    for line in ("-180 to INVITE", "-480 to INVITE", "+486 to INVITE", "-status 480", "+status 486"):
        assert "       %s\n" % line in command.output, command.output


def test_a_program_that_names_its_engine_itself(both, tmpdir):
    """It is no comparison of two engines, and not called one."""
    path = tmpdir.join("program.py")
    path.write_text(PROGRAM.replace(u'["SIP_ADDRESS"])', u'["SIP_ADDRESS"], engine="exosip")'), "utf-8")
    command = compare(both, CALLED, "--app", str(path))
    lines = command.output.splitlines()
    assert command.process.returncode == 1 and lines[0].endswith("  failed:"), command.output
    told = "the program names its engine itself: its endpoint is on exosip, and $SIPBRIDGE_ENGINE was sofia"
    assert lines[1].startswith("     sofia ") and lines[1].endswith(": " + told), command.output
    assert lines[2].startswith("     exosip ") and lines[2].endswith(": played")


def test_each_habit_has_a_reason():
    for each in habits.IN_MESSAGES + habits.IN_EVENTS:
        assert each.reason and each.header == each.header.lower()
