"""A child process that runs an engine: start it, end it, and find out why it died."""

from __future__ import absolute_import, division, print_function

import errno
import glob
import json
import os
import signal
import subprocess
import sys
import threading
import time

from sipbridge._compat import monotonic
from sipbridge._engine.crash_files import BACKTRACE, remove_oldest
from sipbridge._engine.last_received import last_received
from sipbridge._engine.preload import environment
from sipbridge.errors import EngineLost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

#: The folder of the package. It is made absolute now: in Python 2 it may be relative, and the service may change its
#: current folder.
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

#: The begin of a program for an interpreter. It imports the package from where this process has it, and no module from
#: the current folder ("").
BOOT = "import sys; sys.path[:] = [%r] + [each for each in sys.path if each]; " % _PACKAGES
_WORKER = "from sipbridge._engine.worker_main import main; main(%r)"

#: The names of the signals by their numbers: of two names the first, SIGABRT and not SIGIOT.
SIGNALS = dict(
    (getattr(signal, name), name) for name in dir(signal)[::-1] if name.startswith("SIG") and "_" not in name
)

_DUMP = 5.0  # seconds that the kernel may take to write a core dump

#: In place of an exit code that other code of the service has taken. No signal has this number.
_UNKNOWN = -1000


class Child(object):
    """One worker process, a child of this one.

    Args:
        python: path of its interpreter; None for the present one.
        settings: a dict for JSON, the settings for :func:`sipbridge._engine.worker_main.main`.
        standard_input: the descriptor that it reads frames from.
        standard_output: the one that it writes them to; None: to the same one.
        keeps: whether to keep the messages that it receives last, if the engine is opened for a flight recorder.

    Attributes:
        pid: its process id.
        name: what errors and the log call it.
        backtrace, core, received: as of a :class:`~sipbridge._engine.process.Process`.
        left: the paths of its crash files, after :meth:`reap`.

    Raises EngineLost when it cannot be started.
    """

    def __init__(self, python, settings, standard_input, standard_output=None, keeps=False):
        # type: (Optional[str], Dict[str, Any], int, Optional[int], bool) -> None
        self._folder = settings["crash_folder"]  # type: Optional[str]
        self._lock = threading.Lock()  # for its process id, which another process may get once the exit code is taken
        self._code = None  # type: Optional[int]
        self.backtrace = b""  # type: bytes
        self.core = ""  # type: str
        self.received = b""  # type: bytes
        self._last = last_received() if keeps else None
        if self._last is not None:
            settings = dict(settings, received=self._last.path)
        self.left = []  # type: List[str]
        code = BOOT + _WORKER % json.dumps(dict(settings, parent=os.getpid()))
        try:
            self._process = subprocess.Popen(
                [python or sys.executable, "-c", code],
                stdin=standard_input,
                stdout=standard_output,
                close_fds=True,
                env=environment(),  # with the shield, even if this process lacks it
            )
        except (OSError, IOError, ValueError) as error:
            self._take_last()
            raise EngineLost("the engine's process cannot be started: %s" % error)
        self.pid = self._process.pid  # type: int
        self.name = "worker process %d" % self.pid

    def wait(self):
        # type: () -> None
        """Wait for its end, for as long as that takes. For a program that does nothing else."""
        code = self._process.wait()
        with self._lock:
            self._code = code

    def terminate(self):
        # type: () -> None
        """Send it SIGTERM, which makes it hang up if its settings say so."""
        self._send(signal.SIGTERM)

    def abort(self):
        # type: () -> None
        """End it by SIGABRT, for a core dump that shows where it hangs, if its settings name a folder for that."""
        if self._folder:
            self._send(signal.SIGABRT)
            self._send(signal.SIGCONT)  # a stopped process reads no other signal
            self._await_exit(_DUMP)

    @property
    def exit_code(self):
        # type: () -> Optional[int]
        """Its exit code, or the number of the signal that it died of, below 0; None while it lives."""
        with self._lock:
            return self._taken_code()

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
        while self.exit_code is None and (deadline is None or monotonic() < deadline):
            time.sleep(0.002)
        return self.exit_code

    def reap(self, patience, reason=None):
        # type: (float, Optional[str]) -> str
        """Wait ``patience`` seconds for the end of the process, then kill it.

        Returns how it ended, or the given reason, as text, which also names its crash files.
        """
        code = self._await_exit(patience)
        while code is None:
            self.kill()
            code = self._await_exit(None)
        self._take_last()
        text = reason or self._described(code)
        try:
            return self._with_traces(text)
        except EnvironmentError as error:  # the folder is gone, or another service removes files there, too
            return "%s (what it left was not kept: %s)" % (text, error)

    def _take_last(self):
        # type: () -> None
        if self._last is not None:
            self.received, self._last = self._last.take(), None

    def _described(self, code):
        # type: (int) -> str
        if code == _UNKNOWN:
            return "%s ended, and another part of this program took its exit code" % self.name
        if code >= 0:
            return "%s ended with exit code %d" % (self.name, code)
        name = SIGNALS.get(-code, "signal %d" % -code)
        hint = ": out of memory, or killed by hand" if -code == signal.SIGKILL else ""
        return "%s died of %s%s" % (self.name, name, hint)

    def _with_traces(self, text):
        # type: (str) -> str
        """The text, with the names of the crash files of this process. Removes the oldest crash files."""
        folder = self._folder
        if not folder:
            return text
        left = []
        for path in glob.glob(os.path.join(folder, "worker-%d.traceback" % self.pid)):
            if os.path.getsize(path):
                left.append(path)
                with open(path, "rb") as stream:
                    self.backtrace = stream.read(BACKTRACE)
            else:
                os.unlink(path)
        left += self._name_core(folder)
        remove_oldest(folder, "worker")
        self.left = left
        return text + (" (see %s)" % ", ".join(left) if left else "")

    def _name_core(self, folder):
        # type: (str) -> List[str]
        """Rename the core dump of this process, so that the next one does not overwrite it. Returns its paths."""
        for name in ("core.%d" % self.pid, "core"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                kept = os.path.join(folder, "worker-%d.core" % self.pid)
                os.rename(path, kept)
                self.core = kept
                return [kept]
        return []
