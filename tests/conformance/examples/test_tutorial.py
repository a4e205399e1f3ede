"""docs/tutorial.md, followed from its second step to its end: its files, its commands, and what they print."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import signal
import subprocess
import sys

import pytest

import sipbridge
from peers.ports import free_port, wait_until_bound
from peers.process import Process
from peers.waiting import wait_until

LIMIT = 90.0  # seconds: only a test that fails takes that long

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "docs", "tutorial.md")
ENGINE = os.environ.get("SIPBRIDGE_ENGINE") or "sofia"

#: Runs a program with Ctrl-C as a terminal has it: what a shell starts in the background, as CI may be, ignores it.
IN_A_TERMINAL = """\
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_path(sys.argv[1], run_name="__main__")
"""

#: What the page starts and goes on beside.
SERVERS = ("python hello.py", "python service.py")


class Reader(object):
    """Does what the page says, in a folder of its own, on another port than 5060."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        with io.open(PAGE, encoding="utf-8") as stream:
            self.text = stream.read().replace(u":5060", u":%d" % self.port)
        self._servers = []
        self._make_programs()

    def _make_programs(self):
        """``python`` and ``sipbridge``, as an environment has them."""
        root = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))
        for name, arguments in (("python", ""), ("sipbridge", "-m sipbridge")):
            path = os.path.join(self.folder, "bin", name)
            if not os.path.isdir(os.path.dirname(path)):
                os.mkdir(os.path.dirname(path))
            with open(path, "w") as stream:
                stream.write('#!/bin/sh\nexec %s %s "$@"\n' % (sys.executable, arguments))
            os.chmod(path, 0o755)
        path = os.path.join(self.folder, "bin") + os.pathsep + os.environ["PATH"]
        self._environment = dict(os.environ, PATH=path, PYTHONPATH=root)

    def follow(self, section):
        """Take each block of a section: files are written, servers are started, commands run; what they print."""
        text = self.text[self.text.index(u"\n## %s" % section) :]
        text = text[: text.find(u"\n## ", 1)]
        printed = []
        for language, block in re.findall(u"```(python|sh)\n(.*?)```", text, re.DOTALL):
            if language == "python":
                name = re.match(u"# (\\S+)\n", block).group(1)
                with io.open(os.path.join(self.folder, name), "w", encoding="utf-8") as stream:
                    stream.write(block)
            elif block.strip() in SERVERS:
                self._start(block.split()[1])
            else:
                printed.append(self.run(block))
        return printed

    def _start(self, name):
        command = [sys.executable, "-c", IN_A_TERMINAL, name]
        server = Process(command, self.folder, name, environment=self._environment)
        self._servers.append(server)
        assert wait_until_bound(self.port, server.is_alive), server.output()

    def run(self, command):
        process = subprocess.Popen(
            ["sh", "-ec", command],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        output = process.communicate()[0]
        assert process.returncode == 0, output
        return output

    def interrupt(self):
        """Ctrl-C in the first terminal; the exit code and what was printed."""
        server = self._servers.pop()
        os.kill(server.pid, signal.SIGINT)
        return server.wait(LIMIT), server.output()

    def report(self):
        return "\n".join(server.report() for server in self._servers)

    def stop(self):
        for server in self._servers:
            server.stop()

    def block(self, section, number=0):
        """A block of output in a section."""
        text = self.text[self.text.index(u"\n## %s" % section) :]
        return re.findall(u"```text\n(.*?)```", text, re.DOTALL)[number]

    def told(self, section, number=0):
        """The same as a pattern: times and ports differ, and each engine has its name."""
        return re.sub(r"\d+", r"\\d+", re.escape(self.block(section, number))).replace("sofia", ENGINE) + r"\Z"


def without_times(lines):
    """The words behind the time of each line; two things that happen at once have no order."""
    return sorted(re.sub(r"\d+", "0", line.split(None, 1)[1]) for line in lines.splitlines())


@pytest.fixture
def reader(starter):
    return starter.keep("reader of the tutorial", Reader(starter.folder()))


def test_the_tutorial(reader):
    (called,) = reader.follow("2. Answer")
    assert without_times(called) == without_times(reader.block("2. Answer").replace("sofia", ENGINE))
    _, said = reader.interrupt()
    assert "sip:alice@example.com keyed in 42" in said

    reader.follow("3. Keep")
    # A caller hears of the end before the service has written it down: whoever types is slower.
    wait_until(lambda: re.match(reader.told("3. Keep", 1), reader.run("python records.py")), timeout=20.0)

    (drawn,) = reader.follow("4. See")
    if ENGINE == "sofia":
        assert re.search(reader.told("4. See"), drawn), drawn
    code, said = reader.interrupt()
    assert (code, "Traceback" in said) == (0, False), said
    assert re.match(reader.told("3. Keep"), said), said

    (tested,) = reader.follow("5. Test")
    assert "2 passed" in tested
