"""The service dies: its worker hangs up and is gone in two seconds, and so is the port."""

from __future__ import absolute_import, division, print_function

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from conformance.sdp import OFFER
from peers.waiting import wait_until
from worker.processes import is_alive


@pytest.fixture
def start():
    """Starts a service in a process of its own; its port, its worker's and its child's process ids as attributes."""
    processes = []

    def start_one(*options):
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "service.py")
        process = subprocess.Popen([sys.executable, path] + list(options), stdout=subprocess.PIPE)
        processes.append(process)
        process.port, process.worker, process.child = [int(word) for word in process.stdout.readline().split()]
        return process

    yield start_one
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def service(start):
    return start()


def call(by_hand, port):
    """A call to the service that is up."""
    invite = by_hand.request(port, "INVITE", [("Content-Type", "application/sdp")], OFFER)
    by_hand.within(port, invite, by_hand.next("200")["To"], "ACK", 1)


def is_free(port):
    with_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        with_socket.bind(("127.0.0.1", port))
    except socket.error:
        return False
    finally:
        with_socket.close()
    return True


#: Seconds: many on a busy machine, and less than the 32 for which SIP would wait for an answer to a BYE.
PATIENCE = 20.0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_worker_hangs_up_and_ends(service, by_hand, number):
    call(by_hand, service.port)
    assert is_alive(service.worker)
    os.kill(service.pid, number)
    service.wait()
    by_hand.reply(by_hand.next("BYE"), 200)
    assert wait_until(lambda: not is_alive(service.worker) and is_free(service.port), PATIENCE)


def test_a_silent_peer_does_not_hold_up_the_worker(service, by_hand):
    """Nobody answers the BYE."""
    call(by_hand, service.port)
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    assert wait_until(lambda: not is_alive(service.worker) and is_free(service.port), PATIENCE)


def test_signals_of_a_terminal_do_not_end_the_worker(service, by_hand):
    """After Ctrl-C or a hang-up the service decides what becomes of the calls."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(service.worker, number)
    call(by_hand, service.port)
    assert is_alive(service.worker)


def test_a_forked_child_of_the_service_does_not_keep_the_worker(start, by_hand):
    """Forked after the worker was started, it holds the other end of the worker's socket."""
    service = start("--child")
    call(by_hand, service.port)
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    try:
        assert is_alive(service.child)
        by_hand.reply(by_hand.next("BYE"), 200)
        assert wait_until(lambda: not is_alive(service.worker), PATIENCE)
    finally:
        os.kill(service.child, signal.SIGKILL)


def test_a_worker_that_hangs_ends_itself(start, interpreter, tmpdir):
    trigger = tmpdir.join("hang")
    service = start("--python", interpreter("hanging_worker.py", str(trigger)))
    trigger.write("")
    time.sleep(1.0)  # two signs of life are due in it
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    assert wait_until(lambda: not is_alive(service.worker) and is_free(service.port), 6.0)
