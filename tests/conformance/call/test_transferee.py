"""Transfer (RFC 3515, 3892): the peer asks us to call another."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from conformance.call.transfers import FRAG, TARGET, take_call
from conformance.sdp import ANSWER, EARLY, OFFER
from peers.scenario import Caller
from peers.waiting import wait_until
from sipbridge._call import transfer


def _referring(target, *notifies, **options):
    scenario = Caller().initial("INVITE", OFFER).expect(200).ack()
    headers = [("Refer-To", "<%s>" % target), ("Referred-By", "<sip:boss@sipbridge.test>")]
    scenario = scenario.request("REFER", headers=headers).expect(options.get("status", 202))
    for _ in notifies:
        scenario = scenario.recv("NOTIFY").reply(200)
    return scenario.request("BYE").expect(200)


def _told(peer):
    """What the transferor was told, as status lines with the subscription's state."""
    return [(each.body.decode().strip(), each["Subscription-State"]) for each in peer.received("NOTIFY")]


ACTIVE, OVER = "active;expires=180", "terminated;reason=noresource"


def test_called_target_answers_and_the_transferor_is_told(phone, sipp, by_hand):
    phone.take_transfers(EARLY)
    peer = sipp(_referring(by_hand.uri, 100, 180, 200), phone.host_port)
    old = take_call(phone)
    invite = by_hand.next("INVITE")
    assert (invite["Referred-By"], invite.body) == ("<sip:boss@sipbridge.test>", EARLY)
    by_hand.reply(invite, 180)
    wait_until(lambda: len(peer.received("NOTIFY")) == 2)
    by_hand.reply(invite, 200, [("Content-Type", "application/sdp")], ANSWER)
    by_hand.next("ACK")
    peer.wait()
    assert _told(peer) == [
        ("SIP/2.0 100 Trying", ACTIVE), ("SIP/2.0 180 Ringing", ACTIVE), ("SIP/2.0 200 OK", OVER),
    ]  # fmt: skip
    notify = peer.received("NOTIFY")[0]
    assert (notify["Event"], notify["Content-Type"].replace(" ", "")) == ("refer", FRAG)
    old.wait_ended()
    new = phone.wait_placed()
    assert (new.state, phone.endpoint.calls) == ("established", (new,))
    new.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    new.wait_ended()


def test_the_target_rings_before_the_transferor_can_be_told(phone, sipp, by_hand, monkeypatch):
    """The event of that comes on another thread than the one that places the call."""
    follow = transfer.Report.follow

    def follow_late(report, placed):
        phone.wait("progress 180")
        follow(report, placed)

    monkeypatch.setattr(transfer.Report, "follow", follow_late)
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, 180, 487), phone.host_port)
    take_call(phone)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    wait_until(lambda: len(peer.received("NOTIFY")) == 2)
    phone.wait_placed().hangup()
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    peer.wait()


@pytest.mark.parametrize("status, reason", [(486, "Busy Here"), (302, "Because")])
def test_called_target_refuses_and_the_transferor_is_told(phone, sipp, by_hand, status, reason):
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, status), phone.host_port)
    take_call(phone)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, status)
    peer.wait()
    assert _told(peer) == [("SIP/2.0 100 Trying", ACTIVE), ("SIP/2.0 %d %s" % (status, reason), OVER)]
    assert phone.wait_placed().wait_ended().status == status


def test_the_transferor_is_told_when_we_hang_up_the_new_call(phone, sipp, by_hand):
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, 180, 487), phone.host_port)
    take_call(phone)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    wait_until(lambda: len(peer.received("NOTIFY")) == 2)
    phone.wait_placed().hangup()
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    peer.wait()
    assert _told(peer)[-1][0].startswith("SIP/2.0 487") and _told(peer)[-1][1] == OVER


def _numbers(peer):
    """The CSeqs of the NOTIFYs that came: one may come again, when its answer was lost in a storm."""
    return set(each["CSeq"] for each in peer.received("NOTIFY"))


def test_a_storm_of_provisional_responses_sends_few_notifies(phone, sipp, by_hand):
    """One NOTIFY is sent at a time, and none twice."""
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, 180, 200), phone.host_port)
    take_call(phone)
    invite = by_hand.next("INVITE")
    for _ in range(500):
        by_hand.reply(invite, 180)
    phone.wait("progress 180")
    wait_until(lambda: len(_numbers(peer)) == 2)
    acknowledged = None
    for _ in range(20):  # as a peer does: among so many one datagram may be lost (RFC 3261, 13.3.1.4)
        if acknowledged is None:
            by_hand.reply(invite, 200, [("Content-Type", "application/sdp")], ANSWER)
            acknowledged = by_hand.take(0.5)
    assert acknowledged is not None and acknowledged.name == "ACK"
    peer.wait()
    assert len(_numbers(peer)) == 3


def test_the_transferor_hangs_up_first(phone, sipp, by_hand):
    """The subscription ends with the call; the new call lives."""
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100), phone.host_port)
    take_call(phone).wait_ended()
    peer.wait()
    by_hand.reply(by_hand.next("INVITE"), 200, [("Content-Type", "application/sdp")], ANSWER)
    by_hand.next("ACK")
    new = phone.wait_placed()
    new.wait_established()
    new.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    new.wait_ended()


@pytest.mark.parametrize("status", [603, 404])
def test_we_refuse_the_transfer(phone, sipp, status):
    if status != 603:  # which is what the endpoint says by itself
        phone.reactions[sipbridge.TransferRequested] = lambda event: event.reject(status)
    peer = sipp(_referring(TARGET, status=status), phone.host_port)
    take_call(phone)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "request REFER", "ended remote-bye 200")
    event = phone.events[2]
    assert (event.target, event.referred_by, event.replaces) == (TARGET, "sip:boss@sipbridge.test", None)
    with pytest.raises(sipbridge.CallStateError):
        event.accept(OFFER)


@pytest.mark.parametrize("values", [(), ("bob",), ("<sip:a@b>", "<sip:c@d>"), ("<http://example.com>",)])
def test_a_malformed_refer(phone, sipp, values):
    """The endpoint answers 400 (RFC 3515, 2.4.2), and the user sees no event."""
    scenario = Caller().initial("INVITE", OFFER).expect(200).ack()
    scenario = scenario.request("REFER", headers=[("Refer-To", value) for value in values]).expect(400)
    peer = sipp(scenario.request("BYE").expect(200), phone.host_port)
    take_call(phone)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_a_refer_outside_of_a_call(phone, by_hand):
    """A request like any other, without a dialog for reports; one that wants none may be taken (RFC 4488)."""
    fields = [("Refer-To", "<sip:carol@127.0.0.1:9>"), ("Refer-Sub", "false")]
    for headers in (fields, fields[:1]):
        by_hand.request(phone.endpoint.port, "REFER", headers)
        by_hand.next("501")
    phone.reactions[sipbridge.RequestReceived] = lambda event: event.answer(202, headers=[("Refer-Sub", "false")])
    by_hand.request(phone.endpoint.port, "REFER", fields)
    assert by_hand.next("202").get_all("Refer-Sub") == ["false"]
    phone.expect(*["request REFER"] * 3)
    phone.reactions[sipbridge.RequestReceived] = lambda event: event.answer(202)
    by_hand.request(phone.endpoint.port, "REFER", fields)
    assert by_hand.next("202").get_all("Refer-Sub") == []
    phone.wait("request REFER", 4)
    event = phone.events[-1]
    assert not isinstance(event, sipbridge.TransferRequested) and event.call is None
    assert event.headers["Refer-To"] == "<sip:carol@127.0.0.1:9>"


def test_bad_input_of_ours_leaves_the_refer_open(phone, sipp):
    seen = threading.Event()

    def react(event):
        with pytest.raises(sipbridge.InputError):
            event.accept(u"no bytes")
        with pytest.raises(sipbridge.InputError):
            event.accept(OFFER, headers={"Via": "x"})
        event.reject(480)
        seen.set()

    phone.reactions[sipbridge.TransferRequested] = react
    peer = sipp(_referring(TARGET, status=480), phone.host_port)
    call = take_call(phone)
    peer.wait()
    assert seen.wait(10.0)
    call.wait_ended()
    assert phone.endpoint.calls == ()
