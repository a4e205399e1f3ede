"""Calls that the endpoint takes; sipp calls."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.sdp import ANSWER, EARLY, OFFER
from peers.phone import engine_under_test
from peers.scenario import Caller


def test_a_call_from_invite_to_bye(phone, sipp):
    peer = sipp(
        Caller()
        .initial("INVITE", OFFER, headers=[("Subject", "a call")])
        .expect(180).expect(183).expect(200).ack()
        .request("BYE").expect(200),
        phone.host_port,
    )  # fmt: skip
    event = phone.wait("incoming sdp")
    call = event.call
    assert (call.state, call.remote_sdp, event.sdp) == ("incoming", OFFER, OFFER)
    assert call.remote_uri == "sip:caller@" + peer.host_port
    assert call.request_uri == "sip:callee@" + phone.host_port
    assert event.headers["Subject"] == "a call"
    call.ring()
    call.ring(183, EARLY)
    call.answer(ANSWER, headers=[("X-Trace", "2")])
    call.wait_ended()
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")
    names = [name for name in peer.received_names() if name != "100"]
    assert names == ["180", "183", "200", "200"]
    ok = peer.received("200")[0]
    assert (ok.body, ok["Content-Type"], ok["X-Trace"]) == (ANSWER, "application/sdp", "2")
    assert phone.host_port in ok["Contact"]
    assert peer.received("183")[0].body == EARLY
    tags = set(each["To"] for each in peer.received() if each.name != "100")
    assert len(tags) == 1 and ";tag=" in tags.pop()


def test_we_hang_up(phone, sipp):
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(200).ack().recv("BYE").reply(200), phone.host_port
    )
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    call.wait_established()
    assert call.state == "established"
    call.hangup()
    assert call.wait_ended().cause == "local-bye"
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended local-bye 200")
    bye = peer.received("BYE")[0]
    assert bye.start_line == "BYE sip:caller@%s SIP/2.0" % peer.host_port


def test_the_caller_wants_our_offer(phone, sipp):
    """INVITE without SDP: 2xx carries the offer, ACK the answer (RFC 3261, 13.2.1)."""
    peer = sipp(
        Caller().initial("INVITE").expect(200).ack(ANSWER).request("BYE").expect(200), phone.host_port
    )
    call = phone.wait("incoming").call
    assert call.remote_sdp is None
    call.answer(OFFER)
    call.wait_ended()
    peer.wait()
    phone.expect("incoming", "confirmed sdp", "ended remote-bye 200")
    assert phone.events[1].sdp == ANSWER
    assert call.remote_sdp == ANSWER
    assert peer.received("200")[0].body == OFFER


def test_the_caller_cancels(phone, sipp):
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(180).cancel().expect_both(200, 487).ack_refusal(),
        phone.host_port,
    )
    call = phone.wait("incoming sdp").call
    call.ring()
    call.wait_ended()
    with pytest.raises(sipbridge.CallStateError):
        call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "ended cancelled 487")


@pytest.mark.parametrize("status", [400, 404, 480, 486, 488, 500, 503, 600, 603])
def test_we_refuse(phone, sipp, status):
    peer = sipp(Caller().initial("INVITE", OFFER).expect(180).expect(status).ack_refusal(), phone.host_port)
    call = phone.wait("incoming sdp").call
    call.ring()
    call.reject(status, "For a Reason", headers=[("Retry-After", "120")])
    call.wait_ended()
    peer.wait()
    phone.expect("incoming sdp", "ended rejected %d" % status)
    refusal = peer.received(str(status))[0]
    assert refusal.start_line == "SIP/2.0 %d For a Reason" % status
    assert refusal["Retry-After"] == "120"


@pytest.mark.parametrize("status", [301, 302])
def test_we_redirect(phone, sipp, status):
    peer = sipp(Caller().initial("INVITE", OFFER).expect(status).ack_refusal(), phone.host_port)
    phone.wait("incoming sdp").call.redirect("sip:bob@elsewhere.test", status)
    peer.wait()
    phone.expect("incoming sdp", "ended redirected %d" % status)
    assert peer.received(str(status))[0]["Contact"] == "<sip:bob@elsewhere.test>"


def test_hangup_declines(phone, sipp):
    peer = sipp(Caller().initial("INVITE", OFFER).expect(603).ack_refusal(), phone.host_port)
    phone.wait("incoming sdp").call.hangup()
    peer.wait()
    phone.expect("incoming sdp", "ended rejected 603")


def test_a_call_without_a_handler_gets_480(sipp):
    """Without a handler and an iterator the endpoint answers 480."""
    with sipbridge.Endpoint("udp://127.0.0.1:0", engine=engine_under_test()) as endpoint:
        sipp(
            Caller().initial("INVITE", OFFER).expect(480).ack_refusal(), "127.0.0.1:%d" % endpoint.port
        ).wait()


def test_an_iterator_takes_the_call(sipp):
    with sipbridge.Endpoint("udp://127.0.0.1:0", engine=engine_under_test()) as endpoint:
        with endpoint.events(timeout=30.0) as stream:
            peer = sipp(
                Caller().initial("INVITE", OFFER).expect(200).ack().request("BYE").expect(200),
                "127.0.0.1:%d" % endpoint.port,
            )
            incoming = next(stream)
            incoming.call.answer(ANSWER)
            kinds = [type(incoming), type(next(stream)), type(next(stream))]
        peer.wait()
    assert kinds == [sipbridge.IncomingCall, sipbridge.CallConfirmed, sipbridge.CallEnded]


def test_close_hangs_up(phone, sipp):
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(200).ack().recv("BYE").reply(200), phone.host_port
    )
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    call.wait_established()
    phone.close()
    peer.wait()
    assert call.ended.cause == "local-bye"


def test_close_refuses_a_ringing_call(phone, sipp):
    peer = sipp(Caller().initial("INVITE", OFFER).expect(180).expect(603).ack_refusal(), phone.host_port)
    phone.wait("incoming sdp").call.ring()
    phone.close()
    peer.wait()
