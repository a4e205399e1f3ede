"""Large bodies, over UDP: passed whole, refused before they are sent, refused or dropped; never cut."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.scenario import Callee, Caller
from sipbridge import shield

#: Octets of a datagram that libeXosip2 3.6 reads: it drops what is longer, and the shield answers it 513.
EXOSIP_READS = 4000


def _lines(size):
    line = b"0123456789 0123456789 0123456789 0123456789 0123456789 0123\r\n"
    return (line * (size // len(line) + 1))[-size:]


def _is_read(endpoint, size):
    return endpoint.engine_name != "exosip" or size < EXOSIP_READS - 600  # the headers


@pytest.mark.parametrize("size", [1400, 3000, 20000, 50000])
def test_a_large_body_is_sent_whole(phone, sipp, size):
    body = _lines(size)
    peer = sipp(Callee().recv("MESSAGE").reply(200))
    phone.endpoint.message(peer.uri, body, large=True)
    assert peer.wait().received("MESSAGE")[0].body == body


@pytest.mark.parametrize("size", [1400, 3000, 20000, 50000])
def test_a_large_body_is_received_whole(phone, sipp, size):
    body = _lines(size)
    if _is_read(phone.endpoint, size):
        sipp(Caller().initial("MESSAGE", body, "text/plain").expect(200), phone.host_port).wait()
        assert phone.wait("request MESSAGE").body == body
        return
    scenario = Caller().initial("MESSAGE", body, "text/plain")
    scenario = scenario.expect(513) if shield.loaded() else scenario.pause(300)
    peer = sipp(scenario, phone.host_port)
    peer.wait()
    sipp(Caller().initial("OPTIONS").expect(200), phone.host_port).wait()  # it lives on
    assert phone.labels == []
    assert peer.received_names() == (["513"] if shield.loaded() else [])


def test_large_bodies_within_a_call(phone, sipp):
    """A long SDP, an INFO and a re-INVITE."""
    offer, answer = OFFER + b"a=" + _lines(1500), ANSWER + b"a=" + _lines(1600)
    peer = sipp(
        Callee()
        .recv("INVITE").reply(200, answer).recv("ACK")
        .recv("INFO").reply(200, _lines(1700), content_type="text/plain")
        .request("INVITE", answer).expect(200).ack()
        .recv("BYE").reply(200)
    )  # fmt: skip
    call = phone.endpoint.call(peer.uri, offer)
    assert call.remote_sdp == answer
    assert call.info(_lines(1800), "text/plain").body == _lines(1700)
    assert phone.wait("reinvite sdp").sdp == answer
    phone.wait("confirmed")
    call.hangup()
    peer.wait()
    assert [each.body for each in peer.received("INVITE")] == [offer]
    assert peer.received("INFO")[0].body == _lines(1800)
    assert peer.received("200")[0].body == offer


def test_a_too_long_message_is_refused_before_it_is_sent(phone, silent):
    """Nothing is sent."""
    with pytest.raises(sipbridge.InputError):
        phone.endpoint.message(silent.uri, b"x" * 65000)
    assert silent.received() == []
