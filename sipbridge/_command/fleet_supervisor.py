"""supervisord, which runs the engines of a fleet: start it, ask it, end it. For Python 3 alone."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
import xmlrpc.client
from typing import Any

from sipbridge._command.fleet_plan import Folder
from sipbridge._compat import monotonic
from sipbridge.errors import NotSupportedError, TransportError

#: The states of a process that runs, or will.
ALIVE = ("STARTING", "RUNNING", "BACKOFF", "STOPPING")

#: Seconds that supervisord has to begin, and to end when nothing runs any more.
_BRIEFLY = 10.0


def require() -> Any:
    """supervisor.xmlrpc. Raises NotSupportedError, which tells what to install, when it is missing."""
    try:
        return importlib.import_module("supervisor.xmlrpc")
    except ImportError:
        raise NotSupportedError("a fleet needs supervisord: pip install sipbridge[fleet]") from None


class Supervisor:
    """The supervisord of a folder."""

    def __init__(self, folder: Folder) -> None:
        self._xmlrpc = require()
        self._folder = folder

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of supervisord's. Raises xmlrpc.client.Fault, and TransportError when it does not run."""
        transport = self._xmlrpc.SupervisorTransport(None, None, "unix://" + self._folder.socket)
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except (OSError, xmlrpc.client.ProtocolError) as error:
            raise TransportError(f"no supervisord answers at unix://{self._folder.socket}: {error}") from None

    def is_running(self) -> bool:
        try:
            self.ask("getState")
        except TransportError:
            return False
        return True

    def start(self) -> None:
        """Start supervisord, which starts the engines and goes on when this process ends. Raises TransportError."""
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", self._folder.settings]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
        )
        if done.returncode:
            raise TransportError(f"supervisord does not start: {' '.join(done.stdout.split())[-400:]}")
        deadline = monotonic() + _BRIEFLY
        while not self.is_running():
            if monotonic() > deadline:
                raise TransportError(f"supervisord does not start: see {self._folder.file('supervisord.log')}")
            time.sleep(0.05)

    def info(self, name: str) -> dict[str, Any]:
        """What supervisord tells of a process; only its state, "GONE", when it knows none of that name."""
        try:
            told: dict[str, Any] = self.ask("getProcessInfo", name)
        except xmlrpc.client.Fault:
            return {"statename": "GONE"}
        return told

    def stop(self, name: str) -> None:
        """Send a process SIGTERM, and SIGKILL when its time is over. Returns at once."""
        try:
            self.ask("stopProcess", name, False)
        except xmlrpc.client.Fault:  # it does not run
            pass

    def run(self, name: str) -> None:
        """Start a process, or take it into the fleet if it is new there. Returns at once."""
        try:
            if self.info(name)["statename"] == "GONE":
                self.ask("addProcessGroup", name)
            else:
                self.ask("startProcess", name, False)
        except xmlrpc.client.Fault:  # it runs already; or not, and its state tells
            pass

    def forget(self, name: str) -> None:
        """Take a process that has ended out of the fleet."""
        try:
            self.ask("removeProcessGroup", name)
        except xmlrpc.client.Fault:
            pass

    def reread(self) -> tuple[list[str], list[str], list[str]]:
        """The names of processes that the file has and the fleet has not, that differ, and that the file lacks.

        Raises TransportError.
        """
        try:
            added, changed, removed = self.ask("reloadConfig")[0]
        except xmlrpc.client.Fault as error:
            raise TransportError(f"supervisord cannot read {self._folder.settings}: {error.faultString}") from None
        return added, changed, removed

    def end(self) -> None:
        """End supervisord. Raises TransportError when it is still there ten seconds later."""
        pid = self.ask("getPID")
        self.ask("shutdown")
        deadline = monotonic() + _BRIEFLY
        while _exists(pid):
            if monotonic() > deadline:
                raise TransportError(f"supervisord, process {pid}, does not end")
            time.sleep(0.05)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
