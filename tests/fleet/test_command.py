"""``sipbridge fleet``: engines under supervisord, restarted one by one while calls are up."""

import io
import json
import os
import shlex
import signal
import sys
from dataclasses import replace

import pytest
from supervisor.options import UnhosedConfigParser

from peers.fleet import LISTEN
from peers.waiting import wait_until
from sipbridge._command import cli
from sipbridge._command.fleet_plan import Plan, merged, quoted
from sipbridge.errors import InputError

SDP = b"v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

#: A service that does not start where a file says so, tells what it was given, and drains as `sipbridge listen`.
SERVICE = """
import json, os, sys
if os.path.exists(sys.argv[2]):
    sys.exit("the database is away")
with open(os.path.join(os.environ["DATA"], "told"), "w") as told:
    json.dump([sys.argv[1:], {name: os.environ[name] for name in ("SIP_ADDRESS", "PORT", "HTTP_PORT", "DATA")}], told)
from sipbridge._command.cli import main
sys.exit(main(["listen", sys.argv[1], "--drain", "60"]))
"""

#: Stands in for kamcmd: writes down what it is told, and refuses while a file says so. What was put back is in at once.
KAMCMD = """
import os, sys
if sys.argv[2] == "dispatcher.list":
    for line in open(sys.argv[1]):
        if " ip " in line:
            print("URI: %s\\nFLAGS: AP" % line.split()[-1])
    sys.exit()
with open(sys.argv[1], "a") as told:
    told.write(" ".join(sys.argv[2:]) + "\\n")
if os.path.exists(sys.argv[1] + ".away"):
    sys.exit("ERROR: connect_unix_sock: cannot connect")
"""


@pytest.fixture
def call(make_phone):
    """Places a call, which is answered."""
    phone = make_phone()

    def place(uri):
        placed = phone.endpoint.call(uri, SDP)
        placed.wait_established(20.0)
        return placed

    return place


@pytest.fixture
def service(tmp_path):
    """The program above as words of a command, and the file that keeps it from starting."""
    script, broken = tmp_path / "service.py", tmp_path / "broken"
    script.write_text(SERVICE)
    return (sys.executable, str(script), "{address}", str(broken)), broken


@pytest.fixture
def kamcmd(tmp_path):
    """Options with which Kamailio is told, and the file with what it was told."""
    script, told = tmp_path / "kamcmd.py", tmp_path / "told"
    script.write_text(KAMCMD)
    told.touch()
    return ("--kamcmd", shlex.join([sys.executable, str(script), str(told)])), told


def ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# -- start and stop ------------------------------------------------------------------------------------------


def test_three_engines_take_calls_and_stop_leaves_no_process(make_supervised, call):
    fleet = make_supervised(3)
    command = fleet.start()
    assert command.output.count("takes calls at") == 3
    for port in fleet.ports:
        call(fleet.uri(port)).hangup()
    told = fleet.run("--status").output
    assert told.count("takes calls") == 3 and "takes no calls" not in told
    running = fleet.processes()
    assert len(running) >= 4
    fleet.run("--stop")
    assert all(ended(pid) for pid in running)
    assert "supervisord does not run" in fleet.run("--status", code=1).output
    fleet.run("--stop")  # once more does no harm


def test_what_is_killed_is_started_again(make_supervised, call):
    fleet = make_supervised(3)
    fleet.start()
    before = fleet.pids()
    os.kill(before[fleet.ports[1]], signal.SIGKILL)
    assert wait_until(lambda: ended(before[fleet.ports[1]]) and len(fleet.pids()) == 3, 20.0)
    after = fleet.pids()
    assert [port for port in fleet.ports if before[port] != after[port]] == [fleet.ports[1]]
    wait_until(lambda: "takes no calls" not in fleet.run("--status", code=None).output, 20.0)
    call(fleet.uri(fleet.ports[1])).hangup()


def test_stop_lets_calls_finish(make_supervised, call):
    fleet = make_supervised(2)
    fleet.start()
    placed = call(fleet.uri(fleet.ports[0]))
    with fleet.command("--stop") as stopping:
        stopping.expect("all engines drain")
        wait_until(lambda: len(fleet.pids()) == 0)  # both have had SIGTERM
        assert placed.ended is None
        placed.hangup()
        assert stopping.finish() == 0, stopping.errors


def test_what_each_engine_is_given(make_supervised, service):
    fleet, (program, _) = make_supervised(2), service
    fleet.start(program + ("100% of {index};", "a ;b", "{data}/x", "{other}"), ("--http-port", "18000"))
    for index, port in enumerate(fleet.ports):
        data = fleet.path("data/%d" % index)
        with open(data + "/told") as stream:
            words, variables = json.load(stream)
        address = "udp://127.0.0.1:%d" % port
        assert words == [address, program[3], "100%% of %d;" % index, "a ;b", data + "/x", "{other}"]
        assert variables == {"SIP_ADDRESS": address, "PORT": str(port), "HTTP_PORT": str(18000 + index), "DATA": data}


def test_a_program_that_does_not_start(make_supervised, service):
    fleet, (program, broken) = make_supervised(2), service
    broken.touch()
    command = fleet.run(2, program=program, code=1)
    assert "engine-%d does not take calls: " % fleet.ports[0] in command.errors
    assert "ends with: the database is away" in command.errors and "start the fleet again" in command.errors
    assert fleet.processes() == []


def test_a_program_that_answers_nobody(make_supervised):
    fleet = make_supervised(1)
    command = fleet.run(1, "--start-timeout", "2", program=["sleep", "600"], code=1)
    assert "no answer to OPTIONS for 2 s" in command.errors
    assert fleet.processes() == []


# -- one by one ----------------------------------------------------------------------------------------------


def test_a_rolling_restart_lets_the_calls_of_each_engine_finish(make_supervised, call):
    fleet = make_supervised(3)
    fleet.start()
    before = fleet.pids()
    calls = dict((port, call(fleet.uri(port))) for port in fleet.ports)
    with fleet.command("--rolling") as rolling:
        for port in fleet.ports:
            rolling.expect("engine-%d: drains" % port)
            fleet.expect(port, "taking no more calls: 1 to finish")
            assert [each.ended for each in calls.values()] == [None] * len(calls)
            for other in fleet.ports:
                if other != port:
                    call(fleet.uri(other)).hangup()
            calls.pop(port).hangup()
            rolling.expect("engine-%d: takes calls" % port)
        assert rolling.finish() == 0, rolling.errors
    after = fleet.pids()
    assert [before[port] == after[port] for port in fleet.ports] == [False] * 3


def test_a_roll_ends_at_an_engine_that_does_not_come_back(make_supervised, service, kamcmd):
    fleet, (program, broken), (options, told) = make_supervised(3), service, kamcmd
    fleet.start(program, options)
    before = fleet.pids()
    told.write_text("")
    broken.touch()
    command = fleet.run("--rolling", code=1)
    first = fleet.ports[0]
    assert "engine-%d does not take calls" % first in command.errors and "--rolling --folder" in command.errors
    assert told.read_text() == "dispatcher.set_state d 1 sip:127.0.0.1:%d\n" % first
    after = fleet.pids()
    assert [after.get(port) for port in fleet.ports] == [None] + [before[port] for port in fleet.ports[1:]]
    broken.unlink()
    fleet.run("--rolling")
    assert "dispatcher.set_state ip 1 sip:127.0.0.1:%d\n" % first in told.read_text()
    assert len(fleet.pids()) == 3


def test_kamailio_is_told_before_and_after(make_supervised, kamcmd):
    fleet, (options, told) = make_supervised(2), kamcmd
    fleet.start(options=options)
    uris = ["sip:127.0.0.1:%d" % port for port in fleet.ports]
    with open(fleet.path("dispatcher.list")) as stream:
        assert [line for line in stream.read().splitlines() if line[0] != "#"] == ["1 " + uri for uri in uris]
    assert told.read_text() == "dispatcher.reload\n"
    told.write_text("")
    fleet.run("--rolling")
    expected = ["dispatcher.set_state %s 1 %s" % (state, uri) for uri in uris for state in ("d", "ip")]
    assert told.read_text().splitlines() == expected


def test_without_kamailio_no_engine_is_drained(make_supervised, kamcmd):
    fleet, (options, told) = make_supervised(2), kamcmd
    fleet.start(options=options)
    before = fleet.pids()
    told.with_name("told.away").touch()
    assert "Kamailio was not told: " in fleet.run("--rolling", code=3).errors
    assert fleet.pids() == before
    fleet.run("--stop")  # that goes without


def test_an_interrupted_roll_finishes_its_engine(make_supervised, call):
    fleet = make_supervised(2)
    fleet.start()
    before = fleet.pids()
    placed = call(fleet.uri(fleet.ports[0]))
    with fleet.command("--rolling") as rolling:
        rolling.expect("drains")
        fleet.expect(fleet.ports[0], "taking no more calls")
        rolling.process.send_signal(signal.SIGINT)
        rolling.expect("interrupted: engine-%d is finished first" % fleet.ports[0])
        placed.hangup()
        assert rolling.finish() == 130
    after = fleet.pids()
    assert [before[port] == after.get(port) for port in fleet.ports] == [False, True]


def test_only_one_command_changes_a_fleet(make_supervised, call):
    fleet = make_supervised(1)
    fleet.start()
    placed = call(fleet.uri(fleet.ports[0]))
    with fleet.command("--rolling") as rolling:
        rolling.expect("drains")
        assert "another sipbridge fleet is at work there" in fleet.run("--rolling", code=3).errors
        placed.hangup()
        assert rolling.finish() == 0, rolling.errors


def test_another_number_and_another_program(make_supervised, kamcmd):
    fleet, (options, told) = make_supervised(3), kamcmd
    fleet.run(2, *options, program=LISTEN)
    before = fleet.pids()
    fleet.run(3)  # one more; the others go on
    after = fleet.pids()
    assert sorted(after) == fleet.ports and {port: after[port] for port in before} == before
    told.write_text("")
    fleet.run(2, program=LISTEN + ("--max-calls", "1000"))
    changed = fleet.pids()
    assert sorted(changed) == fleet.ports[:2] and not set(changed.values()) & set(after.values())
    gone = "sip:127.0.0.1:%d" % fleet.ports[2]
    assert told.read_text().splitlines()[-2:] == ["dispatcher.set_state d 1 " + gone, "dispatcher.reload"]
    with open(fleet.path("dispatcher.list")) as stream:
        assert gone not in stream.read()


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, problem",
    [
        (["3"], "give a number and a program"),
        (["--", "true"], "give a number and a program"),
        (["--stop"], "there is no fleet in"),
        (["--status", "--drain", "3"], "take no other option"),
        (["3", "--address", "udp://127.0.0.1:65530", "--", "true"], "65530 to 65550"),
        (["3", "--address", "udp://127.0.0.1:0", "--", "true"], "give another --address"),
        (["3", "--address", "tls://127.0.0.1:5080", "--", "true"], "give --ready URL"),
    ],
)
def test_wrong_usage(tmp_path, capsys, words, problem):
    assert cli.main(["fleet", "--folder", str(tmp_path / "fleet")] + words) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("words", [["0"], ["3", "--rolling", "--stop"], ["3", "program"], ["--address", "udp:/x"]])
def test_options_that_do_not_parse(words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["fleet"] + words)
    assert ended.value.code == 2


def test_without_supervisord(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "supervisor.xmlrpc", None)
    assert cli.main(["fleet", "2", "--folder", str(tmp_path / "fleet"), "--", "true"]) == 7
    assert "pip install sipbridge[fleet]" in capsys.readouterr().err


WORDS = ["plain", "", "a ;b", "a #b", "#", ";", "it's ;", '"', "a\\b", "100%", "{json: 1}", "\u00e4"]


@pytest.mark.parametrize("word", WORDS)
def test_supervisord_reads_each_word_as_it_was_given(word):
    parser = UnhosedConfigParser()
    parser.read_file(io.StringIO("[program:x]\ncommand=first %s last\n" % quoted(word).replace("%", "%%")))
    read = parser.saneget("program:x", "command", expansions={}, do_expand=True)
    assert shlex.split(read) == ["first", word, "last"]


def test_a_word_with_a_line_end_is_refused():
    with pytest.raises(InputError):
        quoted("a\nb")


def test_what_is_not_given_stays():
    before = Plan(3, ["a"], "/srv", drain=60.0)
    assert merged(before, {"count": 4}) == replace(before, count=4)
    assert merged(before, {"program": ["b"]}) == replace(before, program=["b"], directory=os.getcwd())
