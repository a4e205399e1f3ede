"""The service ends: its container does, too, or the next service removes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from conformance.sdp import OFFER
from container.conftest import IMAGE
from container.containers import of_service
from peers.waiting import wait_until

SERVICE = """
import sys, time, sipbridge
engine = sipbridge.Container(sys.argv[1], network="host", hang_timeout=60.0)
endpoint = sipbridge.Endpoint(engine=engine)
endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\n"
    b"c=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 6000 RTP/AVP 0\\r\\n"))
print(endpoint.port, engine.container, flush=True)
time.sleep(120)
"""


@pytest.fixture
def service():
    """A service in a process of its own, which answers calls; its port and container as attributes."""
    process = subprocess.Popen([sys.executable, "-c", SERVICE, IMAGE], stdout=subprocess.PIPE, text=True)
    port, process.container = process.stdout.readline().split()
    process.port = int(port)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_end_of_the_service_hangs_up_and_ends_the_container(client, service, by_hand):
    """Its standard input has ended, and nobody else removes it."""
    invite = by_hand.request(service.port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    by_hand.within(service.port, invite, by_hand.next("200")["To"], "ACK", 1)
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    by_hand.reply(by_hand.next("BYE"), 200)
    assert wait_until(lambda: of_service(client, service.pid) == [])


def test_a_container_that_cannot_end_is_removed_by_the_next_service(client, service, make_phone):
    client.containers.get(service.container).pause()
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    assert of_service(client, service.pid) == [service.container]
    make_phone()
    assert wait_until(lambda: of_service(client, service.pid) == [])


def test_a_container_of_a_service_that_lives_is_nobody_elses(client, service, make_phone):
    make_phone()
    assert of_service(client, service.pid) == [service.container]
