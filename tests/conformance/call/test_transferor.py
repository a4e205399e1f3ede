"""Transfer (RFC 3515, 4488): we ask the peer to call another."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.call.transfers import FRAG, TARGET
from conformance.scenarios import answering
from conformance.sdp import OFFER
from peers.waiting import wait_until


def _notify(scenario, status, state="active;expires=60"):
    headers = [("Event", "refer"), ("Subscription-State", state)]
    return scenario.request("NOTIFY", b"SIP/2.0 %s\r\n" % status, FRAG, headers=headers)


def test_blind_transfer(phone, sipp):
    scenario = answering().recv("REFER").reply(202)
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
    scenario = answering().recv("REFER").reply(202)
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
    peer = sipp(answering().recv("REFER").reply(603).recv("REFER").reply(405).recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    for status in (603, 405):
        with pytest.raises(sipbridge.ResponseError) as caught:
            call.transfer(TARGET)
        assert caught.value.status == status
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")


def test_a_peer_without_a_refer_subscription(phone, sipp):
    """Without a subscription (RFC 4488) the 202 is the only result."""
    peer = sipp(
        answering().recv("REFER").reply(202, headers=[("Refer-Sub", "false")]).recv("BYE").reply(200)
    )
    transfer = phone.endpoint.call(peer.uri, OFFER).transfer(TARGET, timeout=15.0)
    assert (transfer.status, transfer.state) == (202, "ended")
    peer.wait()


def test_the_subscription_ends_without_a_result(phone, sipp):
    scenario = answering().recv("REFER").reply(202)
    scenario = _notify(scenario, b"100 Trying", "terminated;reason=timeout").expect(200)
    peer = sipp(scenario.recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    with pytest.raises(sipbridge.CallStateError):
        call.transfer(TARGET, timeout=15.0)
    phone.wait("transfer 100 final")
    call.hangup()
    peer.wait()


def test_the_peer_hangs_up_first(phone, sipp):
    scenario = answering().recv("REFER").reply(202).request("BYE").expect(200)
    peer = sipp(scenario)
    with pytest.raises(sipbridge.CallStateError):
        phone.endpoint.call(peer.uri, OFFER).transfer(TARGET, timeout=15.0)
    peer.wait()


def test_a_second_transfer_is_refused_and_a_wait_ends_in_time(phone, sipp):
    scenario = answering().recv("REFER").reply(202)
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
    peer = sipp(_notify(answering(), b"200 OK").expect(481).recv("BYE").reply(200))
    call = phone.endpoint.call(peer.uri, OFFER)
    wait_until(lambda: peer.received("481"))
    call.hangup()
    peer.wait()
    phone.expect("answered 200 sdp", "ended local-bye 200")
