"""The ``sipbridge`` command: its help, wrong usage, and the exit code of each error."""

from __future__ import absolute_import, division, print_function

import os
import re
import socket

import pytest

import sipbridge
from sipbridge import errors
from sipbridge._command import cli, commands, options
from sipbridge._engine import libraries
from sipbridge.headers import Headers
from unit.command.process import NOBODY, one_line, run

NAMES = ["call", "listen", "register", "message", "ping", "subscribe", "publish"]
NAMES += ["compare", "fleet", "version", "doctor"]


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
    names = "call|listen|register|message|ping|subscribe|publish|compare|fleet"
    command = r"^  (?:.*[ |])?sipbridge ((?:%s) .*|doctor)$" % names
    for line in re.findall(command, options.examples(), re.M):
        words = re.findall(r'"[^"]*"|[^ ]+', line.partition("  #")[0])
        assert parser.parse_args([word.strip('"') for word in words]).run


def test_version_names_package_python_and_engines():
    command = run("version")
    lines = command.output.splitlines()
    assert command.process.returncode == 0
    assert lines[0] == "sipbridge " + sipbridge.__version__
    assert re.match(r"Python \d+\.\d+\.\d+ \(", lines[1])
    assert lines[2:] == ["%s %s" % pair for pair in sorted(sipbridge.engines().items())]


@pytest.mark.parametrize("arguments", [["version"], ["call", NOBODY, "--local", "udp://127.0.0.1:0"]])
def test_without_any_engine_the_command_is_7(monkeypatch, capsys, arguments):
    def nothing(name):
        raise ImportError("not built")

    monkeypatch.delenv("SIPBRIDGE_ENGINE", raising=False)
    monkeypatch.setattr(libraries, "load", nothing)
    assert cli.main(arguments) == 7
    complaint = one_line(capsys.readouterr().err)
    assert "no SIP engine" in complaint and "libsofia-sip-ua-dev" in complaint and "make develop" in complaint
    assert "sipbridge[docker]" in complaint and "Container" in complaint and "Sidecar" in complaint


@pytest.mark.parametrize("name, remedy", [("exosip", "libeXosip2 3.x"), ("sofia", "libsofia-sip-ua-dev")])
def test_an_engine_that_was_not_built(monkeypatch, capsys, name, remedy):
    """The message tells how to get that engine, not another."""

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
        (["listen", "--allow", "192.0.2.7/24"], "192.0.2.7/24"),
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


def test_a_port_in_use_is_3():
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


@pytest.mark.parametrize("option, value", [("--transfer", "carol"), ("--follow", "71"), ("--hold", "soon")])
def test_options_of_a_call_are_checked(capsys, option, value):
    with pytest.raises(SystemExit) as ended:
        cli.main(["call", NOBODY, option, value])
    assert ended.value.code == 2 and value in one_line(capsys.readouterr().err)
