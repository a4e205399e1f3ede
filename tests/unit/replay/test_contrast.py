"""In what two runs of the same call differ, and what the endpoint did in a recorded one."""

from __future__ import absolute_import, division, print_function

import io
import os

import pytest

from sipbridge._replay import dialogue
from sipbridge._replay.contrast import PLAYED, Run, contrast
from sipbridge._replay.part import part_of

CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "captures")

OK = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
    b"To: <sip:b@192.0.2.7>;tag=abcdef1\r\nCSeq: 1 INVITE\r\n"
)


def of(messages=(), events=(), outcome=PLAYED):
    return Run("some", "1.0", outcome, 1, list(messages), list(events), ["abcdef1", "abcdef2"], [])


def event(name="CallEnded", headers=(), body="", **fields):
    return {"event": name, "fields": fields, "headers": list(headers), "body": body}


def told(first, second, **options):
    """The differences as text."""
    found = contrast(first, second, **options).differences
    return [u"%s %s: %s" % (each.kind, each.what, " ".join(each.lines)) for each in found]


def test_tags_addresses_and_phrases_do_not_count():
    other = OK.replace(b"abcdef1", b"abcdef2").replace(b"192.0.2.7", b"192.0.2.9").replace(b"OK", b"Fine")
    assert told(of([OK]), of([other])) == []


def test_messages_are_compared_with_those_of_their_kind():
    ringing = OK.replace(b"200 OK", b"180 Ringing")
    assert told(of([ringing, OK]), of([OK])) == ["message 180 to INVITE: -180 to INVITE"]
    assert told(of([OK]), of([OK, OK + b"X-A: y\r\n"])) == ["message 200 to INVITE, number 2: +200 to INVITE, number 2"]
    assert told(of([OK + b"X-A: 1\r\n"]), of([OK + b"X-A: 2\r\n"])) == ["message 200 to INVITE: -X-A: 1 +X-A: 2"]


def test_another_order_is_a_difference():
    bye = b"BYE sip:a@192.0.2.1 SIP/2.0\r\nCSeq: 2 BYE\r\n"
    assert told(of([OK, bye]), of([bye, OK])) == ["order messages: -200 to INVITE, BYE +BYE, 200 to INVITE"]


def test_what_becomes_of_the_call_is_one():
    assert told(of(), of(outcome="the engine died: SIGSEGV")) == ["outcome the call: -played +the engine died: SIGSEGV"]


def test_events_are_compared_by_fields_headers_and_body():
    assert told(of(events=[event(cause="remote-bye")]), of(events=[event(cause="timeout")])) == [
        "event CallEnded: -cause remote-bye +cause timeout"
    ]
    assert told(of(events=[event(body="1")]), of(events=[event(body="2")])) == ["event CallEnded: -1 +2"]


def test_habits_are_counted_and_shown_when_asked_for():
    pair = of([OK + b"User-Agent: a\r\nAllow: INVITE\r\n"]), of([OK])
    found = contrast(*pair)
    assert found.differences == []
    assert sorted(each.partition(":")[0] for each in found.left_out) == ["Allow", "User-Agent"]
    assert told(*pair, everything=True) == ["message 200 to INVITE: -Allow: INVITE -User-Agent: ..."]
    assert told(*pair, ignored=frozenset(["allow"]), everything=True) == ["message 200 to INVITE: -User-Agent: ..."]


def test_a_habit_holds_where_it_is_one():
    """A Contact that is missing counts in the answer to an INVITE, and not in an ACK."""
    contact = b"Contact: <sip:x@192.0.2.7>\r\n"
    assert told(of([OK + contact]), of([OK])) == ["message 200 to INVITE: -Contact: <sip:...>"]
    assert told(of([OK + contact]), of([OK + contact.replace(b"x@", b"")])) == []
    ack = b"ACK sip:a@192.0.2.1 SIP/2.0\r\nCSeq: 1 ACK\r\n"
    assert told(of([ack + contact]), of([ack])) == []


def test_lists_and_brackets_in_events_are_a_habit():
    one = event(headers=[("Allow", "INVITE, ACK"), ("Contact", "sip:a@b"), ("X", "1")])
    other = event(headers=[("Allow", "INVITE"), ("Allow", "ACK"), ("m", "<sip:a@b>"), ("X", "1")])
    found = contrast(of(events=[one]), of(events=[other]))
    assert found.differences == [] and len(found.left_out) == 2


@pytest.mark.parametrize("role, calls, requests", [("caller", False, []), ("callee", True, ["INVITE", "BYE"])])
def test_the_part_of_an_endpoint(role, calls, requests):
    with io.open(os.path.join(CAPTURES, "sipp-udp.pcapng"), "rb") as stream:
        part = part_of(dialogue.load(stream, None, role))
    assert part["calls"] is calls and [each["method"] for each in part["requests"]] == requests
    if calls:
        assert part["replies"] == [] and part["requests"][0]["final"] == 200 and part["requests"][1]["inside"]
        assert "c=IN IP4 127.0.0.1" in part["requests"][0]["body"]
    else:
        (reply,) = part["replies"]
        assert [each["status"] for each in reply["responses"]] == [180, 200] and reply["responses"][1]["body"]


def test_the_part_of_a_phone_that_registers_has_no_second_try():
    """The endpoint answers challenges by itself."""
    with io.open(os.path.join(CAPTURES, "kamailio.pcap"), "rb") as stream:
        part = part_of(dialogue.load(stream, None, "callee"))
    assert part["user"] == "bob" and [each["expires"] for each in part["requests"]] == [60, 0]


def test_calls_that_are_read_at_one_go_are_those_that_are_read_one_by_one():
    path = os.path.join(CAPTURES, "..", "..", "..", "examples", "service-bug.pcapng")
    with io.open(path, "rb") as stream:
        recorded = dialogue.by_call(stream)
    assert len(recorded) == 2
    with io.open(path, "rb") as stream:
        listed = dialogue.calls(stream)
    assert [dialogue.call_of(number, each) for number, each in enumerate(recorded, 1)] == listed
    for number, each in enumerate(recorded, 1):
        with io.open(path, "rb") as stream:
            alone = dialogue.load(stream, number)
        together = dialogue.played_of(each)
        assert together._replace(steps=()) == alone._replace(steps=())
        assert [step.data for step in together.steps] == [step.data for step in alone.steps]
