"""The engine, its container or the attached streams are lost, at each step of a call."""

from __future__ import annotations

import os
import signal
import time

import pytest

import sipbridge
from container.containers import container_of, of_service, send
from peers.waiting import wait_until
from sipbridge._command.demo_registrar import Registrar
from worker.processes import Background, descriptors, threads
from worker.test_lost import STEPS, established


def lost(phone, by_hand, call, count=1):
    """Wait until another engine is in the place of one that was lost, on which a call goes through."""
    restarted = phone.wait("restarted", count, 30.0)
    if call is not None:
        assert call.wait_ended(1.0).cause == "engine-lost"
    by_hand.waiting = []
    established(phone, by_hand)
    return restarted


@pytest.mark.parametrize("step", STEPS)
def test_a_crash(client, phone, by_hand, step):
    call, port = step(phone, by_hand), phone.endpoint.port
    send(client, phone, signal.SIGSEGV)
    restarted = lost(phone, by_hand, call)
    assert "died of SIGSEGV" in restarted.reason and restarted.seconds < 10.0
    assert phone.endpoint.port == port


@pytest.mark.parametrize("way", ["kill", "restart", "stop", "remove"])
def test_the_container_is_lost(client, phone, by_hand, way):
    call, container = established(phone, by_hand), container_of(client, phone)
    options = {"remove": {"force": True}, "stop": {"timeout": 3}, "restart": {"timeout": 3}}
    try:
        getattr(container, way)(**options.get(way, {}))
    except sipbridge.SipbridgeError:
        raise
    except Exception as error:  # the service was faster, and has removed it
        assert "removal" in str(error) or "No such container" in str(error)
    lost(phone, by_hand, call)
    assert wait_until(lambda: of_service(client) == [phone.endpoint._engine.container])


@pytest.mark.parametrize("way", ["stop", "pause"])
def test_a_hang(client, make_phone, by_hand, way):
    phone = make_phone(hang_timeout=2.0)
    call = established(phone, by_hand)
    if way == "stop":
        send(client, phone, signal.SIGSTOP)
    else:
        container_of(client, phone).pause()
    blocked = Background(phone.endpoint.message, by_hand.uri, "text")
    assert "no sign of life for 2 s" in lost(phone, by_hand, call).reason
    assert isinstance(blocked.error(), sipbridge.EngineLost)
    assert of_service(client) == [phone.endpoint._engine.container]


def test_registrations_are_there_again(client, make_phone):
    with Registrar({"alice": "wonderland"}) as registrar:
        phone = make_phone(identity="sip:alice@" + registrar.host_port)
        phone.endpoint.add_credentials("alice", "wonderland")
        phone.endpoint.register(registrar.uri)
        registrar.bindings.clear()
        container_of(client, phone).kill()
        phone.wait("registration active 200", 2, 30.0)
        assert ":%d" % phone.endpoint.port in registrar.bindings["alice"]


def test_a_published_port_is_there_again(client, make_phone):
    phone = make_phone("udp://127.0.0.1:0", network="bridge")
    port = phone.endpoint.port
    for count in (1, 2):
        container_of(client, phone).kill()
        phone.wait("restarted", count, 30.0)
    assert phone.endpoint.port == port


def test_restarts_leave_nothing_behind(client, make_phone):
    phone = make_phone(max_restarts=None, backoff=0.0)
    found = []
    for count in range(1, 7):
        container_of(client, phone).kill()
        phone.wait("restarted", count, 30.0)
        found.append((descriptors(), threads()))
    assert found[-1][0] <= found[2][0] and found[-1][1] == found[2][1]
    assert wait_until(lambda: len(of_service(client)) == 1)
    phone.close()
    assert wait_until(lambda: of_service(client) == [])


def core_pattern():
    with open("/proc/sys/kernel/core_pattern") as stream:
        return stream.read().strip()


def test_what_a_crash_leaves_is_kept(client, make_phone, tmpdir):
    phone = make_phone(crash_folder=str(tmpdir))
    name = "container-%s.core" % phone.endpoint._engine.container[:12]
    send(client, phone, signal.SIGSEGV)
    reason = phone.wait("restarted", 1, 60.0).reason
    pattern = core_pattern()
    if pattern.startswith("|"):
        assert "hands core dumps to a program on the host: %s" % pattern[1:] in reason
    elif "/" in pattern:
        assert pattern in reason
    else:
        core = tmpdir.join(name)
        assert core.size() > 100000 and str(core) in reason
        assert os.stat(str(core)).st_mode & 0o777 == 0o600


def test_closing_ends_the_container(client, make_phone, by_hand):
    phone = make_phone()
    established(phone, by_hand)
    began = time.monotonic()
    closing = Background(phone.close)
    by_hand.reply(by_hand.next("BYE"), 200)
    assert closing.error(20.0) is None
    assert wait_until(lambda: of_service(client) == [])
    assert time.monotonic() - began < 20.0
