"""What --trace prints (sipbridge._command.trace), and lines for a terminal (sipbridge._command.console)."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

import pytest

from sipbridge._agent.trace_peers import Peers
from sipbridge._command.console import Console
from sipbridge._command.trace import render
from sipbridge._text.masking import masked
from sipbridge._text.printable import printable
from sipbridge.events import TraceMessage

SECRET = u"6629fae49393a05397450978507c4ef1"
HEAD = u"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
FIELDS = u'Digest username="alice", realm="r", nonce="n1", uri="sip:x", %s="%s", algorithm=MD5'


@pytest.mark.parametrize(
    "field",
    [
        u"Authorization: " + FIELDS % ("response", SECRET),
        u"AUTHORIZATION : " + FIELDS % ("response", SECRET),
        u"Proxy-Authorization: " + FIELDS % ("response", SECRET),
        u"Proxy-Authorization: " + FIELDS.replace(u", ", u",\r\n  ") % ("Response ", SECRET),
        u'Authentication-Info: qop=auth, rspauth="%s", nc=00000001' % SECRET,
        u"Authorization: Digest response=" + SECRET,
        u'Authorization: Digest response="' + SECRET,
        u'Authorization: Digest response="\\' + SECRET + u'\\',
        u"Authorization: Basic " + SECRET,
        u"Authorization: " + SECRET,
    ],
)
def test_credentials_are_masked_and_the_rest_stays(field):
    text = HEAD + field + u"\r\nContent-Length: 0\r\n\r\n"
    result = masked(text)
    assert SECRET not in result and u"***" in result
    assert result.startswith(HEAD) and result.endswith(u"\r\nContent-Length: 0\r\n\r\n")


def test_the_other_parameters_of_a_digest_stay():
    field = u"Authorization: " + FIELDS
    assert masked(HEAD + field % ("response", SECRET)) == HEAD + field % ("response", u"***")


def test_bodies_and_challenges_stay():
    text = HEAD + u'WWW-Authenticate: Digest realm="r", nonce="n"\r\n\r\nAuthorization: Basic abc\r\n'
    assert masked(text) == text


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


def test_what_steers_a_terminal_is_escaped():
    assert printable(u"a\x1b[2Jb\r\nc\x9b\u202ed\te\xe9") == u"a\\x1b[2Jb\\x0d\\x0ac\\x9b\\u202ed\te\xe9"


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


def test_a_response_without_a_peer_came_from_where_its_request_went():
    peers = Peers()

    def passed(outgoing, peer, start, branch):
        head = u"%s\r\nv: SIP/2.0/UDP here;rport ;Branch=%s, SIP/2.0/UDP there;branch=z2\r\n\r\n"
        data = (head % (start, branch)).encode("ascii")
        return peers.completed(TraceMessage(outgoing, peer, data, 1.0)).peer

    assert passed(True, "192.0.2.7:5060", u"INVITE sip:b@c SIP/2.0", u"z1") == "192.0.2.7:5060"
    assert passed(False, "", u"SIP/2.0 180 Ringing", u"z1") == "192.0.2.7:5060"
    assert passed(False, "192.0.2.8:5060", u"SIP/2.0 200 OK", u"z1") == "192.0.2.8:5060"
    assert passed(False, "", u"SIP/2.0 200 OK", u"z2") == ""
    assert passed(True, "192.0.2.9:5060", u"SIP/2.0 200 OK", u"z2") == "192.0.2.9:5060"
    assert passed(False, "", u"SIP/2.0 200 OK", u"z2") == ""
    for number in range(20000):
        passed(True, "192.0.2.7:5060", u"OPTIONS sip:b@c SIP/2.0", u"y%d" % number)
    assert passed(False, "", u"SIP/2.0 180 Ringing", u"z1") == ""
    assert peers.completed(TraceMessage(False, "", b"\xff", 1.0)).peer == ""
