"""What looks for credentials in the log lines of all tests does find them."""

from __future__ import absolute_import, division, print_function

import logging

import pytest

from peers import log_watch


@pytest.fixture
def wrong():
    before, log_watch.passwords = log_watch.passwords, set()
    yield log_watch.found
    log_watch.passwords = before
    log_watch.found[:] = []


def test_lines_without_a_secret_are_right(wrong):
    logging.getLogger("sipbridge.call").info("a call from %s", "sip:alice@example.com", extra={"call_id": "1@a"})
    assert wrong == []


@pytest.mark.parametrize("line", [
    'Digest username="a", response="0123456789abcdef0123456789abcdef"',
    "Authorization: Basic YTpi",
    "Headers([('Proxy-Authorization', 'x')])",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
])  # fmt: skip
def test_a_line_with_the_answer_to_a_challenge_is_found(wrong, line):
    logging.getLogger("sipbridge.registration").debug("%s", line)
    assert len(wrong) == 1


def test_a_password_that_a_test_has_used_is_found_in_a_line_a_fact_and_an_error(wrong, sip_endpoint):
    sip_endpoint.add_credentials("alice", u"sesame opens")
    logging.getLogger("sipbridge").warning("it is sesame opens")
    logging.getLogger("sipbridge.call").info("a call", extra={"from": "sip:a:sesame opens@b"})
    try:
        raise ValueError("sesame opens")
    except ValueError:
        logging.getLogger("sipbridge").warning("failed", exc_info=True)
    assert len(wrong) == 3


def test_a_fact_that_has_no_name_is_found(wrong):
    logging.getLogger("sipbridge.call").info("a call", extra={"colour": "red"})
    assert "colour" in wrong[0]
