"""Whose word about the source of a request is taken (sipbridge._agent.sources), and what an event knows of it."""

from __future__ import absolute_import, division, print_function

import copy
import pickle
import time

import pytest

import sipbridge
from sipbridge import events
from sipbridge._agent.sources import Trust, leads_elsewhere
from sipbridge._engine.ledger import unreported
from sipbridge._engine.records import Sourced, tell

PROXY = sipbridge.Source("192.0.2.1", 5060, "udp")
OWN = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"


def source(networks, vias, header=None, fields=(), at=PROXY, request_uri="sip:a@b"):
    lines = ["Via: " + via for via in vias] + ["%s: %s" % field for field in fields]
    raw = unreported("request", headers="\n".join(lines) + "\n", source=at, request_uri=request_uri)
    return Trust(networks, header).source_of(raw)


@pytest.mark.parametrize("via, expected", [
    ("SIP/2.0/UDP 10.0.0.5:5070;received=203.0.113.9;rport=41000;branch=z9", ("203.0.113.9", 41000, "udp")),
    ("SIP/2.0/TCP phone.example.com;branch=z9;rport=41000;received=203.0.113.9", ("203.0.113.9", 41000, "tcp")),
    ("SIP/2.0/tls 203.0.113.9:5061;branch=z9", ("203.0.113.9", None, "tls")),
    ("SIP / 2.0 / WSS x.invalid ;branch=z9 ; received = 203.0.113.9", ("203.0.113.9", None, "wss")),
    ("SIP/2.0/UDP [2001:db8::9]:5060;rport=7", ("2001:db8::9", 7, "udp")),
    ("SIP/2.0/UDP 10.0.0.5;received=[2001:db8::9];rport=99999", ("2001:db8::9", None, "udp")),
    # What tells nothing, or not for certain.
    ("SIP/2.0/UDP phone.example.com;branch=z9", None),
    ("SIP/2.0/UDP 10.0.0.5;received=nonsense", None),
    ("SIP/2.0/UDP 10.0.0.5;received", None),
    ("SIP/2.0/UDP 10.0.0.5;received=203.0.113.9;received=198.51.100.7", None),
    ("SIP/2.0/UDP 10.0.0.5;received=203.0.113.9;rport=1;rport=2", None),
    ('SIP/2.0/UDP 203.0.113.9;branch=z9;x="a;received=198.51.100.7;b"', None),
    ('SIP/2.0/UDP 203.0.113.9;branch=z9;x="a;rport=1;b"', None),
    ("SIP/2.0/UDP 198.51.100.7;branch=z9;x=<;received=203.0.113.9", None),
    ("nonsense", None),
    ("", None),
])  # fmt: skip
def test_the_via_below_the_proxys_own(via, expected):
    assert source(["192.0.2.1"], [OWN, via]) == (expected or PROXY)
    assert source(["192.0.2.1"], [OWN + ", " + via]) == (expected or PROXY)


@pytest.mark.parametrize("via, expected", [
    (OWN, False),
    ("SIP/2.0/UDP phone.example.com;rport=7;received=192.0.2.1", False),
    ("SIP/2.0/UDP 10.0.0.5;received=[::ffff:192.0.2.1]", False),
    (OWN + ", SIP/2.0/UDP 10.0.0.5;received=203.0.113.9", False),
    (OWN + ";maddr=203.0.113.9", True),
    (OWN + "; MAddr =192.0.2.1", True),
    (OWN + ';x=",";maddr=203.0.113.9', True),
    (OWN + ";received=203.0.113.9", True),
    (OWN + ";received=phone.example.com", True),
    (OWN + ";received=192.0.2.1;received=203.0.113.9", True),
])  # fmt: skip
def test_a_via_that_leads_elsewhere(via, expected):
    raw = unreported("request", headers="Via: %s\nVia: SIP/2.0/UDP 10.0.0.6;maddr=10.0.0.7\n" % via, source=PROXY)
    assert leads_elsewhere(raw) == expected
    for source in (PROXY._replace(transport="tcp"), None):
        assert not leads_elsewhere(raw._replace(source=source))


def test_several_proxies():
    vias = [OWN, "SIP/2.0/UDP 192.0.2.2;received=192.0.2.2;rport=5062", "SIP/2.0/TCP 10.0.0.5;received=203.0.113.9",
            "SIP/2.0/UDP 6.6.6.6"]  # fmt: skip
    assert source(["192.0.2.0/24"], vias) == ("203.0.113.9", None, "tcp")
    assert source(["192.0.2.1"], vias) == ("192.0.2.2", 5062, "udp")
    assert source(["192.0.2.0/24"], vias[:2]) == ("192.0.2.2", 5062, "udp")
    assert source(["0.0.0.0/0"], vias) == ("6.6.6.6", None, "udp")


@pytest.mark.parametrize("networks, trusted", [
    (["192.0.2.0/24"], True), (["192.0.2.1/32"], True), (["192.0.2.0/31"], True), (["192.0.2.2/31"], False),
    (["10.0.0.0/8", "192.0.2.1"], True), (["::/0"], False), (["192.0.3.0/24"], False), ([], False),
])  # fmt: skip
def test_networks(networks, trusted):
    told = source(networks, [OWN, "SIP/2.0/UDP 203.0.113.9"])
    assert told == (("203.0.113.9", None, "udp") if trusted else PROXY)


@pytest.mark.parametrize("networks, trusted", [
    (["2001:db8::/32"], True), (["2001:db8:0:0::1"], True), (["2001:db8::/127"], True), (["2001:db9::/32"], False),
    (["0.0.0.0/0"], False),
])  # fmt: skip
def test_networks_of_ipv6(networks, trusted):
    proxy = sipbridge.Source("2001:db8::1", 5060, "tcp")
    told = source(networks, [OWN, "SIP/2.0/UDP 203.0.113.9"], at=proxy)
    assert told == (("203.0.113.9", None, "udp") if trusted else proxy)


@pytest.mark.parametrize("value, expected", [
    ("203.0.113.9", ("203.0.113.9", None, None)),
    (" 203.0.113.9:41000 ", ("203.0.113.9", 41000, None)),
    ("tcp:203.0.113.9:41000", ("203.0.113.9", 41000, "tcp")),  # Kamailio's $sas
    ("sip:203.0.113.9:41000", ("203.0.113.9", 41000, None)),  # $su
    ("sip:203.0.113.9:41000;transport=TLS", ("203.0.113.9", 41000, "tls")),  # $sut
    ("2001:db8::9", ("2001:db8::9", None, None)),
    ("[2001:db8::9]", ("2001:db8::9", None, None)),
    ("sip:[2001:db8::9]:5060;transport=udp", ("2001:db8::9", 5060, "udp")),
    ("phone.example.com", None), ("203.0.113.9, 6.6.6.6", None), ("203.0.113.999", None), ("", None), ("::x", None),
])  # fmt: skip
def test_a_header_of_the_proxys(value, expected):
    told = source(["192.0.2.1"], [OWN], "X-Source-Address", [("x-source-address", value)])
    assert told == (expected or PROXY)


def test_a_header_that_is_there_twice_may_be_the_senders():
    fields = [("X-Source-Address", "203.0.113.9"), ("X-Source-Address", "6.6.6.6")]
    assert source(["192.0.2.1"], [OWN], "X-Source-Address", fields) == PROXY
    assert source(["192.0.2.1"], [OWN, "SIP/2.0/UDP 6.6.6.6"], "X-Source-Address") == PROXY
    assert source(["192.0.2.3"], [OWN], "X-Source-Address", fields[:1]) == PROXY


def test_what_is_no_request_or_comes_from_nowhere():
    assert source(["192.0.2.1"], [OWN, "SIP/2.0/UDP 203.0.113.9"], request_uri="") == PROXY
    assert source(["0.0.0.0/0"], [OWN, "SIP/2.0/UDP 203.0.113.9"], at=None) is None


@pytest.mark.parametrize("networks", [
    "192.0.2.1", 5, None, [5], ["nonsense"], ["192.0.2.1/33"], ["192.0.2.1/x"], ["192.0.2.1/"], ["192.0.2.1/24"],
    ["2001:db8::/129"], ["proxy.example.com"], ["192.0.2"], [""],
])  # fmt: skip
def test_what_is_no_network(networks):
    with pytest.raises(sipbridge.InputError) as caught:
        Trust(networks, None)
    assert "trusted_proxies" in str(caught.value)


@pytest.mark.parametrize("networks, header", [(["192.0.2.1"], "X Y"), (["192.0.2.1"], 5), ([], "X-Source-Address")])
def test_what_is_no_header(networks, header):
    with pytest.raises(sipbridge.InputError) as caught:
        Trust(networks, header)
    assert "source_header" in str(caught.value)


# -- events ------------------------------------------------------------------------------------------------------


def test_an_event_is_the_tuple_that_it_was():
    event = sipbridge.EngineRestarted("it died", 0.5)
    tell(event, 1700000000.25, PROXY)
    assert (event.time, event.source) == (1700000000.25, PROXY)
    assert event == ("it died", 0.5) and len(event) == 2 and event[0] == "it died"
    reason, seconds = event
    assert (reason, seconds, event._fields) == ("it died", 0.5, ("reason", "seconds"))
    assert repr(event) == repr(sipbridge.EngineRestarted("it died", 0.5))
    with pytest.raises(AttributeError):
        event.time = 1.0
    with pytest.raises(AttributeError):
        event.source = None


def test_each_event_has_a_time_and_a_source():
    kinds = [each for each in vars(events).values() if isinstance(each, type) and hasattr(each, "_fields")]
    assert len(kinds) > 20
    assert [kind for kind in kinds if not issubclass(kind, Sourced) or not hasattr(kind, "time")] == []


def test_one_that_nobody_told_anything():
    event = sipbridge.EngineFailed("it died")
    assert (event.time, event.source) == (0.0, None)


def test_a_copy_knows_the_same():
    event = sipbridge.EngineRestarted("it died", 0.5)
    tell(event, 1700000000.25, PROXY)
    for each in (copy.copy(event), pickle.loads(pickle.dumps(event, 2))):
        assert each == event
    if copy.copy(event).time:  # Python 2 copies the fields alone
        assert copy.copy(event).source == pickle.loads(pickle.dumps(event, 2)).source == PROXY


def test_a_traced_message_has_its_time_as_a_field():
    event = sipbridge.TraceMessage(False, "192.0.2.1:5060", b"", 1700000000.25)
    tell(event, time.time(), PROXY)
    assert (event.time, event[3], event.source) == (1700000000.25, 1700000000.25, PROXY)


def test_parse_address_is_public():
    address = sipbridge.parse_address('"Bob" <sip:bob@example.com>;tag=1')
    assert address == ("Bob", "sip:bob@example.com", "tag=1") and isinstance(address, sipbridge.NameAddr)
