"""Start, watch and end the process of a worker, and find out why it died."""

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

#: The program for the worker's interpreter. It imports the package from where this process has it, and no module from
#: the current folder ("").
_BOOT = "import sys; sys.path[:] = [%r] + [each for each in sys.path if each];"
_BOOT += " from sipbridge._engine.worker_main import main; main(%r)"

#: The folder of the package. It is made absolute now: in Python 2 it may be relative, and the service may change its
#: current folder.
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_SIGNALS = dict(
    (getattr(signal, name), name) for name in dir(signal) if name.startswith("SIG") and "_" not in name
)

#: The number of crash files of each kind to keep, so that a worker that dies again and again does not fill the disk.
_KEPT = 5

#: The seconds that the kernel may take to end a process that was killed, and to write its core dump.
_PATIENCE, _DUMP = 1.0, 5.0

#: In place of an exit code that other code of the service has taken. No signal has this number.
_UNKNOWN = -1000


class Process(object):
    """One worker process.

    Args:
        python: path of its interpreter; None for the present one.
        settings: a dict for JSON, the settings for :func:`sipbridge._engine.worker_main.main`.

    Attributes:
        socket: our end of the socket pair. The Channel closes it.
        pid: its process id.
        close_by: the time on the monotonic clock by which it has to end, once it was told to close its engine; else
            None. While it closes the engine it waits for peers, and gives no signs of life.

    Raises EngineLost when it cannot be started.
    """

    def __init__(self, python, settings):
        # type: (Optional[str], Dict[str, Any]) -> None
        self._settings = settings
        self._lock = threading.Lock()  # for its process id, which another process may get once the exit code is taken
        self._code = None  # type: Optional[int]
        self.close_by = None  # type: Optional[float]
        code = _BOOT % (_PACKAGES, json.dumps(dict(settings, parent=os.getpid())))
        theirs = None
        try:
            self.socket, theirs = socket.socketpair()
            close_on_exec(self.socket.fileno())
            close_on_exec(theirs.fileno())
            # The child gets its end of the pair as standard input, and the pipe for its signs of life as standard
            # output, because every Python hands these two on.
            self._process = subprocess.Popen(
                [python or sys.executable, "-c", code],
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                close_fds=True,
                env=environment(),  # with the shield, even if this process lacks it
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
        """Wait until the process is dead. Kill it when no sign of life comes. Returns what happened, as text."""
        poll = select.poll()
        poll.register(self._beats.fileno(), select.POLLIN)
        beat, limit = self._settings["beat"], self._settings["hang"]
        silent = 0.0  # the sum of short waits, so that the time in which the machine sleeps does not count
        while silent < limit and (self.close_by is None or monotonic() < self.close_by):
            octets = self._beat_within(poll, beat)
            if octets == b"" or (octets is None and self._exit_code() is not None):
                return self.reap(_PATIENCE)
            silent = 0.0 if octets or self.close_by else silent + beat
        return self._end_hung(silent)

    def _beat_within(self, poll, seconds):
        # type: (select.poll, float) -> Optional[bytes]
        """The octets that came within ``seconds``: b"" at the end of the pipe, None when nothing came."""
        try:
            return os.read(self._beats.fileno(), 4096) if poll.poll(int(seconds * 1000)) else None
        except (OSError, IOError, select.error) as error:
            if error.args[0] not in (errno.EINTR, errno.EAGAIN):
                raise
            return None

    def _end_hung(self, silent):
        # type: (float) -> str
        if self._settings["crash_folder"]:
            self._send(signal.SIGABRT)  # for a core dump that shows where it hangs
            self._send(signal.SIGCONT)  # a stopped process reads no other signal
            self._await_exit(_DUMP)
        self.kill()
        if self.close_by is not None:
            return self.reap(_PATIENCE, "worker process %d did not close in time" % self.pid)
        return self.reap(_PATIENCE, "worker process %d gave no sign of life for %g s" % (self.pid, silent))

    def kill(self):
        # type: () -> None
        """Kill the process with SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number):
        # type: (int) -> None
        """Send a signal, unless the exit code was taken: another process may have the process id then."""
        with self._lock:
            if self._taken_code() is not None:
                return
            try:
                os.kill(self.pid, number)
            except OSError:  # the process is gone, or may not be signalled
                pass

    def _exit_code(self):
        # type: () -> Optional[int]
        """Its exit code, in the form of Popen's; None while it lives."""
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
                self._code = _UNKNOWN  # other code of the service, a signal handler say, has waited for it
            else:
                if pid:
                    self._code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            self._process.returncode = self._code  # so that Popen does not wait for it
        return self._code

    def _await_exit(self, patience):
        # type: (Optional[float]) -> Optional[int]
        deadline = None if patience is None else monotonic() + patience
        while self._exit_code() is None and (deadline is None or monotonic() < deadline):
            time.sleep(0.002)
        return self._exit_code()

    def reap(self, patience, reason=None):
        # type: (float, Optional[str]) -> str
        """Wait ``patience`` seconds for the end of the process, then kill it; and close the pipe.

        Returns how it ended, or the given reason, as text, which also names its crash files.
        """
        code = self._await_exit(patience)
        while code is None:
            self.kill()
            code = self._await_exit(None)
        self._beats.close()
        text = reason or self._described(code)
        try:
            return self._with_traces(text)
        except EnvironmentError as error:  # the folder is gone, or another service removes files there, too
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
        """The text, with the names of the crash files of this process. Removes the oldest crash files."""
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
            for path in sorted(found, key=os.path.getmtime)[:-_KEPT]:  # an empty traceback belongs to a live process
                os.unlink(path)
        return text + (" (see %s)" % ", ".join(left) if left else "")

    def _name_core(self, folder):
        # type: (str) -> List[str]
        """Rename the core dump of this process, so that the next one does not overwrite it. Returns its paths."""
        for name in ("core.%d" % self.pid, "core"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                kept = os.path.join(folder, "worker-%d.core" % self.pid)
                os.rename(path, kept)
                return [kept]
        return []
