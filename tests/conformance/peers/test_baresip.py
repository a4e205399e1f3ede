# -*- coding: utf-8 -*-
"""With a phone of others: baresip, in both directions."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing

import pytest

import sipbridge
from peers import abilities
from peers.process import read_text
from sipbridge import negotiation, sdp
from sipbridge.payload import PCMA, PCMU, telephone_event

HOST = "127.0.0.1"


@pytest.fixture
def bob(make_baresip):
    return make_baresip()


def _session(host=HOST, session_id=1):
    """What we offer, or can do."""
    return sdp.build(host, [sdp.medium("audio", 4000, [PCMU, PCMA, telephone_event()])], session_id)


def _called(phone, peer, **options):
    """A call to it that it took."""
    offer = options.pop("offer", _session(peer.host))
    call = phone.endpoint.invite(peer.uri, offer.raw, **options)
    peer.wait("CALL_INCOMING")
    peer.command("accept")
    call.wait_answered(10.0)
    peer.wait("CALL_ESTABLISHED")
    return call


def _call_of(phone, peer):
    """A call of its that we took, with an answer to its offer."""
    peer.command("dial", "sip:alice@" + phone.host_port)
    event = phone.wait("incoming sdp")
    event.call.answer(_answer(event, peer.host).raw)
    phone.wait("confirmed")
    peer.wait("CALL_ESTABLISHED")
    return event.call


def _answer(event, host=HOST):
    return negotiation.answer(sdp.parse(event.sdp), host, _session(host).media)


def _agreed(call):
    """The one stream of a call."""
    (stream,) = negotiation.streams(sdp.parse(call.local_sdp), sdp.parse(call.remote_sdp))
    return stream


# -- calls ---------------------------------------------------------------------------------------------------


def test_we_call_baresip(phone, bob):
    call = _called(phone, bob, headers=[("X-Ticket", "42")], privacy="id", asserted_identity="sip:alice@sipbridge.test")
    stream = _agreed(call)
    assert (stream.codec.name, stream.telephone_event.payload_type) == ("PCMU", 101)
    assert stream.sending and stream.receiving and stream.remote[0] == HOST
    call.hangup()
    assert call.wait_ended().cause == "local-bye"
    assert bob.wait("CALL_CLOSED")["param"] == "Connection reset by peer"
    phone.expect("progress 180", "answered 200 sdp", "ended local-bye 200")


def test_it_calls_us(phone, bob):
    call = _call_of(phone, bob)
    assert call.remote_uri == bob.uri and _agreed(call).codec.name == "PCMU"
    bob.command("hangup")
    assert call.wait_ended().cause == "remote-bye"
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_baresip_offers_in_its_200(phone, bob):
    """It offers in its 200, and our answer is in the ACK (RFC 3264, 4)."""
    call = phone.endpoint.invite(bob.uri)
    bob.wait("CALL_INCOMING")
    bob.command("accept")
    call.wait_answered(10.0)
    answer = negotiation.answer(sdp.parse(call.remote_sdp), HOST, _session().media)
    call.ack(answer.raw)
    assert bob.wait("CALL_REMOTE_SDP")["param"] == "answer"
    call.hangup()
    call.wait_ended()


def test_early_media(phone, make_baresip):
    peer = make_baresip(";answermode=early")
    call = phone.endpoint.invite(peer.uri, _session().raw)
    event = phone.wait("progress 183 sdp")
    assert sdp.parse(event.sdp).audio.codecs[0] == PCMU
    peer.command("accept")
    call.wait_answered(10.0)
    call.hangup()
    call.wait_ended()


def test_it_refuses_our_call(phone, bob):
    call = phone.endpoint.invite(bob.uri, _session().raw)
    bob.wait("CALL_INCOMING")
    bob.command("hangup")
    assert call.wait_ended().status == 486
    phone.expect("progress 180", "ended rejected 486")


def test_a_call_without_a_common_codec_is_refused(phone, bob):
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(bob.uri, _session().raw.replace(b"AVP 0 8 101", b"AVP 18").replace(b"a=rtpmap", b"a=x"))
    assert caught.value.status == 488


def test_we_refuse_its_call(phone, bob):
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(603)
    bob.command("dial", "sip:alice@" + phone.host_port)
    assert bob.wait("CALL_CLOSED")["param"].startswith("603")


def test_we_cancel_our_call(phone, bob):
    call = phone.endpoint.invite(bob.uri, _session().raw)
    phone.wait("progress 180")
    call.hangup()
    assert call.wait_ended().cause == "cancelled"
    bob.wait("CALL_CLOSED")
    phone.expect("progress 180", "ended cancelled 487")


def test_it_cancels_its_call(phone, bob):
    bob.command("dial", "sip:alice@" + phone.host_port)
    call = phone.wait("incoming sdp").call
    call.ring()
    bob.wait("CALL_RINGING")
    bob.command("hangup")
    assert call.wait_ended().cause == "cancelled"


def test_we_redirect_its_call(phone, make_baresip):
    """It follows (RFC 3261, 8.1.3.4)."""
    bob, carol = make_baresip(), make_baresip()
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.redirect(carol.uri)
    bob.command("dial", "sip:alice@" + phone.host_port)
    carol.wait("CALL_INCOMING")
    carol.command("accept")
    bob.wait("CALL_ESTABLISHED")
    phone.expect("incoming sdp", "ended redirected 302")


# -- other transports ----------------------------------------------------------------------------------------


def _phone_on(make_phone, address, **options):
    try:
        return make_phone(address=address, identity="sip:alice@sipbridge.test", **options)
    except sipbridge.NotSupportedError:
        assert address.startswith("tls:")
        pytest.skip(abilities.NO_TLS)


def _both_ways(phone, peer, transport):
    """A call of each, with a re-INVITE and INFO."""
    call = _called(phone, peer)
    call.hold()
    call.resume()
    call.send_dtmf("5")
    call.hangup()
    call.wait_ended()
    call = _call_of(phone, peer)
    assert call.headers["Via"].startswith("SIP/2.0/" + transport.upper())
    peer.command("hangup")
    assert call.wait_ended().cause == "remote-bye"


@pytest.mark.tcp
def test_both_call_over_tcp(make_phone, make_baresip):
    _both_ways(_phone_on(make_phone, "tcp://127.0.0.1:0"), make_baresip(transport="tcp"), "tcp")


@pytest.mark.ipv6
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_both_call_over_ipv6(make_phone, make_baresip, transport):
    phone = _phone_on(make_phone, transport + "://[::1]:0")
    _both_ways(phone, make_baresip(transport=transport, host="::1"), transport)


@pytest.fixture
def secure(make_phone, pem):
    """An endpoint on TLS that asks for certificates on both sides."""
    return _phone_on(
        make_phone, "tls://127.0.0.1:0", tls=sipbridge.Tls(pem.certificate, pem.key, pem.ca, verify="both")
    )


@pytest.fixture
def make_secure_baresip(make_baresip, tmpdir):
    """Starts baresip on TLS with a certificate."""

    def make(certificate, key):
        both = tmpdir.join("both.pem")  # as it wants them
        both.write("".join(read_text(each) for each in (certificate, key)))
        return make_baresip(transport="tls", settings=["sip_certificate %s" % both])

    return make


def test_both_call_over_tls(secure, make_secure_baresip, pem):
    _both_ways(secure, make_secure_baresip(pem.certificate, pem.key), "tls")


def test_a_stranger_over_tls_is_refused(secure, make_secure_baresip, pem):
    """Nobody vouches for its certificate."""
    peer = make_secure_baresip(pem.strange, pem.strange_key)
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        secure.endpoint.call(peer.uri, _session().raw, timeout=10.0)
    assert "self" in caught.value.reason
    secure.expect("ended unreachable 503")


# -- hold ----------------------------------------------------------------------------------------------------


def test_we_hold_and_resume(phone, bob):
    call = _called(phone, bob)
    call.hold()
    assert sdp.parse(call.remote_sdp).audio.direction == "recvonly"
    assert _agreed(call).sending and not _agreed(call).receiving
    call.resume()
    assert _agreed(call).sending and _agreed(call).receiving
    call.hangup()
    call.wait_ended()


@pytest.mark.parametrize("handled", [False, True])
def test_it_holds_and_resumes(phone, bob, handled):
    """Without a handler the endpoint answers as RFC 3264, 6.1, asks: to "sendonly" not with "sendrecv"."""
    if handled:
        phone.reactions[sipbridge.CallReinvited] = lambda event: event.answer(_answer(event).raw)
    call = _call_of(phone, bob)
    bob.command("hold")
    phone.wait("confirmed", 2)
    assert call.held_by_peer and sdp.parse(call.local_sdp).audio.direction == "recvonly"
    bob.command("resume")
    phone.wait("confirmed", 3)
    assert not call.held_by_peer and sdp.parse(call.local_sdp).audio.direction == "sendrecv"
    bob.command("hangup")
    call.wait_ended()


# -- keys ----------------------------------------------------------------------------------------------------


def test_keys_by_info(phone, bob):
    call = _called(phone, bob)
    call.send_dtmf("4#")
    bob.wait("CALL_DTMF_START", 2)
    assert [each["param"] for each in bob.events if each["type"] == "CALL_DTMF_START"] == ["4", "#"]
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.send_dtmf("4", content_type="application/dtmf")  # which it does not know
    assert caught.value.status == 488
    call.hangup()
    call.wait_ended()


def test_keys_in_rtp(phone, bob):
    """It sends them under the number that the SDP model says was agreed on (RFC 4733, 2.3)."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as audio:
        audio.bind((HOST, 0))
        audio.settimeout(10.0)
        events = telephone_event(payload_type=117)
        media = sdp.medium("audio", audio.getsockname()[1], [PCMA, events])
        call = _called(phone, bob, offer=sdp.build(HOST, [media]))
        stream = _agreed(call)
        assert (stream.codec.name, stream.telephone_event.payload_type) == ("PCMA", 117)
        bob.command("sndcode", "7")
        packet = bytearray(audio.recv(2048))
        while packet[1] & 0x7F != 117:
            packet = bytearray(audio.recv(2048))
        assert packet[12] == 7
    call.hangup()
    call.wait_ended()


# -- transfer ------------------------------------------------------------------------------------------------


def test_we_transfer_it(phone, make_baresip):
    """REFER, and what it tells of the new call (RFC 3515)."""
    bob, carol = make_baresip(), make_baresip(";answermode=auto")
    call = _called(phone, bob)
    transfer = call.transfer(carol.uri, timeout=10.0)
    assert (transfer.status, transfer.succeeded) == (200, True)
    carol.wait("CALL_ESTABLISHED")
    assert call.wait_ended().cause in ("local-bye", "remote-bye")
    assert bob.uri in carol.wait("CALL_ESTABLISHED")["peeruri"]


def test_it_cannot_reach_the_target(phone, make_baresip):
    bob, carol = make_baresip(), make_baresip()
    call = _called(phone, bob)
    transfer = call.begin_transfer(carol.uri)
    carol.wait("CALL_INCOMING")
    carol.command("hangup")
    with pytest.raises(sipbridge.ResponseError) as caught:
        transfer.wait_ended(10.0)
    assert caught.value.status == 486 and call.state == "established"
    call.hangup()
    call.wait_ended()


def test_it_transfers_us(phone, make_baresip):
    bob, carol = make_baresip(), make_baresip()
    phone.take_transfers(_session(session_id=2).raw)
    call = _call_of(phone, bob)
    bob.command("transfer", carol.uri)
    carol.wait("CALL_INCOMING")
    carol.command("accept")
    phone.wait("answered 200 sdp")
    call.wait_ended()
    new = phone.wait_placed()
    assert _agreed(new).codec.name == "PCMU"
    new.hangup()
    new.wait_ended()


# -- outside calls -------------------------------------------------------------------------------------------


def test_messages_both_ways(phone, make_baresip):
    peer = make_baresip(contacts=["<sip:alice@%s>" % phone.host_port])
    text = u"Größe: 5 €"
    assert phone.endpoint.message(peer.uri, text).status == 200
    peer.wait_for_output(text)
    peer.command("contact_next")
    peer.command("message", text)
    assert phone.wait("request MESSAGE").text == text


def test_options_both_ways(phone, bob):
    response = phone.endpoint.options(bob.uri)
    assert response.ok and "REFER" in ",".join(response.headers.get_all("Allow"))
    watch = phone.endpoint.watch(bob.uri, interval=1.0)
    phone.wait("available 200")
    watch.stop()
    bob.command("options", "sip:alice@" + phone.host_port)
    bob.wait_for_output("OPTIONS of")


# -- events --------------------------------------------------------------------------------------------------


OPEN = b"<presence><tuple><status><basic>open</basic></status></tuple></presence>"


def test_it_tells_us_of_its_presence(phone, bob):
    subscription = phone.endpoint.subscribe(bob.uri, "presence", accept="application/pidf+xml")
    bob.command("presence_online")
    told = phone.wait("notify active", 2)
    assert b"<basic>open</basic>" in told.body and told.content_type == "application/pidf+xml"
    bob.command("presence_offline")
    assert b"<basic>closed</basic>" in phone.wait("notify active", 3).body
    subscription.refresh(expires=120)
    subscription.unsubscribe()
    assert subscription.state == "ended"


def test_we_tell_it_of_our_presence(phone, make_baresip):
    phone.reactions[sipbridge.SubscriptionRequested] = lambda event: event.accept()
    peer = make_baresip(contacts=["<sip:alice@%s>;presence=p2p" % phone.host_port])
    notifier = phone.wait("subscribe presence").notifier
    notifier.notify(OPEN, "application/pidf+xml")
    peer.wait_until(lambda: "Online" in peer.command("contacts"))
    notifier.notify(OPEN.replace(b"open", b"closed"), "application/pidf+xml")
    peer.wait_until(lambda: "Offline" in peer.command("contacts"))
    notifier.terminate()


def _taking(phone, headers=()):
    """Answer requests outside calls with 200, and take subscriptions."""
    phone.reactions[sipbridge.RequestReceived] = lambda event: event.answer(200, headers=headers)
    phone.reactions[sipbridge.SubscriptionRequested] = lambda event: event.accept()


def test_we_tell_it_of_its_waiting_messages(phone, bob):
    """It subscribes once it is registered; so we let it, though we are no registrar."""
    _taking(phone)
    bob.command("uanew", "<sip:bob@%s>;regint=60;mwi=yes" % phone.host_port)
    notifier = phone.wait("subscribe message-summary").notifier
    notifier.notify(b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n", "application/simple-message-summary")
    assert "Voice-Message: 2/8" in bob.wait("MWI_NOTIFY")["param"]
    bob.command("quit")
    phone.wait("unsubscribed 0")


def test_it_publishes_its_presence_at_our_endpoint(phone, make_baresip):
    """With what its last PUBLISH was named (RFC 3903, 4.1)."""
    _taking(phone, [("SIP-ETag", "one")])
    peer = make_baresip(";pubint=60", aor="sip:bob@" + phone.host_port)
    first = phone.wait("request PUBLISH")
    assert first.headers["Event"] == "presence" and "SIP-If-Match" not in first.headers
    peer.wait_for_output("SIP-ETag: one")
    peer.command("presence_online")
    second = phone.wait("request PUBLISH", 2)
    assert second.headers["SIP-If-Match"] == "one" and b"<basic>open</basic>" in second.body
    peer.command("quit")
    last = phone.wait("request PUBLISH", 3)
    assert (last.headers["Expires"], last.body) == ("0", b"")
