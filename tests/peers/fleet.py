"""``sipbridge fleet`` in a folder of its own: its commands, and what is left of it ended."""

from __future__ import absolute_import, division, print_function

import os
import re
import shutil
import signal
import sys
import tempfile

from peers.ports import HOST, free_row
from peers.process import children, read_text
from peers.waiting import wait_until
from unit.command.process import Command

STEP = 10

#: A program that answers calls, and drains at SIGTERM.
LISTEN = (sys.executable, "-m", "sipbridge", "listen", "{address}", "--drain", "60")


class Supervised(object):
    """A fleet in a folder, on a row of ports that nobody has.

    Attributes:
        ports: those of its engines.
    """

    def __init__(self, count):
        self._first = free_row(count, STEP)
        self.ports = [self._first + STEP * index for index in range(count)]
        self.folder = tempfile.mkdtemp(prefix="sipbridge-fleet-")  # short: it has the path of a socket

    def path(self, name):
        return os.path.join(self.folder, name)

    def command(self, *options, **more):
        """``sipbridge fleet`` with options, running; ``program`` is what follows ``--``."""
        words = ["fleet", "--folder", self.folder] + [str(each) for each in options]
        if more.get("program"):
            words += ["--address", "udp://%s:%d" % (HOST, self._first), "--"] + list(more["program"])
        return Command(*words)

    def run(self, *options, **more):
        """The same, ended; a Command. It has to end with ``code``, 0 if none is given; None: with any."""
        with self.command(*options, **more) as command:
            code = command.finish()
            assert more.get("code", 0) in (code, None), command.output + command.errors
            return command

    def start(self, program=LISTEN, options=()):
        return self.run(len(self.ports), *options, program=program)

    def uri(self, port):
        return "sip:bob@%s:%d" % (HOST, port)

    def pids(self):
        """The process ids of the engines that run, by port."""
        told = self.run("--status", code=None)
        return dict(
            (int(port), int(pid)) for port, pid in re.findall(r"engine-(\d+) .*  RUNNING (\d+) for", told.output)
        )

    def expect(self, port, text):
        """Wait until the log of an engine has a text."""
        wait_until(lambda: text in read_text(self.path("engine-%d.log" % port)))

    def processes(self):
        """supervisord and all that it started."""
        text = read_text(self.path("supervisord.pid")).strip()
        found = [int(text)] if text else []
        for pid in found:
            found += children(pid)
        return found

    def close(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:  # it has ended
                pass
        shutil.rmtree(self.folder)
