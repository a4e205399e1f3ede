"""Session timers (RFC 4028). Time runs a hundred times as fast for them here: half of 90 s is 0.45 s."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.sdp import ANSWER, OFFER
from peers.scenario import Callee, Caller


@pytest.fixture
def phone(make_phone):
    return make_phone(identity="sip:alice@sipbridge.test", session_expires=90).hurry(100.0)


def _place(phone, by_hand, *headers):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 200, SDP + list(headers), ANSWER)
    call.wait_answered(10.0)
    by_hand.next("ACK")
    return call, invite


def _hang_up(call, by_hand):
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    call.wait_ended()


def _take(phone, by_hand, *headers):
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP + list(headers), OFFER)
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    answer = by_hand.next("200")
    by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
    call.wait_established()
    return call, invite, answer


def _expires(seconds, refresher):
    return "Session-Expires", "%d;refresher=%s" % (seconds, refresher)


def test_we_refresh_by_reinvite(phone, by_hand):
    call, invite = _place(phone, by_hand, _expires(90, "uac"))
    assert invite["Session-Expires"] == "90"
    assert any("timer" in each for each in invite.get_all("Supported"))
    for _ in range(2):
        refresh = by_hand.next("INVITE")
        assert (refresh.body, refresh["Session-Expires"]) == (OFFER, "90;refresher=uac")
        by_hand.reply(refresh, 200, SDP + [_expires(90, "uac")], ANSWER)
        by_hand.next("ACK")
    _hang_up(call, by_hand)
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_we_refresh_by_update(phone, by_hand):
    call, _ = _place(phone, by_hand, _expires(90, "uac"), ("Allow", "INVITE, ACK, BYE, UPDATE"))
    for _ in range(2):
        refresh = by_hand.next("UPDATE")
        assert (refresh.body, refresh["Session-Expires"]) == (b"", "90;refresher=uac")
        by_hand.reply(refresh, 200, [_expires(90, "uac")])
    _hang_up(call, by_hand)


def test_a_refused_refresh_keeps_the_call(phone, by_hand):
    """The peer refuses UPDATE, then the interval, then a crossing re-INVITE."""
    call, _ = _place(phone, by_hand, _expires(90, "uac"), ("Allow", "UPDATE"))
    by_hand.reply(by_hand.next("UPDATE"), 501)
    refresh = by_hand.next("INVITE")
    by_hand.reply(refresh, 422, [("Min-SE", "120")])
    by_hand.next("ACK")
    refresh = by_hand.next("INVITE")
    assert (refresh["Session-Expires"], refresh["Min-SE"]) == ("120;refresher=uac", "120")
    by_hand.reply(refresh, 491)
    by_hand.next("ACK")
    refresh = by_hand.next("INVITE")
    by_hand.reply(refresh, 200, SDP + [_expires(120, "uac")], ANSWER)
    by_hand.next("ACK")
    _hang_up(call, by_hand)


def test_a_refresh_answered_481_ends_the_call(phone, by_hand):
    call, _ = _place(phone, by_hand, _expires(90, "uac"))
    by_hand.reply(by_hand.next("INVITE"), 481)
    bye = by_hand.next("BYE")
    assert bye["Reason"] == 'SIP;cause=408;text="Session expired"'
    by_hand.reply(bye, 200)
    call.wait_ended()


def test_a_call_ends_when_the_peer_does_not_refresh(phone, by_hand):
    call, _ = _place(phone, by_hand, _expires(90, "uas"))
    by_hand.reply(by_hand.next("BYE"), 200)
    assert call.wait_ended().cause == "local-bye"
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_no_timer_runs_when_the_peer_supports_none(phone, by_hand):
    call, _ = _place(phone, by_hand)
    assert by_hand.take(1.2) is None
    _hang_up(call, by_hand)


def test_a_422_raises_the_interval(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER, headers=[("X-Trace", "1")])
    by_hand.reply(by_hand.next("INVITE"), 422, [("Min-SE", "300")])
    by_hand.next("ACK")
    invite = by_hand.next("INVITE")
    assert (invite["Session-Expires"], invite["Min-SE"], invite["X-Trace"]) == ("300", "300", "1")
    by_hand.reply(invite, 200, SDP + [_expires(300, "uas")], ANSWER)
    call.wait_answered(10.0)
    by_hand.next("ACK")
    _hang_up(call, by_hand)
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_a_peer_that_always_answers_422(phone, by_hand):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    for number in range(4):
        by_hand.reply(by_hand.next("INVITE"), 422, [("Min-SE", str(200 + number))])
    assert call.wait_ended().status == 422
    assert phone.endpoint.calls == ()


@pytest.mark.parametrize("headers", [[], [("Min-SE", "99999999999")], [("Min-SE", "60")]])
def test_a_422_without_a_usable_min_se(phone, by_hand, headers):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 422, headers)
    assert call.wait_ended().status == 422


def test_the_caller_refreshes(phone, by_hand):
    """An UPDATE is no event for the user, a re-INVITE is one."""
    call, invite, answer = _take(
        phone, by_hand, ("Supported", "timer"), ("Session-Expires", "1800"), ("Allow", "INVITE, UPDATE")
    )
    assert (answer["Session-Expires"], answer["Require"]) == ("90;refresher=uac", "timer")
    timer = [("Supported", "timer"), _expires(90, "uac")]
    by_hand.within(phone.endpoint.port, invite, answer["To"], "UPDATE", 2, timer)
    updated = by_hand.next("200")
    assert (updated.method, updated["Session-Expires"]) == ("UPDATE", "90;refresher=uac")
    by_hand.within(phone.endpoint.port, invite, answer["To"], "INVITE", 3, timer + SDP, OFFER)
    again = by_hand.next("200")
    assert (again.method, again["Session-Expires"], again.body) == ("INVITE", "90;refresher=uac", ANSWER)
    by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 3)
    by_hand.reply(by_hand.next("BYE"), 200)  # no more came
    call.wait_ended()
    phone.expect("incoming sdp", "confirmed", "reinvite sdp", "confirmed", "ended local-bye 200")


def test_we_refresh_for_a_caller_without_timers(phone, by_hand):
    call, _, answer = _take(phone, by_hand)
    assert (answer["Session-Expires"], "Require" in answer) == ("90;refresher=uas", False)
    refresh = by_hand.next("INVITE")
    by_hand.reply(refresh, 200, SDP, OFFER)  # without: no timer any more
    by_hand.next("ACK")
    by_hand.waiting = [each for each in by_hand.waiting if each.name != "100"]
    assert by_hand.take(1.2) is None
    _hang_up(call, by_hand)


def test_a_too_small_interval_gets_422(phone, by_hand):
    by_hand.request(
        phone.endpoint.port, "INVITE", SDP + [("Supported", "timer"), ("Session-Expires", "30")], OFFER
    )
    assert by_hand.next("422")["Min-SE"] == "90"
    assert phone.labels == [] and phone.endpoint.calls == ()


@pytest.mark.parametrize("seconds, agreed", [(0, 90), (89, 90), (2**31 - 1, 2**31 - 1)])
def test_an_extreme_interval_of_the_peer(phone, by_hand, seconds, agreed):
    """We do not refresh without a pause, and events still come."""
    call, _ = _place(phone, by_hand, _expires(seconds, "uas"))
    assert call._session_timer.expires == agreed
    _hang_up(call, by_hand)


@pytest.mark.parametrize("value", ["", "x", "-1", "99999999999999999999;refresher=uac", "90;refresher=nobody", ";;;"])
def test_a_malformed_session_expires(phone, by_hand, value):
    """Sofia-SIP answers 400 to some values itself; other values count as missing."""
    headers = SDP + [("Supported", "timer"), ("Session-Expires", value)]
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.answer(ANSWER)
    invite = by_hand.request(phone.endpoint.port, "INVITE", headers, OFFER)
    answer = by_hand.next("200", "400")
    if answer.name == "400":
        assert phone.labels == [] and phone.endpoint.calls == ()
        return
    assert answer["Session-Expires"] == "90;refresher=uac"
    by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
    phone.wait("confirmed")
    (call,) = phone.endpoint.calls
    _hang_up(call, by_hand)


@pytest.mark.parametrize("seconds", [89, 0, -1, 90.5, True, "90"])
def test_the_interval_option_is_a_number(phone, by_hand, seconds):
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.invite(by_hand.uri, OFFER, session_expires=seconds)
    with pytest.raises(sipbridge.InputError):
        sipbridge.Endpoint(session_expires=seconds)


def test_we_refresh_at_sipp(phone, sipp):
    """By re-INVITE, and by UPDATE where it allows that."""
    timer = [_expires(90, "uac"), ("Require", "timer")]
    for method, more in (("INVITE", []), ("UPDATE", [("Allow", "INVITE, ACK, BYE, UPDATE")])):
        scenario = Callee().recv("INVITE").reply(200, ANSWER, headers=timer + more).recv("ACK").recv(method)
        if method == "INVITE":
            scenario = scenario.reply(200, ANSWER, headers=timer).recv("ACK")
        else:
            scenario = scenario.reply(200, headers=timer)
        peer = sipp(scenario.request("BYE").expect(200))
        call = phone.endpoint.call(peer.uri, OFFER)
        assert call.wait_ended().cause == "remote-bye"
        peer.wait()
        assert peer.received(method)[-1]["Session-Expires"] == "90;refresher=uac"


def test_sipp_refreshes(phone, sipp):
    timer = [("Supported", "timer"), _expires(90, "uac")]
    peer = sipp(
        Caller()
        .initial("INVITE", OFFER, headers=timer).expect(200).ack()
        .request("UPDATE", headers=timer).expect(200)
        .request("INVITE", OFFER, headers=timer).expect(200).ack()
        .recv("BYE").reply(200),  # once it refreshes no more
        phone.host_port,
    )  # fmt: skip
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    assert [each["Session-Expires"] for each in peer.received("200")] == ["90;refresher=uac"] * 3
    assert "Session expired" in peer.received("BYE")[0]["Reason"]


def test_a_timer_of_the_programs_own(make_phone, by_hand):
    """Without one of the endpoint's, each header of a 2xx is the program's, and nothing is added to them."""
    phone = make_phone()
    asked = [("Supported", "timer"), ("Session-Expires", "1800")]
    own = [
        ("Supported", "replaces, timer, path"),
        ("Session-Expires", "900;refresher=uac"),
        ("Require", "timer"),
    ]
    for headers in (own, own[:1]):
        invite = by_hand.request(phone.endpoint.port, "INVITE", SDP + asked, OFFER)
        call = phone.wait("incoming sdp").call
        call.answer(ANSWER, headers=[("Supported", "timer, path")] + headers[1:])  # we add "replaces"
        answer = by_hand.next("200")
        for name, _ in own:
            assert answer.get_all(name) == [value for given, value in headers if given == name]
        by_hand.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
        call.wait_established()
        _hang_up(call, by_hand)
        phone.events[:] = []
