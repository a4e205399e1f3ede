"""How long a peer is waited for that has said so little as 100: an engine that was built with less patience, since what
is delivered has 170 s of it (SB_RING_LIMIT_MS)."""

from __future__ import absolute_import, division, print_function

import time

import pytest

from memory.driver import OPTIMIZED, alone, build

#: Milliseconds, in this build: for the peer, and for its address.
RING, LOOKUP = 3000, 1000

#: What the peer says, and no more.
WORDS = pytest.mark.parametrize("statuses", [[100], [100, 180]])


@pytest.fixture(scope="module")
def program():
    return build(OPTIMIZED + ["-DSB_RING_LIMIT=%d" % RING, "-DSOF_LOOKUP=%d" % LOOKUP])


@pytest.fixture
def driver(program, tmpdir):
    driven = alone(program, str(tmpdir.join("complaints")))
    driven.engine = driven.open()
    yield driven
    assert driven.perform("sb_close", driven.engine, 0) == 0
    driven.finish()


def _next(driver, *types):
    while True:
        event = driver.wait(driver.engine)
        assert event != 0, "nothing in 10 s"
        if event.type in types:
            return event


def _say(by_hand, invite, statuses):
    for status in statuses:
        by_hand.reply(invite, status)
    return time.time()


def _ends_in_time(driver, since):
    event = _next(driver, driver.lib.SB_EV_CALL_ENDED)
    assert (event.cause, event.status) == (driver.lib.SB_CAUSE_TIMEOUT, 408)
    assert time.time() - since > 0.8 * RING / 1000.0


def _established(driver, by_hand):
    """A call of ours that was answered."""
    call = driver.call(driver.engine, by_hand.uri)
    by_hand.reply(by_hand.next("INVITE"), 200)
    _next(driver, driver.lib.SB_EV_CALL_ANSWERED)
    assert driver.perform("sb_call_ack", driver.engine, call, None) == 0
    by_hand.next("ACK")
    return call


@WORDS
def test_an_invite_that_is_only_answered_provisionally_ends(driver, by_hand, statuses):
    """It ends like a call that only rings: a proxy would give up, too (RFC 3261, 16.6, Timer C)."""
    assert driver.call(driver.engine, by_hand.uri) > 0
    since = _say(by_hand, by_hand.next("INVITE"), statuses)
    _ends_in_time(driver, since)
    by_hand.next("CANCEL")


@WORDS
def test_a_reinvite_that_is_only_answered_provisionally_ends_the_call(driver, by_hand, statuses):
    """RFC 3261, 12.2.1.2."""
    call = _established(driver, by_hand)
    assert driver.perform("sb_call_reinvite", driver.engine, call, None) > 0
    since = _say(by_hand, by_hand.next("INVITE"), statuses)
    assert _next(driver, driver.lib.SB_EV_CALL_RESPONSE).status == 408
    _ends_in_time(driver, since)
    by_hand.next("BYE")


def test_an_answer_in_time_stops_the_count(driver, by_hand):
    """An answered call is counted no longer."""
    _established(driver, by_hand)
    assert driver.wait(driver.engine, RING + LOOKUP) == 0
