"""Transfer (RFC 3515, 3891, 3892, 5589): as transferor, as transferee, as target, and all three at once."""

from __future__ import absolute_import, division, print_function

import threading
import time

import pytest

import sipbridge
from conformance.sdp import ANSWER, EARLY, OFFER
from peers.endpoint_process import RemotePhone
from peers.scenario import Callee, Caller

FRAG = "message/sipfrag;version=2.0"
TARGET = "sip:carol@sipbridge.test"


def _notify(scenario, status, state="active;expires=60"):
    headers = [("Event", "refer"), ("Subscription-State", state)]
    return scenario.request("NOTIFY", b"SIP/2.0 %s\r\n" % status, FRAG, headers=headers)


def _answering():
    return Callee().recv("INVITE").reply(200, ANSWER).recv("ACK")


# -- the transferor ------------------------------------------------------------------------------------------


def test_blind(phone, sipp):
    scenario = _answering().recv("REFER").reply(202)
    scenario = _notify(scenario, b"100 Trying").expect(200)
    scenario = _notify(scenario, b"180 Ringing").expect(200)
    scenario = _notify(scenario, b"200 OK", "terminated;reason=noresource").expect(200)
    peer = sipp(scenario.recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    transfer = call.transfer(TARGET, timeout=15.0)
    assert (transfer.status, transfer.state, transfer.succeeded) == (200, "ended", True)
    call.wait_ended()
    peer.wait()
    (refer,) = peer.received("REFER")
    assert refer["Refer-To"] == "<%s>" % TARGET
    assert refer["Referred-By"] == "<sip:alice@sipbridge.test>"
    assert any("replaces" in each for each in peer.received("INVITE")[0].get_all("Supported"))
    phone.expect(
        "answered 200 sdp", "transfer 100", "transfer 180", "transfer 200 final", "ended local-bye 200"
    )


def test_the_target_refuses(phone, sipp):
    """The call is still there (RFC 5589, 6.2)."""
    scenario = _answering().recv("REFER").reply(202)
    scenario = _notify(scenario, b"100 Trying").expect(200)
    scenario = _notify(scenario, b"486 Busy Here", "terminated;reason=noresource").expect(200)
    peer = sipp(scenario.recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.transfer(TARGET, timeout=15.0)
    assert (caught.value.status, caught.value.reason) == (486, "Busy Here")
    assert call.state == "established"
    call.hangup()
    peer.wait()


def test_the_peer_refuses(phone, sipp):
    peer = sipp(_answering().recv("REFER").reply(603).recv("REFER").reply(405).recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    for status in (603, 405):
        with pytest.raises(sipbridge.ResponseError) as caught:
            call.transfer(TARGET)
        assert caught.value.status == status
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_the_peer_tells_nothing(phone, sipp):
    """Without a subscription (RFC 4488) the acceptance is all that there is."""
    peer = sipp(
        _answering().recv("REFER").reply(202, headers=[("Refer-Sub", "false")]).recv("BYE").reply(200)
    )
    transfer = phone.endpoint.call(peer.uri, OFFER).transfer(TARGET, timeout=15.0)
    assert (transfer.status, transfer.state) == (202, "ended")
    peer.wait()


def test_the_subscription_ends_without_a_result(phone, sipp):
    scenario = _answering().recv("REFER").reply(202)
    scenario = _notify(scenario, b"100 Trying", "terminated;reason=timeout").expect(200)
    peer = sipp(scenario.recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.CallStateError):
        call.transfer(TARGET, timeout=15.0)
    phone.wait("transfer 100 final")
    call.hangup()
    peer.wait()


def test_the_peer_hangs_up_first(phone, sipp):
    scenario = _answering().recv("REFER").reply(202).request("BYE").expect(200)
    peer = sipp(scenario)
    with pytest.raises(sipbridge.CallStateError):
        phone.endpoint.call(peer.uri, OFFER).transfer(TARGET, timeout=15.0)
    peer.wait()


def test_one_at_a_time_and_no_result_in_time(phone, sipp):
    scenario = _answering().recv("REFER").reply(202)
    scenario = _notify(scenario, b"100 Trying").expect(200)
    peer = sipp(scenario.recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    transfer = call.begin_transfer(TARGET)
    with pytest.raises(sipbridge.CallStateError) as caught:
        call.begin_transfer(TARGET)
    assert "under way" in str(caught.value)
    with pytest.raises(sipbridge.TimeoutError):
        transfer.wait_ended(0.3)
    call.hangup()
    peer.wait()


def test_notify_without_a_transfer(phone, sipp):
    """There is no such subscription (RFC 6665, 4.1.3)."""
    peer = sipp(_notify(_answering(), b"200 OK").expect(481).recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    _until(lambda: peer.received("481"))
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def _until(predicate):
    deadline = time.time() + 10.0
    while not predicate():
        assert time.time() < deadline
        time.sleep(0.02)


# -- the transferee ------------------------------------------------------------------------------------------


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


def _take(phone):
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    return call


def test_called_for_the_transferor(phone, sipp, by_hand):
    phone.take_transfers(EARLY)
    peer = sipp(_referring(by_hand.uri, 100, 180, 200), phone.host_port)
    old = _take(phone)
    invite = by_hand.next("INVITE")
    assert (invite["Referred-By"], invite.body) == ("<sip:boss@sipbridge.test>", EARLY)
    by_hand.reply(invite, 180)
    _until(lambda: len(peer.received("NOTIFY")) == 2)
    by_hand.reply(invite, 200, [("Content-Type", "application/sdp")], ANSWER)
    by_hand.next("ACK")
    peer.wait()
    assert _told(peer) == [
        ("SIP/2.0 100 Trying", ACTIVE), ("SIP/2.0 180 Ringing", ACTIVE), ("SIP/2.0 200 OK", OVER),
    ]  # fmt: skip
    notify = peer.received("NOTIFY")[0]
    assert (notify["Event"], notify["Content-Type"].replace(" ", "")) == ("refer", FRAG)
    old.wait_ended()
    (new,) = phone.placed
    assert (new.state, phone.endpoint.calls) == ("established", (new,))
    new.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    new.wait_ended()


@pytest.mark.parametrize("status, reason", [(486, "Busy Here"), (302, "Because")])
def test_called_in_vain(phone, sipp, by_hand, status, reason):
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, status), phone.host_port)
    _take(phone)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, status)
    peer.wait()
    assert _told(peer) == [("SIP/2.0 100 Trying", ACTIVE), ("SIP/2.0 %d %s" % (status, reason), OVER)]
    assert phone.placed[0].wait_ended().status == status


def test_we_hang_the_new_call_up(phone, sipp, by_hand):
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, 180, 487), phone.host_port)
    _take(phone)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    _until(lambda: len(peer.received("NOTIFY")) == 2)
    phone.placed[0].hangup()
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    peer.wait()
    assert _told(peer)[-1][0].startswith("SIP/2.0 487") and _told(peer)[-1][1] == OVER


def _numbers(peer):
    """The CSeqs of the NOTIFYs that came: one may come again, when its answer was lost in a storm."""
    return set(each["CSeq"] for each in peer.received("NOTIFY"))


def test_a_storm_of_provisional_responses_stays_a_trickle(phone, sipp, by_hand):
    """One NOTIFY at a time, and none twice."""
    phone.take_transfers(OFFER)
    peer = sipp(_referring(by_hand.uri, 100, 180, 200), phone.host_port)
    _take(phone)
    invite = by_hand.next("INVITE")
    for _ in range(500):
        by_hand.reply(invite, 180)
    phone.wait("progress 180")
    _until(lambda: len(_numbers(peer)) == 2)
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
    _take(phone).wait_ended()
    peer.wait()
    by_hand.reply(by_hand.next("INVITE"), 200, [("Content-Type", "application/sdp")], ANSWER)
    by_hand.next("ACK")
    (new,) = phone.placed
    new.wait_established()
    new.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    new.wait_ended()


@pytest.mark.parametrize("status", [603, 404])
def test_refused_by_us(phone, sipp, status):
    if status != 603:  # which is what the endpoint says by itself
        phone.reactions[sipbridge.TransferRequested] = lambda event: event.reject(status)
    peer = sipp(_referring(TARGET, status=status), phone.host_port)
    _take(phone)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "request REFER", "ended remote-bye 200")
    event = phone.events[2]
    assert (event.target, event.referred_by, event.replaces) == (TARGET, "sip:boss@sipbridge.test", None)
    with pytest.raises(sipbridge.CallStateError):
        event.accept(OFFER)


@pytest.mark.parametrize("values", [(), ("bob",), ("<sip:a@b>", "<sip:c@d>"), ("<http://example.com>",)])
def test_a_malformed_refer(phone, sipp, values):
    """400 (RFC 3515, 2.4.2), and nobody is bothered."""
    scenario = Caller().initial("INVITE", OFFER).expect(200).ack()
    scenario = scenario.request("REFER", headers=[("Refer-To", value) for value in values]).expect(400)
    peer = sipp(scenario.request("BYE").expect(200), phone.host_port)
    _take(phone)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_a_refer_outside_of_a_call(phone, by_hand):
    """A request like any other, without a dialog for reports; one that wants none may be taken (RFC 4488)."""
    fields = [("Refer-To", "<sip:carol@127.0.0.1:9>"), ("Refer-Sub", "false")]
    by_hand.request(phone.endpoint.port, "REFER", fields)
    by_hand.next("501")
    phone.reactions[sipbridge.RequestReceived] = lambda event: event.answer(202, headers=[("Refer-Sub", "false")])
    by_hand.request(phone.endpoint.port, "REFER", fields)
    assert by_hand.next("202")["Refer-Sub"] == "false"
    phone.expect("request REFER", "request REFER")
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
    call = _take(phone)
    peer.wait()
    assert seen.wait(10.0)
    call.wait_ended()
    assert phone.endpoint.calls == ()


# -- the target ----------------------------------------------------------------------------------------------


def _established(phone, by_hand):
    """A call of by_hand's that the phone took: the INVITE, our 200, the Call."""
    count = len([each for each in phone.labels if each == "incoming sdp"])
    invite = by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    call = phone.wait("incoming sdp", count + 1).call
    call.answer(ANSWER)
    answer = by_hand.next("200")
    assert "replaces" in answer["Supported"]
    by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
    call.wait_established()
    return invite, answer, call


def _replaces(invite, answer, more=""):
    own, theirs = (each.partition("tag=")[2] for each in (answer["To"], invite["From"]))
    return "%s;to-tag=%s;from-tag=%s%s" % (invite["Call-ID"], own, theirs, more)


def _replacing(phone, by_hand, value):
    headers = [("Content-Type", "application/sdp")]
    headers += [("Replaces", value)] if not isinstance(value, list) else value
    return by_hand.request(phone.endpoint.port, "INVITE", headers, OFFER)


def test_replaced(phone, by_hand):
    invite, answer, old = _established(phone, by_hand)
    second = _replacing(phone, by_hand, _replaces(invite, answer))
    event = phone.wait("incoming sdp", 2)
    assert event.replaces is old and event.call.replaces is old and old.replaces is None
    event.call.answer(ANSWER)
    accepted = by_hand.next("200")
    by_hand.within(phone.endpoint.port, second, accepted["To"], "ACK", 1)
    bye = by_hand.next("BYE")
    assert bye["Call-ID"] == invite["Call-ID"]
    by_hand.reply(bye, 200)
    assert old.wait_ended().cause == "local-bye"
    event.call.wait_established()
    assert phone.endpoint.calls == (event.call,)


def test_a_call_of_ours_replaced(phone, by_hand):
    old = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    phone.wait("progress 180")
    tag = old.headers["To"].partition("tag=")[2]
    own = old.headers["From"].partition("tag=")[2]
    second = _replacing(phone, by_hand, "%s;to-tag=%s;from-tag=%s;early-only" % (old.call_id, own, tag))
    event = phone.wait("incoming sdp")
    assert event.replaces is old
    event.call.answer(ANSWER)
    accepted = by_hand.next("200")
    by_hand.within(phone.endpoint.port, second, accepted["To"], "ACK", 1)
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    assert old.wait_ended().cause == "cancelled"


@pytest.mark.parametrize(
    "change, status",
    [
        (lambda value: value + ";early-only", 486),
        (lambda value: "x" + value, 481),
        (lambda value: value.replace("from-tag=", "from-tag=x"), 481),
        (lambda value: value.replace("to-tag=", "to-tag=x"), 481),
        (lambda value: value.partition(";")[0], 400),
        (lambda value: [("Replaces", value), ("Replaces", value)], 400),
    ],
)
def test_not_replaced(phone, by_hand, change, status):
    invite, answer, old = _established(phone, by_hand)
    _replacing(phone, by_hand, change(_replaces(invite, answer)))
    by_hand.next(str(status))
    assert (old.state, phone.endpoint.calls) == ("established", (old,))
    old.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    old.wait_ended()
    phone.expect("incoming sdp", "confirmed", "ended local-bye 200")


def test_a_call_of_sipp_replaced_by_another(phone, sipp):
    """As an attended transfer ends: the new call is taken, the old one gets our BYE (RFC 3891, 3)."""
    first = sipp(Caller().initial("INVITE", OFFER).expect(200).ack().recv("BYE").reply(200), phone.host_port)
    old = _take(phone)
    old.wait_established()
    own, theirs = (first.received("200")[0][name].partition("tag=")[2] for name in ("To", "From"))
    replaces = [("Replaces", "%s;to-tag=%s;from-tag=%s" % (old.call_id, own, theirs)), ("Require", "replaces")]
    second = sipp(
        Caller().initial("INVITE", OFFER, headers=replaces).expect(200).ack().request("BYE").expect(200),
        phone.host_port,
    )
    event = phone.wait("incoming sdp", 2)
    assert event.replaces is old
    event.call.answer(ANSWER)
    assert old.wait_ended().cause == "local-bye"
    first.wait()
    second.wait()
    assert event.call.wait_ended().cause == "remote-bye"


def test_sipp_cannot_replace_what_is_not_there(phone, sipp):
    replaces = [("Replaces", "nobody@nowhere;to-tag=1;from-tag=2")]
    sipp(Caller().initial("INVITE", OFFER, headers=replaces).expect(481).ack_refusal(), phone.host_port).wait()
    assert phone.labels == [] and phone.endpoint.calls == ()


# -- all three -----------------------------------------------------------------------------------------------


@pytest.fixture
def third(starter):
    """One more endpoint of our own."""
    return starter.keep("third endpoint", RemotePhone(starter.folder(), identity="sip:carol@sipbridge.test"))


def _connect(phone, remote):
    call = phone.endpoint.invite(remote.uri, OFFER)
    remote.wait("incoming sdp")
    remote.call("answer", ANSWER)
    call.wait_answered(10.0)
    remote.wait("confirmed")
    return call


def test_blind_between_three(phone, other, third):
    other.start("phone", "take_transfers", OFFER).result()
    call = _connect(phone, other)
    transferring = call.begin_transfer(third.uri)
    third.wait("incoming sdp")
    third.call("ring")
    phone.wait("transfer 180")
    third.call("answer", ANSWER)
    transferring.wait_ended(10.0)
    call.hangup()
    call.wait_ended()
    other.expect(
        "incoming sdp", "confirmed", "request REFER", "progress 180", "answered 200 sdp", "ended remote-bye 200"
    )
    third.expect("incoming sdp", "confirmed")


def test_attended_between_three(phone, other, third):
    other.start("phone", "take_transfers", OFFER).result()
    first, second = _connect(phone, other), _connect(phone, third)
    first.hold()
    second.hold()
    transferring = first.begin_transfer(second)
    third.wait("incoming sdp", 2)
    third.call("answer", ANSWER)
    transferring.wait_ended(10.0)
    assert second.wait_ended().cause == "remote-bye"
    first.hangup()
    first.wait_ended()
    assert phone.endpoint.calls == ()
    third.wait("ended local-bye 200")
    other.wait("answered 200 sdp")


def test_attended_with_a_call_that_came_to_us(phone, other, third):
    """The tag of our own is learnt from the ACK."""
    third.start("phone", "take_transfers", OFFER).result()
    calling = other.start("endpoint", "call", phone.uri, OFFER)
    first = phone.wait("incoming sdp").call
    first.answer(ANSWER)
    calling.result()
    first.wait_established()
    second = _connect(phone, third)
    transferring = second.begin_transfer(first)
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    transferring.wait_ended(10.0)
    assert first.wait_ended().cause == "remote-bye"
    second.hangup()
    second.wait_ended()


def test_a_call_that_cannot_be_transferred(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    for act in (
        lambda: call.transfer(TARGET),
        lambda: call.begin_transfer(TARGET),
        call.hold,
        call.resume,
    ):
        with pytest.raises(sipbridge.CallStateError):
            act()
    for bad in ("bob", u"sip:a@b\r\nX: y", 5, call):
        with pytest.raises(sipbridge.InputError):
            call.transfer(bad)
    with pytest.raises(sipbridge.InputError):
        call.transfer_to(TARGET)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 486)
    assert call.wait_ended().status == 486
    with pytest.raises(sipbridge.CallStateError):
        call.transfer(TARGET)
