"""What a test does to a worker, and looks up about this process."""

from __future__ import absolute_import, division, print_function

import os
import threading

from conformance.sdp import ANSWER, OFFER


def worker_of(phone):
    """The worker's process id."""
    return phone.endpoint._engine.pid


def lose(phone, number, timeout=10.0):
    """Send the worker a signal that ends it, and wait until another is in its place. Returns EngineRestarted."""
    count = phone.labels.count("restarted")
    os.kill(worker_of(phone), number)
    return phone.wait("restarted", count + 1, timeout)


def established(phone, by_hand):
    """A call to a peer by hand, which has answered it."""
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 200, [("Content-Type", "application/sdp")], ANSWER)
    by_hand.next("ACK")
    call.wait_established(10.0)
    return call


def is_alive(pid):
    """True while there is such a process, and it is no zombie."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (IOError, OSError):
        return False


def descriptors():
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def resident_kb():
    """The memory of this process, in kB."""
    with open("/proc/self/status") as status:
        (line,) = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1])


def threads():
    """The names of the threads of this process."""
    return sorted(thread.name for thread in threading.enumerate() if thread.name != "sipbridge handlers")


class Background(object):
    """Runs something that blocks; :meth:`error` tells what it raised."""

    def __init__(self, action, *arguments, **options):
        self._error = None
        self._thread = threading.Thread(target=self._run, args=(action, arguments, options))
        self._thread.daemon = True
        self._thread.start()

    def _run(self, action, arguments, options):
        try:
            action(*arguments, **options)
        except Exception as error:  # it is the test's to judge
            self._error = error

    def error(self, timeout=10.0):
        """What it raised, or None; AssertionError when it has not come back."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "it still blocks"
        return self._error
