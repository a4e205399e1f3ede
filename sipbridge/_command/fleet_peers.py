"""Whom a fleet is there for: Kamailio, which is told of each engine, and OPTIONS, which an engine answers.

For Python 3 alone.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
import urllib.error
import urllib.request

from sipbridge._agent.endpoint import Endpoint
from sipbridge._agent.watch import ABSENT
from sipbridge._command.commands import local_address
from sipbridge._command.fleet_plan import Engine, Plan
from sipbridge._compat import monotonic
from sipbridge.errors import InputError, ResponseError, TimeoutError, TransportError

#: Seconds that kamcmd has, and an engine for an answer.
_KAMCMD, _ANSWER = 10.0, 2.0

#: Seconds from one reading of the list to the next.
_RELOAD = 1.2


class Kamailio:
    """The dispatchers of all Kamailios, by kamcmd; nothing is done where no kamcmd is given. Raises TransportError.

    deploy/kamailio/README.md tells what the commands do.
    """

    def __init__(self, plan: Plan) -> None:
        self._commands = [shlex.split(each) for each in plan.kamcmd]
        self._set = str(plan.dispatcher_set)
        self._read = 0.0

    def __bool__(self) -> bool:
        return bool(self._commands)

    def take_out(self, engine: Engine) -> None:
        """Let no new call go to an engine. Those that are up go on."""
        self._run("dispatcher.set_state", "d", self._set, engine.uri)

    def put_back(self, engine: Engine) -> None:
        """Let calls go to an engine as soon as it answers Kamailio."""
        self._run("dispatcher.set_state", "ip", self._set, engine.uri)

    def has_back(self, engine: Engine) -> bool:
        """Whether all send calls to an engine."""
        listed = re.compile(r"URI: %s\s+FLAGS: A" % re.escape(engine.uri))
        return all(listed.search(told) for told in self._run("dispatcher.list"))

    def reload(self) -> None:
        """Have the list read anew. Kamailio does that once a second."""
        if self._commands:
            time.sleep(max(0.0, self._read + _RELOAD - monotonic()))
            self._run("dispatcher.reload")
            self._read = monotonic()

    def _run(self, *arguments: str) -> list[str]:
        """Tell all of them; what each says."""
        told = []
        for words in self._commands:
            command = [*words, *arguments]
            try:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    errors="replace", timeout=_KAMCMD,
                )  # fmt: skip
            except (OSError, subprocess.TimeoutExpired) as error:
                raise TransportError(f"Kamailio was not told: {error}") from None
            if done.returncode or done.stdout.startswith("error"):
                why = " ".join(done.stdout.split()) or f"exit code {done.returncode}"
                raise TransportError(f"Kamailio was not told: {shlex.join(command)}: {why}")
            told.append(done.stdout)
        return told


class Pulse:
    """Asks engines whether they are there; a context, which has an endpoint of its own for that."""

    def __init__(self, plan: Plan) -> None:
        self._ready = plan.ready
        self._phone: Endpoint | None = None
        if plan.ready is None and plan.address.lower().startswith("tls:"):
            raise InputError("engines at tls:// are not asked by OPTIONS: give --ready URL")

    def __enter__(self) -> Pulse:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._phone is not None:
            self._phone.close(1.0)

    @property
    def question(self) -> str:
        return "OPTIONS" if self._ready is None else self._ready

    def answers(self, engine: Engine) -> bool:
        """Whether an engine takes calls."""
        return self._options(engine) if self._ready is None else self._get(engine.fill(self._ready))

    def _options(self, engine: Engine) -> bool:
        if self._phone is None:
            self._phone = Endpoint(local_address(engine.answers))
        try:
            self._phone.options(engine.answers, timeout=_ANSWER)
        except ResponseError as error:
            return error.status not in ABSENT
        except (TimeoutError, TransportError):
            return False
        return True

    @staticmethod
    def _get(url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False
        except ValueError as error:
            raise InputError(f"--ready: {error}") from None
