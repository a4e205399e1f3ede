"""``sipbridge call`` and ``sipbridge listen``, each the other's peer; signals while they run."""

from __future__ import absolute_import, division, print_function

import json
import re
import signal

import pytest

import sipbridge
from unit.command.process import NOBODY, Command, Listening, one_line, run

SDP = b"v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


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


def test_only_those_who_are_allowed():
    with Listening("--allow", "192.0.2.0/24", "--allow", "2001:db8::/32") as listening:
        caller = run("call", listening.uri)
        assert caller.process.returncode == 4 and "403" in one_line(caller.errors)
        listening.expect(r"refused INVITE from 127\.0\.0\.1: not-allowed \(403\)")
        listening.process.send_signal(signal.SIGINT)
        assert listening.finish() == 0, listening.errors
    assert "call 1" not in listening.output
    with Listening("--allow", "127.0.0.0/8", "--once") as listening:
        assert run("call", listening.uri, "--duration", "0").process.returncode == 0
        assert listening.finish() == 0


def test_its_log_as_json():
    with Listening("--once", "--json-logs") as listening:
        assert run("call", listening.uri, "--duration", "0").process.returncode == 0
        assert listening.finish() == 0
    lines = [json.loads(line) for line in listening.errors.splitlines()]
    ours = [line for line in lines if line["log"]["logger"] == "sipbridge.call"]
    assert [line["event"]["action"] for line in ours] == ["call-started", "call-answered", "call-ended"]
    assert {line["service"]["name"] for line in lines} == {"sipbridge"}


def test_more_calls_than_wanted_are_refused():
    with Listening("--max-calls", "1") as listening, Command("call", listening.uri) as first:
        listening.expect("call 1  confirmed")
        second = run("call", listening.uri)
        assert second.process.returncode == 4 and "486" in one_line(second.errors)
        first.process.send_signal(signal.SIGINT)
        assert first.finish() == 0, first.errors
        assert listening.finish() == 0
    assert "enough calls" in listening.output and "call 2" not in listening.output


@pytest.mark.parametrize("number, options", [(signal.SIGINT, []), (signal.SIGTERM, ["--drain", "0"])])
def test_a_signal_ends_listen_with_0_and_its_calls(number, options):
    with Listening(*options) as listening, Command("call", listening.uri, "--duration", "600") as caller:
        listening.expect("call 1  confirmed")
        caller.expect("answered")
        listening.process.send_signal(number)
        assert listening.finish() == 0, listening.errors
        assert caller.finish() == 0, caller.errors
    assert "call 1  ended, local-bye" in listening.output
    assert "ended, remote-bye" in caller.output
    assert listening.errors == ""


def test_sigterm_lets_calls_finish_and_takes_no_more():
    with Listening("--drain", "60") as listening, Command("call", listening.uri) as caller:
        listening.expect("call 1  confirmed")
        caller.expect("answered")
        listening.process.send_signal(signal.SIGTERM)
        listening.expect("taking no more calls: 1 to finish, at most 60 s")
        assert "503" in one_line(run("call", listening.uri).errors)
        caller.process.send_signal(signal.SIGINT)
        assert (caller.finish(), listening.finish()) == (0, 0)
    assert "call 1  ended, remote-bye" in listening.output and "call 2" not in listening.output


def test_a_second_signal_hangs_up():
    with Listening("--drain", "60") as listening, Command("call", listening.uri, "--duration", "600") as caller:
        listening.expect("call 1  confirmed")
        caller.expect("answered")
        listening.process.send_signal(signal.SIGTERM)
        listening.expect("taking no more calls")
        listening.process.send_signal(signal.SIGTERM)
        assert (listening.finish(), caller.finish()) == (0, 0)
    assert "call 1  ended, local-bye" in listening.output


def test_calls_that_do_not_finish_in_time_are_hung_up():
    with Listening("--drain", "0.5") as listening, Command("call", listening.uri, "--duration", "600") as caller:
        listening.expect("call 1  confirmed")
        listening.process.send_signal(signal.SIGTERM)
        assert (listening.finish(), caller.finish()) == (0, 0)
    assert "call 1  ended, local-bye" in listening.output


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


def test_hold_and_resume_of_a_call():
    with Listening() as listening:
        held = run("call", listening.uri, "--hold", "0.2", "--duration", "0.1")
        assert held.process.returncode == 0, held.output + held.errors
        assert re.search("answered.*on hold.*resumed.*ended, local-bye", held.output, re.DOTALL)
        assert len(re.findall("re-INVITE", listening.output)) == 2


def test_a_transfer_that_is_accepted():
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
