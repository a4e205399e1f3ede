"""The units for systemd: systemd-analyze reads them, and what they run is an engine that starts, answers and drains."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

import sipbridge
from fleet.running import Balancer
from peers.ports import HOST, free_port
from peers.process import Process, require
from sipbridge._command.fleet_plan import Plan

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy/systemd"
ENGINE = "sipbridge-engine@.service"

#: Where the units have the command.
INSTALLED = "/opt/sipbridge/bin/sipbridge"

#: What the template has of systemd: the instance, the folder of states.
SPECIFIERS = {"%i": None, "%S": "/var/lib"}


@pytest.fixture
def folder(tmp_path):
    """A copy of the units, with a command that is there."""
    command = tmp_path / "sipbridge"
    command.write_text('#!/bin/sh\nexec "%s" -m sipbridge "$@"\n' % sys.executable)
    command.chmod(0o755)
    for source in [*UNITS.glob("sipbridge-*"), *(ROOT / "examples/sidecar").glob("sipbridge-engine.s*")]:
        (tmp_path / source.name).write_text(source.read_text().replace(INSTALLED, str(command)))
    added = tmp_path / (ENGINE + ".d")
    added.mkdir()
    shutil.copy(str(UNITS / "kamailio.conf"), str(added))
    return tmp_path


def verify(folder, *names):
    """What systemd-analyze says of units; it ends with 0 where it only warns, too."""
    command = [require("systemd-analyze"), "verify", "--man=no", *(str(folder / name) for name in names)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    said = [line for line in done.stdout.splitlines() if "sipbridge" in line]
    return said + ["exit code %d" % done.returncode] * bool(done.returncode)


@pytest.mark.parametrize(
    "names",
    [
        (ENGINE, "sipbridge-fleet.target"),
        ("sipbridge-engine@5080.service",),
        ("sipbridge-engine.service", "sipbridge-engine.socket"),
    ],
)
def test_systemd_reads_the_units(folder, names):
    assert verify(folder, *names) == []


@pytest.mark.parametrize("word, wrong", [("KillMode=mixed", "KillMode=mixd"), ("ExecStart=/", "ExecStart=/no/")])
def test_systemd_tells_of_what_is_wrong(folder, word, wrong):
    unit = folder / ENGINE
    unit.write_text(unit.read_text().replace(word, wrong))
    assert verify(folder, ENGINE) != []


def settings(text, name):
    """All values of a setting in a unit."""
    return re.findall(r"^%s=(.*)$" % name, text, re.MULTILINE)


def instance(folder, port):
    """The template's text for a port."""
    text = (folder / ENGINE).read_text()
    for specifier, value in SPECIFIERS.items():
        text = text.replace(specifier, value or str(port))
    return text


def test_the_commands_of_an_engine(folder):
    """As systemd runs them: ExecStart, then ExecStartPost, which ends when the engine answers; SIGTERM."""
    text = instance(folder, free_port())
    variables = dict(each.split("=", 1) for each in settings(text, "Environment"))
    (start,), (answered,) = settings(text, "ExecStart"), settings(text, "ExecStartPost")
    words = [re.sub(r"\$\{(\w+)\}", lambda found: variables[found.group(1)], word) for word in shlex.split(start)]
    engine = Process(words, str(folder), "engine", variables)
    try:
        assert subprocess.run(shlex.split(answered), stdout=subprocess.DEVNULL, timeout=30).returncode == 0
        assert "listening on " + variables["SIP_ADDRESS"] in engine.output()
        os.kill(engine.pid, signal.SIGTERM)
        assert engine.wait(20.0) == 0
        assert "taking no more calls" in engine.output()
    finally:
        engine.stop()


def test_an_engine_has_the_variables_that_a_fleet_gives_it(folder):
    text = instance(folder, 5080)
    variables = dict(each.split("=", 1) for each in settings(text, "Environment"))
    engine = Plan(1, ["x"], "/").engines("/var/lib/sipbridge")[0]
    expected = dict(engine.variables(), DATA="/var/lib/sipbridge/5080")
    del expected["HTTP_PORT"]  # no sum of the port and something: it is in a file of the engine's own
    assert variables == expected
    assert settings(text, "StateDirectory") == ["sipbridge/5080"]


def test_there_is_time_to_drain(folder):
    text = instance(folder, 5080)
    drain = int(re.search(r"--drain (\d+)", text).group(1))
    assert drain < int(settings(text, "TimeoutStopSec")[0])


def test_kamailio_has_an_engine_out_and_back():
    """What is run before SIGTERM, and after the start: that ends when Kamailio has taken the engine back."""
    text = (UNITS / "kamailio.conf").read_text()
    port = free_port()
    balancer = Balancer([port], free_port())
    try:
        with sipbridge.Endpoint("udp://%s:%d" % (HOST, port)):
            balancer.wait_flags("AP", port)
            for name, flags in (("ExecStop", "DX"), ("ExecStartPost", "AP")):
                for command in settings(text, name):
                    command = command.replace("/usr/sbin/kamcmd", " ".join(balancer.kamcmd)).replace("%i", str(port))
                    assert command.startswith("-+")
                    assert subprocess.run(shlex.split(command[2:]), timeout=30).returncode == 0
                assert balancer.flags() == {port: flags}
    finally:
        balancer.stop()
