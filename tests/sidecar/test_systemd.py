"""The engine as a service of systemd: a socket that is handed over, and what systemd hears."""

from __future__ import absolute_import, division, print_function

import os
import signal
import socket
import sys

import pytest

from peers.waiting import wait_until
from sipbridge._command.systemd import Notifier, inherited_socket
from sipbridge.errors import InputError


class Manager(object):
    """Systemd's side: a socket for notifications, and one that it hands over."""

    def __init__(self, folder):
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(os.path.join(folder, "notify"))
        self.notified.settimeout(10.0)
        self.path = os.path.join(folder, "engine.sock")
        self.listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listening.bind(self.path)
        self.listening.listen(4)

    def prepare(self):
        """Run in the process of the service before its program starts."""
        os.dup2(self.listening.fileno(), 3)
        if hasattr(os, "set_inheritable"):
            os.set_inheritable(3, True)

    def hears(self):
        return self.notified.recv(4096).decode().split("\n")

    def close(self):
        self.notified.close()
        self.listening.close()


@pytest.fixture
def manager(tmpdir):
    manager = Manager(str(tmpdir))
    yield manager
    manager.close()


def test_systemd_hears_that_it_is_ready_and_that_it_ends(start_engine, manager):
    engine = start_engine(environment={"NOTIFY_SOCKET": manager.notified.getsockname()})
    assert manager.hears()[0] == "READY=1"
    engine.process.terminate()
    assert manager.hears() == ["STOPPING=1"]


def test_the_watchdog_hears_signs_of_life(start_engine, manager):
    variables = {"NOTIFY_SOCKET": manager.notified.getsockname(), "WATCHDOG_USEC": "400000"}
    engine = start_engine(environment=variables)
    manager.hears()
    assert [manager.hears() for _ in range(3)] == [["WATCHDOG=1"]] * 3
    os.kill(engine.process.pid, signal.SIGSTOP)
    manager.notified.settimeout(1.0)
    with pytest.raises(socket.timeout):
        while True:
            manager.hears()
    os.kill(engine.process.pid, signal.SIGCONT)


def test_a_watchdog_of_another_process_is_not_ours():
    assert Notifier({"WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"}).interval is None
    assert Notifier({"WATCHDOG_USEC": "400000"}).interval == 0.2
    Notifier({}).tell("READY=1")  # nobody is there


def test_a_socket_that_systemd_hands_over(start_engine, manager, make_phone, tmpdir):
    """As systemd does, the process sets LISTEN_PID to its own process id before it runs the program."""
    script = tmpdir.join("activate")
    script.write('#!/bin/sh\nexport LISTEN_PID=$$ LISTEN_FDS=1\nexec "%s" "$@"\n' % sys.executable)
    script.chmod(0o755)
    engine = start_engine(words=[], python=str(script), prepare=manager.prepare, close_fds=False)
    engine.address = "unix://" + manager.path
    make_phone(engine).close()
    engine.process.terminate()
    assert engine.process.wait() == 0
    assert os.path.exists(manager.path)  # it is systemd's


@pytest.mark.parametrize("count", ["2", "0x"])
def test_another_number_of_sockets_is_refused(count):
    with pytest.raises(InputError):
        inherited_socket({"LISTEN_FDS": count, "LISTEN_PID": str(os.getpid())})


def test_sockets_of_another_process_are_not_ours():
    assert inherited_socket({"LISTEN_FDS": "1", "LISTEN_PID": "1"}) is None
    assert inherited_socket({}) is None


def test_without_an_address_and_without_systemd(start_engine):
    engine = start_engine(words=[])
    assert engine.process.wait() == 2
    assert wait_until(lambda: "give an address" in engine.log())
