"""SUBSCRIBE and NOTIFY (RFC 6665) as the notifier."""

from __future__ import absolute_import, division, print_function

from threading import Event, Thread

import pytest

import sipbridge
from conformance.kept.presence import EVENT, EVENTS, OPEN, PIDF, expires_of
from peers.scenario import Caller


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
        .request("SUBSCRIBE", headers=[EVENT] + expires_of(0)).expect_either_order(200, "NOTIFY"),
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


def test_a_subscribe_without_a_handler_gets_489(phone, sipp):
    """The endpoint answers 489 Bad Event (RFC 6665, 8.3.2) if no handler accepts."""
    peer = sipp(Caller().initial("SUBSCRIBE", headers=[("Event", "reg")]).expect(489), phone.host_port)
    peer.wait()
    phone.expect("subscribe reg")


@pytest.mark.parametrize("status", [302, 403, 603])
def test_reject_refuses_a_subscription(phone, sipp, status):
    phone.reactions[sipbridge.SubscriptionRequested] = lambda event: event.reject(status, "For a Reason")
    peer = sipp(Caller().initial("SUBSCRIBE", headers=[EVENT]).expect(status), phone.host_port)
    peer.wait()
    assert peer.received("%d" % status)[0].start_line == "SIP/2.0 %d For a Reason" % status
    phone.expect("subscribe presence")
    with pytest.raises(sipbridge.CallStateError):
        phone.events[0].accept()


def _subscriber(phone, by_hand, expires=600):
    """A subscription of the peer's that was accepted: the SUBSCRIBE and the 200."""
    subscribe = by_hand.request(phone.endpoint.port, "SUBSCRIBE", [EVENT] + expires_of(expires))
    answer = by_hand.next("200")
    by_hand.reply(by_hand.next("NOTIFY"), 200)
    return subscribe, answer["To"]


def test_refreshed_by_the_subscriber(phone, by_hand):
    """The subscriber gets the state again (RFC 6665, 4.2.1)."""
    accepted = _Accepted(phone, expires=300)
    subscribe, to = _subscriber(phone, by_hand)
    by_hand.within(phone.endpoint.port, subscribe, to, "SUBSCRIBE", 2, [EVENT] + expires_of(600))
    answer = by_hand.next("200")
    again = by_hand.next("NOTIFY")
    by_hand.reply(again, 200)
    assert answer["CSeq"] == "2 SUBSCRIBE" and answer["Expires"] == "300" and again.body == OPEN
    phone.expect("subscribe presence", "refreshed 300")
    assert accepted.notifier.state == "active"


def test_a_subscription_that_ran_out_is_terminated(phone, by_hand):
    _Accepted(phone)
    _subscriber(phone, by_hand, expires=2)
    last = by_hand.next("NOTIFY")
    by_hand.reply(last, 200)
    assert last["Subscription-State"] == "terminated;reason=timeout"
    phone.expect("subscribe presence", "unsubscribed 0")


def test_the_notifier_terminates_a_subscription(phone, by_hand):
    accepted = _Accepted(phone)
    subscribe, to = _subscriber(phone, by_hand)
    accepted.notifier.terminate("giveup", b"bye", "text/plain", retry_after=60)
    last = by_hand.next("NOTIFY")
    assert last["Subscription-State"] == "terminated;reason=giveup;retry-after=60" and last.body == b"bye"
    with pytest.raises(sipbridge.CallStateError):
        accepted.notifier.notify(b"x", "text/plain")
    by_hand.reply(last, 200)
    phone.expect("subscribe presence", "unsubscribed 200")
    by_hand.within(phone.endpoint.port, subscribe, to, "SUBSCRIBE", 3, [EVENT] + expires_of(600))
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


def test_too_many_waiting_notifies_of_a_subscriber_raise(phone, by_hand):
    accepted = _Accepted(phone)
    _subscriber(phone, by_hand)
    with pytest.raises(sipbridge.CallStateError):
        for number in range(100):
            accepted.notifier.notify(b"%d" % number, "text/plain")
    assert 60 < number < 70


def test_a_fetch_gets_one_notify(phone, by_hand):
    """A subscriber that wants the state as it is now gets one NOTIFY, which is the last."""
    _Accepted(phone)
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [EVENT] + expires_of(0))
    assert by_hand.next("200")["Expires"] == "0"
    last = by_hand.next("NOTIFY")
    by_hand.reply(last, 200)
    assert last.body == OPEN and last["Subscription-State"].startswith("terminated")
    phone.expect("subscribe presence", "unsubscribed 200")


def test_malformed_subscribes(phone, by_hand):
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", expires_of(60))
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


@pytest.mark.parametrize("value, named", EVENTS)
def test_the_event_header_of_a_notify_names_package_and_id(phone, by_hand, value, named):
    """The package and its id, however the SUBSCRIBE writes them (8.2.1)."""
    accepted = _Accepted(phone)
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [("Event", value)] + expires_of(600))
    assert accepted.notifier.package == "dialog"
    notify = by_hand.next("NOTIFY")
    assert notify["Event"] == named
    by_hand.reply(notify, 200)


def test_a_long_package_name_is_notified_whole(phone, by_hand):
    """It is notified whole: Sofia-SIP has a short buffer for most of its values."""
    accepted = _Accepted(phone)
    package = 50 * "long"
    by_hand.request(phone.endpoint.port, "SUBSCRIBE", [("Event", package)] + expires_of(600))
    assert accepted.notifier.package == package
    notify = by_hand.next("NOTIFY")
    assert notify["Event"] == package
    by_hand.reply(notify, 200)
