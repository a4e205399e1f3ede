"""SUBSCRIBE and NOTIFY (RFC 6665), in both roles."""

from __future__ import absolute_import, division, print_function

from threading import Event, Thread

import pytest

import sipbridge
from peers.scenario import Callee, Caller
from peers.wire import check_digest

PIDF = "application/pidf+xml"
OPEN = b'<?xml version="1.0"?>\r\n<presence entity="sip:bob@sipbridge.test"/>\r\n'
CHALLENGE = ("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth"')
EVENT = ("Event", "presence")


def _state(text):
    return [EVENT, ("Subscription-State", text)]


def _expires(seconds):
    return [("Expires", "%d" % seconds)]


# -- subscriber ----------------------------------------------------------------------------------------


def test_subscribe_notify_unsubscribe(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=_expires(600))
        .request("NOTIFY", OPEN, PIDF, headers=_state("active;expires=600")).expect(200)
        .recv("SUBSCRIBE").reply(200, headers=_expires(0))
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


def test_digest(phone, sipp):
    phone.endpoint.add_credentials("alice", "wonder-land")
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(401, headers=[CHALLENGE])
        .recv("SUBSCRIBE").reply(202, headers=_expires(600))
        .request("NOTIFY", headers=_state("terminated;reason=noresource")).expect(200)
    )  # fmt: skip
    subscription = phone.endpoint.subscribe(peer.uri, "presence")
    peer.wait()
    phone.expect("subscription active 202", "notify terminated", "subscription ended 0")
    assert phone.events[-1].reason == "noresource" and subscription.state == "ended"
    assert check_digest(peer.received("SUBSCRIBE")[1], "Authorization", "wonder-land")["username"] == "alice"


def test_no_credentials(phone, sipp):
    peer = sipp(Callee().recv("SUBSCRIBE").reply(401, headers=[CHALLENGE]).pause(500))
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.subscribe(peer.uri, "presence")
    peer.wait()
    phone.expect("subscription failed 401")


@pytest.mark.parametrize("status", [403, 489, 500])
def test_refused(phone, sipp, status):
    """A first one that fails is not tried again."""
    peer = sipp(Callee().recv("SUBSCRIBE").reply(status, reason="For a Reason").pause(1000))
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.subscribe(peer.uri, "presence")
    peer.wait()
    assert (caught.value.status, caught.value.reason) == (status, "For a Reason")
    phone.expect("subscription failed %d" % status)


def test_too_brief(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(423, headers=[("Min-Expires", "900")])
        .recv("SUBSCRIBE").reply(200, headers=_expires(900))
        .request("NOTIFY", headers=_state("terminated;reason=noresource")).expect(200)
    )  # fmt: skip
    phone.endpoint.subscribe(peer.uri, "presence", expires=60)
    peer.wait()
    assert [each["Expires"] for each in peer.received("SUBSCRIBE")] == ["60", "900"]


def test_refreshed_before_it_runs_out(phone, sipp):
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=_expires(4))
        .request("NOTIFY", headers=_state("active;expires=4")).expect(200)
        .recv("SUBSCRIBE", within=4000).reply(200, headers=_expires(600))
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
        .recv("SUBSCRIBE").reply(200, headers=_expires(3600))
        .request("NOTIFY", headers=_state("active;expires=3600")).expect(200)
        .recv("SUBSCRIBE").reply(200, headers=_expires(120))
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


def test_a_refresh_refused(phone, by_hand):
    """481: the notifier knows nothing of it (4.1.2.2); the subscription is made again, in a new dialog."""
    asking = _in_background(phone, by_hand, resubscribe=True)
    first = by_hand.next("SUBSCRIBE")
    by_hand.reply(first, 200, _expires(3600))
    subscription = asking()
    subscription._engine.subscribe_refresh(subscription._id, 60)
    by_hand.reply(by_hand.next("SUBSCRIBE"), 481)
    phone.wait("subscription retrying 481")
    again = by_hand.next("SUBSCRIBE")
    assert again["Call-ID"] != first["Call-ID"] and "tag=" not in again["To"]
    by_hand.reply(again, 200, _expires(3600))
    phone.wait("subscription active 200", count=2)
    assert subscription.state == "active"


def test_ended_for_now(phone, by_hand):
    """Deactivated: subscribe again at once (4.1.3)."""
    asking = _in_background(phone, by_hand, resubscribe=True)
    first = by_hand.next("SUBSCRIBE")
    by_hand.reply(first, 200, _expires(3600))
    subscription = asking()
    _notify(phone, by_hand, first, 2, "terminated;reason=deactivated")
    by_hand.next("200")
    phone.wait("subscription retrying 0")
    by_hand.reply(by_hand.next("SUBSCRIBE"), 200, _expires(3600))
    phone.wait("subscription active 200", count=2)
    assert subscription.state == "active"


@pytest.mark.parametrize("reason", ["noresource", "rejected", "invariant"])
def test_ended_for_good(phone, by_hand, reason):
    asking = _in_background(phone, by_hand, resubscribe=True)
    first = by_hand.next("SUBSCRIBE")
    by_hand.reply(first, 200, _expires(3600))
    subscription = asking()
    _notify(phone, by_hand, first, 2, "terminated;reason=%s;retry-after=1" % reason)
    phone.wait("subscription ended 0")
    by_hand.next("200")
    assert subscription.state == "ended" and phone.events[-1].reason == reason
    assert by_hand.take(1.0) is None


def test_state_as_it_is_now(phone, sipp):
    """Expires: 0 asks for one NOTIFY (4.4.3)."""
    peer = sipp(
        Callee()
        .recv("SUBSCRIBE").reply(200, headers=_expires(0))
        .request("NOTIFY", OPEN, PIDF, headers=_state("terminated;reason=timeout")).expect(200)
    )  # fmt: skip
    subscription = phone.endpoint.subscribe(peer.uri, "presence", expires=0)
    assert subscription.state == "ended" and subscription.last.body == OPEN
    peer.wait()
    phone.expect("notify terminated", "subscription ended 0")


def test_notify_before_the_answer(phone, by_hand):
    """The network may let it overtake the 2xx (4.4.1)."""
    asking = _in_background(phone, by_hand)
    first = by_hand.next("SUBSCRIBE")
    _notify(phone, by_hand, first, 1, "active;expires=600")
    by_hand.next("200")
    phone.wait("notify active")
    by_hand.reply(first, 200, _expires(600))
    assert asking().state == "active"


def test_notify_for_nobody(phone, by_hand):
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


def test_notify_out_of_order(phone, by_hand):
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
    by_hand.reply(subscribe, 200, _expires(3600))
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


# -- notifier ------------------------------------------------------------------------------------------


class _Accepted(object):
    """The first subscription that came; it is accepted and told OPEN."""

    def __init__(self, phone, expires=None):
        self._expires = expires
        self._came = Event()
        self._notifier = None
        phone.reactions[sipbridge.SubscriptionRequested] = self._react

    def _react(self, event):
        self._notifier = event.accept(self._expires)
        self._notifier.notify(OPEN, PIDF)
        self._came.set()

    @property
    def notifier(self):
        assert self._came.wait(10.0)
        return self._notifier


def test_accept_and_notify(phone, sipp):
    accepted = _Accepted(phone, expires=300)
    peer = sipp(
        Caller()
        .initial("SUBSCRIBE", headers=[EVENT, ("Expires", "600"), ("Accept", PIDF)]).expect(200)
        .recv("NOTIFY").reply(200)
        .recv("NOTIFY").reply(200)
        .request("SUBSCRIBE", headers=[EVENT] + _expires(0)).expect_either_order(200, "NOTIFY"),
        phone.host_port,
    )  # fmt: skip
    notifier = accepted.notifier
    assert (notifier.requested, notifier.expires, notifier.package) == (600, 300, "presence")
    assert notifier.headers["Accept"] == PIDF and "caller" in notifier.subscriber
    notifier.notify(b"<presence/>\r\n", PIDF)
    peer.wait()
    phone.expect("subscribe presence", "unsubscribed 0")
    assert notifier.state == "ended"
    answer = peer.received("200")[0]
    assert answer["Expires"] == "300" and phone.host_port in answer["Contact"]
    first, second, last = peer.received("NOTIFY")
    assert first.body == OPEN and first["Content-Type"] == PIDF and second.body == b"<presence/>\r\n"
    assert first["Event"] == last["Event"] == "presence"
    assert first["Subscription-State"] in ("active;expires=300", "active;expires=299")
    assert last["Subscription-State"] == "terminated;reason=timeout"
    numbers = [int(each["CSeq"].split()[0]) for each in (first, second, last)]
    assert numbers == sorted(set(numbers))
    with pytest.raises(sipbridge.CallStateError):
        notifier.notify(b"x", "text/plain")


def test_nobody_is_there_for_it(phone, sipp):
    """489 Bad Event (8.3.2), by itself where no handler accepts."""
    peer = sipp(Caller().initial("SUBSCRIBE", headers=[("Event", "reg")]).expect(489), phone.host_port)
    peer.wait()
    phone.expect("subscribe reg")


@pytest.mark.parametrize("status", [302, 403, 603])
def test_reject(phone, sipp, status):
    phone.reactions[sipbridge.SubscriptionRequested] = lambda event: event.reject(status, "For a Reason")
    peer = sipp(Caller().initial("SUBSCRIBE", headers=[EVENT]).expect(status), phone.host_port)
    peer.wait()
    assert peer.received("%d" % status)[0].start_line == "SIP/2.0 %d For a Reason" % status
    phone.expect("subscribe presence")
    with pytest.raises(sipbridge.CallStateError):
        phone.events[0].accept()


def _subscriber(phone, by_hand, expires=600):
    """A subscription of the peer's that was accepted: the SUBSCRIBE and the 200."""
    subscribe = by_hand.request(phone.endpoint.port, "SUBSCRIBE", [EVENT] + _expires(expires))
    answer = by_hand.next("200")
    by_hand.reply(by_hand.next("NOTIFY"), 200)
    return subscribe, answer["To"]


def test_refreshed_by_the_subscriber(phone, by_hand):
    """It is told the state again (4.2.1)."""
    accepted = _Accepted(phone, expires=300)
    subscribe, to = _subscriber(phone, by_hand)
    by_hand.within(phone.endpoint.port, subscribe, to, "SUBSCRIBE", 2, [EVENT] + _expires(600))
    answer = by_hand.next("200")
    again = by_hand.next("NOTIFY")
    by_hand.reply(again, 200)
    assert answer["CSeq"] == "2 SUBSCRIBE" and answer["Expires"] == "300" and again.body == OPEN
    phone.expect("subscribe presence", "refreshed 300")
    assert accepted.notifier.state == "active"


def test_run_out(phone, by_hand):
    _Accepted(phone)
    _subscriber(phone, by_hand, expires=2)
    last = by_hand.next("NOTIFY")
    by_hand.reply(last, 200)
    assert last["Subscription-State"] == "terminated;reason=timeout"
    phone.expect("subscribe presence", "unsubscribed 0")


def test_terminated_by_us(phone, by_hand):
    accepted = _Accepted(phone)
    subscribe, to = _subscriber(phone, by_hand)
    accepted.notifier.terminate("giveup", b"bye", "text/plain", retry_after=60)
    last = by_hand.next("NOTIFY")
    assert last["Subscription-State"] == "terminated;reason=giveup;retry-after=60" and last.body == b"bye"
    with pytest.raises(sipbridge.CallStateError):
        accepted.notifier.notify(b"x", "text/plain")
    by_hand.reply(last, 200)
    phone.expect("subscribe presence", "unsubscribed 200")
    by_hand.within(phone.endpoint.port, subscribe, to, "SUBSCRIBE", 3, [EVENT] + _expires(600))
    by_hand.next("481")


def test_a_subscriber_that_is_gone(phone, by_hand):
    """481 to a NOTIFY (4.2.2)."""
    accepted = _Accepted(phone)
    _subscriber(phone, by_hand)
    accepted.notifier.notify(b"news", "text/plain")
    by_hand.reply(by_hand.next("NOTIFY"), 481)
    phone.expect("subscribe presence", "unsubscribed 481")
    assert accepted.notifier.state == "ended"


def test_many_notifies_keep_their_order(phone, by_hand):
    """One at a time: the next when the one before was answered."""
    accepted = _Accepted(phone)
    _subscriber(phone, by_hand)
    for number in range(20):
        accepted.notifier.notify(b"%d" % number, "text/plain")
    for number in range(20):
        notify = by_hand.next("NOTIFY")
        assert notify.body == b"%d" % number
        by_hand.reply(notify, 200)
    accepted.notifier.terminate()
    by_hand.reply(by_hand.next("NOTIFY"), 200)
    phone.expect("subscribe presence", "unsubscribed 200")


def test_more_than_a_subscriber_takes(phone, by_hand):
    accepted = _Accepted(phone)
    _subscriber(phone, by_hand)
    with pytest.raises(sipbridge.CallStateError):
        for number in range(100):
            accepted.notifier.notify(b"%d" % number, "text/plain")
    assert 60 < number < 70


def test_fetched(phone, by_hand):
    """A subscriber that wants the state as it is now gets one NOTIFY, which is the last."""
    _Accepted(phone)
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [EVENT] + _expires(0))
    assert by_hand.next("200")["Expires"] == "0"
    last = by_hand.next("NOTIFY")
    by_hand.reply(last, 200)
    assert last.body == OPEN and last["Subscription-State"].startswith("terminated")
    phone.expect("subscribe presence", "unsubscribed 200")


def test_malformed_subscribes(phone, by_hand):
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", _expires(60))
    by_hand.next("489")
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [("Event", "presence")] + [("Expires", "99999999999")])
    by_hand.next("489", "400")
    fields = {"From": "<%s>;tag=a" % by_hand.uri, "Call-ID": "nobody"}
    by_hand.within(phone.endpoint.port, fields, "<sip:engine@127.0.0.1>;tag=none", "SUBSCRIBE", 1, [EVENT])
    by_hand.next("481")


def test_wrong_states_of_a_notifier(phone, by_hand):
    done = Event()

    def react(event):
        for action in (lambda: event.notifier.notify(b"x", "text/plain"), event.notifier.terminate):
            with pytest.raises(sipbridge.CallStateError):
                action()
        with pytest.raises(sipbridge.InputError):
            event.accept(10000)
        event.accept()
        for action in (event.accept, event.reject):
            with pytest.raises(sipbridge.CallStateError):
                action()
        for state in ("terminated", "active;expires=1", "", "a\r\nb"):
            with pytest.raises(sipbridge.InputError):
                event.notifier.notify(state=state)
        event.notifier.notify()
        done.set()

    phone.reactions[sipbridge.SubscriptionRequested] = react
    _subscriber(phone, by_hand)
    assert done.wait(10.0)


# -- both ----------------------------------------------------------------------------------------------


def test_two_endpoints(phone, other):
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


def test_the_notifier_closes(make_phone, starter, by_hand):
    """Whoever is subscribed is told, and may come back (deactivated)."""
    phone = make_phone()
    _Accepted(phone)
    _subscriber(phone, by_hand)
    closing = Thread(target=phone.endpoint.close)
    closing.start()
    last = by_hand.next("NOTIFY")
    by_hand.reply(last, 200)
    closing.join(10.0)
    assert last["Subscription-State"] == "terminated;reason=deactivated"


def test_the_subscriber_closes(phone, by_hand):
    subscribe = _subscribed(phone, by_hand)
    closing = Thread(target=phone.endpoint.close)
    closing.start()
    last = by_hand.next("SUBSCRIBE")
    by_hand.reply(last, 200, _expires(0))
    _notify(phone, by_hand, subscribe, 7, "terminated;reason=timeout")
    closing.join(10.0)
    assert last["Expires"] == "0"


# -- what Event and Expires say ------------------------------------------------------------------------

#: Values of Event, and what they name.
EVENTS = [
    ("dialog; id=7", "dialog;id=7"),
    ("dialog \t;\tID = 7 ;x=y", "dialog;id=7"),
    ('dialog;x=";id=9";id=7', "dialog;id=7"),
    ("dialog;sla;ma", "dialog"),
    ('dialog;id="a;b"', 'dialog;id="a;b"'),
    ("dialog;id=" + 150 * "7", "dialog;id=" + 150 * "7"),
    ("dialog;x=" + 150 * "y" + ";id=7", "dialog;id=7"),
]


@pytest.mark.parametrize("value, named", EVENTS)
def test_the_event_of_notifies(phone, by_hand, value, named):
    """The package and its id, however the SUBSCRIBE writes them (8.2.1)."""
    accepted = _Accepted(phone)
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [("Event", value)] + _expires(600))
    assert accepted.notifier.package == "dialog"
    notify = by_hand.next("NOTIFY")
    assert notify["Event"] == named
    by_hand.reply(notify, 200)


@pytest.mark.parametrize("value, named", EVENTS)
def test_the_event_of_notifies_to_us(phone, by_hand, value, named):
    """It names the subscription (4.1.3), with or without blanks; another id is another one."""
    subscribing = Thread(target=phone.endpoint.subscribe, args=(by_hand.uri, named))
    subscribing.start()
    subscribe = by_hand.next("SUBSCRIBE")
    assert subscribe["Event"] == named
    by_hand.reply(subscribe, 200, _expires(600))
    subscribing.join(10.0)
    dialog = {"From": subscribe["To"] + ";tag=byhand%d" % by_hand.port, "Call-ID": subscribe["Call-ID"]}
    for number, event, status in ((1, value, "200"), (2, "dialog;id=8", "489")):
        state = [("Event", event), ("Subscription-State", "active;expires=300")]
        by_hand.within(phone.endpoint.port, dialog, subscribe["From"], "NOTIFY", number, state)
        by_hand.next(status)
    phone.expect("subscription active 200", "notify active")


def test_a_long_name_of_a_package(phone, by_hand):
    """It is notified whole: Sofia-SIP has a short buffer for most of its values."""
    accepted = _Accepted(phone)
    package = 50 * "long"
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [("Event", package)] + _expires(600))
    assert accepted.notifier.package == package
    notify = by_hand.next("NOTIFY")
    assert notify["Event"] == package
    by_hand.reply(notify, 200)


def test_no_seconds_granted(phone, by_hand):
    """The state as it is now, and that is all: the same as if that had been asked for."""
    subscriptions = []
    subscribing = Thread(target=lambda: subscriptions.append(phone.endpoint.subscribe(by_hand.uri, "presence")))
    subscribing.start()
    subscribe = by_hand.next("SUBSCRIBE")
    by_hand.reply(subscribe, 200, _expires(0))
    dialog = {"From": subscribe["To"] + ";tag=byhand%d" % by_hand.port, "Call-ID": subscribe["Call-ID"]}
    state = _state("terminated;reason=timeout")
    by_hand.within(phone.endpoint.port, dialog, subscribe["From"], "NOTIFY", 1, state)
    by_hand.next("200")
    subscribing.join(10.0)
    phone.wait("subscription ended 0")
    assert subscriptions[0].state == "ended" and by_hand.take(1.0) is None
