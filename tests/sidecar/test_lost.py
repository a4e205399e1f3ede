"""The engine, its command or the connection is lost, at each step of a call."""

from __future__ import absolute_import, division, print_function

import os
import signal
import socket

import pytest

import sipbridge
from peers.process import freeze_stranger
from peers.sidecar import pid_of
from peers.waiting import wait_until
from sipbridge._command.demo_registrar import Registrar
from sipbridge._engine import protocol
from sipbridge._engine.listener import Listener
from sipbridge._engine.sidecar import ask
from sipbridge._engine.unix_socket import Peer
from worker.processes import Background, descriptors, is_alive, threads
from worker.test_flight import lost, read
from worker.test_lost import STEPS, established


def lose(phone, number):
    """Send the engine a signal that ends it, and wait until another is in its place. Returns EngineRestarted."""
    count = phone.labels.count("restarted")
    os.kill(pid_of(phone), number)
    return phone.wait("restarted", count + 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_call_ends_and_the_next_one_goes_through(phone, by_hand, step):
    call, port = step(phone, by_hand), phone.endpoint.port
    restarted = lose(phone, signal.SIGSEGV)
    assert "closed the connection: worker process" in restarted.reason and "SIGSEGV" in restarted.reason
    assert call.wait_ended(1.0).cause == "engine-lost"
    assert phone.labels[-2:] == ["ended engine-lost 503", "restarted"]
    assert phone.endpoint.port == port
    by_hand.waiting = []
    assert established(phone, by_hand).state == "established"


def test_an_engine_that_hangs_is_replaced(make_phone, by_hand):
    """Its command kills it, because it gave no signs of life before its service left."""
    phone = make_phone(hang_timeout=2.0)
    call, pid = established(phone, by_hand), pid_of(phone)
    freeze_stranger(pid)
    blocked = Background(phone.endpoint.message, by_hand.uri, u"text")
    restarted = phone.wait("restarted")
    assert "no sign of life for 2 s" in restarted.reason
    assert isinstance(blocked.error(), sipbridge.EngineLost)
    assert call.wait_ended(1.0).cause == "engine-lost"
    assert wait_until(lambda: not is_alive(pid))
    by_hand.waiting = []
    established(phone, by_hand)


@pytest.mark.skipif("SIPBRIDGE_DOUBLE" not in os.environ, reason="only the double dies of what a test chooses")
def test_the_message_that_killed_the_engine_is_in_the_incident(start_engine, make_phone, by_hand, tmpdir):
    engine = start_engine(environment={"EXOSIP_DOUBLE_DIE_OF": "X-Deadly: 1"})
    recorder = sipbridge.FlightRecorder(str(tmpdir.join("incidents")))
    phone = make_phone(engine, endpoint={"flight": recorder})
    if phone.endpoint.engine_name != "exosip":
        pytest.skip("the double stands for libeXosip2")
    killer = by_hand.request(phone.endpoint.port, "OPTIONS", [("X-Deadly", "1")])
    wait_until(lambda: lost(tmpdir))
    (path,) = lost(tmpdir)
    assert [each.data for each in read(str(path.join("window.pcapng")))] == [killer.octets]
    phone.wait("restarted")
    assert ask(engine.path, protocol.LAST_QUESTION, 10.0) == (protocol.FLIGHT, b"")  # it is told once


class _Last(object):
    """What a Listener has of an engine that died, and a connection to it."""

    def __init__(self, uid):
        self.connection, self._theirs = socket.socketpair()
        self.listener = Listener(None, "unix:///nowhere", {}, None)
        self.listener._last = Peer(1, uid, 1), b"records"

    def told(self, peer):
        self.listener._tell_last(self._theirs, peer)
        ((kind, payload),) = protocol.Decoder().feed(self.connection.recv(100))
        self.connection.close()
        assert kind == protocol.FLIGHT
        return payload


def test_what_an_engine_received_last_is_for_its_user_alone():
    assert _Last(7).told(Peer(2, 8, 1)) == b""
    assert _Last(7).told(None) == b""
    assert _Last(7).told(Peer(2, 7, 1)) == b"records"


def test_registrations_are_there_again_after_the_command_was_restarted(start_engine, make_phone):
    first = start_engine()
    with Registrar({"alice": "wonderland"}) as registrar:
        phone = make_phone(first, "sip:alice@" + registrar.host_port)
        phone.endpoint.add_credentials("alice", "wonderland")
        phone.endpoint.register(registrar.uri)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        assert wait_until(lambda: pid_of(phone) is None)
        registrar.bindings.clear()
        start_engine(words=[first.address])  # the socket that was left is replaced
        phone.wait("restarted", 1, 20.0)
        phone.wait("registration active 200", 2)
        assert ":%d" % phone.endpoint.port in registrar.bindings["alice"]


def test_an_engine_ends_with_its_command(engine, phone):
    pid = pid_of(phone)
    os.kill(engine.process.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(pid))


def test_after_enough_lost_connections_it_is_given_up(make_phone, engine):
    phone = make_phone(engine, max_restarts=1, backoff=0.0)
    engine.process.terminate()
    assert "no engine at unix:" in phone.wait("failed").reason


def test_twenty_restarts_leave_nothing_behind(make_phone):
    phone = make_phone(backoff=0.0)
    found = []
    for _ in range(20):
        lose(phone, signal.SIGKILL)
        found.append((descriptors(), threads()))
    assert found[-1] == found[2]
