"""Ports of 127.0.0.1 and ::1 for peers that have to be told theirs."""

from __future__ import absolute_import, division, print_function

import errno
import os
import random
import socket
import subprocess
import time
from contextlib import closing

HOST = "127.0.0.1"

# Below what Linux and macOS give out for port 0, so that an endpoint on port 0 never takes a peer's port.
_FIRST, _LAST = 20000, 31999
_given = set()


def has_ipv6():
    """Whether this machine has ::1."""
    try:
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as probe:
            probe.bind(("::1", 0))
    except socket.error:
        return False
    return True


def free_port():
    """A port that nobody has for UDP, and that is not given out again."""
    for _ in range(1000):
        port = random.randint(_FIRST, _LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise RuntimeError("no free UDP port between %d and %d" % (_FIRST, _LAST))


def _is_free(port):
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.bind((HOST, port))
    except socket.error as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    finally:
        probe.close()
    return True


def _is_bound(port, transport):
    """Whether somebody listens on the port. Looked up, not tried out: a probe could take the port away."""
    if not os.path.exists("/proc/net/" + transport):
        command = ["lsof", "-nP", "-i%s:%d" % (transport.upper(), port)]
        return subprocess.call(command, stdout=subprocess.PIPE) == 0
    lines = []
    for name in (transport, transport + "6"):
        with open("/proc/net/" + name) as table:
            lines += table.readlines()[1:]
    return any(line.split()[1].endswith(":%04X" % port) for line in lines)


def wait_until_bound(port, alive, seconds=10.0, transport="udp"):
    """Wait until the port is listened on; False when ``alive()`` no longer holds, or after the time."""
    deadline = time.time() + seconds
    while time.time() < deadline and alive():
        if _is_bound(port, transport):
            return True
        time.sleep(0.01)
    return False
