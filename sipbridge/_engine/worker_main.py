"""A worker: the process that runs an engine for a service. :mod:`sipbridge._engine.child` starts it."""

from __future__ import absolute_import, division, print_function

import fcntl
import json
import os
import resource
import signal
import sys

from sipbridge._engine import protocol
from sipbridge._engine.in_process import InProcess
from sipbridge._engine.readiness import close_on_exec
from sipbridge._engine.server import Server, ServiceGone
from sipbridge.errors import NotSupportedError, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

#: The seconds to hang up and unregister when the service is gone. All must be over in two seconds.
_FAREWELL = 1.0

#: The seconds that the service allows for loading and opening the engine.
_START = 30.0


def _take(descriptor):
    # type: (int) -> int
    """A copy of a descriptor that came with the process: closed in other programs, and not blocking."""
    copy = os.dup(descriptor)
    fcntl.fcntl(copy, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    fcntl.fcntl(copy, fcntl.F_SETFL, fcntl.fcntl(copy, fcntl.F_GETFL) | os.O_NONBLOCK)
    return copy


def _take_streams(settings):
    # type: (Dict[str, Any]) -> Tuple[int, int, Optional[int]]
    """The descriptors to read frames from, to write them to, and for signs of life or None, as the settings say. They
    came as standard input and output. Puts other files in their places.
    """
    reader = _take(0)
    writer = _take(1) if settings.get("two") else reader
    beats = _take(1) if settings.get("beats") else None
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)  # so that a library that prints does not write to where the service prints
    return reader, writer, beats


def _keep_crashes(folder):
    # type: (str) -> Optional[int]
    """If possible, let the kernel write a core dump and Python a traceback to the folder when this process crashes.

    Returns the descriptor of the file for tracebacks, or None.
    """
    try:
        return _enter(folder)
    except (OSError, IOError, ValueError) as error:
        sys.stderr.write("sipbridge: crashes of this worker are not kept: %s\n" % error)
        return None


def _keep_backtraces(engine, descriptor):
    # type: (InProcess, int) -> None
    try:
        engine.keep("backtraces", descriptor)
    except NotSupportedError:  # by the C library
        pass


def _open_received(path):
    # type: (str) -> Optional[int]
    """The descriptor of the file for the messages that come last, which whoever started this process has open, too. It
    needs no name any more. None when it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
        os.unlink(path)
    except OSError as error:
        sys.stderr.write("sipbridge: what this worker receives last is not kept: %s\n" % error)
        return None
    close_on_exec(descriptor)
    return descriptor


def _enter(folder):
    # type: (str) -> int
    """Go there. Returns the descriptor of the file for tracebacks, to which Python's go from now on."""
    os.chdir(folder)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    path = os.path.join(folder, "worker-%d.traceback" % os.getpid())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # which stays open
    try:
        import faulthandler
    except ImportError:  # Python 2
        return descriptor
    faulthandler.enable(descriptor)
    return descriptor


def main(text):
    # type: (str) -> None
    """Run a worker. ``text`` is JSON, and docs/worker-protocol.md tells what it holds."""
    settings = json.loads(text)
    reader, writer, beats = _take_streams(settings)
    if hasattr(signal, "pthread_sigmask"):  # a thread of the service may block signals, and a child inherits that
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Ctrl-C signals the whole process group, and the service decides what becomes of its calls.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, _START)
    traces = _keep_crashes(settings["crash_folder"]) if settings["crash_folder"] else None
    try:
        engine = InProcess(settings["engine"])
    except SipbridgeError as error:
        os.write(writer, protocol.failure(0, error))  # the first octets: there is room for them
        sys.exit(1)
    if traces is not None:
        _keep_backtraces(engine, traces)
    received = _open_received(settings["received"]) if settings.get("received") else None
    server = Server(engine, reader, writer, beats, settings, received)
    if settings.get("two"):  # process 1 of the container passes it on
        signal.signal(signal.SIGTERM, server.leave_soon)
    try:
        server.run()
    except ServiceGone:
        server.leave(_FAREWELL)
