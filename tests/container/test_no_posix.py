"""A service on Windows: the names that its Python lacks are taken away, and the daemon is not at a UNIX socket."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading

import pytest

from container.conftest import IMAGE

#: A call between two containers by a program for which there is nothing of POSIX.
PROGRAM = """
import os, select, signal, socket, subprocess, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, names in (
    (socket, "AF_UNIX SOCK_CLOEXEC MSG_DONTWAIT SO_PEERCRED"),
    (select, "poll epoll POLLIN POLLOUT POLLHUP POLLERR"),
    (os, "getuid geteuid getgid getegid fork waitpid WNOHANG WIFSIGNALED getppid uname chown setsid killpg"),
    (signal, "SIGALRM SIGKILL SIGSTOP SIGCONT SIGHUP SIGCHLD setitimer alarm pthread_sigmask ITIMER_REAL"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
import sipbridge
SDP = b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n"
def engine():
    return sipbridge.Container(sys.argv[1], network=sys.argv[2])
with sipbridge.Endpoint(sys.argv[3], engine=engine()) as bob, sipbridge.Endpoint(sys.argv[3], engine=engine()) as alice:
    bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
    call = alice.call(bob.uri, SDP)
    call.wait_established(20.0)
    call.hangup()
    print(call.wait_ended(20.0).cause, flush=True)
"""


def _copy(source, target):
    with contextlib.suppress(OSError):
        while True:
            octets = source.recv(65536)
            if not octets:
                break
            target.sendall(octets)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def daemon_on_tcp():
    """Address and port at which the daemon is to be reached over TCP while the test runs."""
    path = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")[len("unix://") :]
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(path)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_copy, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield "tcp://127.0.0.1:%d" % listening.getsockname()[1]
    listening.close()


def run(address, *arguments):
    environment = dict(os.environ, DOCKER_HOST=address)
    command = [sys.executable, "-c", PROGRAM, IMAGE, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_call_without_what_windows_lacks(daemon_on_tcp):
    """Bob's and Alice's ports are published on this machine's address."""
    result = run(daemon_on_tcp, "bridge", "udp://0.0.0.0:0")
    assert result.returncode == 0 and result.stdout.split()[-1] == "local-bye", result.stderr[-4000:]


def test_the_network_of_a_daemon_elsewhere_is_not_this_machines(daemon_on_tcp):
    result = run(daemon_on_tcp, "host", "udp://127.0.0.1:0")
    assert "the daemon is not on this machine" in result.stderr
