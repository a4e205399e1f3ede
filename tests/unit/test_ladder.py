"""Ladder diagrams (sipbridge.ladder)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge.events import TraceMessage
from sipbridge.ladder import draw, label

ALICE, BOB, REGISTRAR = "127.0.0.1:5060", "127.0.0.1:5070", "127.0.0.1:5080"
SDP = "application/sdp"


def octets(start, cseq, content_type=None):
    lines = [start, "CSeq: " + cseq] + ([] if content_type is None else ["c: " + content_type])
    return ("\r\n".join(lines) + "\r\n\r\n" + ("" if content_type is None else "v=0\r\n")).encode("utf-8")


def sent(seconds, peer, *message):
    return TraceMessage(True, peer, octets(*message), 1000.0 + seconds)


def received(seconds, peer, *message):
    return TraceMessage(False, peer, octets(*message), 1000.0 + seconds)


def a_call():
    return [
        sent(0, REGISTRAR, "REGISTER sip:example.com SIP/2.0", "1 REGISTER"),
        received(0.01, REGISTRAR, "SIP/2.0 401 Unauthorized", "1 REGISTER"),
        sent(0.5, BOB, "INVITE sip:bob@127.0.0.1:5070 SIP/2.0", "7 INVITE", SDP),
        received(0.51, BOB, "SIP/2.0 180 Ringing", "7 INVITE"),
        received(1.5, BOB, "SIP/2.0 200 OK", "7 INVITE", SDP),
        sent(1.501, BOB, "ACK sip:bob@127.0.0.1:5070 SIP/2.0", "7 ACK"),
        received(12.25, BOB, "BYE sip:alice@127.0.0.1:5060 SIP/2.0", "1 BYE"),
        sent(12.251, BOB, "SIP/2.0 200 OK", "1 BYE"),
    ]


PARTIES = [(REGISTRAR, "registrar"), (ALICE, "alice"), (BOB, "bob")]

WIDE = """\
      registrar                          alice                             bob
   127.0.0.1:5080                   127.0.0.1:5060                   127.0.0.1:5070
          |                                |                                |
   0.000  |<---------- REGISTER 1 ---------|                                |
   0.010  |- 401 Unauthorized REGISTER 1 ->|                                |
   0.500  |                                |-------- INVITE 7 (SDP) ------->|
   0.510  |                                |<----- 180 Ringing INVITE 7 ----|
   1.500  |                                |<---- 200 OK INVITE 7 (SDP) ----|
   1.501  |                                |------------ ACK 7 ------------>|
  12.250  |                                |<------------ BYE 1 ------------|
  12.251  |                                |--------- 200 OK BYE 1 -------->|
          |                                |                                |"""

NARROW = """\
   registrar           alice              bob
127.0.0.1:5080    127.0.0.1:5060    127.0.0.1:5070
       |                 |                 |
       |<-- REGISTER 1 --|                 |
       |- 401 REGIST.. ->|                 |
       |                 |- INVITE 7 (.. ->|
       |                 |<- 180 INVITE 7 -|
       |                 |<- 200 INVITE.. -|
       |                 |---- ACK 7 ----->|
       |                 |<---- BYE 1 -----|
       |                 |- 200 OK BYE 1 ->|
       |                 |                 |"""


def test_a_call_is_drawn_as_wide_as_it_needs():
    assert draw(a_call(), ALICE, PARTIES) == WIDE


def test_a_narrow_diagram_leaves_the_times_out():
    assert draw(a_call(), ALICE, PARTIES, 50, times=False) == NARROW


@pytest.mark.parametrize("width", [60, 72, 80, 100, 132])
def test_no_line_is_longer_than_the_width(width):
    assert max(len(line) for line in draw(a_call(), ALICE, PARTIES, width).splitlines()) <= width


def test_columns_appear_in_the_order_of_the_messages_and_arrows_cross_them():
    lines = draw(a_call()[:3], ALICE, [(ALICE, "alice")], times=False).splitlines()
    assert lines[0].split() == ["alice"]
    assert lines[1].split() == [ALICE, REGISTRAR, BOB]
    assert lines[3].startswith("       |-") and lines[3].endswith(">|" + lines[2].rpartition("|")[0][-32:] + "|")
    assert lines[5].count("|") == 2 and lines[5].endswith(">|")


def test_messages_to_oneself_and_what_is_no_sip():
    messages = [
        sent(0, ALICE, "OPTIONS sip:alice@127.0.0.1:5060 SIP/2.0", "3 OPTIONS"),
        TraceMessage(False, BOB, b"\r\n\r\n", 1000.0),
    ]
    lines = draw(messages, ALICE, times=False).splitlines()
    assert lines[2].split() == ["|<>", "OPTIONS", "3", "|"]
    assert "<- 4 octets, not SIP -" in lines[3]


def test_a_diagram_without_messages():
    assert draw([], ALICE) == ""
    assert draw([], ALICE, [ALICE], times=False).splitlines() == [ALICE, "       |", "       |"]


@pytest.mark.parametrize(
    "data, brief, expected",
    [
        (octets("INVITE sip:b SIP/2.0", "1 INVITE", SDP), False, "INVITE 1 (SDP)"),
        (octets("INFO sip:b SIP/2.0", "2 INFO", "application/dtmf-relay"), False, "INFO 2"),
        (octets("SIP/2.0 486 Busy Here", "1 INVITE"), False, "486 Busy Here INVITE 1"),
        (octets("SIP/2.0 486 Busy Here", "1 INVITE"), True, "486 INVITE 1"),
        (octets("SIP/2.0 200 ", "1 INVITE"), False, "200 INVITE 1"),
        (octets(u"SIP/2.0 404 Nich\xe9\x1b", "1 BYE"), False, u"404 Nich\xe9\\x1b BYE 1"),
        (b"BYE sip:b SIP/2.0\n\n", False, "BYE"),
        (b"GET / HTTP/1.1\r\n\r\n", False, "18 octets, not SIP"),
    ],
)
def test_labels_of_messages(data, brief, expected):
    assert label(data, brief) == expected
