"""PUBLISH (RFC 3903); sipp is the event state compositor."""

from __future__ import absolute_import, division, print_function

from threading import Thread

import pytest

import sipbridge
from peers.scenario import Callee
from peers.wire import check_digest

PIDF = "application/pidf+xml"
OPEN = b'<?xml version="1.0"?>\r\n<presence entity="sip:alice@sipbridge.test"/>\r\n'
BUSY = b'<?xml version="1.0"?>\r\n<presence entity="sip:alice@sipbridge.test"><!-- busy --></presence>\r\n'
CHALLENGE = ("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth"')


def _taken(etag, seconds=600):
    return [("SIP-ETag", etag), ("Expires", "%d" % seconds)]


def _publish(phone, peer, **options):
    return phone.endpoint.publish(peer.uri, "presence", OPEN, PIDF, **options)


def _asked(peer):
    """The SIP-If-Match, Expires and body of each PUBLISH."""
    got = peer.received("PUBLISH")
    return [("SIP-If-Match" in each and each["SIP-If-Match"], each["Expires"], each.body) for each in got]


def test_publish_modify_refresh_remove(phone, by_hand):
    """Each is a transaction of its own, with the name that the one before was given (4.1)."""
    steps = []

    def run():
        publication = phone.endpoint.publish(by_hand.uri, "presence", OPEN, PIDF, headers=[("X-Kept", "yes")])
        steps.append((publication.state, publication.etag, publication.expires))
        publication.modify(BUSY)
        steps.append((publication.state, publication.etag, publication.expires))
        publication.refresh(expires=1200)
        steps.append((publication.state, publication.etag, publication.expires))
        publication.remove()
        publication.remove()  # does nothing
        steps.append((publication.state, publication.expires))

    thread = Thread(target=run)
    thread.start()
    asked = []
    for etag, seconds in (("one", 600), ("two", 900), ("two", 1200), ("three", 0)):
        request = by_hand.next("PUBLISH")
        asked.append((request["SIP-If-Match"] if "SIP-If-Match" in request else None, request["Expires"], request.body))
        assert request["Event"] == "presence"
        by_hand.reply(request, 200, _taken(etag, seconds))
    thread.join(10.0)
    assert asked == [(None, "3600", OPEN), ("one", "3600", BUSY), ("two", "1200", b""), ("two", "0", b"")]
    assert steps == [("active", "one", 600), ("active", "two", 900), ("active", "two", 1200), ("ended", 0)]
    phone.expect(*["publication active 200"] * 3 + ["publication ended 200"])


def test_a_challenged_publish(phone, sipp):
    """libeXosip2 3.6 cannot send a PUBLISH again: there the challenge is an AuthenticationError."""
    phone.endpoint.add_credentials("alice", "wonder-land")
    if phone.endpoint.engine_name == "exosip":
        peer = sipp(Callee().recv("PUBLISH").reply(401, headers=[CHALLENGE]).pause(500))
        with pytest.raises(sipbridge.AuthenticationError):
            _publish(phone, peer)
        peer.wait()
        return
    peer = sipp(
        Callee()
        .recv("PUBLISH").reply(401, headers=[CHALLENGE])
        .recv("PUBLISH").reply(200, headers=_taken("one")),
    )  # fmt: skip
    assert _publish(phone, peer).etag == "one"
    peer.wait()
    assert check_digest(peer.received("PUBLISH")[1], "Authorization", "wonder-land")["username"] == "alice"


@pytest.mark.parametrize("status", [403, 415, 489, 500])
def test_a_refused_publication_raises_the_response(phone, sipp, status):
    peer = sipp(Callee().recv("PUBLISH").reply(status, reason="For a Reason"))
    with pytest.raises(sipbridge.ResponseError) as caught:
        _publish(phone, peer)
    peer.wait()
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    phone.expect("publication failed %d" % status)


def _serve(phone, by_hand, *answers):
    """Publish, with these answers (status, headers) to what comes: the publication and the requests."""
    made, asked = [], []
    thread = Thread(target=lambda: made.append(_publish(phone, by_hand)))
    thread.start()
    for status, headers in answers:
        asked.append(by_hand.next("PUBLISH"))
        by_hand.reply(asked[-1], status, headers)
    thread.join(10.0)
    return made[0], asked


def test_a_423_raises_the_expiry_of_a_publication(phone, by_hand):
    publication, asked = _serve(phone, by_hand, (423, [("Min-Expires", "7200")]), (200, _taken("one", 7200)))
    assert [each["Expires"] for each in asked] == ["3600", "7200"] and publication.expires == 7200


def test_refreshed_before_it_runs_out(phone, by_hand):
    publication, _ = _serve(phone, by_hand, (200, _taken("one", 2)))
    refresh = by_hand.next("PUBLISH")
    by_hand.reply(refresh, 200, _taken("two", 600))
    phone.wait("publication active 200", count=2)
    assert (refresh["SIP-If-Match"], refresh["Expires"], refresh.body) == ("one", "3600", b"")
    assert (publication.etag, publication.expires) == ("two", 600)


def test_a_412_publishes_everything_again(phone, by_hand):
    """412: the compositor does not know it any more; it gets all of it again (4.1)."""
    publication, _ = _serve(phone, by_hand, (200, _taken("one", 2)))
    by_hand.reply(by_hand.next("PUBLISH"), 412)
    again = by_hand.next("PUBLISH")
    by_hand.reply(again, 200, _taken("two", 600))
    phone.wait("publication active 200", count=2)
    assert "SIP-If-Match" not in again and again.body == OPEN
    assert publication.etag == "two"


def test_a_refused_refresh_is_tried_again(phone, by_hand):
    """It is tried again, with all of it, after a while."""
    publication, _ = _serve(phone, by_hand, (200, _taken("one", 2)))
    by_hand.reply(by_hand.next("PUBLISH"), 500)
    phone.wait("publication retrying 500")
    again = by_hand.next("PUBLISH")
    assert "SIP-If-Match" not in again and again.body == OPEN
    by_hand.reply(again, 200, _taken("two", 600))
    phone.wait("publication active 200", count=2)
    assert publication.state == "active"


def test_close_removes_the_publication(phone, by_hand):
    _serve(phone, by_hand, (200, _taken("one")))
    closing = Thread(target=phone.endpoint.close)
    closing.start()
    last = by_hand.next("PUBLISH")
    by_hand.reply(last, 200)
    closing.join(10.0)
    assert (last["SIP-If-Match"], last["Expires"]) == ("one", "0")


def test_a_publication_granted_zero_seconds_is_over(phone, by_hand):
    """The compositor keeps nothing: it is over, and not refreshed."""
    publication, _ = _serve(phone, by_hand, (200, _taken("one", 0)))
    assert (publication.state, publication.expires) == ("ended", 0)
    phone.expect("publication ended 200")


@pytest.mark.parametrize("refusal", [(412, []), (423, [("Min-Expires", "7200")])])
def test_a_publish_that_cannot_be_sent_again_is_tried_later(phone, by_hand, refusal):
    """The PUBLISH that would go again cannot be sent: it is tried later, and nobody takes it for active meanwhile."""
    publication, _ = _serve(phone, by_hand, (200, _taken("one", 2)))
    refresh, send = by_hand.next("PUBLISH"), publication._engine.publish

    def fail(*arguments):
        publication._engine.publish = send
        raise sipbridge.EngineError("out of memory")

    publication._engine.publish = fail
    by_hand.reply(refresh, *refusal)
    assert phone.wait("publication retrying %d" % refusal[0]).publication is publication
    by_hand.reply(by_hand.next("PUBLISH"), 200, _taken("two", 600))
    phone.wait("publication active 200", count=2)
    assert (publication.state, publication.etag, publication.error) == ("active", "two", None)
