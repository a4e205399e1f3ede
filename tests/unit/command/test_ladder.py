"""``sipbridge ladder``: captures and diagrams."""

from __future__ import absolute_import, division, print_function

import io
import re
import sys

import pytest

from sipbridge import record
from sipbridge._command import cli
from unit.command.process import NOBODY, Listening, one_line, run


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
    """The message does not speak of engines."""
    monkeypatch.setattr(record, "dpkt", None)  # not loaded yet
    monkeypatch.setitem(sys.modules, "dpkt", None)
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
