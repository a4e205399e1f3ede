"""Addresses: those that a user gives, refused before anything is sent or as they go out; and where we are reached."""

from __future__ import absolute_import, division, print_function

import random
import sys
import warnings
from threading import Thread

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.scenario import Callee

EVIL = "sip:bob@127.0.0.1:9?Subject=hi%0D%0AX-Evil:%20yes"
FINE = "sip:bob@127.0.0.1:9"

#: For each address that a user gives a call that gives a bad one, and the name that the error has for it.
GIVEN = [
    ("to", lambda endpoint, bad: endpoint.invite(bad)),
    ("to", lambda endpoint, bad: endpoint.invite('"Bob" <%s>' % bad, OFFER)),
    ("to", lambda endpoint, bad: endpoint.call(bad, OFFER)),
    ("to", lambda endpoint, bad: endpoint.message(bad, "x")),
    ("to", lambda endpoint, bad: endpoint.request("FROB", bad)),
    ("to", lambda endpoint, bad: endpoint.options(bad)),
    ("to", lambda endpoint, bad: endpoint.subscribe(bad, "presence")),
    ("to", lambda endpoint, bad: endpoint.publish(bad, "presence", b"x", "text/plain")),
    ("uri", lambda endpoint, bad: endpoint.watch(bad)),
    ("from_", lambda endpoint, bad: endpoint.invite(FINE, from_=bad)),
    ("route", lambda endpoint, bad: endpoint.invite(FINE, route=bad)),
    ("asserted_identity", lambda endpoint, bad: endpoint.invite(FINE, asserted_identity=bad)),
    ("registrar", lambda endpoint, bad: endpoint.register(bad)),
    ("aor", lambda endpoint, bad: endpoint.register(FINE, aor=bad)),
    ("contact", lambda endpoint, bad: endpoint.register(FINE, contact=bad)),
    ("registrar", lambda endpoint, bad: endpoint.bindings(bad)),
    ("registrar", lambda endpoint, bad: endpoint.unregister_all(bad)),
    ("address", lambda endpoint, bad: endpoint.add_account(bad)),
    ("registrar", lambda endpoint, bad: endpoint.add_account(FINE, registrar=bad)),
    ("route", lambda endpoint, bad: endpoint.add_account(FINE, route=bad)),
]


@pytest.mark.parametrize("bad", [EVIL, "sip:bob@127.0.0.1:9?", "sip:bob%0D%0AX-Evil:%20yes@127.0.0.1:9"])
def test_a_bad_uri_is_refused_before_anything_is_sent(phone, by_hand, bad):
    bad = bad.replace("127.0.0.1:9", "127.0.0.1:%d" % by_hand.port)
    for name, give in GIVEN:
        with pytest.raises(sipbridge.InputError) as caught:
            give(phone.endpoint, bad)
        assert str(caught.value).startswith(name + ": ") and bad in str(caught.value)
    phone.endpoint.invite(by_hand.uri, headers=[("X-Last", "yes")])
    assert "X-Last" in by_hand.take(10.0)
    assert phone.endpoint.accounts == ()


@pytest.mark.parametrize("option", ["identity", "outbound_proxy"])
def test_a_bad_address_is_refused_before_an_endpoint_is_opened(make_phone, option):
    with pytest.raises(sipbridge.InputError) as caught:
        make_phone(**{option: EVIL})
    assert str(caught.value).startswith(option + ": a URI has no headers here: ")
    assert "'?Subject=hi%0D%0AX-Evil:%20yes'" in str(caught.value)


def test_a_bad_target_of_a_redirection_or_transfer_is_refused(phone, by_hand):
    """Redirection and transfer; Replaces is the package's to write (RFC 5589, 7.3)."""
    by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    call = phone.wait("incoming sdp").call
    with pytest.raises(sipbridge.InputError) as caught:
        call.redirect(EVIL)
    assert str(caught.value).startswith("contact: a URI has no headers here: ")
    call.answer(ANSWER)
    by_hand.next("200")
    for target in (EVIL, FINE + "?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3"):
        with pytest.raises(sipbridge.InputError) as caught:
            call.transfer(target)
        assert str(caught.value).startswith("to: a URI has no headers here: ")
    call.hangup()


@pytest.mark.parametrize("contact", ["<sip:x%0D%0AX-Evil:%20yes@{0}>", "<sip:x@{0};x=%0A>"])
def test_a_redirection_to_a_control_character_is_not_followed(phone, by_hand, elsewhere, contact):
    call = phone.endpoint.invite(by_hand.uri, OFFER, follow_redirects=1)
    invite = by_hand.next("INVITE")
    contacts = [("Contact", contact.format("127.0.0.1:%d" % elsewhere.port)), ("Contact", "<%s>;q=0.2" % elsewhere.uri)]
    by_hand.reply(invite, 302, contacts)
    followed = elsewhere.next("INVITE")
    assert followed.start_line == "INVITE %s SIP/2.0" % elsewhere.uri and "X-Evil" not in followed
    elsewhere.reply(followed, 486)
    call.wait_ended()


def _sent(method, endpoint, uri, sender):
    """Have a request sent; whoever waits for its answer does so in another thread."""
    actions = {
        "INVITE": lambda: endpoint.invite(uri, OFFER, from_=sender),
        "MESSAGE": lambda: endpoint.message(uri, "x", from_=sender),
        "SUBSCRIBE": lambda: endpoint.subscribe(uri, "presence", from_=sender),
        "REGISTER": lambda: endpoint.register(uri, aor=sender),
    }

    def act():
        try:
            actions[method]()
        except sipbridge.ResponseError:
            pass

    thread = Thread(target=act)
    thread.start()
    return thread


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE", "REGISTER"])
def test_parameters_of_from_belong_to_the_uri(phone, by_hand, method):
    """Without "<>" they would be parameters of From, where one could be a tag (RFC 3261, 20)."""
    sender = "sip:alice;tag=a@sipbridge.test;tag=evil"
    thread = _sent(method, phone.endpoint, "sip:127.0.0.1:%d" % by_hand.port, sender)
    request = by_hand.next(method)
    by_hand.reply(request, 486)
    thread.join(10.0)
    names = ("From", "To") if method == "REGISTER" else ("From",)
    for name in names:
        uri, _, parameters = request[name].partition(">")
        assert uri == "<" + sender
        assert parameters.startswith(";tag=") == (name == "From") and "evil" not in parameters


# -- where we are to be reached ------------------------------------------------------------------------------


def test_an_endpoint_on_every_address_has_a_uri_that_reaches_it(make_endpoint):
    bob = make_endpoint("udp://0.0.0.0:0")
    assert bob.address == "udp://0.0.0.0:%d" % bob.port
    assert "0.0.0.0" not in bob.uri and bob.uri.endswith(":%d" % bob.port)
    alice = make_endpoint("udp://0.0.0.0:0")
    assert alice.options(bob.uri).status == 200


@pytest.mark.ipv6
def test_an_endpoint_on_every_ipv6_address_has_a_uri_that_reaches_it(make_endpoint):
    alice, bob = make_endpoint("udp://[::]:0"), make_endpoint("udp://[::]:0")
    assert "[::]" not in bob.uri and bob.uri.startswith("sip:[")
    assert alice.options(bob.uri).status == 200


def test_the_advertised_address_is_in_the_uri(make_phone):
    phone = make_phone(advertised="198.51.100.7:5062")
    assert phone.endpoint.uri == "sip:198.51.100.7:5062"
    phone.close()
    phone = make_phone(advertised="sip.example.com")
    assert phone.endpoint.uri == "sip:sip.example.com:%d" % phone.endpoint.port


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has all of 127.0.0.0/8 by itself")
def test_an_address_without_a_port_means_5060(make_endpoint):
    host = "127.%d.%d.%d" % tuple(random.randrange(1, 255) for _ in range(3))
    phone = make_endpoint("udp://" + host)
    assert (phone.port, phone.address) == (5060, "udp://%s:5060" % host)


def _registrar():
    return Callee().recv("REGISTER").reply(200, headers=[("Expires", "600")]).recv("REGISTER").reply(200)


@pytest.mark.parametrize("options", [{"advertised": "198.51.100.7:5062"}, {}])
def test_an_account_binds_its_contact(make_phone, sipp, options):
    phone, peer = make_phone(**options), sipp(_registrar())
    account = phone.endpoint.add_account("sip:alice@sipbridge.test", registrar="sip:" + peer.host_port)
    registration = account.register()
    assert registration is account.registration and registration.expires == 600
    registration.unregister()
    peer.wait()
    expected = "<sip:alice@%s>" % options.get("advertised", phone.host_port)
    assert [each["Contact"].partition(">")[0] + ">" for each in peer.received("REGISTER")] == [expected] * 2
    assert account.is_named_by(expected.strip("<>")) and account.is_named_by("sip:alice@%s" % phone.host_port)


def test_an_account_on_every_address_binds_one(make_endpoint, sipp):
    endpoint, peer = make_endpoint("udp://0.0.0.0:0"), sipp(_registrar())
    account = endpoint.add_account("sip:alice@sipbridge.test", registrar="sip:" + peer.host_port)
    with warnings.catch_warnings():
        warnings.simplefilter("error", sipbridge.UnreachableContactWarning)
        account.register().unregister()
    peer.wait()
    for register in peer.received("REGISTER"):
        assert register["Contact"].startswith("<%s>" % endpoint.uri.replace("sip:", "sip:alice@"))


def test_an_account_binds_what_it_is_told_to_over_its_route(phone, sipp):
    peer = sipp(_registrar())
    account = phone.endpoint.add_account(
        "sip:alice@sipbridge.test", registrar="sip:192.0.2.1", route="sip:" + peer.host_port
    )
    account.register(contact="sip:alice@198.51.100.7:5070").unregister()
    peer.wait()
    for register in peer.received("REGISTER"):
        assert register.start_line == "REGISTER sip:192.0.2.1 SIP/2.0"
        assert register["Contact"].startswith("<sip:alice@198.51.100.7:5070>")


def test_an_account_keeps_its_registration(phone, sipp):
    peer = sipp(Callee().recv("REGISTER").reply(503))
    account = phone.endpoint.add_account("sip:alice@sipbridge.test", registrar="sip:" + peer.host_port)
    registration = account.register(keep=True)
    assert registration.state == "waiting" and registration.retry_in > 0
    peer.wait()
    registration.unregister()


def test_an_account_subscribes_and_publishes(phone, by_hand):
    account = phone.endpoint.add_account("sip:carol@sipbridge.test")
    for method, action in (
        ("SUBSCRIBE", lambda: account.subscribe(by_hand.uri, "presence", expires=60)),
        ("PUBLISH", lambda: account.publish(by_hand.uri, "presence", b"x", "text/plain")),
    ):
        raised = []

        def act():
            try:
                action()  # noqa: B023
            except sipbridge.ResponseError as error:
                raised.append(error.status)  # noqa: B023

        thread = Thread(target=act)
        thread.start()
        request = by_hand.next(method)
        by_hand.reply(request, 489)
        thread.join(10.0)
        assert raised == [489] and request["From"].startswith("<sip:carol@sipbridge.test>;tag=")
    for action in (account.subscribe, account.publish):
        with pytest.raises(sipbridge.InputError):
            action(by_hand.uri, "presence", body=b"x", content_type="text/plain", route=by_hand.uri)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_a_contact_that_nobody_reaches_is_warned_of(make_phone, by_hand, sipp, host):
    peer = sipp(_registrar())
    with pytest.warns(sipbridge.UnreachableContactWarning, match="advertised: no peer reaches"):
        phone = make_phone(identity="sip:alice@sipbridge.test", advertised="0.0.0.0:5060")
    with pytest.warns(sipbridge.UnreachableContactWarning, match="contact: no peer reaches"):
        phone.endpoint.register("sip:" + peer.host_port, contact="sip:alice@%s:5060" % host).unregister()
    by_hand.request(phone.endpoint.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    call = phone.wait("incoming sdp").call
    with pytest.warns(sipbridge.UnreachableContactWarning, match="contact: no peer reaches"):
        call.redirect("<sip:carol@%s>" % host)
