"""Bodies of message-summary (RFC 3842, sipbridge.message_summary)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge import InputError
from sipbridge.message_summary import Counts, build_message_summary, parse_message_summary


def test_a_whole_body_is_parsed():
    summary = parse_message_summary(
        b"Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\n"
        b"Voice-Message: 4/8 (1/2)\r\nFax-message : 0/3\r\n\r\nTo: <alice@example.com>\r\nMessage-ID: 1@x\r\n"
    )
    assert summary.waiting is True and summary.account == "sip:alice@vmail.example.com"
    assert summary.voice == Counts(4, 8, 1, 2) and summary.counts["fax-message"] == Counts(0, 3, 0, 0)


def test_the_shortest_body_is_parsed():
    summary = parse_message_summary(b"messages-waiting:NO")
    assert summary == (False, None, {}) and summary.voice == Counts(0, 0, 0, 0)


@pytest.mark.parametrize("body", [b"", b"Voice-Message: 1/2", b"Messages-Waiting: maybe", b"\xff\xfe\x00"])
def test_a_body_that_is_no_summary_is_refused(body):
    with pytest.raises(InputError):
        parse_message_summary(body)


@pytest.mark.parametrize("counts", ["1", "1/", "a/b", "1/2 (3", "9999999999/1", "-1/2"])
def test_malformed_counts_are_left_out(counts):
    body = ("Messages-Waiting: yes\r\nVoice-Message: %s\r\n" % counts).encode("ascii")
    assert parse_message_summary(body).counts == {}


def test_a_built_body_is_parsed_to_the_same():
    body = build_message_summary(2, 8, 1, account="sip:bob@example.com")
    assert body.startswith(b"Messages-Waiting: yes\r\n") and body.endswith(b"Voice-Message: 2/8 (1/0)\r\n")
    summary = parse_message_summary(body)
    assert (summary.waiting, summary.account, summary.voice) == (True, "sip:bob@example.com", Counts(2, 8, 1, 0))
    assert parse_message_summary(build_message_summary(0)).waiting is False


@pytest.mark.parametrize("arguments", [(-1,), ("1",), (1.5,), (True,), (1, 0, 0, 0, "a\r\nb"), (1, 0, 0, 0, 7)])
def test_build_refuses_bad_counts(arguments):
    with pytest.raises(InputError):
        build_message_summary(*arguments)
