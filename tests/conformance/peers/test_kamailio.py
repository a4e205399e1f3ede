# -*- coding: utf-8 -*-
"""Through a registrar and proxy of others: Kamailio, with a table of users and nonces that run out."""

from __future__ import absolute_import, division, print_function

import time

import pytest

import sipbridge
from conformance.conftest import NONCE_SECONDS, USERS
from conformance.sdp import ANSWER, EARLY, HELD, HOLD, OFFER
from peers import abilities
from peers.endpoint_process import RemoteError
from peers.scenario import Caller


@pytest.fixture
def bob(other, kamailio):
    """The other endpoint, registered as bob."""
    other.endpoint("add_credentials", "bob", USERS["bob"])
    other.endpoint("register", kamailio.uri)
    return other


def test_register_and_unregister(alice, kamailio):
    registration = alice.endpoint.register(kamailio.uri, expires=300)
    assert (registration.state, registration.expires) == ("active", 300)
    assert alice.host_port in kamailio.bindings("alice")[0]
    assert len(kamailio.bindings("alice")) == 1
    registration.unregister()
    assert kamailio.bindings("alice") == []
    alice.expect("registration active 200", "registration ended 200")


def test_close_unregisters(alice, kamailio):
    alice.endpoint.register(kamailio.uri)
    assert len(kamailio.bindings("alice")) == 1
    alice.close()
    assert kamailio.bindings("alice") == []


def test_wrong_password(phone, kamailio):
    phone.endpoint.add_credentials("alice", "wrong")
    with pytest.raises(sipbridge.AuthenticationError) as caught:
        phone.endpoint.register(kamailio.uri)
    assert caught.value.status == 401
    assert kamailio.bindings("alice") == []
    phone.expect("registration failed 401")


def test_unknown_user(phone, kamailio):
    phone.endpoint.add_credentials("mallory", "anything")
    with pytest.raises(sipbridge.AuthenticationError):
        phone.endpoint.register(kamailio.uri, aor=kamailio.aor("mallory"))


def test_a_registration_for_another_user_is_refused(alice, kamailio):
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.endpoint.register(kamailio.uri, aor=kamailio.aor("bob"))
    assert (caught.value.status, caught.value.reason) == (403, "Not Your Address")


def test_stale_nonce(alice, kamailio):
    """Kamailio's nonce has run out by the time of the refresh."""
    registration = alice.endpoint.register(kamailio.uri)
    time.sleep(NONCE_SECONDS + 1.2)
    registration.refresh()
    assert len(kamailio.bindings("alice")) == 1
    registration.unregister()
    alice.expect("registration active 200", "registration active 200", "registration ended 200")


def test_a_registration_is_kept_up(alice, kamailio):
    """The binding outlives what it was granted for."""
    registration = alice.endpoint.register(kamailio.uri, expires=4)
    alice.wait("registration active 200", count=2)
    assert len(kamailio.bindings("alice")) == 1
    registration.unregister()
    assert kamailio.bindings("alice") == []


def test_a_call_to_a_registered_user(alice, bob, kamailio):
    """Challenged with 407, found by its address-of-record, and the proxy stays on the route."""
    call = alice.endpoint.invite(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    incoming = bob.wait("incoming sdp")
    assert incoming["sdp"] == OFFER
    bob.call("ring")
    bob.call("ring", 183, EARLY)
    alice.wait("progress 183 sdp")
    bob.call("answer", ANSWER)
    call.wait_answered(10.0)
    assert call.remote_sdp == ANSWER
    bob.wait("confirmed")
    call.send_dtmf("9")
    bob.call("send_dtmf", "8")
    assert call.reinvite(HOLD).body == HELD.replace(b"- 1 1 IN", b"- 1 2 IN")
    bob.wait("confirmed", count=2)
    assert bob.call("remote_sdp") == HOLD
    bob.call("hangup")
    alice.wait("ended remote-bye 200")
    progress = [label for label in alice.labels if label.startswith("progress 1")]
    assert [label for label in progress if label != "progress 100"] == ["progress 180", "progress 183 sdp"]
    assert alice.labels[-3:] == ["answered 200 sdp", "info 8", "ended remote-bye 200"]
    bob.expect(
        "registration active 200",
        "incoming sdp", "confirmed", "info 9", "reinvite sdp", "confirmed", "ended local-bye 200",
    )  # fmt: skip


def test_the_caller_hangs_up(alice, bob, kamailio):
    call = alice.endpoint.invite(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    bob.wait("incoming sdp")
    bob.call("answer", ANSWER)
    call.wait_answered(10.0)
    bob.wait("confirmed")
    call.hangup()
    assert call.wait_ended().cause == "local-bye"
    bob.expect("registration active 200", "incoming sdp", "confirmed", "ended remote-bye 200")
    alice.expect("answered 200 sdp", "ended local-bye 200")


def test_cancelled(alice, bob, kamailio):
    call = alice.endpoint.invite(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    bob.wait("incoming sdp")
    bob.call("ring")
    alice.wait("progress 180")
    call.hangup()
    assert call.wait_ended().cause == "cancelled"
    bob.expect("registration active 200", "incoming sdp", "ended cancelled 487")
    alice.expect("progress 180", "ended cancelled 487")


def test_refused(alice, bob, kamailio):
    call = alice.endpoint.invite(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    bob.wait("incoming sdp")
    bob.call("reject", 486)
    assert call.wait_ended().status == 486
    bob.expect("registration active 200", "incoming sdp", "ended rejected 486")
    alice.expect("ended rejected 486")


def test_the_user_is_not_registered(alice, kamailio):
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.endpoint.call(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    assert (caught.value.status, caught.value.reason) == (404, "Not Registered")
    alice.expect("ended rejected 404")


def test_a_call_with_a_wrong_password(phone, kamailio):
    phone.endpoint.add_credentials("alice", "wrong")
    with pytest.raises(sipbridge.AuthenticationError) as caught:
        phone.endpoint.call(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    assert caught.value.status == 407
    phone.expect("ended rejected 407")


def test_messages_both_ways(alice, bob, kamailio):
    alice.endpoint.register(kamailio.uri)
    text = u"Größe: 5 €\r\n"
    proxy = kamailio.uri + ";lr"
    assert alice.endpoint.message(kamailio.aor("bob"), text, route=proxy).status == 200
    assert bob.wait("request MESSAGE")["text"] == text
    assert bob.endpoint("message", kamailio.aor("alice"), text, route=proxy)["status"] == 200
    assert alice.wait("request MESSAGE").text == text


def test_a_call_from_sipp_through_the_proxy(alice, kamailio, sipp):
    """Two Via, Record-Route, a Request-URI that is our Contact."""
    alice.endpoint.register(kamailio.uri)
    peer = sipp(
        Caller(kamailio.aor("alice"), from_="sip:guest@elsewhere.test")
        .initial("INVITE", OFFER).expect(180).expect(200).ack()
        .request("INVITE", HOLD).expect(200).ack()
        .recv("BYE").reply(200),
        kamailio.host_port,
    )  # fmt: skip
    call = alice.wait("incoming sdp").call
    assert len(call.headers.get_all("Via")) == 2
    assert call.remote_uri == "sip:guest@elsewhere.test"
    alice.reactions[sipbridge.CallReinvited] = lambda event: event.answer(HELD)
    call.ring()
    call.answer(ANSWER)
    alice.wait("confirmed", count=2)
    call.hangup()
    call.wait_ended()
    peer.wait()
    alice.expect(
        "registration active 200",
        "incoming sdp", "confirmed", "reinvite sdp", "confirmed", "ended local-bye 200",
    )  # fmt: skip
    assert [each.body for each in peer.received("200") if each.method == "INVITE"] == [ANSWER, HELD]


def test_two_accounts_on_one_endpoint(phone, other, kamailio):
    """Each registers and answers challenges as itself, and is told apart on the way in (RFC 3261, 10)."""
    endpoint = phone.endpoint
    accounts = [
        endpoint.add_account(kamailio.aor(user), password=USERS[user], realm=kamailio.domain, registrar=kamailio.uri)
        for user in ("alice", "bob")
    ]
    for account in accounts:
        account.register()
        assert account.contact in kamailio.bindings(account.uri.partition(":")[2].partition("@")[0])[0]
    other.endpoint("add_credentials", "bob", USERS["bob"])
    for account in accounts:
        phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(486)
        ended = other.start("endpoint", "call", account.uri, OFFER, from_=kamailio.aor("bob"), route=kamailio.uri)
        with pytest.raises(RemoteError) as refused:
            ended.result()
        assert "486" in str(refused.value)
    calls = [event for event in phone.events if isinstance(event, sipbridge.IncomingCall)]
    assert [endpoint.account_of(event) for event in calls] == accounts
    assert [endpoint.account_of(event.call) for event in calls] == accounts


def test_what_is_bound_is_listed_and_removed(alice, kamailio):
    """REGISTER without Contact, and with Contact: * (RFC 3261, 10.2.3 and 10.2.2)."""
    endpoint = alice.endpoint
    if endpoint.engine_name == "exosip":
        with pytest.raises(sipbridge.NotSupportedError):
            endpoint.bindings(kamailio.uri)
        pytest.skip("libeXosip2 tells of no REGISTER but those of its own registrations")
    assert endpoint.bindings(kamailio.uri) == []
    endpoint.register(kamailio.uri, contact="sip:alice@127.0.0.1:9", expires=200)
    endpoint.register(kamailio.uri, expires=300)
    contacts = endpoint.bindings(kamailio.uri)
    assert len(contacts) == 2 and any(alice.host_port in contact for contact in contacts)
    endpoint.unregister_all(kamailio.uri)
    assert endpoint.bindings(kamailio.uri) == []
    assert kamailio.bindings("alice") == []


def test_digest_by_sha256(phone, kamailio_sha256):
    """RFC 8760: REGISTER, a refresh, and 407 to an INVITE. libeXosip2 knows MD5 alone, and says so."""
    kamailio = kamailio_sha256
    phone.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    if phone.endpoint.engine_name == "exosip":
        with pytest.raises(sipbridge.AuthenticationError):
            phone.endpoint.register(kamailio.uri, aor=kamailio.aor("alice"))
        pytest.skip(abilities.NO_SHA_256)
    registration = phone.endpoint.register(kamailio.uri, aor=kamailio.aor("alice"))
    registration.refresh()
    assert len(kamailio.bindings("alice")) == 1
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    assert caught.value.status == 404
    registration.unregister()
    assert kamailio.bindings("alice") == []


def _registered_baresip(make_baresip, kamailio, user):
    parameters = ';auth_pass=%s;outbound="%s";regint=60' % (USERS[user], kamailio.uri)
    return make_baresip(parameters, aor=kamailio.aor(user))


def test_several_phones_of_one_user(alice, make_baresip, kamailio):
    """Kamailio forks; each phone rings in a dialog of its own, and the other is cancelled (RFC 3261, 16.7)."""
    phones = [_registered_baresip(make_baresip, kamailio, "bob") for _ in range(2)]
    phones[0].wait_until(lambda: len(kamailio.bindings("bob")) == 2)
    call = alice.endpoint.invite(kamailio.aor("bob"), OFFER, route=kamailio.uri + ";lr")
    rung = [alice.wait("progress 180", count) for count in (1, 2)]
    assert rung[0].headers["To"] != rung[1].headers["To"]
    for each in phones:
        each.wait("CALL_INCOMING")
    phones[1].command("accept")
    call.wait_answered(10.0)
    phones[0].wait("CALL_CLOSED")
    call.send_dtmf("5")
    assert phones[1].wait("CALL_DTMF_START")["param"] == "5"
    call.hold()
    phones[1].command("hangup")
    assert call.wait_ended().cause == "remote-bye"
    for each in phones:
        each.stop()
    phones[0].wait_until(lambda: kamailio.bindings("bob") == [])


def test_through_an_outbound_proxy(make_phone, make_baresip, kamailio):
    """All of a call goes there: its Request-URI is resolved by the proxy alone."""
    peer = _registered_baresip(make_baresip, kamailio, "bob")
    kamailio.wait_for_binding("bob")
    alice = make_phone(identity=kamailio.aor("alice"), outbound_proxy=kamailio.uri + ";lr")
    alice.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    call = alice.endpoint.invite(kamailio.aor("bob"), OFFER)
    peer.wait("CALL_INCOMING")
    peer.command("accept")
    call.wait_answered(10.0)
    assert alice.endpoint.message(kamailio.aor("bob"), u"hello").status == 200
    peer.wait_for_output("hello")
    call.hangup()
    call.wait_ended()


def test_an_address_of_ours_behind_a_nat(make_phone, make_baresip, kamailio):
    """We say an address where we cannot be reached; Kamailio keeps where it came from (RFC 3581)."""
    alice = make_phone(identity=kamailio.aor("alice"), advertised="10.1.2.3:5060")
    alice.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    alice.endpoint.register(kamailio.uri)
    assert "10.1.2.3" in kamailio.bindings("alice")[0]
    peer = _registered_baresip(make_baresip, kamailio, "bob")
    kamailio.wait_for_binding("bob")
    peer.command("dial", kamailio.aor("alice"))
    call = alice.wait("incoming sdp").call
    call.reject(486)
    peer.wait("CALL_CLOSED")


@pytest.mark.tcp
def test_a_call_that_changes_from_udp_to_tcp(make_phone, make_baresip, kamailio):
    """baresip calls over UDP, and Kamailio us over TCP, staying on the route between the two."""
    alice = make_phone(address="tcp://127.0.0.1:0", identity=kamailio.aor("alice"))
    alice.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    alice.endpoint.register(kamailio.uri + ";transport=tcp")
    peer = _registered_baresip(make_baresip, kamailio, "bob")
    kamailio.wait_for_binding("bob")
    peer.command("dial", kamailio.aor("alice"))
    call = alice.wait("incoming sdp").call
    call.answer(ANSWER)
    alice.wait("confirmed")
    assert [each.split()[0] for each in call.headers.get_all("Via")] == ["SIP/2.0/TCP", "SIP/2.0/UDP"]
    call.hold()
    peer.command("hangup")
    assert call.wait_ended().cause == "remote-bye"
