"""The ``sipbridge`` command (sipbridge._command): by itself, and against itself as the peer."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import signal
import socket

import pytest

import sipbridge
from peers import certificates
from sipbridge import errors, record
from sipbridge._command import cli, commands, options
from sipbridge._command.demo_registrar import Registrar
from sipbridge._engine import libraries
from sipbridge.headers import Headers
from unit.command.process import Command, Listening, run

NAMES = ["call", "listen", "register", "message", "ping", "subscribe", "publish", "version", "doctor"]
SDP = b"v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
NOBODY = "sip:bob@127.0.0.1"


@pytest.fixture
def silent():
    """The URI of a peer that never answers."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    yield "sip:bob@127.0.0.1:%d" % peer.getsockname()[1]
    peer.close()


@pytest.fixture
def registrar():
    with Registrar({"alice": "secret"}) as running:
        yield running


def one_line(text):
    """The text, which must be one line of the command's."""
    assert text.startswith("sipbridge") and text.count("\n") == 1 and text.endswith("\n"), text
    return text


# -- help, versions ------------------------------------------------------------------------------------------


def help_of(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments) + ["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_tells_the_exit_codes(capsys, name):
    text = help_of(capsys, name)
    assert "usage: sipbridge %s " % name in text
    for code in (0, 2, 3, 4, 5, 6, 7, 130):
        assert re.search(r"^  %d +\w" % code, text, re.MULTILINE), code
    assert name == "version" or "examples:\n  " in text
    assert "--password" not in text


def test_the_help_of_all_names_every_command_and_the_password_variable(capsys):
    text = help_of(capsys)
    for name in NAMES:
        assert re.search(r"^    %s( |$)" % name, text, re.MULTILINE)
    assert "SIPBRIDGE_PASSWORD" in text and "udp://host:port" in text


def test_the_examples_in_the_help_parse():
    parser = options.build_parser()
    command = r"^  (?:.*[ |])?sipbridge ((?:call|listen|register|message|ping|subscribe|publish) .*|doctor)$"
    for line in re.findall(command, options.examples(), re.M):
        words = re.findall(r'"[^"]*"|[^ ]+', line.partition("  #")[0])
        assert parser.parse_args([word.strip('"') for word in words]).run


def test_version():
    command = run("version")
    lines = command.output.splitlines()
    assert command.process.returncode == 0
    assert lines[0] == "sipbridge " + sipbridge.__version__
    assert re.match(r"Python \d+\.\d+\.\d+ \(", lines[1])
    assert lines[2:] == ["%s %s" % pair for pair in sorted(sipbridge.engines().items())]


@pytest.mark.parametrize("arguments", [["version"], ["call", NOBODY, "--local", "udp://127.0.0.1:0"]])
def test_without_an_engine(monkeypatch, capsys, arguments):
    def nothing(name):
        raise ImportError("not built")

    monkeypatch.delenv("SIPBRIDGE_ENGINE", raising=False)
    monkeypatch.setattr(libraries, "load", nothing)
    assert cli.main(arguments) == 7
    complaint = one_line(capsys.readouterr().err)
    assert "no SIP engine" in complaint and "libsofia-sip-ua-dev" in complaint and "make develop" in complaint


@pytest.mark.parametrize("name, remedy", [("exosip", "libeXosip2 3.x"), ("sofia", "libsofia-sip-ua-dev")])
def test_an_engine_that_was_not_built(monkeypatch, capsys, name, remedy):
    """What is told is how to get that one, not another."""

    def nothing(name):
        raise ImportError("not built")

    monkeypatch.setattr(libraries, "load", nothing)
    assert cli.main(["message", NOBODY, "x", "--local", "udp://127.0.0.1:0", "--engine", name]) == 7
    complaint = one_line(capsys.readouterr().err)
    assert "the %s engine cannot be loaded (%s: not built)" % (name, name) in complaint and remedy in complaint
    assert ("ofia" in complaint) == (name == "sofia") and "make develop" in complaint


def test_what_the_engine_does_not_offer_is_named():
    for command in (run("call", "tel:123"), run("message", "tel:123", "x")):
        assert command.process.returncode == 7
        assert "to tel:123: the " in one_line(command.errors)


# -- wrong usage, bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, quoted",
    [
        ([], ""),
        (["dial"], "dial"),
        (["call"], ""),
        (["call", NOBODY, "--duration", "soon"], "soon"),
        (["call", NOBODY, "--duration", "-1"], ""),
        (["call", NOBODY, "--duration", "nan"], "nan"),
        (["call", NOBODY, "--dtmf", "12x"], "12x"),
        (["call", NOBODY, "--header", "Subject"], "Subject"),
        (["call", NOBODY, "--header", "Via: x"], "Via"),
        (["call", NOBODY, "--header", "Subject: a\r\nRoute: <sip:evil>"], "Subject"),
        (["call", NOBODY, "--engine", "other"], "other"),
        (["listen", "--reject", "200"], "200"),
        (["listen", "--max-calls", "0"], "0"),
        (["register", "sip:example.com", "--expires", "0"], "0"),
        (["ping", NOBODY, "--count", "0"], "0"),
        (["ping", NOBODY, "--verify", "all"], "all"),
    ],
)
def test_wrong_usage_is_one_line_and_2(capsys, arguments, quoted):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    line = one_line(capsys.readouterr().err)
    assert quoted in line and "--help" in line


@pytest.mark.parametrize(
    "arguments, quoted",
    [
        (["call", "bob"], "bob"),
        (["call", NOBODY + "?Subject=hi%0D%0AX-Evil:%20yes"], "?Subject=hi"),
        (["call", NOBODY, "--local", "127.0.0.1:5060"], "127.0.0.1:5060"),
        (["call", NOBODY, "--from", "alice"], "alice"),
        (["call", NOBODY, "--proxy", "example.com"], "example.com"),
        (["call", NOBODY, "--sdp", "/nowhere/offer.sdp"], "/nowhere/offer.sdp"),
        (["call", NOBODY, "--sdp", os.devnull], os.devnull),
        (["listen", "udp:127.0.0.1:5060"], "udp:127.0.0.1:5060"),
        (["listen", "udp://127.0.0.1:0", "--advertised", "a b"], "a b"),
        (["listen", "udp://127.0.0.1:0", "--resolv-conf", "/nonexistent"], "/nonexistent"),
        (["listen", "udp://127.0.0.1:0", "--keepalive", "20"], "watch"),
        (["register", "example.com", "--user", "alice"], "example.com"),
        (["register", "sip:127.0.0.1"], "--aor"),
        (["ping", NOBODY, "--certificate", "/nowhere/mine.pem"], "/nowhere/mine.pem"),
        (["ping", NOBODY, "--verify", "none"], "tls://"),
        (["message", NOBODY, "hello", "--content-type", "text\n"], "text"),
        (["message", u"sip:b\xf6b@127.0.0.1", "hello"], "URI"),
    ],
)
def test_bad_input_is_one_line_and_2(monkeypatch, capsys, arguments, quoted):
    monkeypatch.setenv("SIPBRIDGE_PASSWORD", "secret")
    assert cli.main(arguments) == 2
    assert quoted in one_line(capsys.readouterr().err)


def test_a_bad_password_is_not_shown(monkeypatch, capsys):
    monkeypatch.setenv("SIPBRIDGE_PASSWORD", "hush\nhush")
    assert cli.main(["message", NOBODY, "hello", "--local", "udp://127.0.0.1:0", "--user", "alice"]) == 2
    line = one_line(capsys.readouterr().err)
    assert "password" in line and "hush" not in line


def test_without_a_terminal_the_password_must_be_in_the_environment():
    command = run("register", "sip:127.0.0.1", "--user", "alice", environment={"SIPBRIDGE_PASSWORD": None})
    assert command.process.returncode == 2
    assert "SIPBRIDGE_PASSWORD" in one_line(command.errors)


# -- errors --------------------------------------------------------------------------------------------------


def response_error(kind, status, fields):
    return kind(status, "Reason", Headers(fields))


@pytest.mark.parametrize(
    "error, code, hint",
    [
        (errors.InputError("x"), 2, "--help"),
        (errors.TransportError("x"), 3, "port 0"),
        (errors.PeerUnreachable("x"), 3, "its address"),
        (response_error(errors.ResponseError, 503, []), 4, "--trace"),
        (response_error(errors.ResponseError, 302, [("Contact", "<sip:bob@b>")]), 4, "<sip:bob@b>"),
        (errors.CallStateError("x"), 4, "--trace"),
        (response_error(errors.AuthenticationError, 401, [("Via", "x")]), 5, "--user NAME"),
        (errors.TimeoutError("x"), 6, "--timeout"),
        (errors.NotSupportedError("x"), 7, "--engine"),
        (errors.EngineError("x"), 7, "version"),
    ],
)
def test_each_error_has_its_exit_code_and_a_hint(error, code, hint):
    parsed = options.build_parser().parse_args(["call", NOBODY])
    found, text = cli.explain(error, parsed)
    assert found == code and hint in text


def test_a_port_in_use():
    with socket_in_use() as port:
        command = run("listen", "udp://127.0.0.1:%d" % port)
    assert command.process.returncode == 3
    assert str(port) in one_line(command.errors)


class socket_in_use(object):
    def __enter__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        return self._socket.getsockname()[1]

    def __exit__(self, *exc_info):
        self._socket.close()


@pytest.mark.parametrize("arguments", [["call"], ["message"]])
def test_no_answer(silent, arguments):
    text = ["hello"] if arguments == ["message"] else []
    command = run(*(arguments + [silent] + text + ["--timeout", "0.3"]))
    assert command.process.returncode == 6
    assert "0.3 s" in one_line(command.errors)


# -- calls ---------------------------------------------------------------------------------------------------


def test_a_call_with_keys_from_both_sides(tmpdir):
    answer = tmpdir.join("answer.sdp")
    answer.write_binary(SDP)
    with Listening("--once", "--ring-seconds", "0.2", "--sdp", str(answer), "--trace") as listening:
        caller = run("call", listening.uri, "--from", "sip:alice@example.com", "--dtmf", "4#", "--duration", "0")
        assert listening.finish() == 0, listening.errors
    assert caller.process.returncode == 0, caller.errors
    for pattern in ("180 Ringing", "answered, 200 OK, SDP of %d" % len(SDP), r"sent DTMF 4#", "ended, local-bye"):
        assert re.search(pattern, caller.output), caller.output
    # Two threads tell: one what it does, one what happens, and the ACK may be told of before the answer.
    for texts in [
        ("from sip:alice@example.com", "ringing", "answered"),
        ("from sip:alice@example.com", "confirmed", "DTMF 4", "DTMF #", "ended, remote-bye"),
    ]:
        places = [listening.output.find("call 1  " + text) for text in texts]
        assert -1 not in places and places == sorted(places), listening.output
    assert re.search(r"^    m=audio 4000 ", listening.output, re.MULTILINE)
    assert caller.errors == listening.errors == ""


def test_the_callers_sdp_and_headers_arrive(tmpdir):
    offer = tmpdir.join("offer.sdp")
    offer.write_binary(SDP)
    with Listening("--once", "--trace") as listening:
        caller = run("call", listening.uri, "--sdp", str(offer), "--header", "Subject: lunch", "--duration", "0")
        assert (caller.process.returncode, listening.finish()) == (0, 0), caller.errors
    assert re.search(r"^    (Subject|s): lunch$", listening.output, re.MULTILINE | re.IGNORECASE)
    assert re.search(r"^    o=- 7 1 IN IP4 127.0.0.1$", listening.output, re.MULTILINE)


def test_a_refused_call():
    with Listening("--reject", "486", "--once") as listening:
        caller = run("call", listening.uri)
        assert listening.finish() == 0
    assert caller.process.returncode == 4
    assert "486" in one_line(caller.errors)
    assert "call 1  ended, rejected (486" in listening.output


def test_more_calls_than_wanted_are_refused():
    with Listening("--max-calls", "1") as listening, Command("call", listening.uri) as first:
        listening.expect("call 1  confirmed")
        second = run("call", listening.uri)
        assert second.process.returncode == 4 and "486" in one_line(second.errors)
        first.process.send_signal(signal.SIGINT)
        assert first.finish() == 0, first.errors
        assert listening.finish() == 0
    assert "enough calls" in listening.output and "call 2" not in listening.output


# -- signals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_listen_with_0_and_its_calls(number):
    with Listening() as listening, Command("call", listening.uri, "--duration", "600") as caller:
        listening.expect("call 1  confirmed")
        caller.expect("answered")
        listening.process.send_signal(number)
        assert listening.finish() == 0, listening.errors
        assert caller.finish() == 0, caller.errors
    assert "call 1  ended, local-bye" in listening.output
    assert "ended, remote-bye" in caller.output
    assert listening.errors == ""


def test_an_interrupt_is_how_a_call_without_duration_ends():
    with Listening("--once") as listening, Command("call", listening.uri) as caller:
        listening.expect("call 1  confirmed")
        caller.expect("answered")
        caller.process.send_signal(signal.SIGINT)
        assert (caller.finish(), listening.finish()) == (0, 0)
    assert "ended, local-bye" in caller.output and "ended, remote-bye" in listening.output


def test_an_interrupted_call_is_hung_up_and_130():
    with Listening("--once") as listening, Command("call", listening.uri, "--duration", "600") as caller:
        listening.expect("call 1  confirmed")
        caller.expect("answered")
        caller.process.send_signal(signal.SIGTERM)
        assert (caller.finish(), listening.finish()) == (130, 0)
    assert "interrupted" in one_line(caller.errors)
    assert "ended, remote-bye" in listening.output


def test_an_interrupted_call_is_cancelled_while_it_rings():
    with Listening("--once", "--ring-seconds", "600") as listening, Command("call", listening.uri) as caller:
        caller.expect("180 Ringing")
        caller.process.send_signal(signal.SIGINT)
        assert (caller.finish(), listening.finish()) == (130, 0)
    assert "call 1  ended, cancelled (487" in listening.output


def test_a_call_that_is_not_answered_in_time_is_cancelled():
    with Listening("--once", "--ring-seconds", "600") as listening:
        caller = run("call", listening.uri, "--timeout", "0.5")
        assert listening.finish() == 0
    assert caller.process.returncode == 6
    assert "call 1  ended, cancelled (487" in listening.output


def test_listen_ends_when_nobody_reads_its_output():
    with Listening(only_one_line=True) as listening:
        listening.expect("listening")
        assert run("message", listening.uri, "anybody?").process.returncode == 0
        assert listening.finish() == 0
    assert listening.errors == ""


# -- register, message -----------------------------------------------------------------------------------------

SECRET = {"SIPBRIDGE_PASSWORD": "secret"}


def test_register_once(registrar):
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


def test_a_message_from_an_argument_and_from_standard_input():
    text = u"Gr\xfc\xdfe\x1b[31m".encode("utf-8")
    with Listening() as listening:
        first = run("message", listening.uri, "lunch at noon?", "--from", "sip:alice@example.com")
        second = run("message", listening.uri, "-", standard_input=text)
        listening.expect(u"MESSAGE from sip:alice@example.com: lunch at noon\\?")
        listening.expect(u"Gr\xfc\xdfe\\\\x1b\\[31m")
    assert (first.process.returncode, second.process.returncode) == (0, 0)
    assert "200 OK" in first.output


def test_a_long_message_goes_over_udp_only_when_told_so():
    with Listening() as listening:
        refused = run("message", listening.uri, "x" * 1300)
        assert refused.process.returncode == 2 and "1300" in one_line(refused.errors)
        assert "--large" in refused.errors and "large=True" not in refused.errors
        assert run("message", listening.uri, "x" * 1300, "--large").process.returncode == 0


# -- asking --------------------------------------------------------------------------------------------------


def test_ping():
    with Listening() as listening:
        command = run("ping", listening.uri, "--count", "2", "--interval", "0")
    assert command.process.returncode == 0, command.errors
    assert len(re.findall(r"200 OK, \d+\.\d ms$", command.output, re.MULTILINE)) == 2
    assert command.output.endswith("\n2 of 2 answered\n")


def test_ping_of_nobody(silent):
    command = run("ping", silent, "--count", "2", "--interval", "0", "--timeout", "0.2")
    assert command.process.returncode == 6 and "is not there" in one_line(command.errors)
    assert command.output.count("no answer in 0.2 s") == 2 and command.output.endswith("\n0 of 2 answered\n")


def test_an_interrupted_ping_tells_its_sums():
    with Listening() as listening, Command("ping", listening.uri, "--interval", "600") as command:
        command.expect("200 OK")
        command.process.send_signal(signal.SIGINT)
        assert command.finish() == 0, command.errors
    assert command.output.endswith("\n1 of 1 answered\n")


def test_a_ping_interrupted_before_the_first_answer(silent):
    with Command("ping", silent, "--timeout", "60", "--trace") as command:
        command.expect("OPTIONS")
        command.process.send_signal(signal.SIGINT)
        assert command.finish() == 130, command.errors
    assert one_line(command.errors) == "sipbridge: interrupted\n" and "answered" not in command.output


def test_a_ping_that_reaches_nobody():
    """Through this address there is no way to that one."""
    command = run("ping", "sip:192.0.2.1", "--local", "udp://127.0.0.1:0", "--count", "1")
    assert command.process.returncode == 6 and "is not there" in one_line(command.errors)
    assert re.search(r"not reached: \w+", command.output) and command.output.endswith("\n0 of 1 answered\n")


def test_a_peer_that_cannot_be_reached():
    command = run("message", "sip:192.0.2.1", "hello", "--local", "udp://127.0.0.1:0")
    assert command.process.returncode == 3 and "cannot be reached" in one_line(command.errors)


@pytest.mark.parametrize("module", ["logging", "argparse"])
def test_an_interrupt_while_modules_are_imported(tmpdir, module):
    """As Ctrl-C just after the start: those of the package, and those of the command."""
    tmpdir.join(module + ".py").write("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n")
    path = os.pathsep.join([str(tmpdir), os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))])
    command = run("version", environment={"PYTHONPATH": path})
    assert command.process.returncode == 130
    assert one_line(command.errors) == "sipbridge: interrupted\n" and command.output == ""


def test_an_interrupt_while_others_import_the_package(tmpdir):
    """It is theirs."""
    tmpdir.join("numbers.py").write("raise KeyboardInterrupt\n")
    service = "import sipbridge\ntry:\n    sipbridge.Endpoint\nexcept KeyboardInterrupt:\n    print('mine')\n"
    tmpdir.join("service.py").write(service)
    path = os.pathsep.join([str(tmpdir), os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))])
    command = run(module="service", environment={"PYTHONPATH": path})
    assert (command.process.returncode, command.output, command.errors) == (0, "mine\n", "")


only_sofia = pytest.mark.skipif(
    os.environ.get("SIPBRIDGE_ENGINE") == "exosip",
    reason="libeXosip2 3.x tells of no REGISTER but those of its own registrations, and has no TLS 1.2",
)


@only_sofia
def test_the_bindings_are_listed_and_removed(registrar):
    registrar.bindings["alice"] = "sip:alice@192.0.2.7"
    own = ["register", registrar.uri, "--user", "alice"]
    assert run(*(own + ["--list"]), environment=SECRET).output == "<sip:alice@192.0.2.7>;expires=3600\n"
    command = run(*(own + ["--remove-all"]), environment=SECRET)
    assert (command.process.returncode, command.output) == (0, "no bindings\n")
    assert registrar.bindings == {}


@only_sofia
def test_over_tls(tmpdir):
    pem = certificates.make(str(tmpdir))
    address, shown = "tls://127.0.0.1:0", ["--certificate", pem.certificate, "--key", pem.key]
    with Command("listen", address, *shown) as listening:
        port = listening.expect(r"listening on tls://127\.0\.0\.1:(\d+) ").group(1)
        target = "sip:bob@127.0.0.1:%s;transport=tls" % port
        assert run("ping", target, "--count", "1", "--ca", pem.ca).process.returncode == 0
        stranger = run("ping", target, "--count", "1", "--ca", pem.strange)
    assert stranger.process.returncode == 6 and "not reached: Certificate not believed: " in stranger.output


@pytest.mark.parametrize(
    "target, address",
    [
        ("sip:bob@127.0.0.1", "udp://127.0.0.1:0"),
        ("sip:bob@127.0.0.1;lr;transport=TCP", "tcp://127.0.0.1:0"),
        ("sips:bob@127.0.0.1", "tls://127.0.0.1:0"),
        ("sip:bob@[::1]:5061;transport=tls", "tls://[::1]:0"),
    ],
)
def test_the_local_address_is_of_the_targets_transport(target, address):
    assert commands.local_address(target) == address


# -- hold, transfer, redirection -----------------------------------------------------------------------------


@pytest.mark.parametrize("option, value", [("--transfer", "carol"), ("--follow", "71"), ("--hold", "soon")])
def test_options_of_a_call_are_checked(capsys, option, value):
    with pytest.raises(SystemExit) as ended:
        cli.main(["call", NOBODY, option, value])
    assert ended.value.code == 2 and value in one_line(capsys.readouterr().err)


def test_hold_and_resume():
    with Listening() as listening:
        held = run("call", listening.uri, "--hold", "0.2", "--duration", "0.1")
        assert held.process.returncode == 0, held.output + held.errors
        assert re.search("answered.*on hold.*resumed.*ended, local-bye", held.output, re.DOTALL)
        assert len(re.findall("re-INVITE", listening.output)) == 2


def test_transfer():
    with Listening("--take-transfers") as bob, Listening() as carol:
        asked = run("call", bob.uri, "--transfer", carol.uri)
        assert asked.process.returncode == 0, asked.output + asked.errors
        assert re.search("transferring to.*transfer, 200 OK.*ended, local-bye", asked.output, re.DOTALL)
        bob.expect("call 1  asked to call " + re.escape(carol.uri))
        carol.expect("call 1  answered")


def test_a_transfer_that_is_refused():
    with Listening() as bob, Listening("--reject", "486") as carol:
        refused = run("call", bob.uri, "--transfer", carol.uri)
        assert refused.process.returncode == 4 and "603" in one_line(refused.errors)
        bob.expect("asked to call .*, refused")
    with Listening("--take-transfers") as bob, Listening("--reject", "486") as carol:
        refused = run("call", bob.uri, "--transfer", carol.uri)
        assert refused.process.returncode == 4 and "486" in one_line(refused.errors)


def test_a_peer_that_leaves_before_it_is_transferred():
    with Listening() as bob, Command("call", bob.uri, "--hold", "600", "--transfer", NOBODY) as caller:
        caller.expect("on hold")
        bob.process.send_signal(signal.SIGINT)
        assert (caller.finish(), bob.finish()) == (4, 0)
    assert "ended, remote-bye" in caller.output and one_line(caller.errors)


def test_a_redirection_is_followed_when_asked_for():
    with Listening() as listening, sipbridge.Endpoint() as moved:
        moved.on(sipbridge.IncomingCall, lambda event: event.call.redirect(listening.uri))
        refused = run("call", moved.uri, "--duration", "0.1")
        assert refused.process.returncode == 4 and listening.uri in one_line(refused.errors)
        followed = run("call", moved.uri, "--follow", "1", "--duration", "0.1")
        assert followed.process.returncode == 0, followed.errors


def test_a_terminal_that_knows_only_ascii_gets_escapes():
    with Listening(environment={"PYTHONIOENCODING": "ascii"}) as listening:
        assert run("message", listening.uri, "-", standard_input=b"caf\xc3\xa9").process.returncode == 0
        listening.expect(r": caf\\xe9")
    assert listening.errors == ""


def test_verbose_logs_to_standard_error_and_not_to_standard_output():
    with Listening("--verbose") as listening:
        listening.process.send_signal(signal.SIGTERM)
        assert listening.finish() == 0
    assert "event thread ends" in listening.errors and "event thread" not in listening.output


# -- captures and diagrams ---------------------------------------------------------------------------------


def test_a_recorded_call_is_drawn(tmpdir):
    capture, image = str(tmpdir.join("call.pcap")), str(tmpdir.join("call.svg"))
    with Listening("--once", "--trace") as listening:
        assert run("call", listening.uri, "--duration", "0", "--record", capture).process.returncode == 0
        assert listening.finish() == 0
        printed = tmpdir.join("trace.txt")
        printed.write_binary(listening.output.encode("utf-8"))
    drawn = run("ladder", capture)
    assert drawn.process.returncode == 0
    heads = drawn.output.splitlines()[0].split()
    assert len(heads) == 2 and listening.uri.endswith(heads[1])
    for message in ("INVITE", "200 OK INVITE", "ACK", "BYE", "200 OK BYE"):
        assert re.search(r"[<-] %s [0-9]+ .*[->]" % message, drawn.output), drawn.output
    assert [line[10:] for line in run("ladder", str(printed)).output.splitlines() if "ACK" in line]
    for path in (capture, str(printed)):
        with io.open(path, "rb") as stream:
            piped = run("ladder", "-", standard_input=stream.read())
        assert (piped.process.returncode, piped.output) == (0, run("ladder", path).output)
    drawn = run("ladder", capture, "--svg", image, "--party", heads[1] + "=bob")
    assert drawn.output == "%d messages drawn in %s\n" % (_arrows(image), image)


def test_nothing_to_draw_on_standard_input():
    command = run("ladder", "-", standard_input=b"hello\n")
    assert command.process.returncode == 2 and "no SIP message in standard input" in one_line(command.errors)


def test_a_capture_without_what_reads_it(monkeypatch, capsys, tmpdir):
    """No engine has anything to do with it."""
    monkeypatch.setattr(record, "dpkt", None)
    capture = tmpdir.join("call.pcap")
    capture.write_binary(b"\xd4\xc3\xb2\xa1" + b"\0" * 20)
    assert cli.main(["ladder", str(capture)]) == 7
    complaint = one_line(capsys.readouterr().err)
    assert "pip install sipbridge[pcap]" in complaint and "engine" not in complaint


def _arrows(path):
    with io.open(path, encoding="utf-8") as stream:
        text = stream.read()
    assert ">bob<" in text
    return text.count("marker-end=")


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["ladder", "/no/such/file"], "/no/such/file"),
        (["ladder", __file__], "no SIP message in"),
        (["ladder", __file__, "--party", "bob"], "HOST:PORT=NAME"),
        (["ladder", __file__, "--width", "0"], "above 0"),
        (["message", NOBODY, "x", "--record", "/no/such/folder/x.pcap"], "cannot write /no/such/folder/x.pcap"),
    ],
)
def test_files_that_cannot_be_drawn_or_written(arguments, told):
    command = run(*arguments)
    assert command.process.returncode == 2
    assert told in command.errors and len(command.errors.splitlines()) == 1
