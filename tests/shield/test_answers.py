"""What the shield's own answers look like on the wire (RFC 3261, 8.2.6, 8.2.7, 18.2), and its log."""

from __future__ import absolute_import, division, print_function

import pytest

from shield.messages import request, response

pytestmark = pytest.mark.usefixtures("needs_shield")


def test_a_refusal_has_the_headers_of_its_request(victim, sender):
    (reply,) = sender.replies_before(request("INVITE", "bad", sender.port, To="<nothing>"))
    assert (reply.status, reply.rule) == (400, "to")
    assert reply.octets.startswith(b"SIP/2.0 400 Bad Request\r\n")
    rport = ";rport=%d;received=127.0.0.1" % sender.port
    assert reply["Via"] == "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-bad%s" % (sender.port, rport)
    assert reply["From"] == '"A. Tester" <sip:tester@example.com>;tag=from-bad'
    assert reply["To"].startswith("<sip:unreadable@invalid>;tag=")  # malformed: not sent back
    assert reply["Call-ID"] == "bad@example.com"
    assert reply["CSeq"] == "1 INVITE"
    assert reply["Content-Length"] == "0"
    assert reply.body == b""


def test_all_vias_are_sent_back_in_their_order(victim, sender):
    first = "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKa, SIP/2.0/TCP b;branch=z9hG4bKb" % sender.port
    octets = request("MESSAGE", "vias", sender.port, Via=first, To=None)
    octets = octets.replace(b"\r\nFrom:", b"\r\nv: SIP/2.0/UDP [2001:db8::1]:9;branch=z9hG4bKc\r\nFrom:")
    (reply,) = sender.replies_before(octets)
    vias = [value for name, value in reply.fields if name == "via"]
    first = first.replace("z9hG4bKa,", "z9hG4bKa;received=127.0.0.1,")
    assert vias == [first, "SIP/2.0/UDP [2001:db8::1]:9;branch=z9hG4bKc"]


def test_the_via_below_a_malformed_one_does_not_pass_for_the_top_one(victim, sender):
    """The answer holds the top Via as far as it is well formed, and its rport was looked for in the other one."""
    top = "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKa;rport" % sender.port
    octets = request("OPTIONS", "below", sender.port, Via=top + ";=")
    octets = octets.replace(b"\r\nFrom:", b"\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\nFrom:")
    (reply,) = sender.replies_before(octets)
    assert (reply.status, reply.rule) == (400, "via")
    vias = [value for name, value in reply.fields if name == "via"]
    assert vias == ["%s=%d;received=127.0.0.1" % (top, sender.port)]


def test_the_answer_goes_to_the_port_of_via_or_with_rport_to_the_source(make_sender, victim, sender):
    other = make_sender(victim)
    (reply,) = sender.replies_before(request("OPTIONS", "rport", other.port, To=None))
    assert reply["Via"].startswith("SIP/2.0/UDP 127.0.0.1:%d" % other.port)
    via = "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKp" % other.port
    assert sender.replies_before(request("OPTIONS", "port", Via=via, To=None)) == []
    assert other.receive()["Call-ID"] == "port@example.com"


def test_the_tag_is_the_same_for_a_repetition(victim, sender):
    octets = request("INVITE", "again", sender.port, Max_Forwards="x")
    tags = set(sender.replies_before(octets)[0]["To"].partition(";tag=")[2] for _ in range(3))
    (other,) = sender.replies_before(request("INVITE", "other", sender.port, Max_Forwards="x"))
    assert len(tags) == 1 and "" not in tags
    assert other["To"].partition(";tag=")[2] not in tags


def test_the_tag_of_one_answer_does_not_tell_another(victim, sender):
    """The seed of the tags is that of the shield's tables. FNV-1a (RFC 9923) would tell it: it can be undone."""
    prime, mask = 0x100000001B3, 2**64 - 1
    inverse = pow(0x100000001B3, 2**63 - 1, 2**64)
    numbers, states = [], []
    for name in ("one", "other"):
        (reply,) = sender.replies_before(request("OPTIONS", name, sender.port, To=None))
        state = int(reply["To"].partition(";tag=sbs-")[2], 16)
        numbers.append(state)
        parts = ["z9hG4bK-" + name, name + "@example.com", "1"]
        for octet in reversed(bytearray(b"".join(part.encode("ascii") + b"\xff" for part in parts))):
            state = (state * inverse & mask) ^ octet
        states.append(state)
    assert prime * inverse & mask == 1
    assert numbers[0] != numbers[1]
    assert states[0] != states[1]


def test_a_tag_in_to_is_kept(victim, sender):
    to = "<sip:service@example.com>;tag=there"
    (reply,) = sender.replies_before(request("BYE", "tag", sender.port, To=to, Contact=""))
    assert reply["To"] == to


@pytest.mark.parametrize("header", ["From", "To", "Call_ID", "CSeq"])
def test_missing_fields_of_the_answer_are_made_up(victim, sender, header):
    """So that the answer harms no other libeXosip2."""
    (reply,) = sender.replies_before(request("OPTIONS", "lacks", sender.port, **{header: None}))
    assert reply.status == 400
    assert reply["CSeq"] == ("0 OPTIONS" if header == "CSeq" else "1 OPTIONS")
    assert all(reply[name] for name in ("Via", "From", "To", "Call-ID"))


@pytest.mark.parametrize(
    "octets",
    [request("ACK", To=None), response(200, To=None), response(700), request("OPTIONS", Via=None)],
)
def test_a_datagram_that_cannot_be_answered_is_dropped(victim, sender, octets):
    assert sender.replies_before(octets) == []


@pytest.mark.parametrize("start", [b"A a: SIP/2.0", b"A A:a SIP/2.0", b"A SIP/2.0 "])
def test_an_answer_is_no_amplifier(needs_shield, victim, sender, start):
    """Of a few octets no answer is made that is many times as long, for whoever forged their source."""
    assert sender.replies_before(start + b"\r\nv:A/2/U a;rport\r\n\r\n") == []
    counters = victim.counters()
    assert sum(each[1] for each in counters.values()) == 0
    assert sum(each[2] for each in counters.values()) == 1


def test_another_sip_version_gets_505(victim, sender):
    octets = request("OPTIONS", "version", sender.port).replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1)
    (reply,) = sender.replies_before(octets)
    assert reply.octets.startswith(b"SIP/2.0 505 Version Not Supported\r\n")


def test_a_datagram_longer_than_the_library_reads(victim, sender):
    """It is not cut: a body of which the end is missing would be another one."""
    octets = request("MESSAGE", "large", sender.port, Content_Length="60000") + b"x" * 60000
    (reply,) = sender.replies_before(octets)
    assert (reply.status, reply.rule) == (513, "size")
    assert victim.counters()["size"] == (0, 1, 0)


def test_the_ack_to_an_answer_of_its_own_does_not_reach_the_library(victim, sender):
    invite = request("INVITE", "own", sender.port, Max_Forwards="x")
    (reply,) = sender.replies_before(invite)
    assert sender.replies_before(request("ACK", "own", sender.port, To=reply["To"])) == []
    assert sender.replies_before(request("ACK", "own", sender.port, To=reply["To"] + "0")) == []
    counters = victim.counters()
    assert counters["own-ack"] == (0, 0, 1)
    assert counters[""][0] == 1 + 3  # the other ACK, and three OPTIONS


def test_the_log_tells_source_and_rule_and_no_more(victim, sender):
    secret = 'Digest username="u",realm="r",nonce="n",response="5ec7e7"'
    octets = request("REGISTER", "log", sender.port, Authorization=secret, To=None)
    for _ in range(20):
        sender.replies_before(octets)
    lines = [line for line in victim.errors().splitlines() if "shield" in line]
    assert lines == ["sipbridge: shield: answered from 127.0.0.1:%d: to (400)" % sender.port] * 5
    assert "5ec7e7" not in victim.errors()
