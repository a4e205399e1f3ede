"""Final responses that the shield sends again (RFC 3261, 17.2.2), so that the library can forget their transactions."""

from __future__ import absolute_import, division, print_function

import socket

import pytest

import sipbridge
from peers.waiting import wait_until
from shield.messages import Reply, request
from sipbridge import shield

pytestmark = pytest.mark.usefixtures("needs_shield")


def remembered(victim):
    """(responses that are remembered now, how many were sent again, how many were pushed out)."""
    return victim.counters().get("remembered", (0, 0, 0))


def passed(victim):
    """How many messages the library has seen."""
    return victim.counters()[""][0]


def sent_again():
    """How many responses were sent again in this process."""
    return sum(each.answered for each in shield.counters() if each.rule == "remembered")


@pytest.mark.parametrize("method", ["OPTIONS", "MESSAGE", "INFO", "REGISTER", "SUBSCRIBE", "CANCEL", "BYE"])
def test_a_repeated_request_gets_the_same_octets(victim, sender, method):
    first = sender.exchange(request(method, "once", sender.port))
    seen = passed(victim)
    for number in range(1, 4):
        assert sender.exchange(request(method, "once", sender.port)).octets == first.octets
        assert remembered(victim) == (1, number, 0)
    assert passed(victim) == seen


def test_a_bye_that_is_repeated_when_its_call_is_gone(victim, sender):
    answer = sender.exchange(request("INVITE", "call", sender.port))
    of_call = {"Call_ID": "call@example.com", "To": answer["To"]}
    of_call["From"] = '"A. Tester" <sip:tester@example.com>;tag=from-call'
    sender.send(request("ACK", "call-ack", sender.port, **of_call))
    bye = request("BYE", "call-bye", sender.port, CSeq="2 BYE", **of_call)
    first = sender.exchange(bye)
    assert first.status == 200
    # Another BYE shows that the library has forgotten the call, and so the transaction.
    status, number = 0, 0
    while status != 481:
        number += 1
        status = sender.exchange(request("BYE", "n%d" % number, sender.port, CSeq="3 BYE", **of_call)).status
    seen = passed(victim)
    assert sender.exchange(bye).octets == first.octets
    assert passed(victim) == seen


@pytest.mark.skipif(not shield.loaded(), reason="the shield is not loaded here")
def test_another_endpoint_knows_nothing_of_it():
    """A peer that comes to a new endpoint in this process may have the port, and the branches, of one before it."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(10.0)
    replies = []
    for status in (480, 486):
        with sipbridge.Endpoint("udp://127.0.0.1:0") as endpoint:
            endpoint.on(sipbridge.MessageReceived, lambda event, status=status: event.answer(status))
            peer.sendto(request("MESSAGE", "once", peer.getsockname()[1]), ("127.0.0.1", endpoint.port))
            replies.append(Reply(peer.recv(65536)).status)
    peer.close()
    assert replies == [480, 486]


@pytest.mark.skipif(not shield.loaded(), reason="the shield is not loaded here")
def test_an_endpoint_that_cannot_be_opened_forgets_nothing():
    """libeXosip2 has one endpoint at a time; who asks for another one leaves the first as it is."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(10.0)
    replies, seen = [], []
    before = sent_again()
    with sipbridge.Endpoint("udp://127.0.0.1:0") as endpoint:
        endpoint.on(sipbridge.MessageReceived, lambda event: (seen.append(event), event.answer(480)))
        for _ in range(2):
            peer.sendto(request("MESSAGE", "once", peer.getsockname()[1]), ("127.0.0.1", endpoint.port))
            replies.append(peer.recv(65536))
            with pytest.raises(sipbridge.EngineError):
                sipbridge.Endpoint("udp://127.0.0.1:0")
    peer.close()
    assert replies[0] == replies[1]
    assert len(seen) == 1
    assert sent_again() == before + 1


def test_no_logging(victim, sender):
    for _ in range(3):
        sender.exchange(request("OPTIONS", "once", sender.port))
    assert victim.errors() == ""


def test_nobody_else_gets_it(make_sender, victim, sender):
    """The address is part of the key: for the shield, a request from another one is another request."""
    octets = request("MESSAGE", "once", sender.port)
    first = sender.exchange(octets)
    for other in (make_sender(victim), make_sender(victim, "127.0.0.2")):
        assert all(each.octets != first.octets for each in other.replies_before(octets))
    assert remembered(victim)[1] == 0
    assert passed(victim) == 5  # each time with the OPTIONS behind it


def test_where_the_via_says_the_port(make_sender, victim, sender):
    """Without rport the response goes to the port in Via (18.2.2), and so does its repetition."""
    other = make_sender(victim)
    octets = request("OPTIONS", "once", Via="SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-once" % other.port)
    sender.send(octets)
    first = other.receive()
    sender.send(octets)
    assert other.receive().octets == first.octets
    assert remembered(victim) == (1, 1, 0)


def test_another_transaction(victim, sender):
    """17.2.3: another branch, sent-by or method."""
    sender.exchange(request("MESSAGE", "once", sender.port))
    for method, via in [
        ("MESSAGE", "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-other;rport"),
        ("MESSAGE", "SIP/2.0/UDP example.com:%d;branch=z9hG4bK-once;rport"),
        ("OPTIONS", "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-once;rport"),
    ]:
        sender.exchange(request(method, "once", Via=via % sender.port))
    assert remembered(victim) == (4, 0, 0)


@pytest.mark.parametrize("via", [
    "SIP/2.0/UDP 127.0.0.1:%d;branch=of-old;rport",
    "SIP/2.0/UDP 127.0.0.1:%d;rport",
    "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-a;maddr=127.0.0.1",
    "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-a;received=127.0.0.1",
    "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK-a;rport=9",
    "SIP/2.0/UDP 127.0.0.1:%%d;branch=z9hG4bK-%s;rport" % ("a" * 600),
])  # fmt: skip
def test_what_is_left_to_the_library(victim, sender, via):
    """A branch of RFC 2543 (17.2.3), a response that goes elsewhere, a key that is too long: the transaction stays."""
    octets = request("MESSAGE", "once", Via=via % sender.port)
    sender.send(octets)
    sender.exchange(request("MESSAGE", "between", sender.port))
    sender.send(octets)
    sender.exchange(request("MESSAGE", "last", sender.port))
    assert passed(victim) == 4
    assert remembered(victim) == (2, 0, 0)
    wait_until(lambda: victim.ask("messages") >= 3)
    assert victim.ask("messages") == 3


def test_what_is_not_remembered_is_kept_by_the_library(victim, sender):
    """Repeated or not, the application gets it once."""
    for _ in range(3):
        sender.exchange(request("MESSAGE", "once", sender.port))
    assert victim.ask("messages") == 1


def test_an_invite_is_not_remembered(victim, sender):
    assert sender.exchange(request("INVITE", "call", sender.port)).status == 200
    assert remembered(victim) == (0, 0, 0)


def test_the_oldest_goes_first(make_victim, make_sender):
    victim = make_victim(SIPBRIDGE_SHIELD_RESPONSES="3")
    sender = make_sender(victim)
    for number in range(5):
        sender.exchange(request("OPTIONS", "n%d" % number, sender.port))
    assert remembered(victim) == (3, 0, 2)
    for number in (4, 3, 2, 1):
        sender.exchange(request("OPTIONS", "n%d" % number, sender.port))
    assert remembered(victim) == (3, 3, 3)


def test_a_flood_pushes_out_nothing_but_its_own(make_victim, make_sender):
    victim = make_victim(SIPBRIDGE_SHIELD_RESPONSES="20")
    quiet, flood = make_sender(victim), make_sender(victim, "127.0.0.2")
    first = [quiet.exchange(request("OPTIONS", "q%d" % number, quiet.port)).octets for number in range(5)]
    for number in range(50):
        flood.exchange(request("OPTIONS", "f%d" % number, flood.port))
    again = [quiet.exchange(request("OPTIONS", "q%d" % number, quiet.port)).octets for number in range(5)]
    assert again == first
    assert remembered(victim) == (20, 5, 35)


@pytest.mark.parametrize("parameter", ["maddr", "received"])
def test_what_a_via_leads_elsewhere_takes_no_room(make_victim, make_sender, parameter):
    """Each response is kept at the cost of who gets it: one peer could have others' pushed out, and forge no source."""
    victim = make_victim(SIPBRIDGE_SHIELD_RESPONSES="20")
    quiet, flood = make_sender(victim), make_sender(victim, "127.0.0.2")
    first = [quiet.exchange(request("OPTIONS", "q%d" % number, quiet.port)).octets for number in range(5)]
    for number in range(30):
        via = "SIP/2.0/UDP 127.0.0.2:%d;branch=z9hG4bK-f%d;%s=127.1.0.%d" % (flood.port, number, parameter, number)
        flood.send(request("OPTIONS", "f%d" % number, Via=via))
    flood.exchange(request("OPTIONS", "last", flood.port))
    again = [quiet.exchange(request("OPTIONS", "q%d" % number, quiet.port)).octets for number in range(5)]
    assert again == first
    assert remembered(victim) == (6, 5, 0)


def test_room_is_of_octets_too(make_victim, make_sender):
    """512 for each response that there is room for."""
    victim = make_victim(SIPBRIDGE_SHIELD_RESPONSES="4")
    sender = make_sender(victim)
    long_tag = "<sip:tester@example.com>;tag=" + "a" * 1200
    for number in range(4):
        sender.exchange(request("OPTIONS", "n%d" % number, sender.port, From=long_tag))
    assert remembered(victim) == (1, 0, 3)


@pytest.mark.parametrize("setting, count", [("off", 0), ("0", 0), ("1", 1), ("65536", 2), ("nonsense", 2), ("9x", 2)])
def test_settings(make_victim, make_sender, setting, count):
    victim = make_victim(SIPBRIDGE_SHIELD_RESPONSES=setting)
    sender = make_sender(victim)
    for name in ("a", "b"):
        sender.exchange(request("MESSAGE", name, sender.port))
    assert remembered(victim)[0] == count


def test_off(make_victim, make_sender):
    """The library does it all, as it does without a shield."""
    victim = make_victim(SIPBRIDGE_SHIELD_RESPONSES="off")
    sender = make_sender(victim)
    first = sender.exchange(request("MESSAGE", "once", sender.port))
    assert sender.exchange(request("MESSAGE", "once", sender.port)).octets == first.octets
    assert passed(victim) == 2
    assert victim.ask("messages") == 1


def test_in_the_file(victim, sender):
    for _ in range(2):
        sender.exchange(request("OPTIONS", "once", sender.port))
    _, counters = shield.read_counters(victim.counters_path)
    assert [tuple(each[1:]) for each in counters if each.rule == "remembered"] == [(1, 1, 0)]
    assert "remembered: 1 now, 1 sent again, 0 pushed out" in shield.report_file(victim.counters_path)
