"""What is written into messages, where they go, and what is said of a destination that there is not."""

from __future__ import absolute_import, division, print_function

import sys

import pytest

from peers import addresses

GOOD = "sip:bob@127.0.0.1:9"

#: No engine: what is wrong with an address is said first, and nothing is sent or looked up for one that is fine.
NO_ENGINE = 0


def test_via_and_contact_name_the_bound_address(raw, engine, port, peer):
    assert raw.call(engine, peer.uri) > 0
    invite = peer.next("INVITE")
    assert invite["Via"].startswith("SIP/2.0/UDP 127.0.0.1:%d;" % port)
    assert "@127.0.0.1:%d" % port in invite["Contact"] or ":127.0.0.1:%d" % port in invite["Contact"]
    assert "127.0.0.1:%d" % port in invite["From"]


def test_an_advertised_address(raw, peer):
    engine = raw.open(advertised_host="198.51.100.7", advertised_port=5080)
    assert raw.call(engine, peer.uri) > 0
    assert "198.51.100.7:5080" in peer.next("INVITE")["Contact"]
    raw.lib.sb_close(engine, 0)


def test_a_name_that_is_advertised_on_ipv6(raw):
    """libeXosip2 puts whatever it is into brackets, as an IPv6 address."""
    code = raw.open(host="::1", advertised_host="example.com")
    assert code == raw.lib.SB_ENOTSUP if raw.name == "exosip" else code > 0
    if code > 0:
        raw.lib.sb_close(code, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has all of 127.0.0.0/8 by itself")
def test_an_engine_opened_again_names_its_new_address(raw, peer):
    """The address is bound and named anew: libeXosip2 remembers the one of the time before, and guesses what to name
    by the route, which leads to the first address of an interface."""
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        engine = raw.open(host=host)
        assert engine > 0, raw.error_text(engine)
        assert raw.call(engine, peer.uri) > 0
        invite, contact = peer.next("INVITE"), "%s:%d" % (host, raw.lib.sb_port(engine))
        assert contact in invite["Contact"] and contact in invite["From"]
        assert peer.source == (host, raw.lib.sb_port(engine))
        assert raw.lib.sb_close(engine, 0) == 0


def test_no_101_is_sent_before_the_user_answers(raw, engine, port, peer):
    """No 101, which libeXosip2 would send by itself."""
    peer.request(port, "INVITE")
    event = raw.wait(engine)
    assert raw.lib.sb_call_ring(engine, event.call, 183, raw.ffi.NULL) == 0
    peer.next("183")
    assert [message.status for message in peer.waiting] in ([], [100])


def test_a_101_of_the_users_is_sent_or_refused(raw, engine, port, peer):
    peer.request(port, "INVITE")
    event = raw.wait(engine)
    if raw.lib.sb_call_ring(engine, event.call, 101, raw.ffi.NULL) == 0:
        peer.next("101")
    assert raw.lib.sb_call_ring(engine, event.call, 180, raw.ffi.NULL) == 0
    peer.next("180")


def test_options_are_answered_without_the_user(raw, engine, port, peer):
    peer.request(port, "OPTIONS")
    assert "INVITE" in peer.next("200")["Allow"]
    assert raw.wait(engine, 0) == 0



@pytest.mark.parametrize("uri", addresses.GOOD_URIS)
def test_uris_that_a_user_may_give(raw, uri):
    expected = (raw.lib.SB_ECLOSED,) * 5
    given = raw.call(NO_ENGINE, GOOD, route=uri), raw.call(NO_ENGINE, uri), raw.register(NO_ENGINE, uri, GOOD)
    assert given + (raw.register(NO_ENGINE, GOOD, uri), raw.register(NO_ENGINE, GOOD, GOOD, contact=uri)) == expected


@pytest.mark.parametrize("address", addresses.GOOD_ADDRESSES)
def test_addresses_that_a_user_may_give(raw, address):
    closed = raw.lib.SB_ECLOSED
    assert (raw.call(NO_ENGINE, address), raw.call(NO_ENGINE, GOOD, from_=address)) == (closed, closed)
    assert raw.lib.sb_call_redirect(NO_ENGINE, 1, 302, raw.text(address)) == closed


@pytest.mark.parametrize("uri", [text for text in addresses.BAD_URIS if "\0" not in text])
def test_uris_that_are_refused(raw, uri):
    expected = (raw.lib.SB_EINVAL,) * 4
    given = raw.call(NO_ENGINE, GOOD, route=uri), raw.register(NO_ENGINE, uri, GOOD)
    given += (raw.register(NO_ENGINE, GOOD, GOOD, contact=uri), raw.open(outbound_proxy=uri))
    assert given == expected


@pytest.mark.parametrize("address", [text for text in addresses.BAD_ADDRESSES if "\0" not in text])
def test_addresses_that_are_refused(raw, address):
    invalid = raw.lib.SB_EINVAL
    assert (raw.call(NO_ENGINE, address), raw.call(NO_ENGINE, GOOD, from_=address)) == (invalid, invalid)
    assert raw.register(NO_ENGINE, GOOD, address) == invalid
    assert raw.lib.sb_call_redirect(NO_ENGINE, 1, 302, raw.text(address)) == invalid


def test_a_call_to_a_host_that_does_not_exist(raw, engine):
    """At once or as an event, and never silence: libeXosip2 tells it by letting go of the call only."""
    lib = raw.lib
    call = raw.call(engine, "sip:bob@no-such-host.invalid")
    if call > 0:
        event = raw.wait(engine, 45000)
        assert (event.type, event.call) == (lib.SB_EV_CALL_ENDED, call)
        assert (event.cause, event.status) in ((lib.SB_CAUSE_UNREACHABLE, 503), (lib.SB_CAUSE_TIMEOUT, 408))
    else:
        assert call in (lib.SB_ENET, lib.SB_ELIBRARY)


@pytest.mark.parametrize("uri", ["sips:bob@127.0.0.1", "tel:+15551234", "sip:127.0.0.1:1"])
def test_uris_of_other_schemes(raw, engine, uri):
    """Sent, or refused with a reason; not taken for something else."""
    code = raw.call(engine, uri)
    assert code > 0 or code in (raw.lib.SB_ENOTSUP, raw.lib.SB_ENET, raw.lib.SB_EINVAL)


def test_uris_too_long_for_libexosip2(raw, engine, port, peer):
    """It writes a start line into 4,000 octets without a look: what does not fit is refused or sent whole."""
    lib, null = raw.lib, raw.ffi.NULL
    long = peer.uri + ";x=" + "y" * 3900
    for code in (raw.call(engine, long), raw.request(engine, "MESSAGE", long)):
        assert code > 0 or code == lib.SB_ETOOBIG
    peer.request(port, "INVITE")
    call = raw.wait(engine).call
    code = lib.sb_call_reject(engine, call, 486, raw.text("x" * 4000), null)
    assert code == lib.SB_ETOOBIG or len(peer.next("486").start_line) > 4000
    if code != 0:
        assert lib.sb_call_reject(engine, call, 486, raw.text("x" * 1000), null) == 0
        assert peer.next("486").start_line == "SIP/2.0 486 " + "x" * 1000


def test_a_contact_too_long_for_libexosip2(raw, engine, port, peer):
    """A peer that is reached under 3,000 octets is refused, or taken and answered; the engine lives on."""
    invite = [("Contact", "<sip:peer@127.0.0.1:%d;x=%s>" % (peer.port, "y" * 3000))]
    peer.request(port, "INVITE", invite)
    event = raw.wait(engine, 2000)
    if event == 0:
        assert peer.next("400", "414")
    else:
        assert raw.lib.sb_call_hangup(engine, event.call, raw.ffi.NULL) == 0
        assert peer.next("603")
    peer.request(port, "OPTIONS")
    assert peer.next("200")["CSeq"] == "1 OPTIONS"
