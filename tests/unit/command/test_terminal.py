"""The command as a program of a terminal: signals while it starts, its output, its log."""

from __future__ import absolute_import, division, print_function

import errno
import os
import signal
import subprocess
import sys

import pytest

import sipbridge
from unit.command.process import Listening, one_line, run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))


def test_listen_ends_when_nobody_reads_its_output():
    with Listening(only_one_line=True) as listening:
        listening.expect("listening")
        assert run("message", listening.uri, "anybody?").process.returncode == 0
        assert listening.finish() == 0
    assert listening.errors == ""


def run_into(redirection, *arguments, **options):
    """Its exit code and what it said on standard error."""
    shell = 'exec "$0" -m sipbridge "$@" %s' % redirection
    environment = dict(os.environ, PYTHONPATH=ROOT)
    environment.pop("PYTHONUNBUFFERED", None)
    command = ["sh", "-c", shell, sys.executable] + list(arguments)
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=options.get("stdout"), stderr=subprocess.PIPE, env=environment
    )
    errors = process.communicate()[1].decode("utf-8")
    return process.returncode, errors


@pytest.mark.parametrize("redirection, why", [(">&-", errno.EBADF), (">/dev/full", errno.ENOSPC)])
@pytest.mark.parametrize(
    "arguments", [["version"], ["listen", "udp://127.0.0.1:0"], ["doctor"], ["call", "--help"]], ids=" ".join
)
def test_output_that_cannot_be_written(redirection, why, arguments):
    code, errors = run_into(redirection, *arguments)
    assert (code, errors) == (2, "sipbridge: the output cannot be written: %s\n" % os.strerror(why))


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_errors_that_cannot_be_written_are_no_output(redirection):
    """The code tells of them."""
    assert run_into(redirection + " | { ! grep .; }", "message", "nonsense", "hello")[0] == 0
    assert run_into(redirection, "message", "nonsense", "hello") == (2, "")


@pytest.mark.parametrize("arguments", [["version"], ["--help"]], ids=" ".join)
def test_output_that_nobody_reads_is_no_failure(arguments):
    """As with "| head -1"."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run_into("", *arguments, stdout=writer) == (0, "")
    finally:
        os.close(writer)


@pytest.mark.parametrize("module", ["logging", "argparse"])
def test_an_interrupt_while_modules_are_imported(tmpdir, module):
    """As Ctrl-C just after the start: those of the package, and those of the command."""
    tmpdir.join(module + ".py").write("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n")
    path = os.pathsep.join([str(tmpdir), os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))])
    command = run("version", environment={"PYTHONPATH": path})
    assert command.process.returncode == 130
    assert one_line(command.errors) == "sipbridge: interrupted\n" and command.output == ""


def test_an_interrupt_during_the_import_by_a_service_is_raised_there(tmpdir):
    """The program that imports the package gets the KeyboardInterrupt."""
    tmpdir.join("numbers.py").write("raise KeyboardInterrupt\n")
    service = "import sipbridge\ntry:\n    sipbridge.Endpoint\nexcept KeyboardInterrupt:\n    print('mine')\n"
    tmpdir.join("service.py").write(service)
    path = os.pathsep.join([str(tmpdir), os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))])
    command = run(module="service", environment={"PYTHONPATH": path})
    assert (command.process.returncode, command.output, command.errors) == (0, "mine\n", "")


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
