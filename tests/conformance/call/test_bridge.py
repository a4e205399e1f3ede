"""Two calls are connected (RFC 3725, 4.4 and 7), and what one peer asks for is passed on to the other."""

from __future__ import absolute_import, division, print_function

import time

import pytest

import sipbridge
from conformance.call.legs import bridged, description, origin_of, port_of
from conformance.sdp import ANSWER, OFFER
from peers.waiting import wait_until
from sipbridge import sdp


def is_over(phone, label="bridge ended 200"):
    phone.wait(label)
    assert phone.endpoint.calls == ()


# -- connecting --------------------------------------------------------------------------------------------------


def test_an_answered_caller_is_connected_with_an_address(phone, first, second):
    """The callee is asked for an offer, and the caller gets it in a re-INVITE whose o= is that of its session."""
    first.call(description(5000))
    caller = phone.wait("incoming sdp").call
    caller.answer(ANSWER)
    first.taken()
    caller.wait_established()
    bridge = phone.endpoint.begin_bridge(caller, second.peer.uri)
    assert (bridge.state, bridge.first, caller.bridge) == ("connecting", caller, bridge)
    assert not second.ringing().body
    second.answer(description(6000, session=9))
    request = first.reinvited(description(5002, version=2))
    assert port_of(request.body) == 6000
    ours = origin_of(ANSWER)
    assert origin_of(request.body) == ours._replace(version=ours.version + 1)
    assert port_of(second.peer.next("ACK").body) == 5002
    first.peer.next("ACK")
    bridge.wait_connected(10.0)
    assert (bridge.state, bridge.second.state) == ("connected", "established")
    phone.wait("bridge connected 0")
    first.send("BYE")
    assert first.peer.next("200")
    assert second.ended() == 'Q.850;cause=16;text="Normal call clearing"'
    bridge.wait_ended(10.0)
    bridge.wait_connected(0)  # it was
    assert (bridge.state, bridge.cause, bridge.status) == ("ended", "remote-bye", 200)
    is_over(phone)
    assert phone.labels[-1] == "bridge ended 200"


@pytest.mark.parametrize("returns", ["before the answer", "connected"])
def test_a_served_call_that_is_in_a_bridge_goes_on_when_the_function_returns(phone, first, second, returns):
    served = []

    def connect(call):
        bridge = phone.endpoint.begin_bridge(call, second.peer.uri)
        if returns == "connected":
            bridge.wait_connected(10.0)
        served.append(bridge)

    phone.endpoint.serve(connect)
    first.call(description(5000))
    second.ringing()
    if returns == "before the answer":
        wait_until(lambda: served and not phone.endpoint.handler_statistics.busy)
    second.answer(description(6000))
    first.taken()
    second.peer.next("ACK")
    phone.wait("bridge connected 0")
    wait_until(lambda: served and not phone.endpoint.handler_statistics.busy)
    assert served[0].state == "connected"
    first.send("BYE")
    assert first.peer.next("200")
    assert second.ended() == 'Q.850;cause=16;text="Normal call clearing"'
    is_over(phone)


def test_a_call_that_comes_in_is_passed_on(phone, first, second):
    """An INVITE becomes an INVITE, and the responses are passed back: a back-to-back user agent."""
    phone.reactions[sipbridge.IncomingCall] = lambda event: phone.endpoint.begin_bridge(event.call, second.peer.uri)
    first.call(description(5000))
    assert second.ringing().body == description(5000)
    assert first.peer.next("180")
    second.answer(description(6000))
    assert first.taken().body == description(6000)
    assert not second.peer.next("ACK").body
    phone.wait("bridge connected 0")
    second.send("BYE", [("Reason", 'SIP;cause=200;text="Call completed elsewhere"')])
    assert first.ended() == 'SIP;cause=200;text="Call completed elsewhere"'
    is_over(phone)


def test_early_media_are_passed_on(phone, first, second):
    phone.reactions[sipbridge.IncomingCall] = lambda event: phone.endpoint.begin_bridge(event.call, second.peer.uri)
    first.call(description(5000))
    second.invite = second.peer.next("INVITE")
    second.reply(second.invite, 183, [("Content-Type", "application/sdp")], description(6000))
    assert first.peer.next("183").body == description(6000)
    second.answer(description(6000))
    assert first.taken().body == description(6000)
    phone.wait("bridge connected 0")


def test_an_invite_without_an_offer_is_passed_on(phone, first, second):
    phone.reactions[sipbridge.IncomingCall] = lambda event: phone.endpoint.begin_bridge(event.call, second.peer.uri)
    first.call(b"")
    assert not second.ringing().body
    second.answer(description(6000))
    assert first.taken(description(5000)).body == description(6000)
    assert second.peer.next("ACK").body == description(5000)
    phone.wait("bridge connected 0")


@pytest.mark.parametrize("status, told", [(486, "486"), (302, "480"), (503, "500"), (603, "603")])
def test_a_refusal_is_passed_on(phone, first, second, status, told):
    phone.reactions[sipbridge.IncomingCall] = lambda event: phone.endpoint.begin_bridge(event.call, second.peer.uri)
    first.call()
    second.ringing()
    second.reply(second.invite, status)
    assert first.refused(first.invite, told)["Reason"].startswith("SIP;cause=%d" % status)
    is_over(phone, "bridge ended %d" % status)


def test_a_cancel_is_passed_on(phone, first, second):
    phone.reactions[sipbridge.IncomingCall] = lambda event: phone.endpoint.begin_bridge(event.call, second.peer.uri)
    first.call()
    second.ringing()
    first.peer.next("180")
    first.peer.cancel(first.port, first.invite)
    first.refused(first.invite, 487)
    cancel = second.peer.next("CANCEL")
    second.reply(cancel, 200)
    second.reply(second.invite, 487)
    is_over(phone, "bridge ended 487")


def test_two_calls_that_are_up(phone, first, second):
    """Both peers get re-INVITEs; media that one of the calls had before stay in their places, refused."""
    legs = (first, second)
    calls = []
    for leg in legs:
        calls.append(phone.endpoint.invite(leg.peer.uri, description(4000, media=2)))
        leg.answered(description(5000 if leg is first else 6000, media=2))
    bridge = phone.endpoint.begin_bridge(*calls)
    asked = second.peer.next("INVITE")
    assert not asked.body
    second.reply(asked, 200, [("Content-Type", "application/sdp")], description(6000))
    request = first.reinvited(description(5000, media=2))
    assert [media.port for media in sdp.parse(request.body).media] == [6000, 0]
    assert [media.port for media in sdp.parse(second.peer.next("ACK").body).media] == [5000]
    bridge.wait_connected(10.0)
    bridge.hangup()
    for leg in legs:
        assert leg.ended() == 'Q.850;cause=16;text="Normal call clearing"'
    bridge.wait_ended(10.0)
    assert bridge.cause == "local-bye"


def test_a_call_whose_offer_waits(phone, first, second):
    """The second call was placed without SDP and has been answered: no re-INVITE is needed there."""
    caller = phone.endpoint.invite(first.peer.uri, OFFER)
    first.answered(description(5000))
    callee = phone.endpoint.invite(second.peer.uri)
    second.ringing()
    second.answer(description(6000))
    callee.wait_answered(10.0)
    bridge = phone.endpoint.begin_bridge(caller, callee)
    assert port_of(first.reinvited(description(5000)).body) == 6000
    assert port_of(second.peer.next("ACK").body) == 5000
    bridge.wait_connected(10.0)


def test_glare_while_two_calls_are_connected(phone, first, second):
    """A re-INVITE that crosses the peer's (491) is sent again."""
    caller = phone.endpoint.invite(first.peer.uri, OFFER)
    first.answered(description(5000))
    bridge = phone.endpoint.begin_bridge(caller, second.peer.uri)
    second.ringing()
    second.answer(description(6000))
    first.reinvited(b"", 491)
    first.reinvited(description(5000))
    assert second.peer.next("ACK").body
    bridge.wait_connected(10.0)


@pytest.mark.parametrize("body, status", [(b"", 488), (description(0), 200)])
def test_no_media_in_common(phone, first, second, body, status):
    """The first peer refuses the offer, or all media in it: both calls end, and the second has had its ACK."""
    caller = phone.endpoint.invite(first.peer.uri, OFFER)
    first.answered(description(5000))
    bridge = phone.endpoint.begin_bridge(caller, second.peer.uri)
    second.ringing()
    second.answer(description(6000))
    first.reinvited(body, status)
    assert port_of(second.peer.next("ACK").body) == 0
    assert second.ended().startswith("SIP;cause=488")
    assert first.ended().startswith("SIP;cause=488")
    with pytest.raises(sipbridge.ResponseError) as caught:
        bridge.wait_connected(10.0)
    assert (caught.value.status, caught.value.call) == (488, caller)
    is_over(phone, "bridge ended 488")


def test_a_bridge_that_waits_in_vain(phone, first, second):
    """bridge() hangs up both when its time is over."""
    caller = phone.endpoint.invite(first.peer.uri, OFFER)
    first.answered(description(5000))
    with pytest.raises(sipbridge.TimeoutError):
        phone.endpoint.bridge(caller, second.peer.uri, timeout=0.5)
    assert first.ended() == 'SIP;cause=408;text="Request Timeout"'
    second.ringing()
    second.reply(second.peer.next("CANCEL"), 200)
    second.reply(second.invite, 487)
    is_over(phone)


def test_a_peer_that_keeps_the_other_waiting(phone, first, second):
    """It answers no re-INVITE. The other peer, which repeats its 2xx, gets its ACK and a BYE before it gives up."""
    phone.hurry(40)
    caller = phone.endpoint.invite(first.peer.uri, OFFER)
    first.answered(description(5000))
    bridge = phone.endpoint.begin_bridge(caller, second.peer.uri)
    second.ringing()
    second.answer(description(6000))
    first.reply(first.peer.next("INVITE"), 100)
    assert port_of(second.peer.next("ACK").body) == 0
    assert second.ended() == 'SIP;cause=408;text="Request Timeout"'
    with pytest.raises(sipbridge.TimeoutError):
        bridge.wait_connected(10.0)
    assert first.peer.next("BYE", "CANCEL")


def test_calls_that_cannot_be_connected(phone, first, second):
    endpoint = phone.endpoint
    one, two = endpoint.invite(first.peer.uri), endpoint.invite(second.peer.uri)
    with pytest.raises(sipbridge.CallStateError):
        endpoint.begin_bridge(one, two)  # both make an offer
    for bad in ((one, one), (one, 5), (5, one), (one, u"sip:a@b\r\nX: y"), (second.peer.uri, one)):
        with pytest.raises(sipbridge.InputError):
            endpoint.begin_bridge(*bad)
    assert (one.bridge, two.bridge) == (None, None)
    one.hangup()
    with pytest.raises(sipbridge.CallStateError):
        endpoint.begin_bridge(one, second.peer.uri)


# -- passing on --------------------------------------------------------------------------------------------------


def test_hold_and_resume_are_passed_on(phone, first, second):
    """Offer and answer keep their directions; o= counts up by one for each peer."""
    bridged(phone, first, second)
    before = origin_of(bridge_sdp(phone, 1))
    first.reinvite(description(5000, "sendonly", version=3))
    held = second.reinvited(description(6000, "recvonly", session=9, version=2))
    assert (sdp.parse(held.body).is_held, port_of(held.body)) == (True, 5000)
    assert origin_of(held.body) == before._replace(version=before.version + 1)
    assert sdp.parse(first.accepted().body).media[0].direction == "recvonly"
    second.peer.next("ACK")
    second.reinvite(description(6000, "sendrecv", session=9, version=3))
    assert sdp.parse(first.reinvited(description(5000, version=4)).body).media[0].direction == "sendrecv"
    assert sdp.parse(second.accepted().body).media[0].direction == "sendrecv"


def bridge_sdp(phone, index):
    """What we told the peer of the first or second call last."""
    bridge = phone.wait("bridge connected 0").bridge
    return (bridge.first, bridge.second)[index].local_sdp


def test_a_refused_offer_is_passed_on(phone, first, second):
    """The session stays as it was, and the calls stay up."""
    bridge = bridged(phone, first, second)
    invite = first.reinvite(description(5050))
    second.reinvited(b"", 488)
    assert first.refused(invite, 488)["CSeq"] == invite["CSeq"]
    assert bridge.state == "connected"


def test_offers_that_cross(phone, first, second):
    """Each peer is told 491, and makes its offer again after its own random time (RFC 3261, 14.1)."""
    bridge = bridged(phone, first, second)
    ours = first.reinvite(description(5050))
    crossing = second.peer.next("INVITE")
    theirs = second.reinvite(description(6060))
    second.refused(theirs, 491)
    second.reply(crossing, 491)
    first.refused(ours, 491)
    assert bridge.state == "connected"
    passed = offered_again(first, second, description(5050))
    assert port_of(passed.body) == 5050
    second.reply(passed, 200, [("Content-Type", "application/sdp")], description(6000))
    assert port_of(first.accepted().body) == 6000


def offered_again(first, second, body):
    """Send a re-INVITE until it is passed on. Returns what the other peer gets.

    libeXosip2 3.3 refuses it for a moment after the ACK to its 491 (500 with Retry-After).
    """
    deadline = time.time() + 10.0
    invite = first.reinvite(body)
    while time.time() < deadline:
        passed, answer = second.peer.take(0.05), first.peer.take(0.05)
        if passed is not None and passed.name == "INVITE":
            return passed
        if answer is not None and answer.status == 500:
            first.peer.acknowledge(first.port, invite, answer)
            invite = first.reinvite(body)
    raise AssertionError("it was not passed on")


def test_a_reinvite_without_an_offer_is_passed_on(phone, first, second):
    bridged(phone, first, second)
    first.reinvite(b"")
    request = second.reinvited(description(6060))
    assert not request.body
    assert port_of(first.accepted(description(5050)).body) == 6060
    assert port_of(second.peer.next("ACK").body) == 5050


def test_an_offer_in_an_update_is_passed_on(phone, first, second):
    """As a re-INVITE, which every peer understands."""
    bridge = bridged(phone, first, second)
    first.send("UPDATE", [("Content-Type", "application/sdp")], description(5050, "sendonly"))
    held = second.reinvited(description(6000, "recvonly"))
    assert (port_of(held.body), sdp.parse(held.body).is_held) == (5050, True)
    answer = first.peer.next("200")
    assert (answer.method, sdp.parse(answer.body).media[0].direction) == ("UPDATE", "recvonly")
    wait_until(lambda: bridge.first.held_by_peer)  # the 200 is out before
    assert not bridge.second.held_by_peer


def test_keys_are_passed_on(phone, first, second):
    """An INFO becomes an INFO, and the answer to it its answer. A handler may keep it for the program."""
    bridged(phone, first, second)
    key = b"Signal=5\r\nDuration=160\r\n"
    first.send("INFO", [("Content-Type", "application/dtmf-relay")], key)
    info = second.peer.next("INFO")
    assert (info.body, info["Content-Type"]) == (key, "application/dtmf-relay")
    second.reply(info, 415)
    assert first.peer.next("415")
    phone.reactions[sipbridge.InfoReceived] = lambda event: event.answer(200)
    info = first.send("INFO", [("Content-Type", "application/dtmf-relay")], key)
    assert first.peer.next("200")["CSeq"] == info["CSeq"]
    assert second.peer.take(0.2) is None


def test_a_message_is_passed_on(phone, first, second):
    bridged(phone, first, second)
    second.send("MESSAGE", [("Content-Type", "text/plain")], b"hello")
    message = first.peer.next("MESSAGE")
    assert message.body == b"hello"
    first.reply(message, 200)
    assert second.peer.next("200")


def test_a_transfer_is_passed_on(phone, first, second):
    """The second peer calls the target, and its reports are told to the first, which then hangs up."""
    bridge = bridged(phone, first, second)
    first.send("REFER", [("Refer-To", "<sip:carol@sipbridge.test>")])
    refer = second.peer.next("REFER")
    assert refer["Refer-To"] == "<sip:carol@sipbridge.test>"
    assert refer["Referred-By"] == "<%s>" % first.peer.uri
    second.reply(refer, 202)
    assert first.peer.next("202")
    report(first, "SIP/2.0 100")
    for line in (b"SIP/2.0 180 Ringing", b"SIP/2.0 200 OK"):
        state = "terminated;reason=noresource" if b"200" in line else "active;expires=60"
        fields = [("Event", "refer"), ("Subscription-State", state), ("Content-Type", "message/sipfrag")]
        second.send("NOTIFY", fields, line)
        assert second.peer.next("200")
        report(first, line.decode("ascii"))
    first.send("BYE")
    second.ended()
    bridge.wait_ended(10.0)


def report(leg, line):
    notify = leg.peer.next("NOTIFY")
    assert notify.body.decode("ascii").startswith(line)
    leg.reply(notify, 200)


def test_a_transfer_that_the_other_peer_refuses(phone, first, second):
    bridge = bridged(phone, first, second)
    first.send("REFER", [("Refer-To", "<sip:carol@sipbridge.test>")])
    second.reply(second.peer.next("REFER"), 603)
    assert first.peer.next("603")
    assert bridge.state == "connected"


def test_a_peer_that_knows_the_call_no_more(phone, first, second):
    """A 481 to what was passed on: the other call ends, too (RFC 3261, 12.2.1.2)."""
    bridge = bridged(phone, first, second)
    first.send("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5")
    second.reply(second.peer.next("INFO"), 481)
    assert first.peer.next("481")
    assert first.ended().startswith("SIP;cause=481")
    second.reply(second.peer.next("BYE"), 481)
    bridge.wait_ended(10.0)
    is_over(phone, "bridge ended 481")


def test_a_hangup_while_an_offer_is_passed_on(phone, first, second):
    """The peer that offered is told 487, and gets its BYE."""
    bridge = bridged(phone, first, second)
    invite = first.reinvite(description(5050))
    second.peer.next("INVITE")
    second.send("BYE")
    first.refused(invite, 487)
    first.ended()
    bridge.wait_ended(10.0)
    is_over(phone)
