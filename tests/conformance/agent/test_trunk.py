"""Several proxies in the place of one: the next one when one is silent or says 503, back when it answers OPTIONS."""

from __future__ import absolute_import, division, print_function

import time

import pytest

import sipbridge
from conformance.sdp import OFFER
from peers.proxy import Proxy
from peers.waiting import wait_until

BOB = "sip:bob@sipbridge.test"


@pytest.fixture
def make_proxy():
    made = []

    def make(status=200):
        made.append(Proxy(status))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def proxies(make_proxy):
    return make_proxy(), make_proxy()


def trunk_to(make_phone, proxies):
    phone = make_phone(identity="sip:alice@sipbridge.test", outbound_proxy=[each.uri for each in proxies])
    assert wait_until(lambda: all(each.asked for each in proxies))
    return phone


def called(phone, **options):
    call = phone.endpoint.call(BOB, OFFER, timeout=20.0, **options)
    call.hangup()
    call.wait_ended()
    return call


def test_the_first_that_is_there(make_phone, proxies):
    phone = trunk_to(make_phone, proxies)
    called(phone)
    phone.endpoint.message(BOB, "hi")
    phone.endpoint.register("sip:sipbridge.test").unregister()
    assert [each.count("INVITE") for each in proxies] == [1, 0]
    assert [each.count("MESSAGE") for each in proxies] == [1, 0]
    assert proxies[1].requests == []


def test_a_call_goes_by_the_next_one_on_503(make_phone, proxies):
    """It stays the same call, with the same Call-ID; and so do later ones, until the first is back."""
    phone = trunk_to(make_phone, proxies)
    proxies[0].status = 503
    call = called(phone)
    assert call.ended.cause == "local-bye"
    assert [each.count("INVITE") for each in proxies] == [1, 1]
    ids = set(each["Call-ID"] for proxy in proxies for each in proxy.requests if each.name == "INVITE")
    assert ids == set([call.call_id])
    called(phone)
    assert [each.count("INVITE") for each in proxies] == [1, 2]
    asked = proxies[0].asked
    proxies[0].status = 200
    assert wait_until(lambda: proxies[0].asked > asked, 20.0)

    def is_back():
        called(phone)
        return proxies[0].count("INVITE") > 1

    assert wait_until(is_back)


def test_a_proxy_that_cannot_be_reached(make_phone, make_proxy):
    """There is no way to it from 127.0.0.1."""
    proxy = make_proxy()
    phone = make_phone(identity="sip:alice@sipbridge.test", outbound_proxy=["sip:192.0.2.1;lr", proxy.uri])
    called(phone)
    phone.endpoint.message(BOB, "hi", timeout=20.0)
    assert (proxy.count("INVITE"), proxy.count("MESSAGE")) == (1, 1)


@pytest.mark.parametrize("act", ["message", "register", "subscribe", "publish", "account"])
def test_other_requests_go_by_the_next_one_on_503(make_phone, proxies, act):
    phone = trunk_to(make_phone, proxies)
    endpoint = phone.endpoint
    proxies[0].status = 503
    acts = {
        "message": lambda: endpoint.message(BOB, "hi"),
        "register": lambda: endpoint.register("sip:sipbridge.test"),
        "subscribe": lambda: endpoint.subscribe(BOB, "presence"),
        "publish": lambda: endpoint.publish(BOB, "presence", b"on", "text/plain"),
        "account": lambda: endpoint.add_account("sip:eve@sipbridge.test").message(BOB, "hi"),
    }
    acts[act]()
    assert [len(each.requests) for each in proxies] == [1, 1]


def test_a_registration_that_is_kept_goes_on_by_the_next_one(make_phone, proxies):
    phone = trunk_to(make_phone, proxies)
    registration = phone.endpoint.register("sip:sipbridge.test", keep=True)
    proxies[0].status = 503
    registration.refresh(60)
    assert wait_until(lambda: registration.state == "active" and proxies[1].count("REGISTER") == 1)


def test_a_refusal_is_one(make_phone, proxies):
    """Any other answer is the callee's."""
    phone = trunk_to(make_phone, proxies)
    proxies[0].status = 486
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(BOB, OFFER, timeout=20.0)
    assert caught.value.status == 486
    with pytest.raises(sipbridge.ResponseError):
        phone.endpoint.message(BOB, "hi")
    assert proxies[1].requests == []


def test_all_say_503(make_phone, proxies):
    phone = trunk_to(make_phone, proxies)
    for each in proxies:
        each.status = 503
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.call(BOB, OFFER, timeout=20.0)
    assert caught.value.status == 503 and caught.value.call.ended.status == 503
    with pytest.raises(sipbridge.ResponseError) as caught:
        phone.endpoint.message(BOB, "hi")
    assert caught.value.status == 503
    assert [each.count("INVITE") for each in proxies] == [1, 1]


@pytest.mark.slow("a proxy counts as silent after 4 s")
@pytest.mark.parametrize("act", ["call", "message"])
def test_the_next_one_when_one_has_fallen_silent(make_phone, proxies, act):
    """One that has answered OPTIONS before, and no longer does: long before SIP's own 32 s."""
    phone = trunk_to(make_phone, proxies)
    proxies[0].status = None
    begun = time.time()
    if act == "call":
        called(phone)
    else:
        phone.endpoint.message(BOB, "hi", timeout=20.0)
    assert time.time() - begun < 20.0
    assert len(proxies[0].requests) >= 1 and len(proxies[1].requests) >= 1
    begun = time.time()
    called(phone)
    assert time.time() - begun < 4.0 and proxies[0].count("INVITE") <= 1


def test_an_account_of_several_proxies(make_phone, proxies):
    phone = make_phone(identity="sip:alice@sipbridge.test")
    account = phone.endpoint.add_account("sip:carol@sipbridge.test", route=[each.uri for each in proxies])
    assert wait_until(lambda: all(each.asked for each in proxies))
    assert account.route == proxies[0].uri
    proxies[0].status = 503
    account.message(BOB, "hi")
    call = account.call(BOB, OFFER, timeout=20.0)
    call.hangup()
    call.wait_ended()
    assert [each.count("MESSAGE") for each in proxies] == [1, 1]
    assert [each.count("INVITE") for each in proxies] == [0, 1]
    assert account.route == proxies[1].uri
    phone.endpoint.remove_account(account)
    assert phone.endpoint.accounts == () and call.ended is not None
    with pytest.raises(sipbridge.InputError, match="is no account of this endpoint"):
        phone.endpoint.remove_account(account)
