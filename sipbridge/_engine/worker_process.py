"""The process of a worker: started fresh, watched, ended, and what is known of its death."""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import glob
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from sipbridge._compat import monotonic
from sipbridge._engine.preload import environment
from sipbridge._engine.readiness import close_on_exec
from sipbridge.errors import EngineLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

#: Run by the worker's interpreter: the package of this process, and nothing of what the current folder ("") holds.
_BOOT = "import sys; sys.path[:] = [%r] + [each for each in sys.path if each];"
_BOOT += " from sipbridge._engine.worker_main import main; main(%r)"

#: Where the package is. Found out now: to Python 2 it may be relative to a folder that the service leaves.
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_SIGNALS = dict(
    (getattr(signal, name), name) for name in dir(signal) if name.startswith("SIG") and "_" not in name
)

#: Files that are kept of crashes, the latest: a worker that dies again and again must not fill the disk.
_KEPT = 5

#: Seconds for the kernel to see a process out that has closed its files or was killed, and for a core dump.
_PATIENCE, _DUMP = 1.0, 5.0

#: In place of an exit code that somebody else has taken; no signal has this number.
_UNKNOWN = -1000


class Process(object):
    """One worker process.

    Args:
        python: path of its interpreter; None for this one's.
        settings: for :func:`sipbridge._engine.worker_main.main`, what JSON can hold.

    Attributes:
        socket: our end of the socket pair; the owner closes it.
        pid: its process id.
        close_by: once it was told to close its engine, when it has to be gone, on the monotonic clock: until then it
            waits for peers, and gives no signs of life. None before.

    Raises EngineLost when it cannot be started.
    """

    def __init__(self, python, settings):
        # type: (Optional[str], Dict[str, Any]) -> None
        self._settings = settings
        self._lock = threading.Lock()  # of its process id, which is its own until its exit code was taken
        self._code = None  # type: Optional[int]
        self.close_by = None  # type: Optional[float]
        code = _BOOT % (_PACKAGES, json.dumps(dict(settings, parent=os.getpid())))
        theirs = None
        try:
            self.socket, theirs = socket.socketpair()
            close_on_exec(self.socket.fileno())
            close_on_exec(theirs.fileno())
            # Its end of the pair is its standard input and the pipe for its signs of life its standard output:
            # those two reach a child in every Python, whatever else is closed.
            self._process = subprocess.Popen(
                [python or sys.executable, "-c", code],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                close_fds=True,
                env=environment(),  # the shield's, whether or not this process has it
            )
        except (OSError, IOError, ValueError) as error:
            if theirs is not None:
                self.socket.close()
            raise EngineLost("the engine's process cannot be started: %s" % error)
        finally:
            if theirs is not None:
                theirs.close()
        assert self._process.stdout is not None  # a pipe was asked for
        self._beats = self._process.stdout
        self.pid = self._process.pid  # type: int
        close_on_exec(self._beats.fileno())
        fcntl.fcntl(self._beats.fileno(), fcntl.F_SETFL, os.O_NONBLOCK)

    def watch(self):
        # type: () -> str
        """Wait until it is dead, or killed here for want of a sign of life. Returns what happened, as text."""
        poll = select.poll()
        poll.register(self._beats.fileno(), select.POLLIN)
        beat, limit = self._settings["beat"], self._settings["hang"]
        silent = 0.0  # counted in short waits: a machine that was suspended does not make a worker silent
        while silent < limit and (self.close_by is None or monotonic() < self.close_by):
            octets = self._beat_within(poll, beat)
            if octets == b"" or (octets is None and self._exit_code() is not None):
                return self.reap(_PATIENCE)
            silent = 0.0 if octets or self.close_by else silent + beat
        return self._end_hung(silent)

    def _beat_within(self, poll, seconds):
        # type: (select.poll, float) -> Optional[bytes]
        """What came, b"" at the end of the pipe, None when nothing came."""
        try:
            return os.read(self._beats.fileno(), 4096) if poll.poll(int(seconds * 1000)) else None
        except (OSError, IOError, select.error) as error:
            if error.args[0] not in (errno.EINTR, errno.EAGAIN):
                raise
            return None

    def _end_hung(self, silent):
        # type: (float) -> str
        if self._settings["crash_folder"]:
            self._send(signal.SIGABRT)  # for a core dump of where it hangs,
            self._send(signal.SIGCONT)  # also where it was stopped
            self._await_exit(_DUMP)
        self.kill()
        if self.close_by is not None:
            return self.reap(_PATIENCE, "worker process %d did not close in time" % self.pid)
        return self.reap(_PATIENCE, "worker process %d gave no sign of life for %g s" % (self.pid, silent))

    def kill(self):
        # type: () -> None
        """SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number):
        # type: (int) -> None
        """Not once its exit code was taken, by whomever: its process id may be another's then."""
        with self._lock:
            if self._taken_code() is not None:
                return
            try:
                os.kill(self.pid, number)
            except OSError:  # it may no longer be ours to signal
                pass

    def _exit_code(self):
        # type: () -> Optional[int]
        """Its exit code as Popen has it, None while it lives."""
        with self._lock:
            return self._taken_code()

    def _taken_code(self):
        # type: () -> Optional[int]
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except OSError as error:
                if error.errno != errno.ECHILD:
                    raise
                self._code = _UNKNOWN  # a signal handler of the service's, say, sees every child out
            else:
                if pid:
                    self._code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            self._process.returncode = self._code  # it must not look for it
        return self._code

    def _await_exit(self, patience):
        # type: (Optional[float]) -> Optional[int]
        deadline = None if patience is None else monotonic() + patience
        while self._exit_code() is None and (deadline is None or monotonic() < deadline):
            time.sleep(0.002)
        return self._exit_code()

    def reap(self, patience, reason=None):
        # type: (float, Optional[str]) -> str
        """See it out, and give its descriptors back; after ``patience`` seconds by SIGKILL.

        Returns how it ended, or the reason that was given, with the files that it left.
        """
        code = self._await_exit(patience)
        while code is None:
            self.kill()
            code = self._await_exit(None)
        self._beats.close()
        text = reason or self._described(code)
        try:
            return self._with_traces(text)
        except EnvironmentError as error:  # the folder is gone, or another service tidies up in it, too
            return "%s (what it left was not kept: %s)" % (text, error)

    def _described(self, code):
        # type: (int) -> str
        if code == _UNKNOWN:
            return "worker process %d ended, and another part of this program took its exit code" % self.pid
        if code >= 0:
            return "worker process %d ended with exit code %d" % (self.pid, code)
        name = _SIGNALS.get(-code, "signal %d" % -code)
        hint = ": out of memory, or killed by hand" if -code == signal.SIGKILL else ""
        return "worker process %d died of %s%s" % (self.pid, name, hint)

    def _with_traces(self, text):
        # type: (str) -> str
        """The text, with the files that the crash has left; older ones are removed."""
        folder = self._settings["crash_folder"]
        if not folder:
            return text
        left = []
        for path in glob.glob(os.path.join(folder, "worker-%d.traceback" % self.pid)):
            if os.path.getsize(path):
                left.append(path)
            else:
                os.unlink(path)
        left += self._name_core(folder)
        for pattern in ("worker-*.traceback", "worker-*.core"):
            found = [path for path in glob.glob(os.path.join(folder, pattern)) if os.path.getsize(path)]
            for path in sorted(found, key=os.path.getmtime)[:-_KEPT]:  # an empty one belongs to one that lives
                os.unlink(path)
        return text + (" (see %s)" % ", ".join(left) if left else "")

    def _name_core(self, folder):
        # type: (str) -> List[str]
        """Core dumps in the folder, under a name that the next one does not take."""
        for name in ("core.%d" % self.pid, "core"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                kept = os.path.join(folder, "worker-%d.core" % self.pid)
                os.rename(path, kept)
                return [kept]
        return []
