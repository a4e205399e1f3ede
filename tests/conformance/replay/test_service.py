"""The story of docs/debugging.md: from an incident to the bug that examples/service-bug.patch puts into
examples/service.py. docker/replay.py plays what was recorded, as `make replay` does in the image."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import signal
import sys

import pytest

from conformance.sdp import OFFER
from peers.ports import free_port, wait_until_bound
from peers.process import Process, read_text
from peers.waiting import wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SERVICE = os.path.join(ROOT, "examples", "service.py")
PATCH = os.path.join(ROOT, "examples", "service-bug.patch")
CAPTURE = os.path.join(ROOT, "examples", "service-bug.pcapng")
REPLAY = os.path.join(ROOT, "docker", "replay.py")

BOTH = ("--call", "1", "--call", "2", "--speed", "0")

#: What other engines have otherwise than libeXosip2 3.6, on which the capture of the examples was made.
ENGINES = ("--ignore", "Allow", "--ignore", "Contact", "--ignore", "User-Agent", "--speed", "0")
LIMIT = 60.0  # seconds: only a test that fails takes that long


def _with_bug():
    """The text of the service with the bug. There is no git in the image."""
    lines = read_text(PATCH).partition("\n@@ ")[2].splitlines()[1:]
    was = "\n".join(line[1:] for line in lines if line[:1] != "+")
    becomes = "\n".join(line[1:] for line in lines if line[:1] != "-")
    assert read_text(SERVICE).count(was) == 1
    return read_text(SERVICE).replace(was, becomes)


def _write(folder, text):
    """A program in a folder; its path."""
    path = os.path.join(folder, "program.py")
    with io.open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


class Played(object):
    """A capture that was played against a program of that text.

    Attributes:
        code: the exit code.
        output: of the program and the player.
    """

    def __init__(self, starter, text, capture, *options, **environment):
        folder = starter.folder()
        command = [sys.executable, REPLAY, capture] + list(options) + ["--", sys.executable, "-u", _write(folder, text)]
        environment = dict({"PORT": "%d" % free_port(), "DEBUGGER": "none"}, **environment)
        process = starter.keep("replay", Process(command, folder, "replay", environment))
        self.code = process.wait(LIMIT)
        self.output = process.output()

    @property
    def events(self):
        """What the service has seen, without times and ports."""
        lines = [re.sub(r"127\.0\.0\.1:\d+", "...", line) for line in self.output.splitlines()]
        return [line[24:] for line in lines if re.match(r"[-0-9]{10} [:0-9]{8},\d{3} (call from|\S+ keyed in)", line)]

    @property
    def verdicts(self):
        return [line for line in self.output.splitlines() if re.match(r"(call \d: )?\d+ messages, ", line)]


@pytest.fixture
def incident(starter, other):
    """What the flight recorder of the service with the bug has of two calls: a capture."""
    folder = starter.folder()
    port = free_port()
    environment = {"PORT": "%d" % port, "INCIDENTS": os.path.join(folder, "incidents")}
    command = [sys.executable, "-u", _write(folder, _with_bug())]
    service = starter.keep("service", Process(command, folder, "service", environment))
    assert wait_until_bound(port, service.is_alive), service.output()
    wait_until(lambda: "listening" in service.output())
    for keys in "1#", "2#":
        other.start("endpoint", "call", "sip:service@127.0.0.1:%d" % port, OFFER).result()
        other.call("send_dtmf", keys)
        other.call("hangup")
    os.kill(service.pid, signal.SIGUSR1)
    wait_until(lambda: "incident signal: " in service.output())  # told when it is whole
    (name,) = os.listdir(environment["INCIDENTS"])
    service.stop()
    return os.path.join(environment["INCIDENTS"], name, "window.pcapng")


def test_the_same_capture_gives_the_same_events_each_time(starter, incident):
    first, second = [Played(starter, _with_bug(), incident, *BOTH) for _ in range(2)]
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert first.events == second.events and len(first.events) == 6, first.output
    assert [each for each in first.events if "keyed in" in each][1].endswith("keyed in 12")
    assert first.verdicts == second.verdicts and len(first.verdicts) == 2


def test_the_capture_of_the_examples_shows_the_bug(starter):
    """Two calls do, one does not: so it is what the first left behind."""
    played = Played(starter, _with_bug(), CAPTURE, *(BOTH + ENGINES))
    assert played.code == 0 and "keyed in 12\n" in played.output, played.output
    alone = Played(starter, _with_bug(), CAPTURE, "--call", "2", *ENGINES)
    assert alone.code == 1 and "     -12\n     +2\n" in alone.output, alone.output


def test_a_service_that_is_mended_differs_from_the_capture(starter):
    played = Played(starter, read_text(SERVICE), CAPTURE, *(BOTH + ENGINES))
    assert played.code == 1 and "     -12\n     +2\n" in played.output, played.output
    assert played.verdicts[0].endswith(" messages, as recorded")
    assert played.verdicts[1].endswith("1 of them otherwise than recorded")


# -- programs that are not what they should be ---------------------------------------------------------------


def test_a_program_that_does_not_listen(starter):
    played = Played(starter, u"import time\ntime.sleep(60)\n", CAPTURE, WAIT="0.3")
    assert played.code == 3 and "does not listen on port " in played.output, played.output
    assert "has to take its port from $PORT" in played.output


def test_a_program_that_ends_at_once(starter):
    played = Played(starter, u"raise SystemExit(5)\n", CAPTURE)
    assert played.code == 3 and "the program has ended (5) before it listened" in played.output, played.output


def test_a_program_that_ends_in_the_call(starter):
    text = read_text(SERVICE).replace("        event.call.answer(SDP)\n", "        os._exit(7)\n")
    played = Played(starter, text, CAPTURE, "--call", "1")
    assert played.code == 4 and "the program has ended (7) before the call was over" in played.output, played.output


def test_a_program_goes_on_under_a_debugger(starter):
    """Until it is ended; the exit code is that of the replay."""
    folder = starter.folder()
    command = [sys.executable, REPLAY, CAPTURE] + list(BOTH)
    command += ["--", sys.executable, "-u", _write(folder, read_text(SERVICE))]
    environment = {"PORT": "%d" % free_port(), "DEBUGGER": "debugpy"}
    process = starter.keep("replay", Process(command, folder, "replay", environment))
    wait_until(lambda: "the call is over. The program goes on" in process.output())
    assert process.is_alive()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(LIMIT) == 1, process.output()
