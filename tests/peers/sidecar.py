"""``sipbridge engine`` at a socket in a folder of its own."""

from __future__ import absolute_import, division, print_function

import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import sipbridge
from peers.process import stop_process
from sipbridge._engine import protocol


class EngineCommand(object):
    """The command, with options. ``prepare`` is called in its process before it starts.

    Attributes:
        path, address: of its socket.
        process: the Popen.
    """

    def __init__(self, *options, **more):
        self._folder = tempfile.mkdtemp(prefix="sipbridge-")  # a short path: that of a socket has 107 octets at most
        os.chmod(self._folder, 0o711)
        self.path = os.path.join(self._folder, "engine.sock")
        self.address = "unix://" + self.path
        self._log = open(os.path.join(self._folder, "log"), "w+b")
        words = more.get("words", [self.address])
        command = [more.get("python", sys.executable), "-m", "sipbridge", "engine"] + list(words) + list(options)
        self.process = subprocess.Popen(
            command,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            close_fds=more.get("close_fds", True),
            preexec_fn=more.get("prepare"),
            env=dict(os.environ, **more.get("environment", {})),
        )

    def log(self):
        """What it has printed so far."""
        with open(self._log.name, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def connect(self, first=protocol.SIGN_OF_LIFE):
        """A connection to it, on which these octets are sent; a socket that waits 10 s at most."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(10.0)
        connection.connect(self.path)
        try:
            connection.sendall(first)
        except socket.error as error:  # it is refused before that: the reason is there to be read
            if error.errno != errno.EPIPE:
                raise
        return connection

    def stop(self):
        stop_process(self.process)
        self._log.close()
        shutil.rmtree(self._folder)


class OwnSidecar(sipbridge.Sidecar):
    """A Sidecar whose engine is started for it, and goes with it."""

    def __init__(self, **options):
        self._command_line = EngineCommand()
        sipbridge.Sidecar.__init__(self, self._command_line.address, **options)

    def open(self, *arguments, **named):
        try:
            sipbridge.Sidecar.open(self, *arguments, **named)
        except BaseException:
            self._command_line.stop()
            raise

    def close(self, grace):
        try:
            sipbridge.Sidecar.close(self, grace)
        finally:
            self._command_line.stop()


def pid_of(phone):
    """The process id of the engine that serves a phone; None while there is none."""
    channel = phone.endpoint._engine._channel
    return None if channel is None else channel.facts["pid"]
