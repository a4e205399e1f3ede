"""Recorded messages are made to fit, and all else in them stays as it was, octet for octet."""

from __future__ import absolute_import, division, print_function

import re

import pytest

from peers import capturing
from peers.capturing import HERE, THERE
from sipbridge._access import digest
from sipbridge._replay import dialogue
from sipbridge._replay.answers import answer
from sipbridge._replay.fitting import Fitting, Settings
from sipbridge._replay.message import Message
from sipbridge.errors import InputError

SDP = (
    b"v=0\r\no=phone 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    b"a=odd  [brackets] \\ 192.0.2.1\r\nm=video 0 RTP/AVP 31\r\n"
)
INVITE = (
    b"INVITE sip:bob;x=1@192.0.2.7;odd=yes SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKabcdef1234\r\n"
    b"v:SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKlower\r\n"
    b"f: \"Al;tag=no\" <sip:alice@example.com>;tag=a-1\r\n"
    b"TO :  <sip:bob@example.com>\r\n"
    b"i:  AbC-12345678@[odd]  \r\n"
    b"CSeq: 7   INVITE\r\n"
    b"Contact: \"x\" <sip:alice@192.0.2.1:5062;ob>;+sip.instance=\"<urn:uuid:1>\"\r\n"
    b"X-Odd : folded\r\n\t and \xff\xfe  \r\n"
    b"X-Odd: [call_id] \\ $1\r\n"
    b"no colon in this line\r\n"
    b"Content-Type: application/sdp\r\n"
    b"l:   %d\r\n\r\n"
)
INVITE = INVITE.replace(b"%d", str(len(SDP)).encode("ascii")) + SDP
OK = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;rport=5062;branch=z9hG4bKabcdef1234\r\n"
    b"From: <sip:alice@example.com>;tag=a-1\r\nTo: <sip:bob@example.com>;tag=%s\r\nCall-ID: AbC-12345678@[odd]\r\n"
    b"CSeq: 7 INVITE\r\nContact: <sip:bob@%s;line=%s>\r\nContent-Length: 0\r\n\r\n"
)
BYE = (
    b"BYE sip:bob@192.0.2.7:5060;line=old SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKother567\r\n"
    b"From: <sip:alice@example.com>;tag=a-1\r\nTo: <sip:bob@example.com>;tag=oldtag\r\nCall-ID: AbC-12345678@[odd]\r\n"
    b"CSeq: 8 BYE\r\nContent-Length: 0\r\n\r\n"
)
RECORDED_OK = OK.replace(b"%s", b"oldtag", 1).replace(b"%s", b"192.0.2.7:5060", 1).replace(b"%s", b"old")
LIVE_OK = OK.replace(b"%s", b"newtag", 1).replace(b"%s", b"127.0.0.1:7777", 1).replace(b"%s", b"new")


def load(messages, role="caller"):
    frames = [capturing.udp(data, (HERE, THERE) if ours else (THERE, HERE)) for ours, data in messages]
    return dialogue.load(capturing.stream(capturing.pcap(frames)), None, role)


@pytest.fixture
def recorded():
    return load([(True, INVITE), (False, RECORDED_OK), (True, BYE)])


def fitting(recorded, **settings):
    return Fitting(recorded, "127.0.0.1", "127.0.0.1:9999", "127.0.0.1:7777", "udp", Settings(**settings))


def test_an_odd_request_keeps_all_that_need_not_change(recorded):
    sent = fitting(recorded).fit(INVITE)
    branch = re.search(b"branch=(z9hG4bK[a-z]{6}[0-9]{4})\r", sent).group(1)
    call_id = re.search(b"\r\ni:  ([A-Za-z-]{4}[0-9]{8}@\\[[a-z]{3}\\])  \r\n", sent).group(1)
    assert branch != b"z9hG4bKabcdef1234" and call_id != b"AbC-12345678@[odd]"
    body = SDP.replace(b"IN IP4 192.0.2.1", b"IN IP4 127.0.0.1")
    expected = INVITE.replace(SDP, body).replace(b"z9hG4bKabcdef1234", branch).replace(b"AbC-12345678@[odd]", call_id)
    expected = expected.replace(b"bob;x=1@192.0.2.7;", b"bob;x=1@127.0.0.1:7777;")
    expected = expected.replace(b"UDP 192.0.2.1:5062", b"UDP 127.0.0.1:9999")
    expected = expected.replace(b"alice@192.0.2.1:5062", b"alice@127.0.0.1:9999")
    assert sent == expected.replace(b"l:   %d" % len(SDP), b"l:   %d" % len(body))


def test_a_message_is_written_as_it_was_read():
    for data in (INVITE, OK, BYE, b"", b"\r\n", b"X", b"X\n\n\n", b"\xff\r\n\r\n: \r\n", b"A\r\n b\r\n:c\r\n\td"):
        assert Message(data).octets() == data


def test_what_the_endpoint_says_is_learnt(recorded):
    fit = fitting(recorded)
    fit.fit(INVITE)
    fit.learn(Message(RECORDED_OK), Message(LIVE_OK))
    sent = Message(fit.fit(BYE))
    assert sent.uri == "sip:bob@127.0.0.1:7777;line=new" and sent.get("to").endswith(";tag=newtag")
    assert sent.get("from").endswith(";tag=a-1") and sent.get("cseq") == "8 BYE"


def test_user_and_streams_on_demand(recorded):
    sent = Message(fitting(recorded, request_user="carol", media_port=6000).fit(INVITE))
    assert sent.uri == "sip:carol@127.0.0.1:7777;odd=yes"
    assert "m=audio 6000 " in sent.body and "m=video 0 " in sent.body


def test_a_wrong_content_length_stays_wrong(recorded):
    wrong = INVITE.replace(b"l:   %d" % len(SDP), b"l:   5")
    assert b"l:   5\r\n" in fitting(recorded).fit(wrong)


def test_the_same_message_again_is_the_same(recorded):
    fit = fitting(recorded)
    assert fit.fit(INVITE) == fit.fit(INVITE)


def test_a_response_takes_what_the_request_of_today_has():
    chosen = load([(False, INVITE), (True, RECORDED_OK)], "callee")
    fit = Fitting(chosen, "127.0.0.1", "127.0.0.1:9999", None, "udp", Settings())
    live = INVITE.replace(b"10.0.0.1", b"10.0.0.9").replace(b"a-1", b"today").replace(b"AbC-12345678@[odd]", b"new-id")
    live = Message(live.replace(b"abcdef1234", b"today"), "127.0.0.1:7777")
    fit.learn(Message(INVITE), live)
    sent = Message(fit.fit(RECORDED_OK.replace(b"<sip:alice@example.com>", b"\"Al;tag=no\" <sip:alice@example.com>")))
    assert sent.get("via") == (
        "SIP/2.0/UDP 192.0.2.1:5062;rport=7777;branch=z9hG4bKtoday, SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKlower"
    )
    assert sent.tag("from") == "today" and sent.get("to") == "<sip:bob@example.com>;tag=oldtag"
    assert sent.get("call-id") == "new-id" and sent.get("cseq") == "7   INVITE"
    assert sent.get("contact") == "<sip:bob@127.0.0.1:9999;line=old>"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_a_challenge_is_answered(algorithm):
    recorded = 'Digest username="alice", realm="r", nonce="old", uri="sip:bob@h", response="0", cnonce="c"'
    recorded += ", nc=00000001, qop=auth"
    challenge = 'Digest realm="r2", nonce="new", qop="auth", opaque="o", algorithm=%s' % algorithm
    given = digest.read(digest.parse(answer(recorded, challenge, "INVITE", "sip:bob@new", None, "secret")))
    assert (given.user, given.realm, given.nonce, given.uri) == ("alice", "r2", "new", "sip:bob@new")
    assert given.response == given.expected("INVITE", digest.digest(algorithm, "alice:r2:secret"))
    plain = answer(recorded, 'Digest realm="r", nonce="n"', "INVITE", "sip:b", "bob", "x")
    assert "qop" not in plain and "cnonce" not in plain and 'username="bob"' in plain
    with pytest.raises(InputError):
        answer(recorded, 'Digest realm="r", nonce="n", algorithm=NEW', "INVITE", "sip:b", None, "x")


# -- which side, which call --------------------------------------------------------------------------------


def test_calls_are_numbered_and_named():
    other = INVITE.replace(b"AbC-12345678@[odd]", b"other")
    frames = [capturing.udp(each) for each in (INVITE, other, RECORDED_OK)]
    octets = capturing.pcap(frames)
    found = dialogue.calls(capturing.stream(octets))
    assert [(each.number, each.call_id, each.messages, each.result) for each in found] == [
        (1, "AbC-12345678@[odd]", 2, "200 OK"), (2, "other", 1, "no answer")
    ]  # fmt: skip
    for which in (2, "other"):
        chosen = dialogue.load(capturing.stream(octets), which, "caller")
        assert chosen.steps[0].message.get("call-id") == "other" and chosen.party == "192.0.2.7:5060"
    with pytest.raises(InputError) as caught:
        dialogue.load(capturing.stream(octets))
    assert "--call" in str(caught.value)


def test_one_leg_of_a_call_through_a_proxy():
    proxy, callee = ("192.0.2.5", 5060), ("192.0.2.7", 5060)
    legs = [(HERE, proxy), (proxy, callee), (callee, proxy), (proxy, HERE)]
    octets = capturing.pcap([
        capturing.udp(data, ends) for data, ends in zip((INVITE, INVITE, RECORDED_OK, RECORDED_OK), legs)
    ])  # fmt: skip

    def sides(party):
        chosen = dialogue.load(capturing.stream(octets), None, None, party)
        return chosen.role, [each.ours for each in chosen.steps], chosen.far

    assert sides("192.0.2.7:5060") == ("caller", [True, False], set(["192.0.2.5:5060"]))
    assert sides("192.0.2.1:5062") == ("callee", [False, True], set(["192.0.2.5:5060"]))
    with pytest.raises(InputError):
        dialogue.load(capturing.stream(octets), None, "callee", "192.0.2.7:5060")


def test_the_endpoint_of_a_recorder_is_found():
    """What takes part in every message of a capture with several peers is the endpoint."""
    other = (INVITE.replace(b"AbC-12345678@[odd]", b"other"), (("192.0.2.9", 5060), THERE))
    octets = capturing.pcap([capturing.udp(INVITE), capturing.udp(*other)])
    assert dialogue.load(capturing.stream(octets), 1, "caller").party == "192.0.2.7:5060"
    with pytest.raises(InputError) as caught:
        dialogue.load(capturing.stream(octets), 1, "callee")
    assert "give --to" in str(caught.value)


def test_repetitions_are_known_and_what_was_captured_twice_is_once():
    frames = [capturing.udp(INVITE)] * 3
    chosen = dialogue.load(capturing.stream(capturing.pcap(frames)), None, "caller")
    assert [each.repeats for each in chosen.steps] == [False, True, True]
    blocks = [capturing.enhanced(frame, 5000000 + 10 * number) for number, frame in enumerate(frames)]
    octets = capturing.section() + capturing.interface(capturing.RAW) + b"".join(blocks)
    assert len(dialogue.load(capturing.stream(octets), None, "caller").steps) == 1


def test_a_message_that_is_cut_is_refused():
    with pytest.raises(InputError) as caught:
        dialogue.load(capturing.stream(capturing.pcap([capturing.udp(INVITE)[:-9]])), None, "caller")
    assert "record whole packets" in str(caught.value)
