"""SUBSCRIBE and NOTIFY (RFC 6665) as the subscriber, and between two endpoints of our own."""

from __future__ import absolute_import, division, print_function

from threading import Thread

import pytest

import sipbridge
from conformance.kept.presence import EVENT, EVENTS, OPEN, PIDF, expires_of
from peers.scenario import Callee
from peers.wire import check_digest

CHALLENGE = ("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth"')


def _state(text):
    return [EVENT, ("Subscription-State", text)]


def test_subscribe_notify_unsubscribe(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=expires_of(600))
        .request("NOTIFY", OPEN, PIDF, headers=_state("active;expires=600")).expect(200)
        .recv("SUBSCRIBE").reply(200, headers=expires_of(0))
        .request("NOTIFY", headers=_state("terminated;reason=timeout")).expect(200)
    )  # fmt: skip
    subscription = phone.endpoint.subscribe(
        peer.uri, "presence", expires=3600, accept=[PIDF, "application/xpidf+xml"], headers=[("X-Kept", "yes")]
    )
    assert (subscription.state, subscription.expires) == ("active", 600)
    told = phone.wait("notify active")
    assert (told.body, told.content_type, told.event) == (OPEN, PIDF, "presence")
    assert told.subscription_state.expires == 600 and subscription.last is told
    subscription.unsubscribe()
    assert (subscription.state, subscription.expires) == ("ended", 0)
    subscription.unsubscribe()  # does nothing
    peer.wait()
    phone.expect("subscription active 200", "notify active", "notify terminated", "subscription ended 0")
    first, last = peer.received("SUBSCRIBE")
    assert first.start_line == "SUBSCRIBE %s SIP/2.0" % peer.uri
    assert [(each["Event"], each["Expires"], each["X-Kept"]) for each in (first, last)] == [
        ("presence", "3600", "yes"),
        ("presence", "0", "yes"),
    ]
    assert first["Accept"] == PIDF + ", application/xpidf+xml" and phone.host_port in first["Contact"]
    assert last["To"].endswith("tag=" + peer.messages[1]["To"].rpartition("tag=")[2])
    assert int(last["CSeq"].split()[0]) > int(first["CSeq"].split()[0])


def test_a_challenged_subscribe(phone, sipp):
    phone.endpoint.add_credentials("alice", "wonder-land")
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(401, headers=[CHALLENGE])
        .recv("SUBSCRIBE").reply(202, headers=expires_of(600))
        .request("NOTIFY", headers=_state("terminated;reason=noresource")).expect(200)
    )  # fmt: skip
    subscription = phone.endpoint.subscribe(peer.uri, "presence")
    peer.wait()
    phone.expect("subscription active 202", "notify terminated", "subscription ended 0")
    assert phone.events[-1].reason == "noresource" and subscription.state == "ended"
    assert check_digest(peer.received("SUBSCRIBE")[1], "Authorization", "wonder-land")["username"] == "alice"


def test_a_challenge_without_credentials_fails(phone, sipp):
    peer = sipp(Callee().recv("SUBSCRIBE").reply(401, headers=[CHALLENGE]).pause(500))
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.subscribe(peer.uri, "presence")
    peer.wait()
    phone.expect("subscription failed 401")


@pytest.mark.parametrize("status", [403, 489, 500])
def test_a_refused_subscription_raises_the_response(phone, sipp, status):
    """A first one that fails is not tried again."""
    peer = sipp(Callee().recv("SUBSCRIBE").reply(status, reason="For a Reason").pause(1000))
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.subscribe(peer.uri, "presence")
    peer.wait()
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    phone.expect("subscription failed %d" % status)


def test_a_423_raises_the_expiry_of_a_subscription(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(423, headers=[("Min-Expires", "900")])
        .recv("SUBSCRIBE").reply(200, headers=expires_of(900))
        .request("NOTIFY", headers=_state("terminated;reason=noresource")).expect(200)
    )  # fmt: skip
    phone.endpoint.subscribe(peer.uri, "presence", expires=60)
    peer.wait()
    assert [each["Expires"] for each in peer.received("SUBSCRIBE")] == ["60", "900"]


def test_refreshed_before_it_runs_out(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=expires_of(4))
        .request("NOTIFY", headers=_state("active;expires=4")).expect(200)
        .recv("SUBSCRIBE", within=4000).reply(200, headers=expires_of(600))
        .request("NOTIFY", headers=_state("terminated;reason=noresource")).expect(200)
    )  # fmt: skip
    phone.endpoint.subscribe(peer.uri, "presence", expires=3600, accept=PIDF, body=b"filter", content_type="text/plain")
    phone.expect(
        "subscription active 200",
        "notify active",
        "subscription active 200",
        "notify terminated",
        "subscription ended 0",
    )
    peer.wait()
    first, second = peer.received("SUBSCRIBE")
    assert (first["Expires"], second["Expires"]) == ("3600", "3600")
    assert second["Accept"] == PIDF and second["Event"] == "presence"
    assert first.body == b"filter" and second.body == b"" and "Content-Type" not in second


def test_refreshed_by_the_user(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=expires_of(3600))
        .request("NOTIFY", headers=_state("active;expires=3600")).expect(200)
        .recv("SUBSCRIBE").reply(200, headers=expires_of(120))
        .request("NOTIFY", headers=_state("terminated;reason=noresource")).expect(200)
    )  # fmt: skip
    subscription = phone.endpoint.subscribe(peer.uri, "presence")
    phone.wait("notify active")
    subscription.refresh(expires=120)
    phone.wait("subscription ended 0")
    peer.wait()
    assert [each["Expires"] for each in peer.received("SUBSCRIBE")] == ["3600", "120"]
    with pytest.raises(sipbridge.CallStateError):
        subscription.refresh()


def test_a_refresh_answered_481_subscribes_again(phone, by_hand):
    """481: the notifier knows nothing of it (4.1.2.2); the subscription is made again, in a new dialog."""
    asking = _in_background(phone, by_hand, resubscribe=True)
    first = by_hand.next("SUBSCRIBE")
    by_hand.reply(first, 200, expires_of(3600))
    subscription = asking()
    subscription._engine.subscribe_refresh(subscription._id, 60)
    by_hand.reply(by_hand.next("SUBSCRIBE"), 481)
    phone.wait("subscription retrying 481")
    again = by_hand.next("SUBSCRIBE")
    assert again["Call-ID"] != first["Call-ID"] and "tag=" not in again["To"]
    by_hand.reply(again, 200, expires_of(3600))
    phone.wait("subscription active 200", count=2)
    assert subscription.state == "active"


def test_a_subscription_ended_for_now_is_made_again(phone, by_hand):
    """Deactivated: subscribe again at once (4.1.3)."""
    asking = _in_background(phone, by_hand, resubscribe=True)
    first = by_hand.next("SUBSCRIBE")
    by_hand.reply(first, 200, expires_of(3600))
    subscription = asking()
    _notify(phone, by_hand, first, 2, "terminated;reason=deactivated")
    by_hand.next("200")
    phone.wait("subscription retrying 0")
    by_hand.reply(by_hand.next("SUBSCRIBE"), 200, expires_of(3600))
    phone.wait("subscription active 200", count=2)
    assert subscription.state == "active"


@pytest.mark.parametrize("reason", ["noresource", "rejected", "invariant"])
def test_a_subscription_ended_for_good_is_not_made_again(phone, by_hand, reason):
    asking = _in_background(phone, by_hand, resubscribe=True)
    first = by_hand.next("SUBSCRIBE")
    by_hand.reply(first, 200, expires_of(3600))
    subscription = asking()
    _notify(phone, by_hand, first, 2, "terminated;reason=%s;retry-after=1" % reason)
    phone.wait("subscription ended 0")
    by_hand.next("200")
    assert subscription.state == "ended" and phone.events[-1].reason == reason
    assert by_hand.take(1.0) is None


def test_expires_zero_asks_for_one_notify(phone, sipp):
    """Expires: 0 asks for one NOTIFY (4.4.3)."""
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=expires_of(0))
        .request("NOTIFY", OPEN, PIDF, headers=_state("terminated;reason=timeout")).expect(200)
    )  # fmt: skip
    subscription = phone.endpoint.subscribe(peer.uri, "presence", expires=0)
    assert subscription.state == "ended" and subscription.last.body == OPEN
    peer.wait()
    phone.expect("notify terminated", "subscription ended 0")


def test_notify_may_overtake_the_answer(phone, by_hand):
    """The network may let it overtake the 2xx (4.4.1)."""
    asking = _in_background(phone, by_hand)
    first = by_hand.next("SUBSCRIBE")
    _notify(phone, by_hand, first, 1, "active;expires=600")
    by_hand.next("200")
    phone.wait("notify active")
    by_hand.reply(first, 200, expires_of(600))
    assert asking().state == "active"


def test_notify_of_an_unknown_subscription_gets_481(phone, by_hand):
    """481, whatever it names (4.1.3)."""
    port = phone.endpoint.port
    known = _subscribed(phone, by_hand)
    by_hand.request(port, "NOTIFY", _state("active"))
    assert by_hand.next("481")["CSeq"] == "1 NOTIFY"
    _notify(phone, by_hand, known, 2, "active", to=known["From"].replace("tag=", "tag=x"))
    by_hand.next("481")
    _notify(phone, by_hand, known, 3, "active", call_id="nobody")
    by_hand.next("481")
    _notify(phone, by_hand, known, 4, "active")
    by_hand.next("200")
    phone.wait("notify active")
    assert phone.labels.count("notify active") == 1


def test_notify_out_of_order_gets_500(phone, by_hand):
    """A CSeq that is lower than one before (RFC 3261, 12.2.2)."""
    known = _subscribed(phone, by_hand)
    _notify(phone, by_hand, known, 20, "active")
    by_hand.next("200")
    _notify(phone, by_hand, known, 10, "active")
    by_hand.next("500")
    phone.wait("notify active")
    assert phone.labels.count("notify active") == 1


def _in_background(phone, by_hand, **options):
    """Subscribe in another thread; what is returned gives the subscription."""
    made = []
    thread = Thread(target=lambda: made.append(phone.endpoint.subscribe(by_hand.uri, "presence", **options)))
    thread.start()

    def result():
        thread.join(10.0)
        return made[0]

    return result


def _subscribed(phone, by_hand):
    """A subscription at the peer that is up: the SUBSCRIBE."""
    asking = _in_background(phone, by_hand, resubscribe=False)
    subscribe = by_hand.next("SUBSCRIBE")
    by_hand.reply(subscribe, 200, expires_of(3600))
    asking()
    return subscribe


def _notify(phone, by_hand, subscribe, cseq, state, event="presence", to=None, call_id=None, body=b""):
    """Send a NOTIFY in the dialog of a SUBSCRIBE. ``state``, ``event``: None leaves the header out."""
    headers = [("Event", event), ("Subscription-State", state)]
    headers = [each for each in headers if each[1] is not None]
    tag = ";tag=byhand%d" % by_hand.port
    dialog = {"From": subscribe["To"] + tag, "Call-ID": call_id or subscribe["Call-ID"]}
    headers += [("Content-Type", "text/plain")] if body else []
    by_hand.within(phone.endpoint.port, dialog, to or subscribe["From"], "NOTIFY", cseq, headers, body)


def test_malformed_notifies(phone, by_hand):
    known = _subscribed(phone, by_hand)
    _notify(phone, by_hand, known, 2, None)
    by_hand.next("400")
    _notify(phone, by_hand, known, 3, "active", event=None)
    by_hand.next("489")
    _notify(phone, by_hand, known, 4, "active", event="dialog")
    by_hand.next("489")
    _notify(phone, by_hand, known, 5, "active", event="presence;id=7")
    by_hand.next("489")
    _notify(phone, by_hand, known, 9, "active")
    by_hand.next("200")
    phone.wait("notify active")
    assert phone.labels.count("notify active") == 1


def test_two_endpoints_subscribe_and_notify(phone, other):
    subscription = phone.endpoint.subscribe(other.uri, "presence", expires=60)
    other.wait("subscribe presence")
    other.notifier("notify", OPEN, PIDF)
    assert phone.wait("notify active").body == OPEN
    subscription.refresh()
    assert other.wait("refreshed 60")
    phone.wait("notify active", count=2)
    subscription.unsubscribe()
    phone.expect(
        "subscription active 200",
        "notify active",
        "subscription active 200",
        "notify active",
        "notify terminated",
        "subscription ended 0",
    )
    other.expect("subscribe presence", "refreshed 60", "unsubscribed 0")


def test_the_subscriber_closes(phone, by_hand):
    subscribe = _subscribed(phone, by_hand)
    closing = Thread(target=phone.endpoint.close)
    closing.start()
    last = by_hand.next("SUBSCRIBE")
    by_hand.reply(last, 200, expires_of(0))
    _notify(phone, by_hand, subscribe, 7, "terminated;reason=timeout")
    closing.join(10.0)
    assert last["Expires"] == "0"


@pytest.mark.parametrize("value, named", EVENTS)
def test_the_event_header_of_a_notify_names_the_subscription(phone, by_hand, value, named):
    """It names the subscription (4.1.3), with or without blanks; another id is another one."""
    subscribing = Thread(target=phone.endpoint.subscribe, args=(by_hand.uri, named))
    subscribing.start()
    subscribe = by_hand.next("SUBSCRIBE")
    assert subscribe["Event"] == named
    by_hand.reply(subscribe, 200, expires_of(600))
    subscribing.join(10.0)
    dialog = {"From": subscribe["To"] + ";tag=byhand%d" % by_hand.port, "Call-ID": subscribe["Call-ID"]}
    for number, event, status in ((1, value, "200"), (2, "dialog;id=8", "489")):
        state = [("Event", event), ("Subscription-State", "active;expires=300")]
        by_hand.within(phone.endpoint.port, dialog, subscribe["From"], "NOTIFY", number, state)
        by_hand.next(status)
    phone.expect("subscription active 200", "notify active")


def test_a_subscription_granted_zero_seconds_is_over(phone, by_hand):
    """The state as it is now, and that is all: the same as if that had been asked for."""
    subscriptions = []
    subscribing = Thread(target=lambda: subscriptions.append(phone.endpoint.subscribe(by_hand.uri, "presence")))
    subscribing.start()
    subscribe = by_hand.next("SUBSCRIBE")
    by_hand.reply(subscribe, 200, expires_of(0))
    dialog = {"From": subscribe["To"] + ";tag=byhand%d" % by_hand.port, "Call-ID": subscribe["Call-ID"]}
    state = _state("terminated;reason=timeout")
    by_hand.within(phone.endpoint.port, dialog, subscribe["From"], "NOTIFY", 1, state)
    by_hand.next("200")
    subscribing.join(10.0)
    phone.wait("subscription ended 0")
    assert subscriptions[0].state == "ended" and by_hand.take(1.0) is None
