"""The ``sipbridge`` command in a process of its own, for the tests."""

from __future__ import absolute_import, division, print_function

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

import sipbridge

PATIENCE = 20.0  # seconds; only a failing test waits so long

#: A peer for what ends before anything is sent.
NOBODY = "sip:bob@127.0.0.1"

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))

only_sofia = pytest.mark.skipif(
    os.environ.get("SIPBRIDGE_ENGINE") == "exosip",
    reason="libeXosip2 3.x tells of no REGISTER but those of its own registrations, and has no TLS 1.2",
)


def _own_session():
    """Without a terminal, and with the signals of a foreground process."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Command(object):
    """A running ``python -m <module> <arguments>``; standard output and error are collected as text.

    ``standard_input`` is bytes; ``environment`` what to add to the environment (None removes a variable);
    ``only_one_line`` to read one line of the output and then close it, as ``head -n 1`` does.
    """

    def __init__(self, *arguments, **options):
        self._only_one_line = options.get("only_one_line", False)
        environment = dict(os.environ, PYTHONPATH=_ROOT, PYTHONIOENCODING="utf-8")
        for name, value in options.get("environment", {}).items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        self.process = subprocess.Popen(
            [sys.executable, "-m", options.get("module", "sipbridge")] + list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            preexec_fn=_own_session,
            close_fds=True,
        )
        self._changed = threading.Condition()
        self._texts = {"stdout": u"", "stderr": u""}
        self._readers = [threading.Thread(target=self._read, args=(name,)) for name in self._texts]
        for reader in self._readers:
            reader.daemon = True
            reader.start()
        if "standard_input" in options:
            self.process.stdin.write(options["standard_input"])
        self.process.stdin.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()

    def _read(self, name):
        stream = getattr(self.process, name)
        for line in iter(stream.readline, b""):
            with self._changed:
                self._texts[name] += line.decode("utf-8")
                self._changed.notify_all()
            if name == "stdout" and self._only_one_line:
                stream.close()
                return

    @property
    def output(self):
        return self._texts["stdout"]

    @property
    def errors(self):
        return self._texts["stderr"]

    def expect(self, pattern):
        """Wait until standard output has the pattern in it; returns the match."""
        deadline = time.time() + PATIENCE
        with self._changed:
            while True:
                found = re.search(pattern, self.output)
                if found:
                    return found
                assert time.time() < deadline, "no %r in:\n%s%s" % (pattern, self.output, self.errors)
                self._changed.wait(0.1)

    def finish(self):
        """Wait for the end; returns the exit code."""
        deadline = time.time() + PATIENCE
        while self.process.poll() is None:
            assert time.time() < deadline, "still running:\n%s%s" % (self.output, self.errors)
            time.sleep(0.01)
        for reader in self._readers:
            reader.join(PATIENCE)
        return self.process.returncode


def run(*arguments, **options):
    """A Command that has ended."""
    with Command(*arguments, **options) as command:
        command.finish()
        return command


class Listening(Command):
    """``sipbridge listen`` on a free port; :attr:`uri` reaches it."""

    def __init__(self, *arguments, **options):
        Command.__init__(self, "listen", "udp://127.0.0.1:0", *arguments, **options)
        try:
            self.uri = "sip:bob@" + self.expect(r"listening on udp://(127\.0\.0\.1:\d+) ").group(1)
        except AssertionError:
            self.__exit__()
            raise


def one_line(text):
    """The text, which must be one line of the command's."""
    assert text.startswith("sipbridge") and text.count("\n") == 1 and text.endswith("\n"), text
    return text
