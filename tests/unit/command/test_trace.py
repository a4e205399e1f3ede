"""What --trace prints (sipbridge._command.trace), and lines for a terminal (sipbridge._command.console)."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from sipbridge._command.console import Console
from sipbridge._command.trace import render
from sipbridge.events import TraceMessage


@pytest.mark.parametrize("outgoing, arrow", [(True, "->"), (False, "<-")])
def test_a_message_is_rendered_with_time_direction_and_peer(outgoing, arrow):
    data = u"OPTIONS sip:bob@192.0.2.7 SIP/2.0\r\nSubject: h\xe9\r\n\r\nx\x1b[31m\r\ny".encode("utf-8")
    lines = render(TraceMessage(outgoing, "192.0.2.7:5060", data, 1700000000.25))
    assert re.match(r"\d\d:\d\d:\d\d\.250 %s 192\.0\.2\.7:5060 \(%d octets\)\Z" % (arrow, len(data)), lines[0])
    assert lines[1:] == [
        u"    OPTIONS sip:bob@192.0.2.7 SIP/2.0",
        u"    Subject: h\xe9",
        u"    ",
        u"    x\\x1b[31m",
        u"    y",
        u"",
    ]


def test_octets_that_are_no_text_are_rendered_too():
    assert render(TraceMessage(False, "192.0.2.7:5060", b"\xff\x00", 0.0))[1] == u"    \ufffd\\x00"


def test_a_console_writes_escapes_for_what_its_encoding_lacks():
    octets = io.BytesIO()
    stream = io.TextIOWrapper(octets, encoding="ascii") if str is not bytes else octets
    console = Console(stream)
    if str is bytes:  # Python 2 writes octets, of the encoding that the stream names
        console._stream = _Encoded(octets)
    console.line(u"caf\xe9")
    assert octets.getvalue() == b"caf\\xe9\n"


class _Encoded(object):
    """A stream of Python 2, with an encoding."""

    encoding = "ascii"

    def __init__(self, stream):
        self.write = stream.write
        self.flush = stream.flush


def test_a_console_drops_lines_when_nobody_reads():
    reading, writing = os.pipe()
    os.close(reading)
    with io.open(writing, "w", encoding="utf-8", closefd=False) as text, os.fdopen(writing, "wb", 0) as octets:
        console = Console(octets if str is bytes else text)
        console.line(u"one")
        assert console.broken.is_set()
        console.abandon()
        console.line(u"two")
