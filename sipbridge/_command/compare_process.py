"""The process of an endpoint under test, from the side of ``sipbridge compare``: what it tells, and how it ends."""

from __future__ import absolute_import, division, print_function

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

from sipbridge._compat import NamedTuple, monotonic
from sipbridge._engine import preload
from sipbridge._engine.child import BOOT, SIGNALS
from sipbridge._replay.contrast import DIED, NAMES_ONE, PLAYED
from sipbridge.errors import EngineError
from sipbridge.shield import NEED_IT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

HOST = "127.0.0.1"

#: The program for its interpreter.
_PROGRAM = BOOT + "from sipbridge._command.compare_party import main; sys.exit(main())"

_START = 20.0  # seconds until an endpoint has to be there
_SETTLING = 0.5  # seconds from the endpoint of a program to its handlers
_QUIET = 5.0  # seconds in which a call ends that was played to its end
_UNDER_WAY = 0.2  # seconds for what is told late
_ENDING = 10.0  # seconds that a process may take to end
_LAST = 2.0  # seconds from the end of what it tells to its own, and the other way round
_NOTES = 20  # lines of what a process wrote


class Contender(NamedTuple("Contender", [("name", "str"), ("engine", "str"), ("environment", "Dict[str, str]")])):
    """One of those that are compared.

    Attributes:
        name: what the report calls it.
        engine: "sofia" or "exosip".
        environment: what its process has besides the environment of this one.
    """

    __slots__ = ()


class Party(object):
    """The process.

    Args:
        contender: with which engine.
        program: the command line of a program of the user's in place of a part, without Python; or [].
        environment: variables for it.

    Attributes:
        version: what the library says of itself.
        uri: of a part's endpoint.
    """

    def __init__(self, contender, program, environment):
        # type: (Contender, List[str], Dict[str, str]) -> None
        settings = dict(os.environ, SIPBRIDGE_ENGINE=contender.engine)
        settings.update(environment)
        settings.update(contender.environment)
        if contender.engine in NEED_IT and "LD_PRELOAD" not in contender.environment:
            settings = preload.environment(settings)
        command = [sys.executable, "-c", _PROGRAM] + (["--app"] + program if program else [])
        self._engine = contender.engine
        self._is_part = not program
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=settings, close_fds=True
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # Popen has made pipes
        self._input, self._output = self._process.stdin, self._process.stdout
        self.version = u""
        self.uri = u""
        self._events = []  # type: List[Dict[str, Any]]
        self._told = []  # type: List[str]
        self._failure = u""  # why no endpoint was opened, or not the right one
        self._is_over = False  # nothing is told any more
        self._has_ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="sipbridge compare")
        self._reader.daemon = True
        self._reader.start()

    # -- what it tells -------------------------------------------------------------------------------------

    def _read(self):
        # type: () -> None
        for line in iter(self._output.readline, b""):
            told = json.loads(line.decode("ascii"))
            with self._changed:
                kind = told.pop("told")
                self._told.append(kind)
                if kind == "event":
                    self._events.append(told)
                self.version = told.get("version", self.version)
                self.uri = told.get("uri", self.uri)
                self._failure = told.get("failure", self._failure)
                if told.get("engine", self._engine) != self._engine:
                    named = (NAMES_ONE, told["engine"], self._engine)
                    self._failure = u"%s: its endpoint is on %s, and $SIPBRIDGE_ENGINE was %s" % named
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _wait(self, seconds, condition):
        # type: (float, Callable[[], object]) -> bool
        """Wait until the condition is met; False when it is not in time, or will never be."""
        end = monotonic() + seconds
        with self._changed:
            while not condition() and not self._is_over and monotonic() < end:
                self._changed.wait(0.05)
                if self._process.poll():  # what it has started may have its pipe, so that this is not over
                    end = min(end, monotonic() + _UNDER_WAY)
            return bool(condition())

    def events(self):
        # type: () -> List[Dict[str, Any]]
        """The events of the endpoint until now."""
        with self._changed:
            return list(self._events)

    def open(self, part, address, peer):
        # type: (Dict[str, Any], str, Optional[str]) -> None
        """Have a part's endpoint opened, or wait until that of a program is there. Raises EngineError."""
        if self._is_part:
            self._write(json.dumps({"part": part, "address": address, "peer": peer}) + "\n")
        if not self._wait(_START, lambda: ("ready" if self._is_part else "opened") in self._told):
            self.look()
            if self._process.poll() is not None:
                raise EngineError("the program ended with code 0 before it opened an endpoint")
            raise EngineError("no endpoint was opened within %g s" % _START)
        if not self._is_part:
            time.sleep(_SETTLING)
            self.look()

    def settle(self):
        # type: () -> None
        """Wait until its part is done and its calls are over. Raises EngineError when they are not."""
        if self._wait(_QUIET, lambda: not self._left_to_do()):
            self._wait(_UNDER_WAY, lambda: False)
        self.look()
        left = self._left_to_do()
        if left and self._process.poll() is not None:
            raise EngineError("the program ended with code 0, and %s" % left)
        if left:
            raise EngineError("%s, but %g s after the last message %s" % (PLAYED, _QUIET, left))

    def _left_to_do(self):
        # type: () -> str
        """What keeps the call from being over, or ""."""
        if self._is_part and "done" not in self._told:
            return "the endpoint had not done all that it did in the capture"
        ended = [each for each in self._events if each["event"] == "CallEnded"]
        return "a call was still up" if len(ended) < self._told.count("call") else ""

    # -- how it ends ---------------------------------------------------------------------------------------

    def look(self):
        # type: () -> None
        """Raise EngineError when the process is gone, but for a program that ended well; or has another engine."""
        if self._failure:
            raise EngineError(self._failure)
        code = self._exit_code(_LAST if self._is_over else 0.0)
        if code is not None and (code != 0 or self._is_part):
            raise EngineError(_death(code))
        if code is None and self._is_over:
            raise EngineError("the program has closed what it did not open, or become another: nothing is told of it")

    def _exit_code(self, seconds):
        # type: (float) -> Optional[int]
        """The code that it has ended with, after as many seconds at most; None when it has not."""
        end = monotonic() + seconds
        while self._process.poll() is None and monotonic() < end:
            time.sleep(0.01)
        return self._process.poll()

    def has_ended_well(self):
        # type: () -> bool
        return self._process.poll() == 0

    def kill(self):
        # type: () -> None
        """Kill the process and what it has started. Another thread may wait for it."""
        if self._has_ended:  # another process may have its number
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except OSError:  # nobody is left; or it has just begun, and leads no group yet
            pass
        if self._process.poll() is None:
            self._process.kill()

    def end(self):
        # type: () -> None
        """End the process, and what it has started. Raises EngineError when it dies of that."""
        running = self._process.poll() is None
        if self._is_part:
            self._write("")
        elif running:
            self._process.terminate()
        hangs = self._exit_code(_ENDING) is None
        self.kill()
        code = self._process.wait()
        self._has_ended = True
        self._write("")
        self._reader.join(_LAST)
        if not self._reader.is_alive():  # else a process that has left the group has its other end, and close() waits
            self._output.close()
        if hangs:
            raise EngineError("%s, but the endpoint did not close within %g s" % (PLAYED, _ENDING))
        if running and code != 0 and (self._is_part or (code < 0 and code != -signal.SIGTERM)):
            raise EngineError(_death(code))

    def _write(self, text):
        # type: (str) -> None
        """Write to its standard input; "" closes that."""
        try:
            if text:
                self._input.write(text.encode("ascii"))
                self._input.flush()
            else:
                self._input.close()
        except (IOError, OSError, ValueError):  # it has ended
            pass

    def notes(self):
        # type: () -> List[str]
        """The last lines that the process wrote. To be called once, when it has ended."""
        with self._errors as stream:
            stream.seek(0)
            text = stream.read().decode("utf-8", "replace")  # type: str
        return text.splitlines()[-_NOTES:]


def _death(code):
    # type: (int) -> str
    if code >= 0:
        return "the process of the endpoint ended with %d" % code
    return "%s: %s" % (DIED, SIGNALS.get(-code, "signal %d" % -code))
