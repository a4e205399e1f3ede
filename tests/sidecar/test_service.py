"""The service ends, falls silent, or is not alone: its calls are hung up, and the engine is there for the next."""

from __future__ import absolute_import, division, print_function

import os
import signal
import subprocess
import sys

import pytest

import sipbridge
from conformance.sdp import OFFER
from peers.process import freeze
from peers.sidecar import pid_of
from peers.waiting import wait_until
from worker.processes import is_alive
from worker.test_lost import established

SERVICE = """
import sys, time, sipbridge
endpoint = sipbridge.Endpoint(engine=sipbridge.Sidecar(sys.argv[1]))
endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\n"
    b"c=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 6000 RTP/AVP 0\\r\\n"))
print(endpoint.port)
sys.stdout.flush()
time.sleep(60)
"""


@pytest.fixture
def start_service():
    """Starts a service in a process of its own, which answers calls; its port as an attribute."""
    processes = []

    def start(address):
        process = subprocess.Popen([sys.executable, "-c", SERVICE, address], stdout=subprocess.PIPE)
        processes.append(process)
        process.port = int(process.stdout.readline())
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def call(by_hand, port):
    """A call to the service that is up."""
    invite = by_hand.request(port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    by_hand.within(port, invite, by_hand.next("200")["To"], "ACK", 1)


def test_the_end_of_the_service_hangs_up_and_the_next_one_is_served(engine, start_service, make_phone, by_hand):
    service = start_service(engine.address)
    call(by_hand, service.port)
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    phone = make_phone(engine)  # at once: it waits for the last engine to end
    by_hand.reply(by_hand.next("BYE"), 200)
    established(phone, by_hand)


def test_a_peer_that_does_not_answer_the_bye_holds_up_nobody(engine, start_service, make_phone, by_hand):
    service = start_service(engine.address)
    call(by_hand, service.port)
    service.kill()
    service.wait()
    make_phone(engine)


def test_a_silent_service_is_hung_up_on(start_engine, start_service, make_phone, by_hand):
    engine = start_engine("--silence", "2")
    service = start_service(engine.address)
    call(by_hand, service.port)
    freeze(service.pid)
    by_hand.reply(by_hand.next("BYE"), 200)
    make_phone(engine)
    assert "no sign of life from the service for 2 s" in engine.log()


def test_a_service_that_has_nothing_to_say_is_not_silent(start_engine, make_phone, by_hand):
    phone = make_phone(start_engine("--silence", "1"))
    pid = pid_of(phone)
    channel = phone.endpoint._engine._channel
    before = channel.heard
    assert wait_until(lambda: channel.heard >= before + 5)  # every 0.5 s
    established(phone, by_hand)
    assert pid_of(phone) == pid


def test_a_second_service_is_told_so(engine, phone, make_phone, by_hand):
    with pytest.raises(sipbridge.EngineError) as caught:
        make_phone(engine, connect_timeout=0.0)
    assert "serves another service: process %d of user %d" % (os.getpid(), os.geteuid()) in str(caught.value)
    established(phone, by_hand)


def test_an_endpoint_that_was_closed_makes_room(engine, make_phone):
    for _ in range(3):
        make_phone(engine).close()


def test_a_service_may_start_before_its_engine(start_engine, make_phone, tmpdir):
    def start_late():
        import time

        time.sleep(0.5)

    make_phone(start_engine(prepare=start_late), connect_timeout=20.0)


def test_without_an_engine_the_error_says_what_to_start(tmpdir):
    address = "unix://%s/engine.sock" % tmpdir
    with pytest.raises(sipbridge.EngineLost) as caught:
        sipbridge.Endpoint(engine=sipbridge.Sidecar(address, connect_timeout=0.0))
    assert "start the engine, sipbridge engine " + address in str(caught.value)


def test_an_engine_that_cannot_be_opened_is_no_harm(engine, make_phone, by_hand):
    for _ in range(2):
        with pytest.raises(sipbridge.TransportError):
            sipbridge.Endpoint("udp://192.0.2.1:5060", engine=sipbridge.Sidecar(engine.address))
    established(make_phone(engine), by_hand)


def test_sigterm_hangs_up(engine, make_phone, by_hand):
    phone = make_phone(engine)
    established(phone, by_hand)
    pid = pid_of(phone)
    engine.process.terminate()
    by_hand.reply(by_hand.next("BYE"), 200)
    assert engine.process.wait() == 0
    assert not is_alive(pid) and not os.path.exists(engine.path)


def test_a_check_tells_whom_it_serves(engine, make_phone):
    def check():
        command = [sys.executable, "-m", "sipbridge", "engine", engine.address, "--check"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.communicate()[0].decode()
        return process.returncode, output

    make_phone(engine).close()
    assert wait_until(lambda: "waiting for a service" in check()[1])
    make_phone(engine)
    assert "serves process %d" % os.getpid() in check()[1] and check()[0] == 0
    engine.process.kill()
    engine.process.wait()
    code, output = check()
    assert code == 3 and "no engine answers" in output
