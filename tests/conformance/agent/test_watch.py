"""OPTIONS as a ping, registrations that are kept, and how long a MESSAGE may be. Time runs faster here for timers."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from conformance.conftest import USERS
from sipbridge._kept import backoff


@pytest.fixture
def phone(make_phone):
    return make_phone(identity="sip:alice@sipbridge.test").hurry(100.0)


# -- OPTIONS -------------------------------------------------------------------------------------------------


def test_a_watch_tells_when_its_peer_comes_and_goes(phone, by_hand):
    watch = phone.endpoint.watch(by_hand.uri, interval=5.0)
    assert watch.available is None
    for status in (200, 200, 404, 503, 503, 486, 504):
        by_hand.reply(by_hand.next("OPTIONS"), status)
    phone.wait("unavailable 504")
    watch.stop()
    watch.stop()
    assert (watch.available, watch.status, watch.uri) == (False, 504, by_hand.uri)
    phone.expect("available 200", "unavailable 503", "available 486", "unavailable 504")
    assert phone.events[0].watch is watch and phone.events[0].uri == by_hand.uri


def test_a_stopped_watch_sends_no_more_options(phone, by_hand):
    watch = phone.endpoint.watch(by_hand.uri, interval=1.0)
    request = by_hand.next("OPTIONS")
    watch.stop()
    by_hand.reply(request, 200)
    assert by_hand.take(0.4) is None
    assert phone.labels == [] and watch.available is None


def test_a_peer_that_cannot_be_reached(phone):
    watch = phone.endpoint.watch("sip:bob@no-such-host.invalid")
    phone.wait("unavailable 503", timeout=40.0)
    watch.stop()


@pytest.mark.parametrize("uri, interval", [("bob", 5), ("sip:a@b", 0), ("sip:a@b", "5"), ("sip:a@b", True)])
def test_watch_refuses_bad_input(phone, uri, interval):
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.watch(uri, interval)


# -- registrations (RFC 5626, 4.5) ---------------------------------------------------------------------------


def test_a_registration_is_kept_through_failures(phone, by_hand):
    registrar = "sip:127.0.0.1:%d" % by_hand.port
    first = threading.Thread(
        target=lambda: by_hand.reply(by_hand.next("REGISTER"), 503, [("Retry-After", "45 (busy);duration=9")])
    )
    first.start()
    kept = phone.endpoint.register(registrar, keep=True)
    first.join()
    assert 45.0 <= kept.retry_in <= 60.0
    by_hand.reply(by_hand.next("REGISTER"), 500)
    by_hand.reply(by_hand.next("REGISTER"), 200, [("Expires", "600")])
    phone.wait("registration active 200")
    assert (kept.state, kept.expires, kept._failures) == ("active", 600, 0)
    phone.expect(
        "registration waiting 503",
        "registration pending 0",
        "registration waiting 500",
        "registration pending 0",
        "registration active 200",
    )
    _unregister(kept, by_hand)


def test_a_registration_is_kept_until_kamailio_is_open_again(phone, kamailio):
    """503 with Retry-After for a while, and 401 to the first try after that."""
    phone.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    kamailio.close_registrar(True)
    try:
        kept = phone.endpoint.register(kamailio.uri, aor=kamailio.aor("alice"), keep=True)
        assert (kept.state, kept.retry_in >= 40.0) == ("waiting", True)
        phone.wait("registration waiting 503", 2)
    finally:
        kamailio.close_registrar(False)
    phone.wait("registration active 200")
    assert len(kamailio.bindings("alice")) == 1
    kept.unregister()
    assert kamailio.bindings("alice") == []


def _unregister(kept, by_hand):
    last = threading.Thread(target=lambda: by_hand.reply(by_hand.next("REGISTER"), 200))
    last.start()
    kept.unregister()
    last.join()
    assert kept.state == "ended"


@pytest.mark.parametrize("status", [403, 404, 600])
def test_a_permanent_refusal_is_not_tried_again(phone, by_hand, status):
    answer = threading.Thread(target=lambda: by_hand.reply(by_hand.next("REGISTER"), status))
    answer.start()
    with pytest.raises(sipbridge.ResponseError):
        phone.endpoint.register("sip:127.0.0.1:%d" % by_hand.port, keep=True)
    answer.join()
    assert by_hand.take(0.5) is None
    phone.expect("registration failed %d" % status)


def test_unregister_ends_the_wait_for_the_next_try(phone, by_hand):
    later = [("Retry-After", "100")]  # a second of this test's, to be given up in
    answer = threading.Thread(target=lambda: by_hand.reply(by_hand.next("REGISTER"), 503, later))
    answer.start()
    kept = phone.endpoint.register("sip:127.0.0.1:%d" % by_hand.port, keep=True)
    answer.join()
    kept.unregister()
    assert kept.state == "ended"
    assert by_hand.take(1.5) is None


def test_the_time_between_tries_grows_and_is_bounded():
    for failures, upper in ((1, 30.0), (2, 60.0), (3, 120.0), (7, 1800.0), (500, 1800.0)):
        times = [backoff.backoff(failures) for _ in range(50)]
        assert upper / 2 <= min(times) and max(times) <= upper
        assert len(set(times)) > 1


# -- MESSAGE (RFC 3428, 8) -----------------------------------------------------------------------------------


def test_a_message_that_is_too_long_for_udp(phone, by_hand):
    with pytest.raises(sipbridge.InputError) as caught:
        phone.endpoint.message(by_hand.uri, b"x" * 1300)
    assert "1300" in str(caught.value) and "large=True" in str(caught.value)
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.message(by_hand.uri, b"x", headers=[("X-Long", "x" * 1000)])
    assert by_hand.take(0.1) is None
