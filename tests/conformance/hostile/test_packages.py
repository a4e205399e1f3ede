"""Hostile REFERs, NOTIFYs and session timers: refused or dropped; the call and the endpoint go on."""

from __future__ import absolute_import, division, print_function

from threading import Thread

import pytest

import sipbridge
from conformance.dialog import SDP, is_working
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge._agent import dispatch

#: Grows to gigabytes where somebody expands it. Nothing of sipbridge parses XML.
BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE presence [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d SYSTEM "file:///etc/passwd">]>
<presence>&c;&d;</presence>
"""


# -- REFER -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refer_to",
    [
        "",
        "nonsense",
        "sip:bob@example.com\t\t,,,;;;",
        "<sip:%s@127.0.0.1>" % ("b" * 30000),
        "<sip:bob@127.0.0.1?%s>" % ("&".join(["Replaces=x"] * 2000)),
        "<sip:bob@127.0.0.1?Replaces=%00%0d%0aRoute:%20x>",
        "<sip:bob@127.0.0.1;method=BYE>",
        "<mailto:bob@example.com>",
        "<tel:" + "1" * 2000 + ">",
    ],
    ids=lambda text: text[:30],
)
def test_a_refer_to_an_unusable_target(dialog, refer_to):
    """The endpoint or the user refuses it: no call is placed."""
    dialog.within("REFER", 20, [("Refer-To", refer_to)])
    answer = dialog.peer.take(5.0)
    while answer is not None and answer.method != "REFER":
        answer = dialog.peer.take(5.0)
    assert answer is None or answer.status >= 400
    dialog.is_alive()


def test_a_refer_to_ourselves(dialog):
    """The call that it asks for comes back to us; refusing it ends the circle, and the transferor is told."""
    phone, peer = dialog.phone, dialog.peer
    phone.take_transfers(OFFER)
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(482)
    dialog.within("REFER", 20, [("Refer-To", "<%s>" % phone.endpoint.uri)])
    while True:
        notify = peer.next("NOTIFY")
        peer.reply(notify, 200)
        if notify["Subscription-State"].startswith("terminated"):
            break
    assert notify.body.startswith(b"SIP/2.0 482")
    placed = phone.wait_placed()
    assert placed.wait_ended().status == 482
    del phone.reactions[sipbridge.IncomingCall]
    dialog.is_alive()


@pytest.mark.parametrize(
    "more", ["Route=%3Csip:evil@example.com%3E", "Subject=x&Frob=y", "Replaces=x", "Subject=x%0D%0AFrob:%20y"]
)
def test_headers_in_refer_to_are_ignored(dialog, more):
    """A peer cannot write headers of our INVITE (RFC 3261, 19.1.5), but for a well-formed Replaces."""
    dialog.phone.take_transfers(OFFER)
    dialog.within("REFER", 20, [("Refer-To", "<%s?%s>" % (dialog.peer.uri, more))])
    invite = dialog.peer.next("INVITE", "400")
    if not invite.is_request:  # the shield's: libosip2 would not get along with it
        dialog.works()
        return
    assert invite.start_line == "INVITE %s SIP/2.0" % dialog.peer.uri
    assert not any(name in invite for name in ("Route", "Subject", "Frob", "Replaces"))
    dialog.peer.reply(invite, 486)
    dialog.phone.wait("ended rejected 486")
    dialog.works()


# -- NOTIFY ----------------------------------------------------------------------------------------------


FRAGMENTS = [
    b"",
    b"SIP/2.0",
    b"SIP/2.0 x OK",
    b"SIP/2.0 999 Odd",
    b"SIP/2.0 99999999999999999999 Odd",
    b"SIP/2.0 -200 OK",
    b"HTTP/1.1 200 OK",
    b"\x00" * 1000,
    b"\xff\xfe\x80",
    b"SIP/2.0 " + b"1" * 2000,
    b"\r\n" * 1000,
]


@pytest.mark.parametrize("body", FRAGMENTS, ids=lambda body: repr(body[:16]))
def test_a_malformed_sipfrag_ends_the_transfer_without_a_result(dialog, body):
    """RFC 3515, 2.4.5."""
    peer = dialog.peer
    made = []
    thread = Thread(target=lambda: made.append(dialog.call.begin_transfer("sip:bob@example.com", timeout=10.0)))
    thread.start()
    peer.reply(peer.next("REFER"), 202)
    thread.join(10.0)
    [transfer] = made
    fields = [("Event", "refer"), ("Content-Type", "message/sipfrag")]
    dialog.within("NOTIFY", 20, fields + [("Subscription-State", "active;expires=60")], body)
    assert peer.next("200", "400", "481").name == "200"
    assert (transfer.status, transfer.state) == (0, "accepted")
    dialog.within("NOTIFY", 21, fields + [("Subscription-State", "terminated;reason=noresource")], body)
    with pytest.raises(sipbridge.CallStateError):
        transfer.wait_ended(10.0)
    assert transfer.state == "ended" and not transfer.succeeded
    dialog.is_alive()


def test_a_flood_of_notifies_within_a_call(dialog):
    """Nobody asked for that transfer: each gets 481, and none is an event."""
    for number in range(300):
        dialog.within("NOTIFY", 20 + number, [("Event", "refer"), ("Subscription-State", "active")])
    assert dialog.peer.next("481", "489", "500").method == "NOTIFY"
    assert not [event for event in dialog.phone.events if isinstance(event, sipbridge.TransferProgress)]
    dialog.is_alive(cseq=1000)


def _subscribed(phone, by_hand, seconds="3600"):
    """A subscription that is up, the From and Call-ID of its NOTIFYs, and their To."""
    made = []
    thread = Thread(
        target=lambda: made.append(phone.endpoint.subscribe(by_hand.uri, "presence", timeout=10.0))
    )
    thread.start()
    subscribe = by_hand.next("SUBSCRIBE")
    by_hand.reply(subscribe, 200, [("Expires", seconds)])
    thread.join(10.0)
    known = {"From": subscribe["To"] + ";tag=byhand%d" % by_hand.port, "Call-ID": subscribe["Call-ID"]}
    return made[0], known, subscribe["From"]


def _notify(phone, by_hand, known, to, cseq, state="active", body=b"x", kind="text/plain"):
    fields = [("Event", "presence"), ("Subscription-State", state), ("Content-Type", kind)]
    by_hand.within(phone.endpoint.port, known, to, "NOTIFY", cseq, fields, body)


def test_a_flood_of_notifies_does_not_pile_up(phone, by_hand, monkeypatch):
    """Unread NOTIFYs are dropped, but the last state is kept."""
    monkeypatch.setattr(dispatch, "CONGESTED", 10)
    subscription, known, to = _subscribed(phone, by_hand)
    stream = phone.endpoint.events()
    for number in range(300):
        _notify(phone, by_hand, known, to, 10 + number)
        by_hand.next("200")
    wait_until(lambda: subscription.last is not None)  # the engine has answered them before the endpoint sees them
    assert len(stream._events) <= 25  # ten of them may wait in the lane, too
    stream.close()
    assert subscription.last.body == b"x" and subscription.state == "active"
    is_working(phone, by_hand)


def test_an_xml_bomb_is_passed_on_unread(phone, by_hand):
    """Neither engine nor package parses XML."""
    subscription, known, to = _subscribed(phone, by_hand)
    _notify(phone, by_hand, known, to, 10, body=BOMB, kind="application/pidf+xml")
    by_hand.next("200")
    assert phone.wait("notify active").body == BOMB
    is_working(phone, by_hand)


@pytest.mark.parametrize(
    "state",
    [
        "",
        "active;expires=99999999999999999999",
        u"active;expires=\u00b2",
        "active;expires=" + "9" * 3000,
        "terminated;reason=probation;retry-after=2147483647",
        u"terminated;reason=giveup;retry-after=\u00b2",
        "terminated;retry-after=" + "9" * 3000,
        "x" * 3000,
    ],
    ids=lambda text: repr(text[:50]),
)
def test_a_malformed_subscription_state(phone, by_hand, state):
    """The event thread goes on, and the header can be read."""
    subscription, known, to = _subscribed(phone, by_hand)
    _notify(phone, by_hand, known, to, 10, state)
    by_hand.next("200", "400")
    for event in list(phone.events):
        if isinstance(event, sipbridge.NotifyReceived):
            told = event.subscription_state
            assert all(each is None or 0 <= each < 2**31 for each in (told.expires, told.retry_after))
    is_working(phone, by_hand)


# -- session timers ----------------------------------------------------------------------------------------


TIMES = ["0", "-1", "2147483647", u"\u00b2", "9" * 3000, "90;refresher=frob"]


@pytest.mark.parametrize("value", TIMES, ids=lambda text: repr(text[:24]))
@pytest.mark.parametrize("name", ["Session-Expires", "Min-SE"])
def test_extreme_session_times_of_a_caller(make_phone, by_hand, name, value):
    phone = make_phone(identity="sip:alice@sipbridge.test", session_expires=1800)
    headers = SDP + [("Supported", "timer"), (name, value)]
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.answer(ANSWER)
    invite = by_hand.request(phone.endpoint.port, "INVITE", headers, OFFER)
    answer = by_hand.next("200", "422", "400")
    if answer.name == "200":
        by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
        phone.wait("confirmed")
        phone.endpoint.calls[0].hangup()
        by_hand.reply(by_hand.next("BYE"), 200)
    phone.reactions.clear()
    is_working(phone, by_hand)


@pytest.mark.parametrize("value", TIMES, ids=lambda text: repr(text[:24]))
@pytest.mark.parametrize("name", ["Session-Expires", "Min-SE"])
def test_extreme_session_times_of_a_callee(make_phone, by_hand, name, value):
    phone = make_phone(identity="sip:alice@sipbridge.test", session_expires=1800)
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 200, SDP + [("Require", "timer"), (name, value)], ANSWER)
    if by_hand.take(0.3) is None:  # what cannot be parsed is no answer
        by_hand.reply(invite, 200, SDP, ANSWER)
        by_hand.next("ACK")
    call.wait_established()
    is_working(phone, by_hand)
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    call.wait_ended()


@pytest.mark.parametrize("value", TIMES + ["2000"], ids=lambda text: repr(text[:24]))
def test_an_endless_series_of_422(make_phone, by_hand, value):
    """Min-SE grows or is malformed: the endpoint sends a few INVITEs and gives up."""
    phone = make_phone(identity="sip:alice@sipbridge.test", session_expires=1800)
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    count, invite = 0, by_hand.next("INVITE")
    while invite is not None and count < 10:
        count += 1
        by_hand.reply(invite, 422, [("Min-SE", value if value != "2000" else "%d" % (2000 + count))])
        message = by_hand.take(0.3)
        while message is not None and message.name != "INVITE":
            message = by_hand.take(0.1)
        last, invite = invite, message
    if call.ended is None:  # what cannot be parsed is no answer
        by_hand.reply(last, 422)
    assert call.wait_ended().status == 422 and count <= 4
    is_working(phone, by_hand)
