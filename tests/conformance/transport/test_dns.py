"""Where requests go by the records of a domain (RFC 3263): a name server on loopback, and SIP peers behind it."""

from __future__ import absolute_import, division, print_function

import os
import resource
import time

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from peers.answering import Answering
from peers.name_server import HOSTILE, NameServer
from peers.ports import free_port
from peers.scenario import Callee

DOMAIN = "sipbridge.test"


@pytest.fixture
def names(tmpdir):
    """A name server that knows the addresses one.sipbridge.test and two.sipbridge.test."""
    server = NameServer(str(tmpdir))
    server.add("one." + DOMAIN, "A", "127.0.0.1")
    server.add("two." + DOMAIN, "A", "127.0.0.1")
    yield server
    server.stop()


@pytest.fixture
def asking(make_phone, names):
    """A phone that asks the name server."""
    return make_phone(identity="sip:alice@" + DOMAIN, resolv_conf=names.configuration)


def _answers_message(phone, peer, uri):
    """Send a MESSAGE there; the peer answers. Returns what the peer got."""
    with Answering(peer) as answering:
        assert phone.endpoint.message(uri, "hello", timeout=30.0).status == 200
    return answering.messages[0]


# -- which server ------------------------------------------------------------------------------------------------


def test_naptr_names_the_services_of_our_transport(asking, names, by_hand, elsewhere):
    """TCP comes first, but is not ours; a record for something else is none for SIP."""
    names.add(
        DOMAIN,
        "NAPTR",
        '10 10 "s" "SIP+D2T" "" over-tcp.%s.' % DOMAIN,
        '10 20 "u" "E2U+sip" "!^.*$!sip:x@example.com!" .',
        '30 10 "s" "SIP+D2U" "" later.%s.' % DOMAIN,
        '20 10 "s" "SIP+D2U" "" over-udp.%s.' % DOMAIN,
    )
    names.add("over-tcp." + DOMAIN, "SRV", "1 1 %d one.%s." % (elsewhere.port, DOMAIN))
    names.add("later." + DOMAIN, "SRV", "1 1 %d one.%s." % (elsewhere.port, DOMAIN))
    names.add("over-udp." + DOMAIN, "SRV", "1 1 %d two.%s." % (by_hand.port, DOMAIN))
    message = _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)
    assert message.start_line == "MESSAGE sip:bob@%s SIP/2.0" % DOMAIN
    assert "Route" not in message
    assert names.asked[0] == (DOMAIN, "NAPTR") and ("over-udp." + DOMAIN, "SRV") in names.asked
    assert names.asked[-1] == ("two." + DOMAIN, "A")


def test_services_without_naptr(asking, names, by_hand):
    names.add_service(DOMAIN, "udp", (10, 5, by_hand.port, "one." + DOMAIN))
    _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)
    assert ("_sip._udp." + DOMAIN, "SRV") in names.asked


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0"])
def test_services_of_other_transports(make_endpoint, names, address):
    """The name that has our transport in it, an address of our family; both ways of a call find back."""
    callee, caller = make_endpoint(address), make_endpoint(address, resolv_conf=names.configuration)
    callee.on(sipbridge.IncomingCall, lambda event: event.call.answer(ANSWER))
    names.add("one." + DOMAIN, "AAAA", "::1")
    names.add_service(DOMAIN, "tcp" if address.startswith("udp") else "udp", (10, 1, free_port(), "two." + DOMAIN))
    names.add_service(DOMAIN, address[:3], (10, 1, callee.port, "one." + DOMAIN))
    call = caller.call("sip:bob@" + DOMAIN, OFFER, timeout=20.0)
    call.send_dtmf("5", timeout=10.0)
    call.hangup()
    assert call.wait_ended(10.0).cause == "local-bye"
    assert ("_sip._%s.%s" % (address[:3], DOMAIN), "SRV") in names.asked
    assert names.asked[-1] == ("one." + DOMAIN, "AAAA" if "[" in address else "A")


def test_the_lower_priority_comes_first(asking, names, by_hand, elsewhere):
    names.add_service(
        DOMAIN, "udp", (20, 9, elsewhere.port, "two." + DOMAIN), (10, 1, by_hand.port, "one." + DOMAIN)
    )
    for _ in range(4):
        _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)
    assert elsewhere.take(0.0) is None


def test_weights_share_the_requests(asking, names, by_hand, elsewhere):
    """RFC 2782: 3 to 1, so that of 40 each gets some but for a chance of one in a hundred thousand."""
    names.add_service(
        DOMAIN, "udp", (10, 3, by_hand.port, "one." + DOMAIN), (10, 1, elsewhere.port, "two." + DOMAIN)
    )
    with Answering(by_hand) as more, Answering(elsewhere) as fewer:
        for _ in range(40):
            asking.endpoint.message("sip:bob@" + DOMAIN, "hello", timeout=30.0)
    assert len(more.messages) + len(fewer.messages) == 40
    assert more.messages and fewer.messages


def test_a_target_without_an_address_is_passed_over(asking, names, by_hand):
    names.add_service(
        DOMAIN, "udp", (10, 1, 5060, "nowhere." + DOMAIN), (20, 1, by_hand.port, "one." + DOMAIN)
    )
    _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)


def test_a_port_in_the_uri_means_an_address(asking, names, by_hand):
    names.add_service(DOMAIN, "udp", (10, 1, 1, "two." + DOMAIN))
    names.add(DOMAIN, "A", "127.0.0.1")
    _answers_message(asking, by_hand, "sip:bob@%s:%d" % (DOMAIN, by_hand.port))
    assert set(kind for _, kind in names.asked) == set(["A"])


def test_an_alias_has_the_address_of_its_name(asking, names, by_hand):
    names.add("alias." + DOMAIN, "CNAME", "one.%s." % DOMAIN)
    _answers_message(asking, by_hand, "sip:bob@alias.%s:%d" % (DOMAIN, by_hand.port))


def test_the_proxy_is_what_is_looked_up(make_phone, names, by_hand):
    names.add_service("proxy." + DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    phone = make_phone(
        identity="sip:alice@" + DOMAIN,
        resolv_conf=names.configuration,
        outbound_proxy="sip:proxy." + DOMAIN,
    )
    message = _answers_message(phone, by_hand, "sip:bob@192.0.2.1")
    assert message.start_line == "MESSAGE sip:bob@192.0.2.1 SIP/2.0"


# -- what follows -------------------------------------------------------------------------------------------------


def test_a_call_by_its_domain(asking, names, sipp):
    """The INVITE goes by DNS, ACK, INFO and BYE to the Contact."""
    peer = sipp(
        Callee()
        .recv("INVITE").reply(180).reply(200, ANSWER, "application/sdp")
        .recv("ACK")
        .recv("INFO").reply(200)
        .recv("BYE").reply(200)
    )  # fmt: skip
    names.add_service(DOMAIN, "udp", (10, 1, int(peer.host_port.split(":")[1]), "one." + DOMAIN))
    call = asking.endpoint.call("sip:bob@" + DOMAIN, OFFER, timeout=20.0)
    call.send_dtmf("5", timeout=10.0)
    call.hangup()
    assert call.wait_ended(10.0).cause == "local-bye"
    log = peer.wait()
    assert log.received("INVITE")[0].start_line == "INVITE sip:bob@%s SIP/2.0" % DOMAIN
    for method in ("ACK", "INFO", "BYE"):
        assert peer.host_port in log.received(method)[0].start_line


def test_a_refusal_is_acknowledged_where_it_came_from(asking, names, by_hand):
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    call = asking.endpoint.invite("sip:bob@" + DOMAIN, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 486)
    assert by_hand.next("ACK").start_line == "ACK sip:bob@%s SIP/2.0" % DOMAIN
    ended = call.wait_ended(10.0)
    assert (ended.cause, ended.status) == ("rejected", 486)


def test_a_cancel_goes_where_it_was_called(asking, names, by_hand):
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    call = asking.endpoint.invite("sip:bob@" + DOMAIN, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    asking.wait("progress 180")
    call.hangup()
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    by_hand.next("ACK")
    assert call.wait_ended(10.0).cause == "cancelled"


def test_a_registration_by_its_domain(asking, names, by_hand):
    """Refreshed and ended at the same server."""
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    with Answering(by_hand) as registrar:
        registration = asking.endpoint.register("sip:" + DOMAIN, expires=600, timeout=20.0)
        registration.refresh(timeout=10.0)
        registration.unregister(timeout=10.0)
    assert [message.start_line for message in registrar.messages] == ["REGISTER sip:%s SIP/2.0" % DOMAIN] * 3


def test_subscribed_and_published_by_the_domain(asking, names, by_hand):
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    with Answering(by_hand, 489) as server:
        for ask in (
            lambda: asking.endpoint.subscribe("sip:bob@" + DOMAIN, "presence"),
            lambda: asking.endpoint.publish("sip:bob@" + DOMAIN, "presence", b"on", "text/plain"),
        ):
            with pytest.raises(sipbridge.ResponseError) as caught:
                ask()
            assert caught.value.status == 489
    assert [message.method for message in server.messages] == ["SUBSCRIBE", "PUBLISH"]


# -- what goes wrong -----------------------------------------------------------------------------------------------


def test_no_such_domain_fails_at_once(asking, names):
    """Said at once, for each kind of request, with the reason."""
    started = time.time()
    nowhere = "sip:bob@nowhere.example"
    for fails in (
        lambda: asking.endpoint.message(nowhere, "hello", timeout=20.0),
        lambda: asking.endpoint.call(nowhere, OFFER, timeout=20.0),
        lambda: asking.endpoint.register("sip:nowhere.example", timeout=20.0),
        lambda: asking.endpoint.options("sip:nowhere.example:5070", timeout=20.0),
    ):
        with pytest.raises(sipbridge.PeerUnreachable) as caught:
            fails()
        assert "No address for the host" in caught.value.reason
    assert time.time() - started < 15.0
    assert asking.endpoint.calls == ()


@pytest.mark.slow("16 s, after which a lookup is given up")
def test_a_name_server_that_never_answers(asking, names, by_hand):
    """Others are served meanwhile; what waited fails, and so does what is given up while it waits."""
    names.silent.add("silent.example")
    call = asking.endpoint.invite("sip:bob@silent.example", OFFER)
    given_up = asking.endpoint.invite("sip:bob@silent.example", OFFER)
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    started = time.time()
    for _ in range(10):
        _answers_message(asking, by_hand, "sip:bob@127.0.0.1:%d" % by_hand.port)
        _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)
    assert call.ended is None
    given_up.hangup()
    assert given_up.wait_ended(5.0).cause == "cancelled"
    ended = call.wait_ended(60.0)
    assert (ended.cause, ended.status) == ("unreachable", 503)
    assert "No address for the host" in ended.reason
    assert time.time() - started < 60.0


def test_silent_name_servers_hold_up_no_other_request(asking, names, by_hand):
    """However many are asked for in vain, an address of another is there at once."""
    names.silent.add("silent.example")
    calls = [asking.endpoint.invite("sip:bob@host%d.silent.example" % i, OFFER) for i in range(24)]
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    started = time.time()
    for _ in range(3):
        _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)
    assert time.time() - started < 3.0
    assert len(set(name for name, _ in names.asked if name.endswith("silent.example"))) >= 24
    for call in calls:
        call.hangup()
    for call in calls:
        assert call.wait_ended(10.0).cause == "cancelled"


def test_requests_for_one_name_share_one_answer(asking, names, by_hand):
    names.silent.add("one." + DOMAIN)
    uri = "sip:bob@one.%s:%d" % (DOMAIN, by_hand.port)
    with Answering(by_hand, 486):
        calls = [asking.endpoint.invite(uri, OFFER) for _ in range(20)]
        deadline = time.time() + 10.0
        while not names.asked and time.time() < deadline:
            time.sleep(0.01)
        names.silent.clear()
        assert [call.wait_ended(20.0).status for call in calls] == [486] * 20
    assert asking.endpoint.engine_name == "sofia" or len(names.asked) < 10  # Sofia-SIP asks for each


def test_a_descriptor_beyond_select(asking, names, by_hand):
    """A process with many files open: name servers are waited for all the same."""
    names.add_service(DOMAIN, "udp", (10, 1, by_hand.port, "one." + DOMAIN))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    files = []
    try:
        while not files or files[-1] < 1100:
            files.append(os.open(os.devnull, os.O_RDONLY))
        message = _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert message.method == "MESSAGE"


@pytest.mark.parametrize("kind", ["of the domain", "by naptr"])
def test_a_service_that_is_not_offered(asking, names, kind):
    """RFC 2782: a target "." says so, whatever address the domain has."""
    if asking.endpoint.engine_name == "sofia" and kind == "of the domain":
        pytest.skip("Sofia-SIP asks for the domain's own address where the target of its services is none")
    service = "_sip._udp." + DOMAIN
    if kind == "by naptr":
        service = "services." + DOMAIN
        names.add(DOMAIN, "NAPTR", '10 10 "s" "SIP+D2U" "" %s.' % service)
    names.add(service, "SRV", "0 0 0 .")
    names.add(DOMAIN, "A", "127.0.0.1")
    with pytest.raises(sipbridge.PeerUnreachable) as caught:
        asking.endpoint.message("sip:bob@" + DOMAIN, "hello", timeout=20.0)
    assert "No address for the host" in caught.value.reason
    assert (service, "SRV") in names.asked and (DOMAIN, "A") not in names.asked


def test_a_target_of_none_is_skipped_beside_another(asking, names, by_hand):
    names.add("_sip._udp." + DOMAIN, "SRV", "0 0 0 .", "10 1 %d one.%s." % (by_hand.port, DOMAIN))
    _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)


def test_closed_while_a_name_is_looked_up(make_phone, names):
    names.silent.add("silent.example")
    phone = make_phone(identity="sip:alice@" + DOMAIN, resolv_conf=names.configuration)
    call = phone.endpoint.invite("sip:bob@silent.example", OFFER)
    started = time.time()
    phone.endpoint.close()
    assert call.ended is not None and time.time() - started < 10.0


@pytest.mark.slow("16 s, after which a lookup is given up: \"empty\" is no answer")
@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_name_server(asking, names, by_hand, name):
    """What it says is no address. It crashes nothing, and others are served."""
    if name == "loop" and asking.endpoint.engine_name == "sofia":
        pytest.skip("Sofia-SIP's resolver never comes back from a name that points to itself")
    for domain in ("evil.example", "_sip._udp.evil.example"):
        names.answers[domain] = HOSTILE[name]
    call = asking.endpoint.invite("sip:bob@evil.example", OFFER)
    _answers_message(asking, by_hand, "sip:bob@one.%s:%d" % (DOMAIN, by_hand.port))
    ended = call.wait_ended(60.0)
    assert (ended.cause, ended.status) == ("unreachable", 503)


def test_a_worker_replaces_an_engine_that_hangs_in_its_resolver(make_phone, names, by_hand):
    worker = sipbridge.Worker(hang_timeout=2.0)
    phone = make_phone(identity="sip:alice@" + DOMAIN, engine=worker, resolv_conf=names.configuration)
    if phone.endpoint.engine_name == "exosip":
        pytest.skip("libeXosip2's engine looks names up apart from what it is watched for")
    names.answers["evil.example"] = HOSTILE["loop"]
    call = phone.endpoint.invite("sip:bob@evil.example", OFFER)
    assert call.wait_ended(30.0).cause == "engine-lost"
    phone.wait("restarted", timeout=30.0)
    _answers_message(phone, by_hand, "sip:bob@one.%s:%d" % (DOMAIN, by_hand.port))


def test_aliases_in_a_circle(asking, names):
    names.add("a.example", "CNAME", "b.example.")
    names.add("b.example", "CNAME", "a.example.")
    with pytest.raises(sipbridge.PeerUnreachable):
        asking.endpoint.message("sip:bob@a.example", "hello", timeout=60.0)


def test_services_without_an_end(asking, names, by_hand):
    """More SRV records than anybody needs; one of them is good."""
    targets = [(10, 1, 5060, "nowhere%d.%s" % (i, DOMAIN)) for i in range(8)]
    names.add_service(DOMAIN, "udp", *targets + [(20, 1, by_hand.port, "one." + DOMAIN)])
    _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)


# -- the next server -----------------------------------------------------------------------------------------------


def test_the_next_server_when_the_first_refuses(asking, names, by_hand):
    if asking.endpoint.engine_name == "exosip":
        pytest.skip("libeXosip2 does not hear of a refused datagram: the next request goes to the next server")
    names.add_service(
        DOMAIN, "udp", (10, 1, free_port(), "one." + DOMAIN), (20, 1, by_hand.port, "two." + DOMAIN)
    )
    _answers_message(asking, by_hand, "sip:bob@" + DOMAIN)


def test_a_bad_resolv_conf_is_refused():
    for arguments, part in [
        (dict(resolv_conf="/nonexistent/resolv.conf"), "resolv.conf"),
        (dict(resolv_conf=5), "resolv_conf must be"),
    ]:
        with pytest.raises(sipbridge.InputError) as caught:
            sipbridge.Endpoint("udp://127.0.0.1:0", **arguments)
        assert part in str(caught.value)
