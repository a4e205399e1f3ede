"""Kamailio as it is shipped: who gets what, whom it takes for whom, and what it refuses."""

from __future__ import absolute_import, division, print_function

import os
import subprocess

import pytest

import sipbridge
from conformance.sdp import ANSWER, OFFER
from fleet.running import LIMIT, SHIPPED, Fleet, configure, description
from peers.byhand import ByHand
from peers.ports import HOST, free_port
from peers.process import require

#: Another machine than the one whose calls have no limit.
STRANGER, NEIGHBOUR = "127.0.0.2", "127.0.0.3"

@pytest.fixture(scope="module")
def fleet(tmpdir_factory, pem):
    """Four engines, for all tests of this file."""
    folder = str(tmpdir_factory.mktemp("fleet"))
    fleet = Fleet(folder, 4, carriers=[HOST], pem=pem)
    yield fleet
    print(fleet.report())
    fleet.stop()


@pytest.fixture
def stranger():
    """A peer by hand, on another address."""
    peer = ByHand(STRANGER)
    yield peer
    peer.stop()


def call(fleet, phone, uri=None, **options):
    """A call that is up, and a Since of the engine that has it, from before it."""
    before = fleet.since()
    placed = phone.endpoint.call(uri or fleet.proxy.uri, OFFER, timeout=LIMIT, **options)
    [engine] = [each for each in before if each.seen()]
    return placed, engine


def request(method, uri, fields, call_id):
    """A request in octets, that says nothing else than it must."""
    lines = ["%s %s SIP/2.0" % (method, uri), "Max-Forwards: 70", "Call-ID: %s" % call_id, "CSeq: 1 " + method]
    lines += ["%s: %s" % field for field in fields] + ["Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode("ascii")


def fields(peer, number, to_tag=""):
    """Via, From, To and Contact of a request by hand."""
    via = "SIP/2.0/UDP %s:%d;branch=z9hG4bK%d.%d" % (peer.host, peer.port, peer.port, number)
    parties = [("From", "<%s>;tag=1" % peer.uri), ("To", "<sip:bob@example.com>" + to_tag)]
    return [("Via", via), ("Contact", "<%s>" % peer.uri)] + parties


# -- the files -----------------------------------------------------------------------------------------------------


def check(path):
    """What ``kamailio -c`` says of a configuration."""
    process = subprocess.Popen(
        [require("kamailio"), "-c", "-f", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = process.communicate()[0].decode("utf-8", "replace")
    return process.returncode, output


def test_what_is_shipped_is_accepted():
    code, output = check(os.path.join(SHIPPED, "kamailio.cfg"))
    assert code == 0 and "config file ok" in output and "ERROR" not in output, output


def test_it_is_accepted_with_tls(tmpdir, pem):
    path = configure(str(tmpdir), (5060, 5061, 5070), [5080], pem=pem)
    code, output = check(path)
    assert code == 0 and "tls: 127.0.0.1" in output and "ERROR" not in output, output


# -- who gets what -------------------------------------------------------------------------------------------------


def test_calls_are_spread(fleet, phone):
    engines = fleet.since()
    for each in [phone.endpoint.call(fleet.proxy.uri, OFFER, timeout=LIMIT) for _ in range(8)]:
        each.hangup()
    assert [each.seen("incoming sdp") for each in engines] == [2, 2, 2, 2]
    for each in engines:
        each.wait("ended remote-bye 200", 2)


def test_messages_are_spread(fleet, phone):
    engines = fleet.since()
    for _ in range(8):
        phone.endpoint.message(fleet.proxy.uri, "hello")
    assert [each.seen() for each in engines] == [["request MESSAGE"] * 2] * 4


def test_what_belongs_to_a_call_stays_with_its_engine(fleet, phone):
    everybody = fleet.since()
    placed, ours = call(fleet, phone)
    ours.engine.start("phone", "take_offers", ANSWER).result()
    phone.take_offers(ANSWER)
    for _ in range(5):
        placed.send_dtmf("1")
    placed.reinvite(OFFER)
    ours.wait("reinvite sdp")
    ours.engine.call("send_dtmf", "2")
    phone.wait("info 2")
    ours.engine.call("reinvite", OFFER)
    phone.wait("reinvite sdp")
    ours.engine.call("hangup")
    phone.wait("ended remote-bye 200")
    assert ours.seen("info 1") == 5
    assert [each.engine for each in everybody if each.seen()] == [ours.engine]


def test_a_call_that_is_cancelled(fleet, phone):
    everybody = fleet.since()
    for each in fleet.engines:
        each.start("phone", "ring_calls").result()
    try:
        placed = phone.endpoint.invite(fleet.proxy.uri, OFFER)
        phone.wait("progress 180")
        placed.hangup()
        phone.wait("ended cancelled 487")
        [ours] = [each for each in everybody if each.seen()]
        ours.wait("ended cancelled 487")
    finally:
        for number, each in enumerate(fleet.engines):
            each.start("phone", "take_calls", description(number)).result()


def test_a_transfer(fleet, phone, make_phone):
    """REFER from outside to the engine, its NOTIFYs back, and the call that it places."""
    third = make_phone()
    third.take_calls(ANSWER)
    placed, ours = call(fleet, phone)
    ours.engine.start("phone", "take_transfers", OFFER).result()
    assert placed.transfer(third.uri).status == 200
    third.wait("incoming sdp")
    placed.hangup()
    ours.wait("ended remote-bye 200")
    third.wait("incoming sdp").call.hangup()


def test_a_caller_who_is_sent_elsewhere_is_told_where(fleet, phone, make_phone):
    third = make_phone()
    third.take_calls(ANSWER)
    for each in fleet.engines:
        each.start("phone", "redirect_calls", third.uri).result()
    try:
        phone.endpoint.call(fleet.proxy.uri, OFFER, timeout=LIMIT, follow_redirects=1).hangup()
    finally:
        for number, each in enumerate(fleet.engines):
            each.start("phone", "take_calls", description(number)).result()
    third.wait("ended remote-bye 200")


def test_an_engine_registers_at_a_carrier(fleet, by_hand):
    """With the proxy as its Contact, so that the carrier's calls are spread."""
    contact = "sip:trunk@%s:%d" % (HOST, fleet.proxy.port)
    registering = fleet.engines[1].start("endpoint", "register", by_hand.uri, contact=contact, expires=600)
    request = by_hand.next("REGISTER")
    assert request["Contact"].startswith("<%s>" % contact)
    by_hand.reply(request, 200, [("Contact", request["Contact"]), ("Expires", "600")])
    registering.result()


def test_a_subscription(fleet, phone):
    """NOTIFYs come through, and the end of the subscription finds its engine."""
    everybody = fleet.since()
    subscription = phone.endpoint.subscribe(fleet.proxy.uri, "presence", 60)
    [ours] = [each for each in everybody if each.seen()]
    ours.engine.notifier("notify", b"<presence/>", "application/pidf+xml")
    phone.wait("notify active")
    subscription.unsubscribe()
    ours.wait("unsubscribed 0")
    assert [each.engine for each in everybody if each.seen()] == [ours.engine]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_an_engine_calls_out(fleet, make_phone, pem, transport):
    """What the called one sends afterwards comes back to this engine, though he does not learn where it is."""
    passed = []
    phone = phone_over(make_phone, transport, pem, trace=passed.append)
    phone.take_calls(ANSWER)
    everybody = fleet.since()
    ours = everybody[2]
    uri = "sip:carol@%s;transport=%s" % (phone.host_port, transport)
    ours.engine.endpoint("call", uri, OFFER, timeout=LIMIT)
    incoming = phone.wait("incoming sdp")
    assert incoming.source.transport == transport and "X-Source-Address" not in incoming.headers
    assert transport != "udp" or incoming.source.port == fleet.proxy.port
    names_nobody_behind(fleet, "".join(message.data.decode("utf-8").partition("\r\n\r\n")[0] for message in passed))
    incoming.call.wait_established()
    incoming.call.send_dtmf("7")
    ours.wait("info 7")
    incoming.call.hangup()
    ours.wait("ended remote-bye 200")
    assert [each.engine for each in everybody if each.seen()] == [ours.engine]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_caller_behind_a_nat(fleet, make_phone, pem, transport):
    """What the engine sends comes back to where the call came from, whatever its Contact says."""
    phone = phone_over(make_phone, transport, pem, advertised="10.9.8.7:5060")
    port = fleet.proxy.tls_port if transport == "tls" else fleet.proxy.port
    placed, ours = call(fleet, phone, "sip:bob@%s:%d;transport=%s" % (HOST, port, transport))
    assert ours.wait("incoming sdp")["source"][2] == transport
    ours.engine.call("send_dtmf", "3")
    phone.wait("info 3")
    placed.hangup()
    ours.wait("ended remote-bye 200")


def phone_over(make_phone, transport, pem, **options):
    """An endpoint on a transport."""
    if transport == "tls":
        options["tls"] = sipbridge.Tls(pem.certificate, pem.key, pem.ca)
    return make_phone(address="%s://%s:%d" % (transport, HOST, free_port()), **options)


# -- who is who ----------------------------------------------------------------------------------------------------


def test_an_engine_knows_where_a_call_came_from(fleet, phone):
    placed, ours = call(fleet, phone)
    placed.send_dtmf("4")
    placed.hangup()
    here = [HOST, phone.endpoint.port, "udp"]
    assert [ours.wait(each)["source"] for each in ("incoming sdp", "info 4", "ended remote-bye 200")] == [here] * 3


def test_a_caller_cannot_name_the_source_itself(fleet, phone):
    forged = [("X-Source-Address", "sip:6.6.6.6:5060;transport=udp"), ("x-source-address", "6.6.6.7")]
    placed, ours = call(fleet, phone, headers=forged)
    assert ours.wait("incoming sdp")["source"] == [HOST, phone.endpoint.port, "udp"]
    placed.hangup()
    ours.wait("ended remote-bye 200")


def test_who_does_not_come_through_the_proxy_cannot_either(fleet, stranger):
    """The engines take that header from the proxy's address alone."""
    ours = fleet.since()[0]
    stranger.request(fleet.ports[0], "MESSAGE", [("X-Source-Address", "6.6.6.6"), ("Content-Type", "text/plain")], b"x")
    assert ours.wait("request MESSAGE")["source"] == [STRANGER, stranger.port, "udp"]


# -- what is refused -----------------------------------------------------------------------------------------------


def test_nobody_outside_is_relayed_to_others(fleet, stranger, elsewhere):
    """Neither by a foreign domain, nor by a Route, nor by a dialog that there is not."""
    everybody = fleet.since()
    route, tag = ("Route", "<sip:%s:%d;lr>" % (HOST, fleet.proxy.port)), ";tag=made-up"
    further, inside = ("Route", "<%s;lr>" % elsewhere.uri), ("Route", "<sip:%s:%d;lr>" % (HOST, fleet.proxy.inside))
    attempts = [
        ("INVITE", "", (), "403"),
        ("INVITE", "", (route,), "403"),
        ("MESSAGE", "", (route, further), "403"),
        ("REGISTER", "", (), "403"),
        ("INVITE", tag, (route,), "481"),
        ("BYE", tag, (route, inside), "481"),
        ("INFO", tag, (route, further), "481"),
        ("BYE", tag, (), "481"),
    ]
    for number, (method, to_tag, more, status) in enumerate(attempts):
        octets = request(method, elsewhere.uri, fields(stranger, number, to_tag) + list(more), "relay%d" % number)
        stranger.send(fleet.proxy.port, octets)
        answer = stranger.next("403", "481", "200", "404")
        assert (answer.name, answer.method) == (status, method)
        assert "Server" not in answer and "Warning" not in answer
    assert elsewhere.take(0.2) is None
    assert not any(each.seen() for each in everybody)


def test_the_inside_is_for_engines_alone(fleet, stranger, elsewhere):
    for number, peer in enumerate([stranger, elsewhere]):
        peer.send(fleet.proxy.inside, request("OPTIONS", "sip:a@example.com", fields(peer, number), "inside"))
    assert stranger.take(0.5) is None and elsewhere.take(0.1) is None


def test_an_answer_that_nobody_waits_for_is_not_relayed(fleet, stranger, elsewhere):
    vias = [("Via", "SIP/2.0/UDP %s:%d;branch=z9hG4bK1" % (HOST, fleet.proxy.port))]
    vias += [("Via", "SIP/2.0/UDP %s:%d;branch=z9hG4bK2" % (HOST, elsewhere.port))]
    lines = ["SIP/2.0 200 OK", "From: <sip:a@b>;tag=1", "To: <sip:c@d>;tag=2", "Call-ID: x", "CSeq: 1 OPTIONS"]
    lines += ["%s: %s" % via for via in vias] + ["Content-Length: 0", "", ""]
    stranger.send(fleet.proxy.port, "\r\n".join(lines).encode("ascii"))
    assert elsewhere.take(0.5) is None


def test_scanners_get_no_answer(fleet):
    """And nothing is answered that the same address sends afterwards."""
    scanner = ByHand("127.0.0.4")
    try:
        scanner.request(fleet.proxy.port, "OPTIONS")
        assert scanner.next("200").method == "OPTIONS"
        scanner.request(fleet.proxy.port, "OPTIONS", [("User-Agent", "friendly-scanner")])
        assert scanner.take(0.5) is None
        scanner.request(fleet.proxy.port, "OPTIONS")
        assert scanner.take(0.5) is None
    finally:
        scanner.stop()


def test_an_answer_tells_nothing_of_what_is_behind(fleet, stranger):
    for method, headers, body in [("OPTIONS", (), b""), ("INVITE", [("Content-Type", "application/sdp")], OFFER)]:
        stranger.request(fleet.proxy.port, method, headers, body)
        answer = stranger.next("200")
        assert answer.method == method
        assert "Server" not in answer and "User-Agent" not in answer and "Warning" not in answer
        names_nobody_behind(fleet, "".join("%s: %s\n" % field for field in answer.fields))


def names_nobody_behind(fleet, text):
    for port in fleet.ports + [fleet.proxy.inside]:
        assert ":%d" % port not in text


def test_a_flood_of_one_is_limited_and_another_calls(make_fleet, stranger, make_phone):
    fleet = make_fleet(1)
    neighbour = make_phone(address="udp://%s:%d" % (NEIGHBOUR, free_port()))
    for number in range(400):
        octets = request("INVITE", fleet.proxy.uri, fields(stranger, number), "flood%d" % number)
        stranger.send(fleet.proxy.port, octets)
        if number % 100 == 50:
            neighbour.endpoint.call(fleet.proxy.uri, OFFER, timeout=LIMIT).hangup()
    assert stranger.next("503")["Retry-After"] == "1"
    while stranger.take(0.5) is not None:
        pass
    labels = fleet.engines[0].labels
    assert labels.count("incoming sdp") == 4
    assert 0 < labels.count("incoming") < 100
