"""Glare, hold, whose turn it is to offer, Reason, who is calling."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.scenarios import answering
from conformance.sdp import ANSWER, EARLY, HELD, HOLD, OFFER
from peers.scenario import Callee, Caller

# -- glare (RFC 3261, 14.1) ----------------------------------------------------------------------------------


def test_a_crossing_reinvite_is_tried_again(phone, sipp):
    peer = sipp(
        answering()
        .recv("INVITE").reply(491).recv("ACK")
        .recv("INVITE").reply(200, HELD).recv("ACK")
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, OFFER)
    assert call.reinvite(HOLD).body == HELD
    call.hangup()
    peer.wait()
    assert [each.body for each in peer.received("INVITE")] == [OFFER, HOLD, HOLD]


def test_glare_ends_after_the_given_number_of_tries(phone, sipp):
    """It also ends when no time is left for another try."""
    scenario = Caller().initial("INVITE", OFFER).expect(200).ack()
    for _ in range(3):
        scenario = scenario.recv("INVITE").reply(491).recv("ACK")
    peer = sipp(scenario.request("BYE").expect(200), phone.host_port)
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    call.wait_established()
    for options in (dict(glare_retries=1), dict(glare_retries=0)):
        with pytest.raises(sipbridge.ResponseError) as caught:
            call.reinvite(HOLD, **options)
        assert caught.value.status == 491
    assert call.local_sdp == ANSWER
    call.wait_ended()
    peer.wait()


def test_the_call_ends_while_glare_waits(phone, sipp):
    peer = sipp(answering().recv("INVITE").reply(491).recv("ACK").request("BYE").expect(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.SipbridgeError):
        call.reinvite(HOLD)
    peer.wait()
    call.wait_ended()
    assert phone.endpoint.calls == ()


# -- hold ----------------------------------------------------------------------------------------------------


def test_hold_and_resume(phone, other):
    call = phone.endpoint.invite(other.uri, OFFER)
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    call.wait_answered(10.0)
    other.wait("confirmed")
    assert (call.on_hold, call.held_by_peer) == (False, False)
    assert call.hold().status == 200
    other.wait("confirmed", 2)
    assert b"a=sendonly\r\n" in other.call("remote_sdp") and other.call("held_by_peer")
    assert call.on_hold and not call.held_by_peer
    assert call.hold() is None
    assert call.resume().status == 200
    other.wait("confirmed", 3)
    assert b"a=sendrecv\r\n" in other.call("remote_sdp") and not call.on_hold
    versions = [line.split()[2] for line in call.local_sdp.split(b"\r\n") if line.startswith(b"o=")]
    assert versions == [b"3"]
    assert call.resume() is None
    call.hangup()
    call.wait_ended()


def test_hold_refused(phone, sipp):
    peer = sipp(answering().recv("INVITE").reply(488).recv("ACK").recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.ResponseError):
        call.hold()
    assert not call.on_hold
    call.hangup()
    call.wait_ended()
    with pytest.raises(sipbridge.CallStateError):
        call.hold()


# -- offer and answer (RFC 3264) -----------------------------------------------------------------------------


def test_an_offer_cannot_be_answered_without_sdp(phone, sipp):
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(183).expect(200).ack().request("BYE").expect(200), phone.host_port
    )
    call = phone.wait("incoming sdp").call
    with pytest.raises(sipbridge.CallStateError) as caught:
        call.answer()
    assert "answer(sdp)" in str(caught.value) and call.state == "incoming"
    call.ring(183, EARLY)
    call.answer()  # the same once more
    peer.wait()
    assert peer.received("200")[0].body == EARLY


def test_an_invite_without_an_offer_cannot_be_answered_without_one(phone, sipp):
    peer = sipp(Caller().initial("INVITE").expect(200).ack(ANSWER).request("BYE").expect(200), phone.host_port)
    call = phone.wait("incoming").call
    with pytest.raises(sipbridge.CallStateError) as caught:
        call.answer()
    assert "no offer" in str(caught.value)
    call.answer(OFFER)
    peer.wait()
    call.wait_ended(10)  # the library has answered the BYE by itself: what came before it may not be here yet
    assert call.remote_sdp == ANSWER


def test_an_ack_without_an_answer_is_refused(phone, sipp):
    peer = sipp(Callee().recv("INVITE").reply(200, OFFER).recv("ACK").recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri)
    with pytest.raises(sipbridge.CallStateError):
        call.ack()
    with pytest.raises(sipbridge.CallStateError):
        call.reinvite(HOLD)
    assert call.state == "answered"
    call.ack(ANSWER)
    with pytest.raises(sipbridge.CallStateError):
        call.ack(ANSWER)
    call.hangup()
    peer.wait()
    assert [each.body for each in peer.received("ACK")] == [ANSWER]


def test_a_second_offer_before_the_answer_is_refused(phone, by_hand):
    errors = []

    def react(event):
        for act in (lambda: event.call.reinvite(HOLD), lambda: event.call.update(HOLD), event.call.hold):
            try:
                act()
            except sipbridge.CallStateError as error:
                errors.append(str(error))

    phone.reactions[sipbridge.CallReinvited] = react
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    to = by_hand.next("200")["To"]
    by_hand.within(phone.endpoint.port, invite, to, "ACK", 1)
    call.wait_established()
    by_hand.within(phone.endpoint.port, invite, to, "INVITE", 2, SDP, HOLD)
    by_hand.next("200")
    by_hand.within(phone.endpoint.port, invite, to, "ACK", 2)
    phone.wait("confirmed", 2)
    assert len(errors) == 3 and all("waits for your answer" in error for error in errors)
    call.hangup()
    by_hand.reply(by_hand.next("BYE"), 200)
    call.wait_ended()


# -- Reason (RFC 3326) ---------------------------------------------------------------------------------------

WHY = sipbridge.Reason("Q.850", 16, u'Normal "call" clearing')
VALUE = 'Q.850;cause=16;text="Normal \\"call\\" clearing"'


def test_reason_is_sent_with_bye(phone, other):
    call = phone.endpoint.invite(other.uri, OFFER)
    other.wait("incoming sdp")
    other.call("answer", ANSWER)
    call.wait_answered(10.0)
    other.wait("confirmed")
    call.hangup(why=WHY)
    other.wait("ended remote-bye 200")
    assert other.start("phone", "reasons").result() == [["Q.850", 16, u'Normal "call" clearing']]


def test_reason_of_a_received_bye_is_told(phone, sipp):
    headers = [("Reason", 'SIP ;cause=600 ;text="Busy Everywhere", Q.850;cause=17'), ("Reason", "X;cause=y")]
    peer = sipp(answering().request("BYE", headers=headers).expect(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    assert call.wait_ended().reasons == (("SIP", 600, "Busy Everywhere"), ("Q.850", 17, ""), ("X", None, ""))
    peer.wait()


def test_reason_is_sent_with_a_refusal(phone, sipp):
    peer = sipp(Caller().initial("INVITE", OFFER).expect(480).ack_refusal(), phone.host_port)
    phone.wait("incoming sdp").call.reject(480, why=WHY)
    peer.wait()
    assert peer.received("480")[0]["Reason"] == VALUE


def test_reason_of_a_received_refusal_is_told(phone, sipp):
    peer = sipp(Callee().recv("INVITE").reply(486, headers=[("Reason", VALUE)]).recv("ACK"))
    assert phone.endpoint.invite(peer.uri, OFFER).wait_ended().reasons == (WHY,)
    peer.wait()


def test_reason_is_sent_with_cancel(phone, sipp):
    """libeXosip2 builds its CANCEL itself, without a Reason."""
    peer = sipp(
        Callee().recv("INVITE").reply(180).recv("CANCEL").reply(200).reply_to("INVITE", 487).recv("ACK")
    )
    call = phone.endpoint.invite(peer.uri, OFFER)
    phone.wait("progress 180")
    call.hangup(why=sipbridge.Reason("SIP", 200, "Call completed elsewhere"))
    peer.wait()
    given = peer.received("CANCEL")[0].get_all("Reason")
    expected = ['SIP;cause=200;text="Call completed elsewhere"']
    assert given == (expected if phone.endpoint.engine_name == "sofia" else [])


@pytest.mark.parametrize(
    "reason",
    ["SIP;cause=200", ("SIP", 200), sipbridge.Reason("a b"), sipbridge.Reason("SIP", -1),
     sipbridge.Reason("SIP", "200"), sipbridge.Reason("SIP", 200, "a\r\nX: y"), sipbridge.Reason(None)],
)  # fmt: skip
def test_bad_reasons(phone, by_hand, reason):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    with pytest.raises(sipbridge.InputError):
        call.hangup(why=reason)
    assert call.state == "calling"
    by_hand.reply(by_hand.next("INVITE"), 486)
    call.wait_ended()


# -- who is calling (RFC 3323, 3325) -------------------------------------------------------------------------


def test_identity_is_sent(phone, sipp):
    peer = sipp(answering().recv("BYE").reply(200))
    call = phone.endpoint.call(
        peer.uri,
        OFFER,
        from_=sipbridge.ANONYMOUS,
        asserted_identity=["sip:alice@example.com", '"Alice" <tel:+14085264000>'],
        privacy=("id", "user"),
    )
    call.hangup()
    peer.wait()
    invite = peer.received("INVITE")[0]
    assert invite.get_all("P-Asserted-Identity") == ["<sip:alice@example.com>", '"Alice" <tel:+14085264000>']
    assert (invite["Privacy"], "anonymous.invalid" in invite["From"]) == ("id;user", True)


def test_identity_is_received(phone, sipp):
    headers = [("P-Asserted-Identity", '"Cullen, J" <sip:fluffy@example.com>, <tel:+14085264000>')]
    headers += [("P-Asserted-Identity", "nonsense <"), ("Privacy", "ID; critical")]
    peer = sipp(Caller().initial("INVITE", OFFER, headers=headers).expect(486).ack_refusal(), phone.host_port)
    event = phone.wait("incoming sdp")
    event.call.reject(486)
    peer.wait()
    assert [(each.display_name, each.uri) for each in event.asserted_identities] == [
        ("Cullen, J", "sip:fluffy@example.com"), ("", "tel:+14085264000"),
    ]  # fmt: skip
    assert event.privacy == frozenset(["id", "critical"])


@pytest.mark.parametrize(
    "options", [dict(asserted_identity="alice"), dict(asserted_identity=[5]), dict(privacy="a b"), dict(privacy=[1])]
)
def test_bad_identities(phone, by_hand, options):
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.invite(by_hand.uri, OFFER, **options)
    assert by_hand.take(0.1) is None and phone.endpoint.calls == ()
