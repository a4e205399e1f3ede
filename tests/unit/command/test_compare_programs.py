"""``sipbridge compare --app``: what a program is told, and what is said of one that does not work."""

from __future__ import absolute_import, division, print_function

import fcntl
import io
import json
import os
import signal
from collections import namedtuple

import pytest

from peers.waiting import wait_until
from sipbridge._command import compare_process
from sipbridge._command.compare_report import Report, Result
from sipbridge._replay.contrast import PLAYED, Run, contrast, refusals
from sipbridge.errors import EngineError
from unit.command.process import Command, run
from unit.command.test_compare import CALLED, ENGINE, ITSELF, verdict

#: A program that refuses calls at the address which the expression makes of its arguments.
AT = u"""
import sys
import sipbridge

with sipbridge.Endpoint(%s) as endpoint:
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.reject(486))
    endpoint.wait_closed()
"""

#: A program that nobody calls.
ELSEWHERE = u"""
import sys
import sipbridge

sys.stderr.write("elsewhere\\n")
with sipbridge.Endpoint("udp://127.0.0.1:0") as endpoint:
    endpoint.wait_closed()
"""

#: A program that opens its endpoint and ends.
SHORT = u"""
import os
import sipbridge

sipbridge.Endpoint(os.environ["SIP_ADDRESS"])
"""

#: The begin of a program that shares a lock with all that it starts, and can say that it is there.
LIVING = u"""
import fcntl, os, signal, sys, time
import sipbridge

lock = open(sys.argv[1] + "/lock", "a")
fcntl.flock(lock, fcntl.LOCK_SH)

def here():
    open("%s/here.%d" % (sys.argv[1], os.getpid()), "w").close()

"""

RINGS = u"""
with sipbridge.Endpoint(os.environ["SIP_ADDRESS"]) as endpoint:
    endpoint.on(sipbridge.IncomingCall, lambda event: (event.call.ring(), here()))
    endpoint.wait_closed()
"""

FORKS = u"""
if not os.fork():
    here()
    time.sleep(60)
    os._exit(0)
"""


#: A program that leaves in the middle of a call.
LEAVES = u"""
import os
import sipbridge

SDP = b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\n"

class Leaving(sipbridge.Observer):
    def event(self, event):
        if isinstance(event, sipbridge.CallConfirmed):
            os._exit(0)

with sipbridge.Endpoint(os.environ["SIP_ADDRESS"]) as endpoint:
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
    endpoint.observe(Leaving())
    endpoint.wait_closed()
"""


@pytest.fixture
def program(tmpdir):
    """A function that writes a program and returns its path."""

    def write(text):
        path = tmpdir.join("program.py")
        path.write_text(text, "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    "argument, address",
    [
        ("--listen=udp:127.0.0.1:{port}", "'udp://' + sys.argv[1][13:]"),
        ("at {address} or {address}", "sys.argv[1].split()[3]"),
        ("{port}", "'udp://127.0.0.1:' + sys.argv[1]"),
    ],
)
def test_its_address_is_a_part_of_an_argument(program, argument, address):
    command = run("compare", CALLED, "--app", program(AT % address), *(ITSELF + ("--", argument)))
    assert command.process.returncode == 0, command.output + command.errors
    assert verdict(command.output.splitlines()[0]) == "same" and "same: 1 messages" in command.output


@pytest.mark.parametrize(
    "text, outcome, notes",
    [
        (u"this is no Python", "the process of the endpoint ended with 1", "SyntaxError"),
        (u"import sys\nsys.exit('no such account')", "the process of the endpoint ended with 1", "no such account"),
        (u"print('nothing to do')", "the program ended with code 0 before it opened an endpoint", "nothing to do"),
        (ELSEWHERE, "nothing came from the endpoint", "elsewhere"),
        (SHORT, "nothing came from the endpoint, and the program ended with code 0", ""),
        (LEAVES, "the program ended with code 0, and a call was still up", ""),
    ],
    ids=["syntax", "exit", "nothing", "elsewhere", "short", "leaves"],
)
def test_a_program_that_does_not_work_is_not_the_same_everywhere(program, text, outcome, notes):
    command = run("compare", CALLED, "--timeout", "0.5", "--app", program(text), *ITSELF)
    lines = command.output.splitlines()
    assert command.process.returncode == 1 and verdict(lines[0]) == "failed", command.output + command.errors
    for line in lines[1:3]:
        assert line.startswith("     ") and line.endswith(": " + outcome), command.output
    assert any(line.startswith("       | ") and notes in line for line in lines) == bool(notes), command.output
    assert lines[-1].split() == ["1", "0", "0", "0", "1", "0"]


def test_a_report_for_machines_has_why(program):
    text = u"import sys\nsys.stderr.write('no such account\\n')\nraise SystemExit(5)\n"
    command = run("compare", CALLED, "--json", "--app", program(text), *ITSELF)
    report = json.loads(command.output)
    (call,) = report["calls"]
    assert command.process.returncode == 1 and (call["verdict"], report["sums"]["failed"]) == ("failed", 1)
    assert [each["outcome"] for each in call["runs"]] == ["the process of the endpoint ended with 5"] * 2
    assert call["runs"][0]["notes"] == ["no such account"]


def test_an_endpoint_that_has_not_done_its_part(monkeypatch):
    """It has none to do yet. No call is up, and it is not said that one is."""
    monkeypatch.setattr(compare_process, "_QUIET", 0.1)
    party = compare_process.Party(compare_process.Contender("some", ENGINE, {}), [], {})
    try:
        with pytest.raises(EngineError) as caught:
            party.settle()
    finally:
        party.end()
        party.notes()
    assert str(caught.value).endswith("the endpoint had not done all that it did in the capture")


def answering(handler):
    """A program that takes calls with this handler."""
    return (AT % "'udp://127.0.0.1:' + sys.argv[1]").replace(u"lambda event: event.call.reject(486)", handler)


@pytest.mark.parametrize(
    "text, code, named, note",
    [
        (answering(u"lambda event: no_such_name"), 1, "failed", "500 "),
        (ELSEWHERE.replace(u"0.0.1:0\"", u"0.0.1:\" + sys.argv[1]"), 1, "failed", "480 "),
        (answering(u"lambda event: event.call.reject(503)"), 1, "failed", "503 "),
        (answering(u"lambda event: event.call.reject(486)"), 0, "same", "486 "),
    ],
    ids=["raises", "none", "503", "486"],
)
def test_a_program_that_refuses_what_was_answered_is_not_passed_over(program, text, code, named, note):
    text = u"import sys\nsys.stderr.write('it begins\\n')\n" + text
    command = run("compare", CALLED, "--app", program(text), *(ITSELF + ("--", "{port}")))
    lines = command.output.splitlines()
    assert (command.process.returncode, verdict(lines[0])) == (code, named), command.output + command.errors
    assert lines[1].startswith("     note: recorded was 200 OK to INVITE, and " + note), command.output
    assert lines[1].endswith(" with each engine: does the program work?") and " or " not in lines[1], command.output
    assert lines.count("       | it begins") == 2 * code and not any("played" in line for line in lines)


def test_what_a_program_wrote_is_in_the_report_for_machines(program):
    text = u"import sys\nsys.stderr.write('it begins\\n')\n" + AT % "'udp://127.0.0.1:' + sys.argv[1]"
    command = run("compare", CALLED, "--json", "--app", program(text), *(ITSELF + ("--", "{port}")))
    (call,) = json.loads(command.output)["calls"]
    assert (command.process.returncode, call["verdict"]) == (0, "same") and "486 " in call["note"]
    assert [each["notes"] for each in call["runs"]] == [["it begins"]] * 2


def test_a_note_is_on_answers_that_every_engine_refuses():
    recorded = [response(u"401 No", 1), response(u"200 OK", 2), response(u"200 OK", 3), response(u"486 Busy", 4)]
    first = [response(u"401 No", 1), response(u"603 No", 2), response(u"500 No", 3), response(u"500 No", 4)]
    other = [response(u"401 No", 1), response(u"603 No", 2), response(u"500 Well", 3), response(u"500 Well", 4)]
    for second, by_program, note, is_broken in (
        (other, True, u"recorded was 200 OK to INFO, and 500 No with each engine: does the program work?", True),
        (first, False, u"recorded was 200 OK to INFO, and 603 No with each engine", False),
        (recorded, True, u"", False),
        ([], True, u"", False),
    ):
        runs = [Run(u"some", u"1", PLAYED, 0, each, [], [], []) for each in (first, second)]
        result = Result("a.pcap", None)
        result.played("caller", runs)
        result.refused(refusals(recorded, runs), by_program)
        assert (result.note, result.is_broken) == (note, is_broken)


def response(status, number):
    return (u"SIP/2.0 %s\r\nCSeq: %d INFO\r\n\r\n" % (status, number)).encode("ascii")


def test_of_engines_that_die_alike_it_says_of_what(program):
    text = u"import os, sys\nimport sipbridge\n\nsys.stderr.write('in pieces\\n')\n"
    text += u"endpoint = sipbridge.Endpoint(os.environ['SIP_ADDRESS'])\nos.abort()\n"
    command = run("compare", CALLED, "--app", program(text), *ITSELF)
    lines = command.output.splitlines()
    assert command.process.returncode == 1 and verdict(lines[0]) == "died", command.output + command.errors
    for line in lines[1:3]:
        assert line.startswith("     %s " % ENGINE) and line.endswith(": the engine died: SIGABRT"), command.output
    assert lines.count("       | in pieces") == 2 and not any("outcome" in line for line in lines), command.output


def test_who_died_is_said_once():
    call = namedtuple("Call", "number, method")(1, u"INVITE")
    result = Result("a.pcap", call)
    outcomes = (PLAYED, u"the engine died: SIGSEGV")
    result.played("caller", [Run(u"some", u"1", each, 0, [], [], [], []) for each in outcomes])
    result.add(contrast(*result.runs))
    told = Report(["a", "b"]).lines(result, 1, 1)
    assert told[1:] == [u"     some 1: " + each for each in outcomes]


@pytest.mark.parametrize(
    "outcomes, verdict",
    [
        ((PLAYED, PLAYED), "same"),
        ((PLAYED + ", but 5 s after the last message a call was still up",) * 2, "same"),
        (("nothing came from the endpoint",) * 2, "failed"),
        (("the engine died: SIGSEGV", "nothing came from the endpoint"), "died"),
        ((PLAYED, "the program names its engine itself: as it was"), "failed"),
    ],
)
def test_the_verdict_on_outcomes(outcomes, verdict):
    result, report = Result("a.pcap", None), Report(["a", "b"])
    result.played("caller", [Run("some", "1.0", each, 0, [], [], [], []) for each in outcomes])
    report.add(result)
    assert (result.verdict, report.differs, report.compared) == (verdict, verdict != "same", True)


# -- what it leaves ----------------------------------------------------------------------------------------


@pytest.fixture
def living(tmpdir):
    """A function that tells which processes of programs said that they are there; none is left after the test."""

    def pids():
        return [int(each.basename[5:]) for each in tmpdir.listdir("here.*")]

    yield pids
    for pid in pids():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


def is_left(tmpdir):
    """Whether a process of a program lives."""
    with io.open(str(tmpdir.join("lock")), "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (IOError, OSError):
            return True
    return False


@pytest.mark.parametrize("text", [AT % "'udp://127.0.0.1:' + sys.argv[2]", u"sys.exit(3)"], ids=["lives", "ends"])
def test_what_a_program_has_started_ends_with_it(program, tmpdir, living, text):
    arguments = ITSELF + ("--", str(tmpdir), "{port}")
    command = run("compare", CALLED, "--app", program(LIVING + FORKS + text), *arguments)
    assert command.process.returncode == int("exit" in text), command.output + command.errors
    assert len(living()) == 2
    wait_until(lambda: not is_left(tmpdir))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("text", [RINGS, FORKS + RINGS], ids=["alone", "forks"])
def test_a_program_ends_with_the_command(program, tmpdir, living, text, number):
    arguments = ITSELF + ("--timeout", "60", "--", str(tmpdir))
    with Command("compare", CALLED, "--app", program(LIVING + text), *arguments) as command:
        wait_until(lambda: len(living()) == (4 if "fork" in text else 2))
        assert is_left(tmpdir)
        command.process.send_signal(number)
        assert command.finish() == {signal.SIGKILL: -signal.SIGKILL}.get(number, 130)
    wait_until(lambda: not is_left(tmpdir))


def test_a_program_that_cannot_end_itself_ends_with_the_command(program, tmpdir, living):
    stops = RINGS.replace(u"here()", u"here(), os.kill(os.getpid(), signal.SIGSTOP)")
    arguments = ITSELF + ("--timeout", "60", "--", str(tmpdir))
    with Command("compare", CALLED, "--app", program(LIVING + stops), *arguments) as command:
        wait_until(lambda: len(living()) == 2)
        command.process.send_signal(signal.SIGTERM)
        assert command.finish() == 130
    wait_until(lambda: not is_left(tmpdir))


def test_a_program_has_nothing_to_read(program, tmpdir):
    reads = u"import sys\nassert sys.stdin.read() == ''\n" + AT % "'udp://127.0.0.1:' + sys.argv[1]"
    command = run("compare", CALLED, "--app", program(reads), *(ITSELF + ("--", "{port}")))
    assert command.process.returncode == 0, command.output
