"""What UDP does to calls: datagrams that come twice or not at all, and messages that cross.

sipp runs without its own retransmissions where each datagram matters.
"""

from __future__ import absolute_import, division, print_function

from conformance.sdp import ANSWER, OFFER
from peers.byhand import ByHand
from peers.scenario import Callee, Caller


def test_invite_retransmitted_while_ringing(phone, sipp):
    """One call only, and the last provisional response once more (RFC 3261, 17.2.1)."""
    peer = sipp(
        Caller()
        .initial("INVITE", OFFER).expect(180)
        .again().expect(180)
        .again().expect(180)
        .expect(200).ack().request("BYE").expect(200),
        phone.host_port,
        retransmissions=False,
    )  # fmt: skip
    call = phone.wait("incoming sdp").call
    call.ring()
    peer.wait_for("180", 3)
    call.answer(ANSWER)
    call.wait_ended()
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_invite_retransmitted_after_the_answer(phone, sipp):
    """The 200 crossed the retransmission: no second call, no second answer (RFC 6026, 7.1)."""
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(200).ack().again(2).pause(300).request("BYE").expect(200),
        phone.host_port,
    )
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_invite_retransmitted_after_a_refusal(phone, sipp):
    """The refusal is sent again until its ACK comes (RFC 3261, 17.2.1)."""
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(486).again().expect(486).ack_refusal().pause(1200),
        phone.host_port,
        retransmissions=False,
    )
    phone.wait("incoming sdp").call.reject(486)
    peer.wait()
    phone.expect("incoming sdp", "ended rejected 486")


def test_our_200_is_lost_on_the_way(phone, sipp):
    """It is sent again until the ACK comes (RFC 3261, 13.3.1.4), and not any more after that."""
    peer = sipp(
        Caller()
        .initial("INVITE", OFFER).expect(200).expect(200).expect(200).ack()
        .pause(2200)
        .request("BYE").expect(200),
        phone.host_port,
        retransmissions=False,
    )  # fmt: skip
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")
    answers = [each for each in peer.received("200") if each.method == "INVITE"]
    assert [each.body for each in answers] == [ANSWER] * 3


def test_our_ack_is_lost(phone, sipp):
    """Each 200 that comes again is acknowledged again (RFC 3261, 13.2.2.4); the call was answered once."""
    peer = sipp(
        Callee()
        .recv("INVITE").reply(200, ANSWER)
        .recv("ACK").reply_to("INVITE", 200, ANSWER)
        .recv("ACK").reply_to("INVITE", 200, ANSWER)
        .recv("ACK").request("BYE").expect(200),
        retransmissions=False,
    )  # fmt: skip
    phone.endpoint.call(peer.uri, OFFER).wait_ended()
    peer.wait()
    phone.expect("answered 200 sdp", "ended remote-bye 200")


def test_our_invite_is_lost(phone, sipp):
    """It is sent again until something comes back (RFC 3261, 17.1.1.2)."""
    peer = sipp(
        Callee()
        .recv("INVITE").recv("INVITE").reply(180).pause(1200).reply(200, ANSWER).recv("ACK")
        .request("BYE").expect(200),
        retransmissions=False,
    )  # fmt: skip
    phone.endpoint.call(peer.uri, OFFER).wait_ended()
    peer.wait()
    phone.expect("progress 180", "answered 200 sdp", "ended remote-bye 200")
    first, second = peer.received("INVITE")
    assert (first.fields, first.body) == (second.fields, second.body)


def test_our_bye_is_lost(phone, sipp):
    peer = sipp(
        Callee().recv("INVITE").reply(200, ANSWER).recv("ACK").recv("BYE").recv("BYE").reply(200),
        retransmissions=False,
    )
    phone.endpoint.call(peer.uri, OFFER).hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_the_answer_to_bye_is_lost(phone, sipp):
    """BYE comes again and is answered again; the call ended once."""
    peer = sipp(
        Caller().initial("INVITE", OFFER).expect(200).ack().request("BYE").expect(200).again().expect(200),
        phone.host_port,
        retransmissions=False,
    )
    phone.wait("incoming sdp").call.answer(ANSWER)
    peer.wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_our_cancel_crosses_the_answer(phone, sipp):
    """The peer had answered: the call stands, and is acknowledged and hung up (RFC 3261, 9.1 and 15)."""
    peer = sipp(
        Callee()
        .recv("INVITE").reply(180)
        .recv("CANCEL").reply(200).reply_to("INVITE", 200, ANSWER)
        .recv("ACK").recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.invite(peer.uri, OFFER)
    phone.wait("progress 180")
    call.hangup()
    call.wait_ended()
    peer.wait()
    phone.expect("progress 180", "ended local-bye 200")


def test_the_peers_cancel_crosses_our_answer(phone):
    """CANCEL does nothing to a call that has been answered (RFC 3261, 9.2)."""
    port, peer = phone.endpoint.port, ByHand()
    try:
        invite = peer.request(port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
        call = phone.wait("incoming sdp").call
        call.ring()
        call.answer(ANSWER)
        answer = peer.next("200")
        peer.cancel(port, invite)
        cancelled = peer.next("200", "481")
        assert cancelled.method == "CANCEL"
        peer.within(port, invite, answer["To"], "ACK", 1)
        phone.wait("confirmed")
        peer.within(port, invite, answer["To"], "BYE", 2)
        assert peer.next("200").method == "BYE"
    finally:
        peer.stop()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_both_hang_up_at_once(phone, sipp):
    """Two BYEs cross: both are answered, and the call has one end."""
    peer = sipp(
        Callee()
        .recv("INVITE").reply(200, ANSWER).recv("ACK")
        .recv("BYE").request("BYE").expect(200).reply_to("BYE", 200)
    )  # fmt: skip
    phone.endpoint.call(peer.uri, OFFER).hangup()
    peer.wait()
    phone.wait("ended local-bye 200")
    assert [label for label in phone.labels if label.startswith("ended")] == ["ended local-bye 200"]
