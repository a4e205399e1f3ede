"""A worker: the process that runs an engine for a service (docs/worker-protocol.md).
:mod:`sipbridge._engine.worker_process` starts it.

One thread runs one loop, which takes commands and sends results and events. It never waits for the service: events that
the service does not read stay in the engine's queue, and the engine answers 503 when the queue is long.
"""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import sys
import warnings

from sipbridge._compat import monotonic
from sipbridge._engine import protocol
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.records import ProtocolError
from sipbridge._engine.shield_counters import counters
from sipbridge._version import __version__
from sipbridge.errors import SipbridgeError, UnshieldedEngineWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    from sipbridge._engine.shield_counters import Counter

#: The octets to read at once.
_CHUNK = 65536

#: The seconds to hang up and unregister when the service is gone. All must be over in two seconds.
_FAREWELL = 1.0

#: The seconds that the service allows for loading and opening the engine.
_START = 30.0

_LATER = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)


class _ServiceGone(Exception):
    """The service has ended: the socket is closed, or the parent process has changed."""


class Server(object):
    """Runs one engine for the service at the other end of a socket.

    Args:
        engine: an :class:`InProcess` that is not open yet.
        connection: the socket.
        beats: a descriptor to which it writes an octet as a sign of life.
        settings: the settings from the service.
    """

    def __init__(self, engine, connection, beats, settings):
        # type: (InProcess, socket.socket, int, Dict[str, Any]) -> None
        self._engine = engine
        self._socket = connection
        self._beats = beats
        self._parent = settings["parent"]
        self._interval = settings["beat"]
        self._alarm = settings["hang"] + 1.0
        self._next_beat = 0.0  # type: float
        self._decoder = protocol.Decoder()
        self._out = []  # type: List[bytes]
        self._credit = 0
        self._opened = self._closed = False
        self._engine_descriptor = -1  # -1 before the engine is open
        self._poll = select.poll()
        self._watched = {}  # type: Dict[int, int]
        self._descriptor = connection.fileno()
        self._watch(self._descriptor, select.POLLIN)

    def _watch(self, descriptor, events):
        # type: (int, int) -> None
        if self._watched.get(descriptor) != events:
            self._watched[descriptor] = events
            self._poll.register(descriptor, events)

    def run(self):
        # type: () -> None
        """Run until the service closes the engine. Raises _ServiceGone."""
        facts = {"protocol": protocol.VERSION, "sipbridge": __version__, "pid": os.getpid()}
        facts.update(self._engine.vocabulary(), engine=self._engine.name, library=self._engine.version)
        self._out.append(protocol.hello(facts))
        while not (self._closed and not self._out):
            self._send()
            ready = self._wait(self._beat())
            if ready & (select.POLLIN | select.POLLHUP | select.POLLERR):
                self._receive()
            if self._opened:
                self._take_events()

    def _wait(self, limit):
        # type: (float) -> int
        """Wait for socket and engine, at most so many seconds. Returns poll()'s flags of the socket."""
        self._watch(self._descriptor, (select.POLLIN | select.POLLOUT) if self._out else select.POLLIN)
        try:
            for descriptor, flags in self._poll.poll(int(limit * 1000) + 1):
                if descriptor == self._descriptor:
                    return flags
        except (OSError, select.error) as error:
            if error.args[0] != errno.EINTR:
                raise
        return 0

    def _beat(self):
        # type: () -> float
        """Give a sign of life if it is time. If the next one does not come in time, SIGALRM ends the process. Returns
        the seconds until that.
        """
        now = monotonic()
        left = self._next_beat - now  # type: float
        if left > 0.0:
            return left
        self._next_beat = now + self._interval
        if os.getppid() != self._parent:
            raise _ServiceGone
        if self._opened:
            self._engine.probe()
        signal.setitimer(signal.ITIMER_REAL, self._alarm)
        try:
            os.write(self._beats, b".")
        except (OSError, IOError) as error:
            if error.errno not in _LATER:
                raise _ServiceGone
        return max(0.0, self._next_beat - monotonic())

    # -- out -----------------------------------------------------------------------------------------------

    def _send(self):
        # type: () -> None
        if not self._out:
            return
        octets = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        try:
            sent = self._socket.send(octets)
        except (OSError, IOError) as error:
            if error.errno not in _LATER:
                raise _ServiceGone
            sent = 0
        self._out = [octets[sent:]] if sent < len(octets) else []

    def _take_events(self):
        # type: () -> None
        """Send as many events as the service allows. Without credit, do not wait for the engine's descriptor."""
        if self._credit:
            count, frames = self._engine.take_frames(self._credit)
            if count:
                self._credit -= count
                self._out.append(frames)
        self._watch(self._engine_descriptor, select.POLLIN if self._credit else 0)

    # -- in ------------------------------------------------------------------------------------------------

    def _receive(self):
        # type: () -> None
        try:
            octets = self._socket.recv(_CHUNK)
        except (OSError, IOError) as error:
            if error.errno in _LATER:
                return
            raise _ServiceGone
        if not octets:
            raise _ServiceGone
        for kind, payload in self._decoder.feed(octets):
            if kind == protocol.COMMAND:
                self._execute(*protocol.parse_command(payload))
            elif kind == protocol.CREDIT:
                self._credit += protocol.parse_credit(payload)
            else:
                raise ProtocolError("a service does not send frames of kind %d" % kind)

    def _execute(self, number, name, arguments):
        # type: (int, str, List[Any]) -> None
        try:
            perform = getattr(self, "_do_" + name, None) or self._method(name)
            self._out.append(protocol.result(number, perform(*arguments)))
        except Exception as error:  # the service gets it; the calls in this process go on
            self._out.append(protocol.failure(number, error))

    def _method(self, name):
        # type: (str) -> Callable[..., Any]
        if name.startswith("_"):
            raise AttributeError("no such command: %s" % name)
        method = getattr(self._engine, name)  # type: Callable[..., Any]
        return method

    def _do_open(self, last_id, names, *arguments):
        # type: (int, List[str], *Any) -> List[Any]
        """Open the engine. ``names`` are those of the last arguments. Returns the port and a list of warnings."""
        split = len(arguments) - len(names)
        named = dict(zip([str(name) for name in names], arguments[split:]), last_id=last_id)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UnshieldedEngineWarning)
            self._engine.open(*arguments[:split], **named)
        self._opened = True
        self._engine_descriptor = self._engine.fileno()
        return [self._engine.port, ["%s" % each.message for each in caught]]

    def _do_shield_counters(self):
        # type: () -> List[Counter]
        return counters()

    def _do_close(self, grace):
        # type: (float) -> None
        self.close(grace)
        self._closed = True

    def close(self, grace):
        # type: (float) -> None
        """Close the engine. This takes not much longer than ``grace`` seconds, even if the engine hangs."""
        signal.setitimer(signal.ITIMER_REAL, grace + 0.8)
        if self._opened:
            self._opened = False
            self._poll.unregister(self._engine_descriptor)
            self._engine.close(grace)


def _standard_streams():
    # type: () -> Tuple[socket.socket, int]
    """Return the socket and the pipe that came as standard input and output, and put other files in their places."""
    connection = socket.fromfd(0, socket.AF_UNIX, socket.SOCK_STREAM)
    beats = os.dup(1)
    for descriptor in (connection.fileno(), beats):
        fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
    connection.setblocking(False)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # so that a library that prints gives no sign of life
    return connection, beats


def _keep_crashes(folder):
    # type: (str) -> None
    """If possible, let the kernel write a core dump and Python a traceback to the folder when this process crashes."""
    try:
        _enter(folder)
    except (OSError, IOError, ValueError) as error:
        sys.stderr.write("sipbridge: crashes of this worker are not kept: %s\n" % error)


def _enter(folder):
    # type: (str) -> None
    os.chdir(folder)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        import faulthandler
    except ImportError:  # Python 2
        return
    path = os.path.join(folder, "worker-%d.traceback" % os.getpid())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    faulthandler.enable(os.fdopen(descriptor, "w"))  # it must stay open


def main(text):
    # type: (str) -> None
    """Run a worker. ``text`` is JSON: engine, beat, hang, crash_folder, parent."""
    connection, beats = _standard_streams()
    if hasattr(signal, "pthread_sigmask"):  # a thread of the service may block signals, and a child inherits that
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Ctrl-C signals the whole process group, and the service decides what becomes of its calls.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, _START)
    settings = json.loads(text)
    if settings["crash_folder"]:
        _keep_crashes(settings["crash_folder"])
    try:
        engine = InProcess(settings["engine"])
    except SipbridgeError as error:
        connection.setblocking(True)
        connection.sendall(protocol.failure(0, error))
        sys.exit(1)
    server = Server(engine, connection, beats, settings)
    try:
        server.run()
    except _ServiceGone:
        server.close(_FAREWELL)
