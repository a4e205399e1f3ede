"""Bob, the demo's second party, in a process of his own, because libeXosip2 has one stack per process.

``python -m sipbridge._command.demo_party`` reads what to do from its standard input, and writes what happens to its
standard output, one JSON object per line. :class:`Bob` runs in that process; the demo uses it through :class:`Child`.
"""

from __future__ import absolute_import, division, print_function

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

from sipbridge._agent.endpoint import Endpoint
from sipbridge._command.console import PASSWORD_VARIABLE
from sipbridge._compat import monotonic
from sipbridge.events import (
    CallConfirmed,
    CallEnded,
    CallReinvited,
    IncomingCall,
    InfoReceived,
    MessageReceived,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Sequence

    from sipbridge._kept.registration import Registration
try:
    from queue import Empty as Empty
    from queue import Queue as Queue
except ImportError:  # Python 2
    from Queue import Empty, Queue  # type: ignore[import-not-found, no-redef]

#: The seconds that a step may take.
TIMEOUT = 5.0
_START_TIMEOUT = 15.0  # the seconds that the child may take to start

#: The ways in which Bob can misbehave, for tests of the demo, and what he does then.
DEVIATIONS = {
    "password": "the registrar knows another password of alice",
    "refuse": "bob refuses the call",
    "sdp": "bob answers without a session description",
    "dtmf": "bob misses a key",
    "hold": "bob ignores that he is put on hold",
    "message": "bob refuses the message",
    "crash": "bob's process dies when he is put on hold",
}

_DIRECTION = re.compile(u"^a=(sendrecv|sendonly|recvonly|inactive)\\s*$", re.MULTILINE)
_MIRRORED = {"sendonly": "recvonly", "recvonly": "sendonly"}


class Deviation(Exception):
    """Something is not as the demo expects it."""


def session(user, version, way="sendrecv"):
    # type: (str, int, str) -> bytes
    """A session description; ``way`` is the direction of its one stream (RFC 3264, 5.1)."""
    lines = (
        "v=0",
        "o=%s 1 %d IN IP4 127.0.0.1" % (user, version),
        "s=demo",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        "m=audio 9 RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "a=" + way,
    )
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def direction(sdp):
    # type: (Optional[bytes]) -> str
    """The direction of the stream in a session description; sendrecv when it names none."""
    found = _DIRECTION.search((sdp or b"").decode("utf-8", "replace").replace("\r\n", "\n"))
    return found.group(1) if found else "sendrecv"


# -- bob -----------------------------------------------------------------------------------------------------


class Bob(object):
    """Registers, rings, answers and reports it. He takes one call after the other."""

    def __init__(self, phone, registrar, deviation=None):
        # type: (Endpoint, str, Optional[str]) -> None
        self._phone = phone
        self._registrar = registrar
        self._deviation = deviation
        self._registration = None  # type: Optional[Registration]
        self._version = 0
        self._lock = threading.Lock()
        handlers = (
            (IncomingCall, self._incoming),
            (CallConfirmed, lambda event: self._tell("confirmed")),
            (InfoReceived, self._info),
            (CallReinvited, self._reinvited),
            (MessageReceived, self._message),
            (CallEnded, lambda event: self._tell("ended", cause=event.cause, calls=len(self._phone.calls))),
        )  # type: Any  # pairs of a class of events and its handler
        for kind, handler in handlers:
            phone.on(kind, handler)

    def run(self):
        # type: () -> None
        """Obey the lines on standard input until it ends."""
        self._tell("ready", uri=self._phone.uri, engine=self._phone.engine_name)
        for line in iter(sys.stdin.readline, ""):
            {"register": self._register, "unregister": self._unregister}[json.loads(line)["do"]]()

    def _tell(self, event, **fields):
        # type: (str, **Any) -> None
        with self._lock:
            sys.stdout.write(json.dumps(dict(fields, event=event)) + "\n")
            sys.stdout.flush()

    def _register(self):
        # type: () -> None
        self._phone.add_credentials("bob", os.environ[PASSWORD_VARIABLE])
        self._registration = kept = self._phone.register(self._registrar, expires=300, timeout=TIMEOUT)
        self._tell("registered", expires=kept.expires)

    def _unregister(self):
        # type: () -> None
        if self._registration is not None:
            self._registration.unregister(TIMEOUT)
            self._tell("unregistered", state=self._registration.state)

    def _session(self, way="sendrecv"):
        # type: (str) -> bytes
        self._version += 1
        return session("bob", self._version, way)

    def _incoming(self, event):
        # type: (IncomingCall) -> None
        if self._deviation == "refuse":
            event.call.reject(486)
            return
        event.call.ring()
        answer = None if self._deviation == "sdp" else self._session()
        self._tell("incoming", caller=event.call.remote_uri, sdp=(event.sdp or b"").decode("utf-8"))
        event.call.answer(answer)
        self._tell("answered", sdp=(answer or b"").decode("utf-8"))

    def _info(self, event):
        # type: (InfoReceived) -> None
        if not (self._deviation == "dtmf" and event.dtmf == "2"):
            self._tell("dtmf", key=event.dtmf)

    def _reinvited(self, event):
        # type: (CallReinvited) -> None
        if self._deviation == "crash":
            os._exit(1)
        way = direction(event.sdp)
        self._tell("reinvited", way=way)
        event.answer(self._session("sendrecv" if self._deviation == "hold" else _MIRRORED.get(way, way)))

    def _message(self, event):
        # type: (MessageReceived) -> None
        if self._deviation == "message":
            event.answer(486)
        self._tell("message", text=event.text, sender=event.from_uri)


def main(argv=None):
    # type: (Optional[Sequence[str]]) -> int
    """Run Bob until standard input ends. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sipbridge._command.demo_party", description=__doc__)
    parser.add_argument("--identity", required=True)
    parser.add_argument("--registrar", required=True)
    parser.add_argument("--engine")
    parser.add_argument("--deviation", choices=sorted(DEVIATIONS))
    options = parser.parse_args(argv)
    try:
        with Endpoint(identity=options.identity, engine=options.engine) as phone:
            Bob(phone, options.registrar, options.deviation).run()
    except KeyboardInterrupt:  # the terminal interrupts the demo, too, which reports it
        return 130
    return 0


# -- the demo's side -----------------------------------------------------------------------------------------


class Child(object):
    """Bob's process, and a context manager that ends the process.

    Attributes:
        pid: its process id.
    """

    def __init__(self, identity, registrar, engine, password, deviation=None):
        # type: (str, str, str, str, Optional[str]) -> None
        command = [sys.executable, "-m", "sipbridge._command.demo_party", "--identity", identity]
        command += ["--registrar", registrar, "--engine", engine]
        command += [] if deviation is None else ["--deviation", deviation]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, **{PASSWORD_VARIABLE: password}),
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # Popen has made pipes
        self._input, self._output = self._process.stdin, self._process.stdout
        self.pid = self._process.pid
        self._told = Queue()  # type: Queue[Dict[str, Any]]
        self._reader = threading.Thread(target=self._read, name="demo party")
        self._reader.daemon = True
        self._reader.start()

    def __enter__(self):
        # type: () -> Child
        return self

    def __exit__(self, *exc_info):
        # type: (*Any) -> None
        try:
            self._input.close()
        except (IOError, OSError):  # the process has ended, and did not read all
            pass
        deadline = monotonic() + TIMEOUT
        while self._process.poll() is None and monotonic() < deadline:
            time.sleep(0.01)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join(TIMEOUT)
        self._output.close()

    def _read(self):
        # type: () -> None
        for line in iter(self._output.readline, b""):
            try:
                self._told.put(json.loads(line.decode("ascii")))
            except ValueError:  # a library has printed this line
                self._told.put({"event": "unknown", "line": line.decode("latin-1")})
        self._told.put({"event": "gone"})

    def tell(self, what):
        # type: (str) -> None
        """Tell Bob what to do: "register" or "unregister"."""
        try:
            self._input.write((json.dumps({"do": what}) + "\n").encode("ascii"))
            self._input.flush()
        except (IOError, OSError):
            raise Deviation("bob's process is gone")

    def ready(self):
        # type: () -> Dict[str, Any]
        """Wait until Bob has started. Returns what he reports of himself."""
        return self.expect("ready", _START_TIMEOUT)

    def expect(self, event, timeout=TIMEOUT, **fields):
        # type: (str, float, **object) -> Dict[str, Any]
        """Wait for Bob's next report, a dict. Raises Deviation unless it is this event with these fields."""
        try:
            told = self._told.get(timeout=timeout)
        except Empty:
            raise Deviation("bob did not tell of %r in %s s" % (event, timeout))
        if told["event"] == "gone":
            raise Deviation("bob's process is gone, and he should have told of %r" % event)
        expected = dict(fields, event=event)
        if any(told.get(name) != value for name, value in expected.items()):
            raise Deviation("bob should have told %s, not %s" % (_text(expected), _text(told)))
        return told


def _text(fields):
    # type: (Dict[str, Any]) -> str
    return json.dumps(fields, sort_keys=True)


if __name__ == "__main__":
    sys.exit(main())
