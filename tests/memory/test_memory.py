"""Flows and hostile datagrams under valgrind's memcheck and under AddressSanitizer and UBSan."""

from __future__ import absolute_import, division, print_function

import socket
import time
from contextlib import closing

import pytest

from contract.raw import Raw
from double.flows import FLOWS, Answering, Flow
from memory.driver import run
from memory.malformed import datagrams
from peers import abilities
from peers.name_server import HOSTILE, NameServer, mutated
from shield.messages import request


def test_flows_in_one_process_lose_no_memory(driver):
    """They run in one process, so that each finds what the last one left."""
    for name in sorted(FLOWS):
        assert run(driver, name, 20.0).failures == [], name


def test_close_in_the_middle_of_everything(driver):
    """Calls in every state, a registration and unread events, and not a moment to end them."""
    flow = Flow(driver, 20.0)
    with Answering(INVITE=[180]) as ringing, Answering() as taking:
        for peer in (ringing, taking):
            assert driver.call(flow.engine, peer.uri) > 0
            peer.request(flow.port, "INVITE")
            peer.request(flow.port, "MESSAGE")
            assert driver.request(flow.engine, "MESSAGE", peer.uri) > 0
            assert driver.register(flow.engine, peer.uri, peer.uri) > 0
        for _ in range(6):
            driver.wait(flow.engine, 200)
        assert driver.perform("sb_close", flow.engine, 0) == 0


def _begin_everything(driver, engine, uri):
    """One of each that asks for an address first. Returns how many, and the call."""
    call = driver.call(engine, uri)
    assert call > 0 and driver.request(engine, "MESSAGE", uri) > 0 and driver.register(engine, uri, uri) > 0
    assert driver.subscribe(engine, uri) > 0 and driver.publish(engine, uri) > 0
    return call


def test_host_names_and_hostile_name_servers(driver, tmpdir):
    """Hosts with and without an address, hostile answers, and one that is still asked for when the engine goes."""
    names = NameServer(str(tmpdir))
    names.add_service("good.test", "udp", (10, 1, 9, "nowhere.test"), (20, 1, 9, "here.test"))
    names.add("here.test", "A", "127.0.0.1")
    names.silent.add("silent.test")
    before = driver.threads
    engine = driver.open(resolv_conf=names.configuration)
    for name in sorted(HOSTILE):
        if name != "loop" or Raw().name != "sofia":  # whose resolver never comes back from it
            domain = name.replace(" ", "-") + ".test"
            names.answers[domain] = names.answers["_sip._udp." + domain] = HOSTILE[name]
            _begin_everything(driver, engine, "sip:a@" + domain)
    for domain in ("good.test", "none.test", "silent.test"):
        call = _begin_everything(driver, engine, "sip:a@" + domain)
    assert driver.perform("sb_call_hangup", engine, call, None) == 0
    while driver.wait(engine, 1000) != 0:
        pass
    _begin_everything(driver, engine, "sip:a@silent.test")
    assert driver.perform("sb_close", engine, 0) == 0
    deadline = time.time() + 30.0
    while driver.threads > before and time.time() < deadline:  # those that ask end by themselves
        time.sleep(0.05)
    names.stop()
    assert driver.threads == before


def test_closed_at_once_while_calls_ask_for_an_address(driver, tmpdir):
    """The engine's thread learns of the calls' end and of its own at one time."""
    names = NameServer(str(tmpdir))
    names.silent.add("silent.test")
    engine = driver.open(resolv_conf=names.configuration)
    for _ in range(5):
        assert driver.call(engine, "sip:a@silent.test") > 0
    assert driver.perform("slow_read", 200) == 0
    assert driver.perform("sb_close", engine, 0) == 0
    names.stop()


def _options_are_answered(flow, peer):
    """All that was sent before has been looked at."""
    before = len(peer.answers)
    peer.request(flow.port, "OPTIONS")
    deadline = time.time() + flow.patience
    while ("OPTIONS", 200) not in peer.answers[before:]:
        assert time.time() < deadline, peer.answers[before:]
        time.sleep(0.002)


def test_mutated_answers(driver, tmpdir):
    """A name server sends them for 160 names at a time. The engine still finds another name afterwards."""
    if Raw().name == "sofia":
        pytest.skip("Sofia-SIP's resolver never comes back from a name that points to itself")
    names = NameServer(str(tmpdir))
    names.add("good.test", "A", "127.0.0.1")
    domains = ["m%d.test" % i for i in range(160)]
    for domain in domains:
        names.answers[domain] = names.answers["_sip._udp." + domain] = mutated
    engine = driver.open(resolv_conf=names.configuration)
    for domain in domains:
        assert driver.request(engine, "MESSAGE", "sip:a@" + domain) > 0
    asked = -1
    while asked < len(names.asked):  # longer than anything is asked for again
        asked = len(names.asked)
        time.sleep(4.0)
    with Answering() as peer:
        sent = driver.request(engine, "MESSAGE", "sip:a@good.test:%s" % peer.uri.rsplit(":", 1)[1])
        event = driver.wait(engine)
        while event != 0 and event.transaction != sent:
            event = driver.wait(engine)
        assert event != 0 and event.status == 200
    assert driver.perform("sb_close", engine, 0) == 0
    names.stop()


def test_malformed_datagrams(driver):
    """The engine takes them all and still answers OPTIONS."""
    flow = Flow(driver, 20.0)
    with Answering() as peer:
        for number, octets in enumerate(datagrams()):
            peer.hand.send(flow.port, octets)
            if number % 50 == 49:  # no more than the socket has room for, however slow the tool makes it
                _options_are_answered(flow, peer)
        while driver.wait(flow.engine, 0) != 0:
            pass
        flow.outside(peer)
        assert flow.failures == []
        flow.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_hostile_connections(driver, host):
    """Whole messages, halves, noise; peers that go in the middle; nobody there. And it still takes a MESSAGE."""
    if not abilities.has_tcp():
        pytest.skip(abilities.NO_TCP)
    lib, engine = driver.lib, driver.open(host, transport=driver.lib.SB_TCP)
    port = lib.sb_port(engine)
    target = "sip:peer@%s:9;transport=tcp" % ("[::1]" if host == "::1" else host)
    assert driver.call(engine, target) > 0 and driver.request(engine, "MESSAGE", target) > 0
    whole = request("MESSAGE", Via="SIP/2.0/TCP %s:9;branch=z9hG4bKone" % ("[::1]" if host == "::1" else host))
    wrong = whole.replace(b"one", b"zero").replace(b"MESSAGE", b"OPTIONS").replace(b": 0", b": -1")
    for octets in (whole[:100], b"\r\n\r\n", b"x" * 9000 + b"\r\n\r\n", wrong):
        socket.create_connection((host, port), 5).sendall(octets)
    with closing(socket.create_connection((host, port), 5)) as peer:
        for part in (whole[:100], whole[100:] + whole.replace(b"one", b"two")[:50]):
            peer.sendall(part)
        events = []
        while lib.SB_EV_REQUEST not in events:
            event = driver.wait(engine)
            assert event != 0, events
            events.append(event.type)
            if event.type == lib.SB_EV_REQUEST:
                assert lib.sb_answer(engine, event.transaction, 200, "OK", None) == 0
        assert peer.recv(65536).startswith(b"SIP/2.0 200 OK")
    assert lib.sb_close(engine, 0) == 0


def test_wrong_arguments(driver):
    """Errors of every function leave nothing behind."""
    lib, engine = driver.lib, driver.open()
    uri, long = "sip:a@127.0.0.1:9", "x" * 5000
    for text in (None, "sip:", "nonsense", "sip:a b@c", "sip:" + long):
        assert driver.call(engine, text) < 0
        assert driver.call(engine, uri, text or "nonsense") < 0
        assert driver.request(engine, "MESSAGE", text) < 0
        assert driver.request(engine, "MESS AGE", uri) < 0
        assert driver.register(engine, text, uri) < 0
        assert driver.register(engine, uri, text) < 0
    for handle in (0, -1, 1, 2 ** 40):
        assert lib.sb_call_hangup(engine, handle, "+") == lib.SB_ENOENT
        assert lib.sb_answer(engine, handle, 200, "OK", "+") == lib.SB_ENOENT
    assert [lib.sb_close(engine, 0) for _ in range(2)] == [0, lib.SB_ECLOSED]
