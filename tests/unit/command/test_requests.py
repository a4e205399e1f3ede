"""``sipbridge message`` and ``sipbridge ping``."""

from __future__ import absolute_import, division, print_function

import re
import signal
import socket
from contextlib import closing

import pytest

from peers import certificates
from unit.command.process import NOBODY, Command, Listening, one_line, only_sofia, run


@pytest.mark.parametrize("arguments", [["call"], ["message"]])
def test_a_call_or_message_without_an_answer_is_6(silent, arguments):
    text = ["hello"] if arguments == ["message"] else []
    command = run(*(arguments + [silent.uri] + text + ["--timeout", "0.3"]))
    assert command.process.returncode == 6
    assert "0.3 s" in one_line(command.errors)


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


def test_a_message_is_sent_to_homer_as_well():
    with Listening() as listening, closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as homer:
        homer.bind(("127.0.0.1", 0))
        homer.settimeout(10.0)
        options = ["--hep", "udp://127.0.0.1:%d" % homer.getsockname()[1], "--hep-id", "258"]
        command = run("message", listening.uri, "hello", *options, environment={"SIPBRIDGE_HEP_KEY": "sesame"})
        assert command.process.returncode == 0, command.errors
        packets = [homer.recv(65536) for _ in range(2)]
    assert all(b"\x00\x00\x01\x02" in packet and b"sesame" in packet for packet in packets)
    assert b"MESSAGE sip:" in packets[0] and b"SIP/2.0 200 OK" in packets[1]


@pytest.mark.parametrize("arguments, told", [
    (["--hep", "homer:9060"], "udp://"),
    (["--hep", "udp://127.0.0.1", "--hep-id", "-1"], "4294967295"),
])  # fmt: skip
def test_a_capture_server_that_is_none(arguments, told):
    command = run("message", NOBODY, "x", *arguments)
    assert command.process.returncode == 2 and told in one_line(command.errors)


def test_ping_prints_each_answer_and_the_sum():
    with Listening() as listening:
        command = run("ping", listening.uri, "--count", "2", "--interval", "0")
    assert command.process.returncode == 0, command.errors
    assert len(re.findall(r"200 OK, \d+\.\d ms$", command.output, re.MULTILINE)) == 2
    assert command.output.endswith("\n2 of 2 answered\n")


def test_ping_of_a_silent_peer_is_6(silent):
    command = run("ping", silent.uri, "--count", "2", "--interval", "0", "--timeout", "0.2")
    assert command.process.returncode == 6 and "is not there" in one_line(command.errors)
    assert command.output.count("no answer in 0.2 s") == 2 and command.output.endswith("\n0 of 2 answered\n")


def test_an_interrupted_ping_tells_its_sums():
    with Listening() as listening, Command("ping", listening.uri, "--interval", "600") as command:
        command.expect("200 OK")
        command.process.send_signal(signal.SIGINT)
        assert command.finish() == 0, command.errors
    assert command.output.endswith("\n1 of 1 answered\n")


def test_a_ping_interrupted_before_the_first_answer(silent):
    with Command("ping", silent.uri, "--timeout", "60", "--trace") as command:
        command.expect("OPTIONS")
        command.process.send_signal(signal.SIGINT)
        assert command.finish() == 130, command.errors
    assert one_line(command.errors) == "sipbridge: interrupted\n" and "answered" not in command.output


def test_a_ping_that_reaches_nobody():
    """From 127.0.0.1 no route leads to that address."""
    command = run("ping", "sip:192.0.2.1", "--local", "udp://127.0.0.1:0", "--count", "1")
    assert command.process.returncode == 6 and "is not there" in one_line(command.errors)
    assert re.search(r"not reached: \w+", command.output) and command.output.endswith("\n0 of 1 answered\n")


def test_an_unreachable_peer_is_3():
    command = run("message", "sip:192.0.2.1", "hello", "--local", "udp://127.0.0.1:0")
    assert command.process.returncode == 3 and "cannot be reached" in one_line(command.errors)


@only_sofia
def test_ping_over_tls(tmpdir):
    pem = certificates.make(str(tmpdir))
    address, shown = "tls://127.0.0.1:0", ["--certificate", pem.certificate, "--key", pem.key]
    with Command("listen", address, *shown) as listening:
        port = listening.expect(r"listening on tls://127\.0\.0\.1:(\d+) ").group(1)
        target = "sip:bob@127.0.0.1:%s;transport=tls" % port
        assert run("ping", target, "--count", "1", "--ca", pem.ca).process.returncode == 0
        stranger = run("ping", target, "--count", "1", "--ca", pem.strange)
    assert stranger.process.returncode == 6 and "not reached: Certificate not believed: " in stranger.output
