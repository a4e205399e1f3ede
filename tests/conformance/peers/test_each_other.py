"""The peers against each other: what fails here is no fault of an engine."""

from __future__ import absolute_import, division, print_function

import pytest

from conformance.conftest import USERS
from conformance.sdp import ANSWER, HELD, HOLD, OFFER
from peers.scenario import Callee, Caller


def _run(sipp, callee, caller, **options):
    callee = sipp(callee, **options)
    caller = sipp(caller, callee.host_port, **options)
    caller.wait()
    callee.wait()
    return callee, caller


def test_a_call_of_sipp(sipp):
    callee, caller = _run(
        sipp,
        Callee()
        .recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK")
        .request("INVITE", HOLD).expect(200).ack()
        .recv("BYE").reply(200),
        Caller()
        .initial("INVITE", OFFER).expect(180).expect(200).ack()
        .recv("INVITE").reply(200, HELD).recv("ACK")
        .request("BYE").expect(200),
    )  # fmt: skip
    assert callee.received_names() == ["INVITE", "ACK", "200", "BYE"]
    assert caller.received_names() == ["180", "200", "INVITE", "ACK", "200"]
    assert callee.received("INVITE")[0].body == OFFER
    assert caller.received("INVITE")[0].body == HOLD
    assert callee.received("200")[0].body == HELD


def test_a_cancelled_call_of_sipp(sipp):
    _run(
        sipp,
        Callee().recv("INVITE").reply(180).recv("CANCEL").reply(200).reply_to("INVITE", 487).recv("ACK"),
        Caller().initial("INVITE", OFFER).expect(180).cancel().expect_both(200, 487).ack_refusal(),
    )


def test_sipp_takes_responses_in_either_order(sipp):
    _run(
        sipp,
        Callee().recv("INVITE").reply(180).recv("CANCEL").reply_to("INVITE", 487).recv("ACK"),
        Caller().initial("INVITE", OFFER).expect(180).cancel().expect_one_of(200, 487).ack_refusal(),
    )


def test_sipp_takes_each_datagram_as_a_step(sipp):
    """Without sipp's own retransmissions a lost or repeated datagram is a step."""
    callee, _ = _run(
        sipp,
        Callee().recv("INVITE").reply(180).recv("INVITE").reply(200, ANSWER).recv("ACK"),
        Caller().initial("INVITE", OFFER).expect(180).again().expect(200).ack(),
        retransmissions=False,
    )
    first, second = callee.received("INVITE")
    assert (first.fields, first.body) == (second.fields, second.body)


CHALLENGE = ("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="one", qop="auth", opaque="0pa"')


def _registrar():
    return (
        Callee()
        .recv("REGISTER").reply(401, headers=[CHALLENGE])
        .recv_with_digest("REGISTER", "alice", "wonder-land").reply(200)
    )  # fmt: skip


def _registering(password):
    return (
        Caller().initial("REGISTER").expect(401, auth=True)
        .initial("REGISTER", credentials=("alice", password)).expect(200)
    )  # fmt: skip


def test_a_digest_that_sipp_verifies(sipp):
    _run(sipp, _registrar(), _registering("wonder-land"))


def test_a_digest_that_sipp_refuses(sipp):
    callee = sipp(_registrar())
    caller = sipp(_registering("wrong"), callee.host_port, seconds=5)
    with pytest.raises(AssertionError):
        callee.wait()
    caller.stop()


def test_a_registration_of_sipp_at_kamailio(sipp, kamailio):
    aor = kamailio.aor("alice")
    alice = ("alice", USERS["alice"])
    peer = sipp(
        Caller(kamailio.uri, to=aor, from_=aor)
        .initial("REGISTER").expect(401, auth=True)
        .initial("REGISTER", credentials=alice).expect(200)
        .pause(2000)
        .initial("REGISTER", headers=[("Expires", "0")], credentials=alice).expect(200),
        kamailio.host_port,
    )  # fmt: skip
    assert kamailio.wait_for_binding("alice") == "sip:caller@" + peer.host_port
    peer.wait()
    assert kamailio.bindings("alice") == []
