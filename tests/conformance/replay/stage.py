"""Records a flow, and plays what was recorded."""

from __future__ import absolute_import, division, print_function

import io
import threading

from peers.ports import free_port
from sipbridge._replay import dialogue
from sipbridge._replay import stage as real
from sipbridge._replay.fitting import Settings
from sipbridge._replay.player import Pace


def load(path, role, which=None, party=None):
    """The dialogue of a capture."""
    with io.open(path, "rb") as stream:
        return dialogue.load(stream, which, role, party)


class Played(object):
    """A dialogue that is played in a thread of its own.

    Attributes:
        lines: what it told.
    """

    def __init__(self, chosen, to=None, pace=None, settings=None, transport="udp", ignored=()):
        self.lines = []
        self._ready = threading.Event()
        self._result = None
        local = "%s://127.0.0.1:%d" % (transport, free_port())
        self.uri = "sip:" + local.partition("://")[2] + ("" if transport == "udp" else ";transport=" + transport)
        arguments = (chosen, settings or Settings(), pace or Pace(0, 10.0), self._tell, to, local, ignored)
        self._thread = threading.Thread(target=self._play, args=arguments)
        self._thread.daemon = True
        self._thread.start()
        assert self._ready.wait(10.0)

    def _play(self, *arguments):
        try:
            self._result = real.play(*arguments)
        except Exception as error:  # wait() raises it
            self._result = error
        self._ready.set()

    def _tell(self, lines):
        self.lines += lines
        self._ready.set()

    def wait(self):
        """The Player at its end; raises what it raised."""
        self._thread.join(40.0)
        assert not self._thread.is_alive(), self.lines
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


class Beside(object):
    """A context in which a function runs in a thread; at its end what the function raised is raised."""

    def __init__(self, function, *arguments):
        self._error = None
        self._thread = threading.Thread(target=self._run, args=(function,) + arguments)
        self._thread.daemon = True

    def _run(self, function, *arguments):
        try:
            function(*arguments)
        except Exception as error:
            self._error = error

    def __enter__(self):
        self._thread.start()

    def __exit__(self, kind, *rest):
        self._thread.join(20.0)
        if kind is None and self._error is not None:
            raise self._error
        assert kind is not None or not self._thread.is_alive()
