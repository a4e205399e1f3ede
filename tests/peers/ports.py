"""Ports of 127.0.0.1 and ::1 for peers that have to be told theirs."""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import itertools
import os
import random
import socket
import subprocess
import tempfile
import time
from contextlib import closing

HOST = "127.0.0.1"

# Below what Linux and macOS give out for port 0, so that an endpoint on port 0 never takes a peer's port.
_FIRST, _LAST = 20000, 31999

#: How many a process has to itself: with tests in several processes nobody takes a port between look and use.
_SHARE = 100

#: The state of a listening socket in /proc/net/tcp.
_LISTEN = "0A"

_mine = {}


def has_ipv6():
    """Whether this machine has ::1."""
    try:
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as probe:
            probe.bind(("::1", 0))
    except socket.error:
        return False
    return True


def free_port():
    """A port that nobody has; the same one again only after all others of this process."""
    ports = claim()
    for _ in range(_SHARE):
        port = next(ports)
        if port not in _mine["row"] and _is_free(port):
            return port
    raise RuntimeError("no free port between %d and %d" % (_FIRST, _LAST))


def free_row(count, step):
    """The first of some ports, each a step above the last, that nobody has. free_port() leaves the last row alone."""
    claim()
    first = _mine["first"]
    for port in random.sample(range(first, first + _SHARE - step * (count - 1)), _SHARE - step * (count - 1)):
        row = range(port, port + step * count, step)
        if all(_is_free(each) for each in row):
            _mine["row"] = row
            return port
    raise RuntimeError("no %d free ports, %d apart, from %d on" % (count, step, first))


def claim():
    """This process's share of the ports, for ever in a circle. What a fork inherits is its parent's."""
    if _mine.get("pid") != os.getpid():
        first, lock = _lock_share()
        ports = itertools.cycle(range(first, first + _SHARE))
        _mine.update(pid=os.getpid(), first=first, lock=lock, row=(), ports=ports)
    return _mine["ports"]


def _lock_share():
    """A share that no other process has: its first port, and the locked file that says so while this one lives."""
    folder = os.path.join(tempfile.gettempdir(), "sipbridge-ports-%d" % os.getuid())
    if not os.path.isdir(folder):
        try:
            os.mkdir(folder, 0o700)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
    shares = list(range(_FIRST, _LAST + 1, _SHARE))
    random.shuffle(shares)
    for first in shares:
        lock = open(os.path.join(folder, str(first)), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.fcntl(lock, fcntl.F_SETFD, fcntl.fcntl(lock, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
            return first, lock
        except (IOError, OSError):
            lock.close()
    raise RuntimeError("all ports from %d to %d are taken by tests (locks in %s)" % (_FIRST, _LAST, folder))


def _is_free(port):
    """For UDP and for TCP: peers take both."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            if kind == socket.SOCK_STREAM:  # as servers do: what an ended connection left is in nobody's way
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except socket.error as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                return False
    return True


def _is_bound(port, transport):
    """Whether somebody listens on the port. Looked up, not tried out: a probe could take the port away."""
    if not os.path.exists("/proc/net/" + transport):
        command = ["lsof", "-nP", "-i%s:%d" % (transport.upper(), port)]
        return subprocess.call(command, stdout=subprocess.PIPE) == 0
    rows = []
    for name in (transport, transport + "6"):
        with open("/proc/net/" + name) as table:
            rows += [line.split() for line in table.readlines()[1:]]
    # A connection of the port's last owner may still be there: of TCP only what listens counts.
    return any(row[1].endswith(":%04X" % port) and (transport == "udp" or row[3] == _LISTEN) for row in rows)


def wait_until_bound(port, alive, seconds=40.0, transport="udp"):
    """Wait until the port is listened on; False when ``alive()`` no longer holds, or after the time."""
    deadline = time.time() + seconds
    while time.time() < deadline and alive():
        if _is_bound(port, transport):
            return True
        time.sleep(0.01)
    return False
