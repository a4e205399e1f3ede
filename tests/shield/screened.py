"""A process that reads through the shield (screened_sockets.py), and tells what it read."""

from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys

from sipbridge import shield

_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "screened_sockets.py")


class Screened(object):
    """The process; who derives from this connects ``_socket`` to ``port``.

    Args:
        arguments: of the program.
    """

    _socket = None

    def __init__(self, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, _PROGRAM] + list(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=shield.environment(),
        )
        self.port = int(self._process.stdout.readline())

    def stop(self):
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()
