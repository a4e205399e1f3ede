"""Who may call (docs/access.md), on the network: digest clients of others, true sources, hostile peers."""

from __future__ import absolute_import, division, print_function

import os
import socket
import sys
from contextlib import closing

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.sdp import ANSWER, OFFER
from peers import abilities, credentials
from peers.lost import engine_to_lose, kill
from peers.ports import HOST
from peers.scenario import Caller
from peers.waiting import wait_until
from sipbridge import access

#: What libeXosip2 cannot know of a message without the shield.
needs_sources = pytest.mark.skipif(
    not abilities.knows_sources(), reason="libeXosip2 does not tell where a message came from, and there is no shield"
)

USERS = {u"alice": u"wonder-land", u"bob": u"builder"}


def asking(**options):
    return access.Authenticator(u"sipbridge.test", lambda user, realm: USERS.get(user), **options)


@pytest.fixture
def asks(make_phone):
    """The endpoint under test, which asks for passwords. It answers each call."""
    phone = make_phone(identity="sip:us@sipbridge.test", authenticator=asking())
    phone.take_calls(ANSWER)
    return phone


def us(phone):
    return "sip:us@" + phone.host_port


# -- digest clients -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("proxy, status", [(False, 401), (True, 407)])
def test_a_call_of_sipps(make_phone, sipp, proxy, status):
    phone = make_phone(authenticator=asking(proxy=proxy))
    phone.take_calls(ANSWER)
    caller = Caller().initial("INVITE", OFFER).expect(status, auth=True).ack_refusal()
    caller.initial("INVITE", OFFER, credentials=("bob", USERS["bob"])).expect(200).ack()
    caller.request("BYE").expect(200)
    sipp(caller, phone.host_port).wait()
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")  # the first INVITE was no call
    assert [event.call.user for event in phone.events] == ["bob"] * 3 and phone.events[0].user == "bob"
    assert phone.endpoint.refusals == {"unauthenticated": 1}


def test_a_wrong_password_of_sipps(make_phone, sipp):
    phone = make_phone(authenticator=asking())
    caller = Caller().initial("INVITE", OFFER).expect(401, auth=True).ack_refusal()
    caller.initial("INVITE", OFFER, credentials=("bob", "guess")).expect(401, auth=True).ack_refusal()
    caller.initial("INVITE", OFFER, credentials=("mallory", "builder")).expect(401).ack_refusal()
    sipp(caller, phone.host_port).wait()
    assert phone.events == []
    assert phone.endpoint.refusals == {"unauthenticated": 1, "wrong-credentials": 2}


def test_a_call_of_baresips(make_phone, make_baresip):
    """Version 1.0 gives up when a challenge by SHA-256 is there as well."""
    phone = make_phone(authenticator=asking())
    phone.take_calls(ANSWER)
    bob = make_baresip(";auth_user=bob;auth_pass=%s" % USERS["bob"])
    bob.command("dial", us(phone))
    bob.wait("CALL_ESTABLISHED")
    phone.wait("confirmed")
    bob.command("hangup")
    assert phone.wait("ended remote-bye 200").call.user == "bob"


@pytest.mark.parametrize("method", ["call", "message", "subscribe"])
def test_an_endpoint_of_ours(asks, other, method):
    """Its engine answers the challenge."""
    other.endpoint("add_credentials", "alice", USERS["alice"])
    if method == "subscribe":
        asks.reactions[sipbridge.SubscriptionRequested] = lambda event: event.accept()
    body = (OFFER,) if method == "call" else ("hi",) if method == "message" else ("presence",)
    other.endpoint(method, us(asks), *body)
    label = {"call": "incoming sdp", "message": "request MESSAGE", "subscribe": "subscribe presence"}[method]
    assert asks.wait(label).user == "alice"
    assert asks.endpoint.refusals == {"unauthenticated": 1}


@pytest.mark.skipif(os.environ.get("SIPBRIDGE_ENGINE") == "exosip", reason=abilities.NO_SHA_256)
def test_sha_256(make_phone, other):
    phone = make_phone(authenticator=asking(algorithms=["SHA-256", "MD5"]))
    other.endpoint("add_credentials", "bob", USERS["bob"])
    other.endpoint("message", us(phone), "hi")
    asked = phone.wait("request MESSAGE")
    assert asked.user == "bob" and "algorithm=SHA-256" in asked.headers.get("Authorization")


@pytest.mark.parametrize("method", ["message", "subscribe"])
def test_an_endpoint_of_ours_without_the_password(asks, other, method):
    other.endpoint("add_credentials", "alice", "guess")
    pending = other.start("endpoint", method, us(asks), "presence")
    with pytest.raises(Exception) as caught:
        pending.result()
    assert caught.value.kind == "AuthenticationError"
    assert asks.events == []


def test_another_engine_takes_its_nonce(make_phone, by_hand, asks):
    """As after a restart, or where several share the calls."""
    if asks.endpoint.engine_name == "exosip" and not os.environ.get("SIPBRIDGE_TEST_PLACE"):
        asks.close()  # libeXosip2 has one endpoint in a process
    made = [access.Authenticator("r", USERS.get, secret=b"the same for both") for _ in range(2)]
    for each in made:
        each.lookup = lambda user, realm: USERS.get(user)
    one = make_phone(authenticator=made[0])
    asked = challenged(by_hand, one)
    if one.endpoint.engine_name == "exosip":
        one.close()
    other = make_phone(authenticator=made[1])
    assert message(by_hand, other, asked).status == 200


# -- by hand ----------------------------------------------------------------------------------------------------------


def challenged(peer, phone):
    """The challenges to a MESSAGE without credentials."""
    peer.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"hi")
    return peer.next("401").get_all("WWW-Authenticate")


def message(peer, phone, asked, count=1, **changes):
    """The response to a MESSAGE with credentials."""
    target = "sip:engine@%s:%d" % (HOST, phone.endpoint.port)
    value = credentials.answer(
        credentials.choose(asked), u"alice", USERS[u"alice"], u"MESSAGE", target, count, **changes
    )
    return sent(peer, phone, [("Authorization", value)])


def sent(peer, phone, headers):
    peer.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")] + headers, b"hi")
    return peer.next("200", "400", "401", "403", "503")


def test_replays_and_nonces_of_others(asks, by_hand, elsewhere):
    asked = challenged(by_hand, asks)
    assert len(asked) == 1
    assert message(by_hand, asks, asked).status == 200
    again = message(by_hand, asks, asked)
    assert again.status == 401 and "stale=true" in again.get_all("WWW-Authenticate")[0]
    assert message(by_hand, asks, asked, 2).status == 200
    wrong = message(by_hand, asks, asked, 3, nc=u"00000004")  # it is not what the response was computed with
    assert wrong.status == 401 and "stale" not in wrong.get_all("WWW-Authenticate")[0]
    asked[0] = asked[0].replace(credentials.parameters(asked[0])["nonce"], "A" * 44)
    forged = message(by_hand, asks, asked, 5)
    assert forged.status == 401 and "stale=true" in forged.get_all("WWW-Authenticate")[0]
    assert asks.endpoint.refusals == {
        "unauthenticated": 1, "replayed-nonce": 1, "wrong-credentials": 1, "stale-nonce": 1
    }
    assert asks.labels == ["request MESSAGE"] * 2


@pytest.mark.parametrize("value", [
    u"Digest", u"Digest ", u'Digest realm="sipbridge.test"', u'Digest realm="sipbridge.test", nonce', u"Basic YTpi",
    u"", u'Digest realm="sipbridge.test", nonce="\u00e4\u20ac"', u'Digest username="a', u"x" * 3000,
    u"Digest " + u"a=b," * 700,
    u'Digest realm="sipbridge.test",' + u'username="%s"' % (u"\\" * 1500), u'Digest a="' + u'\\"' * 1000,
])  # fmt: skip
def test_malformed_credentials(asks, by_hand, value):
    """Each has an answer (the shield's 400 among them), and those after it as well."""
    response = sent(by_hand, asks, [("Authorization", value)])
    assert response.status in (400, 401)
    assert message(by_hand, asks, challenged(by_hand, asks)).status == 200
    assert asks.labels == ["request MESSAGE"]


def test_many_headers_with_credentials(asks, by_hand):
    asked = challenged(by_hand, asks)
    target = "sip:engine@%s:%d" % (HOST, asks.endpoint.port)
    own = credentials.answer(credentials.choose(asked), u"alice", USERS[u"alice"], u"MESSAGE", target)
    other = own.replace("sipbridge.test", "elsewhere.test")
    assert sent(by_hand, asks, [("Authorization", other)] * 3 + [("Authorization", own)]).status == 200
    assert sent(by_hand, asks, [("Authorization", other[:180])] * 12).status == 400


def test_an_invite_whose_cancel_comes_before_the_lookup_is_done(make_phone, by_hand):
    gate = []
    wait = lambda user, realm: wait_until(lambda: gate) and USERS.get(user)  # noqa: E731
    phone = make_phone(authenticator=access.Authenticator("sipbridge.test", wait))
    asked = challenged(by_hand, phone)
    target = "sip:engine@%s:%d" % (HOST, phone.endpoint.port)
    value = credentials.answer(credentials.choose(asked), u"alice", USERS[u"alice"], u"INVITE", target)
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP + [("Authorization", value)], OFFER)
    wait_until(lambda: phone.endpoint._agent.admission._held)
    by_hand.cancel(phone.endpoint.port, invite)
    by_hand.next("200")
    by_hand.acknowledge(phone.endpoint.port, invite, by_hand.next("487"))
    wait_until(lambda: not phone.endpoint._agent.admission._held)
    gate.append(True)
    assert message(by_hand, phone, challenged(by_hand, phone)).status == 200
    assert phone.labels == ["request MESSAGE"]


# -- sources ----------------------------------------------------------------------------------------------------------


@needs_sources
def test_networks(make_phone, by_hand):
    phone = make_phone(allow=["192.0.2.0/24"], trusted_proxies=["192.0.2.1"], source_header="X-Source")
    port = phone.endpoint.port
    forged = [("X-Source", "192.0.2.7"), ("P-Asserted-Identity", "<sip:boss@sipbridge.test>")]
    by_hand.request(port, "INVITE", SDP + forged, OFFER)
    by_hand.next("403")
    assert sent(by_hand, phone, forged).status == 403
    by_hand.request(port, "SUBSCRIBE", [("Event", "presence")])
    by_hand.next("403")
    by_hand.request(port, "OPTIONS")
    by_hand.next("403")
    assert phone.events == [] and phone.endpoint.refusals == {"not-allowed": 4}


@needs_sources
def test_who_is_allowed(make_phone, by_hand):
    phone = make_phone(allow=["127.0.0.0/8", "::1"])
    assert sent(by_hand, phone, []).status == 200
    by_hand.request(phone.endpoint.port, "OPTIONS")
    assert "INVITE" in by_hand.next("200")["Allow"]
    phone.expect("request MESSAGE")


@needs_sources
def test_a_false_source_gets_no_nonce_elsewhere(make_phone, by_hand, monkeypatch):
    """Who forges another's address and has the answer sent to himself could have that one banned, and place calls."""
    phone = make_phone(authenticator=asking(), bans=access.BanList())
    monkeypatch.setattr(by_hand, "_via", lambda number: u"SIP/2.0/UDP 127.0.0.2:%d;branch=z9hG4bK%d; MADDR=%s" % (
        by_hand.port, number, HOST
    ))  # fmt: skip
    victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(victim):
        victim.bind(("127.0.0.2", 0))
        monkeypatch.setattr(by_hand, "send", lambda port, octets: victim.sendto(octets, (HOST, port)))
        for method in ("MESSAGE", "INVITE", "SUBSCRIBE"):
            by_hand.request(phone.endpoint.port, method, [("Event", "presence")])
    wait_until(lambda: phone.endpoint.refusals == {"misleading-via": 3})


@needs_sources
def test_limits_and_bans(make_phone, by_hand):
    banned = access.BanList(failures=2)
    limits = access.SourceLimits(calls_at_once=1, requests_per_second=100)
    phone = make_phone(authenticator=asking(methods=["MESSAGE"]), bans=banned, limits=limits)
    phone.take_calls(ANSWER)
    port = phone.endpoint.port
    first = by_hand.request(port, "INVITE", SDP, OFFER)
    to = by_hand.next("200")["To"]
    by_hand.within(port, first, to, "ACK", 1)
    second = by_hand.request(port, "INVITE", SDP, OFFER)
    refusal = by_hand.next("503")
    assert refusal["Retry-After"] == "5"
    by_hand.acknowledge(port, second, refusal)
    by_hand.within(port, first, to, "BYE", 2)
    by_hand.next("200")
    phone.wait("ended remote-bye 200")
    for _ in range(2):
        assert message(by_hand, phone, challenged(by_hand, phone), response=u'"%s"' % (u"0" * 32)).status == 401
    assert sent(by_hand, phone, []).status == 403 and banned.has(HOST)
    assert banned.lift(HOST)
    assert message(by_hand, phone, challenged(by_hand, phone)).status == 200


@pytest.mark.skipif(abilities.knows_sources(), reason="the engine knows sources")
def test_an_engine_without_the_shield(make_phone):
    with pytest.raises(sipbridge.NotSupportedError):
        make_phone(allow=["127.0.0.0/8"])
    make_phone(authenticator=asking())  # which needs none


@pytest.mark.skipif(sys.version_info[0] < 3, reason="with one process only")
@needs_sources
def test_an_engine_that_is_replaced(make_phone, by_hand):
    """What the next process takes is asked as well, and takes the nonces from before."""
    engine = engine_to_lose()
    phone = make_phone(engine=engine, authenticator=asking(), allow=["127.0.0.0/8"])
    asked = challenged(by_hand, phone)
    assert message(by_hand, phone, asked).status == 200
    kill(engine)
    phone.wait("restarted")
    assert message(by_hand, phone, asked, 2).status == 200
    by_hand.request(phone.endpoint.port, "OPTIONS")
    assert "INVITE" in by_hand.next("200")["Allow"]
