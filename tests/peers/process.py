"""Processes that tests start: found or reported missing, output kept in files, always stopped again."""

from __future__ import absolute_import, division, print_function

import io
import os
import signal
import subprocess
import time

#: What to install for a program that is missing: Debian and Ubuntu, Homebrew.
_PACKAGES = {
    "baresip": ("baresip-core", "baresip"),
    "sipp": ("sip-tester", "sipp"),
    "valgrind": ("valgrind", "valgrind"),
    "kamailio": ("kamailio", "kamailio"),
    "kamcmd": ("kamailio", "kamailio"),
    "ffmpeg": ("ffmpeg", "ffmpeg"),
    "openssl": ("openssl", "openssl"),
    "prometheus": ("prometheus", "prometheus"),
    "promtool": ("prometheus", "prometheus"),
    "systemd-analyze": ("systemd", None),
    "tshark": ("tshark", "wireshark"),
}


def freeze(pid):
    """Stop a child with SIGSTOP, and wait until all its threads stand: on a busy machine some go on for a while."""
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)


def freeze_stranger(pid):
    """The same, of a process that is no child of this one."""
    os.kill(pid, signal.SIGSTOP)
    while not all(stat.rpartition(")")[2].split()[0] == "T" for stat in _stats(pid)):
        time.sleep(0.01)


def _stats(pid):
    """What /proc tells of each thread of a process."""
    folder = "/proc/%d/task" % pid
    return [read_text(os.path.join(folder, thread, "stat")) for thread in os.listdir(folder)]


def children(pid):
    """The process ids of the children of a process, as ps tells them."""
    told = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="]).decode("ascii")
    return [int(line.split()[0]) for line in told.splitlines() if line.split()[1] == str(pid)]


class MissingPeer(Exception):
    """A program that the tests need is not installed. The text says how to install it."""


def require(program):
    """The program's path. Debian keeps some in /usr/sbin, which is not in everybody's PATH.

    Raises MissingPeer.
    """
    for folder in os.environ.get("PATH", "").split(os.pathsep) + ["/usr/sbin", "/usr/local/sbin"]:
        path = os.path.join(folder, program)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    debian, brew = _PACKAGES[program]
    raise MissingPeer(
        "%s is not installed, and the tests need it: apt-get install %s (Debian, Ubuntu)%s"
        % (program, debian, " or brew install %s (macOS)" % brew if brew else "")
    )


def read_text(path):
    """What is in a file, "" when there is none; octets that are no UTF-8 replaced."""
    if not os.path.exists(path):
        return ""
    with io.open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


class Process(object):
    """A process with its output in a file.

    Args:
        command: its argv.
        folder: where it runs and its output goes (``<name>.out``).
        name: what to call it.
        environment: what to add to the environment.
    """

    def __init__(self, command, folder, name, environment=()):
        self.name = name
        self.output_path = os.path.join(folder, name + ".out")
        with open(self.output_path, "wb") as output, open(os.devnull) as nothing:
            self._process = subprocess.Popen(
                command, cwd=folder, stdin=nothing, stdout=output, stderr=subprocess.STDOUT, close_fds=True,
                env=dict(os.environ, **dict(environment))
            )

    @property
    def pid(self):
        return self._process.pid

    def is_alive(self):
        return self._process.poll() is None

    def wait(self, seconds):
        """The exit code, or None when it still runs after that many seconds."""
        return wait_for_exit(self._process, seconds)

    def stop(self):
        """End it, at the latest after four seconds."""
        stop_process(self._process)

    def output(self):
        return read_text(self.output_path)

    def report(self):
        """What it wrote, for a failure."""
        return self.output()[-8000:]


def wait_for_exit(process, seconds):
    """The exit code of a Popen, or None after that many seconds. (Python 2.7's wait() knows no timeout.)"""
    deadline = time.time() + seconds
    while process.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    return process.returncode


def stop_process(process):
    """SIGTERM, and SIGKILL to what is still there three seconds later."""
    for send, patience in ((process.terminate, 3.0), (process.kill, 1.0)):
        if process.poll() is not None:
            return
        try:
            send()
        except OSError:  # it ended by itself just now
            pass
        wait_for_exit(process, patience)
