"""Requests within a call: INFO, re-INVITE, UPDATE and others, from either side."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.scenarios import answering
from conformance.sdp import ANSWER, HELD, HOLD, OFFER, RESUME, RESUMED
from peers.scenario import Caller

RELAY = "application/dtmf-relay"


def _calling():
    return Caller().initial("INVITE", OFFER).expect(200).ack()


def _take_call(phone):
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    call.wait_established()
    return call


def _relay(key, duration=160):
    return ("Signal=%s\r\nDuration=%d\r\n" % (key, duration)).encode("ascii")


# -- INFO ----------------------------------------------------------------------------------------------------


def test_keys_out_from_the_caller(phone, sipp):
    peer = sipp(
        answering().recv("INFO").reply(200).recv("INFO").reply(200).recv("INFO").reply(200)
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER)
    call.send_dtmf("4*#", duration_ms=200)
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")
    infos = peer.received("INFO")
    assert [info.body for info in infos] == [_relay(key, 200) for key in "4*#"]
    assert set(info["Content-Type"] for info in infos) == set([RELAY])


def test_keys_out_from_the_callee(phone, sipp):
    peer = sipp(_calling().recv("INFO").reply(200).request("BYE").expect(200), phone.host_port)
    _take_call(phone).send_dtmf("7")
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")
    assert peer.received("INFO")[0].body == _relay("7")


def test_keys_out_as_application_dtmf(phone, sipp):
    peer = sipp(
        answering().recv("INFO").reply(200).recv("INFO").reply(200).recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.InputError):
        call.send_dtmf("1", content_type="text/plain")
    call.send_dtmf("d#", content_type="application/dtmf")
    call.hangup()
    peer.wait()
    infos = peer.received("INFO")
    assert [(info.body, info["Content-Type"]) for info in infos] == [
        (b"D", "application/dtmf"), (b"#", "application/dtmf"),
    ]  # fmt: skip


def test_keys_in_to_the_callee(phone, sipp):
    peer = sipp(
        _calling()
        .request("INFO", _relay("5"), RELAY).expect(200)
        .request("INFO", b"#\r\n", "application/dtmf").expect(200)
        .request("INFO", b"<x/>\r\n", "application/xml", [("X-Trace", "3")]).expect(200)
        .request("BYE").expect(200),
        phone.host_port,
    )  # fmt: skip
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "info 5", "info #", "info None", "ended remote-bye 200")
    assert [event.body for event in phone.events[2:5]] == [_relay("5"), b"#\r\n", b"<x/>\r\n"]
    assert (phone.events[4].content_type, phone.events[4].headers["X-Trace"]) == ("application/xml", "3")


def test_keys_in_to_the_caller(phone, sipp):
    peer = sipp(
        answering().request("INFO", _relay("0"), RELAY).expect(200).request("BYE").expect(200)
    )
    phone.endpoint.call(peer.uri, OFFER).wait_ended()
    peer.wait()
    phone.expect("answered 200 sdp", "info 0", "ended remote-bye 200")


def test_info_refused_by_the_peer(phone, sipp):
    peer = sipp(
        answering().recv("INFO").reply(415, headers=[("Accept", "text/plain")]).recv("BYE").reply(200)
    )
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.info(b"x\r\n", "application/x")
    assert (caught.value.status, caught.value.headers["Accept"]) == (415, "text/plain")
    assert call.state == "established"
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_info_answered_by_the_handler(phone, sipp):
    phone.reactions[sipbridge.InfoReceived] = lambda event: event.answer(
        488, reason="Not Those", body=b"why\r\n", content_type="text/plain", headers=[("X-Trace", "4")]
    )
    peer = sipp(
        _calling().request("INFO", _relay("5"), RELAY).expect(488).request("BYE").expect(200), phone.host_port
    )
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    refusal = peer.received("488")[0]
    assert refusal.start_line == "SIP/2.0 488 Not Those"
    assert (refusal.body, refusal["Content-Type"], refusal["X-Trace"]) == (b"why\r\n", "text/plain", "4")
    phone.expect("incoming sdp", "confirmed", "info 5", "ended remote-bye 200")


def test_a_request_of_an_unknown_method_is_refused_within_a_call(phone, sipp):
    peer = sipp(_calling().request("FROB").expect(501).request("BYE").expect(200), phone.host_port)
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "request FROB", "ended remote-bye 200")


def test_a_request_of_any_method_is_sent_within_a_call(phone, sipp):
    peer = sipp(
        answering().recv("FROB").reply(200, b"done\r\n", content_type="text/plain").recv("BYE").reply(200)
    )
    call = phone.endpoint.call(peer.uri, OFFER)
    response = call.request("FROB", b"do\r\n", "text/plain", headers=[("X-Trace", "5")])
    assert (response.status, response.body, response.content_type) == (200, b"done\r\n", "text/plain")
    call.hangup()
    peer.wait()
    frob = peer.received("FROB")[0]
    assert (frob.body, frob["X-Trace"]) == (b"do\r\n", "5")
    phone.expect("answered 200 sdp", "ended local-bye 200")


# -- re-INVITE (RFC 3261, 14) --------------------------------------------------------------------------------


def test_hold_and_resume_by_the_caller(phone, sipp):
    peer = sipp(
        answering()
        .recv("INVITE").reply(200, HELD).recv("ACK")
        .recv("INVITE").reply(200, RESUMED).recv("ACK")
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER)
    assert call.reinvite(HOLD).body == HELD
    assert (call.local_sdp, call.remote_sdp) == (HOLD, HELD)
    assert call.reinvite(RESUME, headers=[("X-Trace", "6")]).body == RESUMED
    assert (call.local_sdp, call.remote_sdp) == (RESUME, RESUMED)
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")
    assert [each.body for each in peer.received("INVITE")] == [OFFER, HOLD, RESUME]
    assert peer.received("INVITE")[2]["X-Trace"] == "6"


def test_hold_and_resume_by_the_callee(phone, sipp):
    peer = sipp(
        _calling()
        .recv("INVITE").reply(200, HELD).recv("ACK")
        .recv("INVITE").reply(200, RESUMED).recv("ACK")
        .request("BYE").expect(200),
        phone.host_port,
    )  # fmt: skip
    call = _take_call(phone)
    assert call.reinvite(HOLD).body == HELD
    assert call.reinvite(RESUME).body == RESUMED
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")
    assert [each.body for each in peer.received("INVITE")] == [HOLD, RESUME]


def test_hold_and_resume_by_the_peer_that_called(phone, sipp):
    phone.reactions[sipbridge.CallReinvited] = lambda event: event.answer(
        {HOLD: HELD, RESUME: RESUMED}[event.sdp], headers=[("X-Trace", "7")]
    )
    peer = sipp(
        _calling()
        .request("INVITE", HOLD).expect(200).ack()
        .request("INVITE", RESUME).expect(200).ack()
        .request("BYE").expect(200),
        phone.host_port,
    )  # fmt: skip
    call = _take_call(phone)
    call.wait_ended()
    peer.wait()
    phone.expect(
        "incoming sdp", "confirmed",
        "reinvite sdp", "confirmed",
        "reinvite sdp", "confirmed",
        "ended remote-bye 200",
    )  # fmt: skip
    assert [event.sdp for event in phone.events[2:6:2]] == [HOLD, RESUME]
    answers = [each for each in peer.received("200") if each.method == "INVITE"]
    assert [each.body for each in answers] == [ANSWER, HELD, RESUMED]
    assert answers[1]["X-Trace"] == "7"
    assert (call.local_sdp, call.remote_sdp) == (RESUMED, RESUME)


def test_hold_by_the_called_peer_is_answered_by_the_endpoint(phone, sipp):
    """Without a handler the endpoint answers with its last description, as far as the offer allows it (RFC 3264, 6.1
    and 8)."""
    scenario = answering()
    for offer in (HOLD, RESUME):
        scenario = scenario.request("INVITE", offer).expect(200).ack()
    peer = sipp(scenario.recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    phone.wait("confirmed", 2)
    held = OFFER.replace(b"sendrecv", b"recvonly").replace(b"- 1 1 IN", b"- 1 2 IN")
    assert [each.body for each in peer.received("200")] == [held, OFFER.replace(b"- 1 1 IN", b"- 1 3 IN")]
    assert not call.on_hold and not call.held_by_peer
    call.hangup()
    peer.wait()
    phone.expect(
        "answered 200 sdp",
        "reinvite sdp", "confirmed",
        "reinvite sdp", "confirmed",
        "ended local-bye 200",
    )  # fmt: skip


def test_the_peer_asks_for_an_offer(phone, sipp):
    """A re-INVITE without SDP: our 2xx has the offer, the ACK the answer (RFC 3261, 14.2)."""
    peer = sipp(_calling().request("INVITE").expect(200).ack(HELD).request("BYE").expect(200), phone.host_port)
    call = _take_call(phone)
    call.wait_ended()
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "reinvite", "confirmed sdp", "ended remote-bye 200")
    assert phone.events[3].sdp == HELD
    assert peer.received("200")[1].body == ANSWER


def test_we_ask_for_an_offer(phone, sipp):
    peer = sipp(answering().recv("INVITE").reply(200, RESUME).recv("ACK").recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    assert call.reinvite().body == RESUME
    call.ack(RESUMED)
    call.hangup()
    peer.wait()
    assert [each.body for each in peer.received("ACK")] == [b"", RESUMED]
    phone.expect("answered 200 sdp", "ended local-bye 200")


@pytest.mark.parametrize("status", [488, 491])
def test_our_reinvite_refused(phone, sipp, status):
    """The session stays as it was (RFC 3261, 14.1)."""
    peer = sipp(answering().recv("INVITE").reply(status).recv("ACK").recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.reinvite(HOLD, glare_retries=0)
    assert caught.value.status == status
    assert (call.state, call.local_sdp, call.remote_sdp) == ("established", OFFER, ANSWER)
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_the_peers_reinvite_refused(phone, sipp):
    phone.reactions[sipbridge.CallReinvited] = lambda event: event.reject(488, "Not That")
    peer = sipp(
        _calling().request("INVITE", HOLD).expect(488).ack_refusal().request("BYE").expect(200),
        phone.host_port,
    )
    call = _take_call(phone)
    call.wait_ended()
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "reinvite sdp", "ended remote-bye 200")
    assert peer.received("488")[0].start_line == "SIP/2.0 488 Not That"
    assert (call.local_sdp, call.remote_sdp) == (ANSWER, OFFER)


def test_the_peer_hangs_up_instead_of_answering_a_reinvite(phone, sipp):
    peer = sipp(
        answering().recv("INVITE").request("BYE").expect(200).reply_to("INVITE", 487).recv("ACK")
    )
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.CallStateError):
        call.reinvite(HOLD)
    peer.wait()
    phone.expect("answered 200 sdp", "ended remote-bye 200")


# -- UPDATE (RFC 3311) ---------------------------------------------------------------------------------------


def test_update_is_sent(phone, sipp):
    peer = sipp(answering().recv("UPDATE").reply(200, HELD).recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    assert call.update(HOLD).body == HELD
    assert (call.local_sdp, call.remote_sdp) == (HOLD, HELD)
    call.hangup()
    peer.wait()
    assert peer.received("UPDATE")[0].body == HOLD
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_update_is_received(phone, sipp):
    phone.reactions[sipbridge.RequestReceived] = lambda event: event.answer(
        200, body=HELD, content_type="application/sdp"
    )
    peer = sipp(_calling().request("UPDATE", HOLD).expect(200).request("BYE").expect(200), phone.host_port)
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "request UPDATE", "ended remote-bye 200")
    assert phone.events[2].body == HOLD
    assert [each.body for each in peer.received("200") if each.method == "UPDATE"] == [HELD]


# -- challenged within a dialog ----------------------------------------------------------------------------------------

CHALLENGE = [("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth"')]


class _Asking(threading.Thread):
    """A request of ours within a call, on its way; ``response`` is what came of it."""

    def __init__(self, call, method):
        super(_Asking, self).__init__()
        self.daemon = True
        self.response = None
        self._call, self._method = call, method
        self.start()

    def run(self):
        self.response = self._call.request(self._method, b"body", "text/plain", timeout=20.0)


def _next_request(by_hand, numbers):
    """The next of an INFO and a MESSAGE; the peer answers 500 to a number that is not higher than before (12.2.2)."""
    request = by_hand.next("INFO", "MESSAGE")
    number = int(request["CSeq"].split()[0])
    if numbers and number <= numbers[-1]:
        by_hand.reply(request, 500)
    numbers.append(number)
    return request


@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize("challenged", ["INFO", "INFO MESSAGE"])
def test_challenged_requests_have_numbers_of_their_own(phone, by_hand, placed, challenged):
    """Each repeated request has a CSeq of its own (RFC 3261, 12.2.1.1), and gets its own answer."""
    phone.endpoint.add_credentials("alice", "secret", realm="sipbridge.test")
    dialog, numbers, statuses = Dialog(phone, by_hand, placed), [], {"INFO": 200, "MESSAGE": 202}
    asking = [_Asking(dialog.call, "INFO")]
    first = _next_request(by_hand, numbers)
    asking.append(_Asking(dialog.call, "MESSAGE"))
    for request in (first, _next_request(by_hand, numbers)):
        if request.method in challenged:
            by_hand.reply(request, 401, CHALLENGE)
        else:
            by_hand.reply(request, statuses.pop(request.method))
    while statuses:
        request = _next_request(by_hand, numbers)
        assert request.body == b"body"
        if "Authorization" in request:
            by_hand.reply(request, statuses.pop(request.method))
        else:
            by_hand.reply(request, 401, CHALLENGE)
    for each in asking:
        each.join(20.0)
    assert [each.response and each.response.status for each in asking] == [200, 202]
    assert numbers == sorted(set(numbers))
    dialog.call.hangup()
    bye = by_hand.next("BYE")
    assert int(bye["CSeq"].split()[0]) > numbers[-1]
    by_hand.reply(bye, 200)
    assert dialog.call.wait_ended().cause == "local-bye"


@pytest.mark.parametrize(
    "names",
    [
        [(call_id, "same") for call_id in ("a", "a@b", "a@bc", "aa", "ab@b")],
        [("a" * 300 + end, "same") for end in ("", "@b", "b")],
        [("a@b", "tag-%d" % number) for number in range(6)],
    ],
    ids=["call-ids that begin alike", "long call-ids", "one call-id"],
)
def test_calls_are_told_apart(names, phone, by_hand):
    """A dialog is known by the whole of its Call-ID and both tags (RFC 3261, 12)."""
    port, calls = phone.endpoint.port, []
    for call_id, tag in names:
        invite = by_hand.request(port, "INVITE", SDP, OFFER, call_id=call_id, tag=tag)
        call = phone.wait("incoming sdp", len(calls) + 1).call
        call.answer(ANSWER)
        to = by_hand.next("200")["To"]
        by_hand.within(port, invite, to, "ACK", 1)
        call.wait_established()
        calls.append((call, invite, to))
    while calls:
        call, invite, to = calls.pop(len(calls) // 2)
        by_hand.within(port, invite, to, "BYE", 2)
        by_hand.next("200")
        assert call.wait_ended().cause == "remote-bye"
        assert set(phone.endpoint.calls) == set(each[0] for each in calls)
