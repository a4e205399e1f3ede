"""The command ``sipbridge fleet``: engines on ports of one machine, run by supervisord. For Python 3 alone."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Iterator

from sipbridge._command.console import Console, Failure, Interrupted, Interrupts
from sipbridge._command.fleet_peers import Kamailio, Pulse
from sipbridge._command.fleet_plan import Engine, Folder, Plan, merged
from sipbridge._command.fleet_supervisor import ALIVE, Supervisor
from sipbridge._compat import monotonic
from sipbridge._engine.socket_file import locked
from sipbridge.errors import InputError, TransportError

OK, DOWN = 0, 1

#: Seconds from one look at an engine to the next.
_LOOK = 0.1

#: So often an engine may be started until it is told that it does not start.
_TRIES = 3

#: Seconds that supervisord takes to kill what has not ended in its time.
_KILL = 5.0

#: The octets of a log in which its last line is looked for.
_TAIL = 4096


def fleet(options: argparse.Namespace, console: Console) -> int:
    """Do what the options say. Returns the exit code."""
    folder = Folder(options.folder)
    before = folder.load()
    named = {each.name: getattr(options, each.name, None) for each in fields(Plan)}
    given = {name: value for name, value in named.items() if value not in (None, [])}
    if options.status or options.stop:
        if given:
            raise InputError("--status and --stop take no other option than --folder")
        if before is None:
            raise InputError(f"there is no fleet in {folder.path}")
        with _held(folder, options.stop), Pulse(before) as pulse:
            made = Fleet(folder, before, pulse, console, options.interrupts)
            return made.stop() if options.stop else made.status()
    plan = merged(before, given)
    plan.engines(folder.path)
    os.makedirs(folder.path, mode=0o700, exist_ok=True)
    with _held(folder), Pulse(plan) as pulse:
        made = Fleet(folder, plan, pulse, console, options.interrupts)
        made.bring(before, options.rolling)
    return OK


@contextmanager
def _held(folder: Folder, needed: bool = True) -> Iterator[None]:
    """A context in which no other command changes the fleet. Raises TransportError."""
    if not needed:
        yield
        return
    lock = locked(folder.file("fleet.lock"), "another sipbridge fleet is at work there")
    try:
        yield
    finally:
        os.close(lock)


class Fleet:
    """The engines of a folder, and those who have to know of them."""

    def __init__(
        self, folder: Folder, plan: Plan, pulse: Pulse, console: Console, interrupts: Interrupts
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._pulse = pulse
        self._console = console
        self._interrupts = interrupts
        self._supervisor = Supervisor(folder)
        self._kamailio = Kamailio(plan)
        self._engines = plan.engines(folder.path)

    # -- bring it to the plan --

    def bring(self, before: Plan | None, rolling: bool) -> None:
        """Have the fleet be as planned. With ``rolling`` each engine is restarted, else those that changed."""
        if not self._supervisor.is_running():
            self._folder.write(self._plan)
            self._folder.write_list(self._plan, self._engines)
            self._start()
            return
        self._folder.write(self._plan)
        added, changed, gone = self._supervisor.reread()
        old = [each for each in (before or self._plan).engines(self._folder.path) if each.name in gone]
        self._add([each for each in self._engines if each.name in added], old)
        for engine in self._engines:
            if engine.name in changed or (rolling and engine.name not in added):
                self._turn(engine, engine.name in changed)
        for engine in old:
            self._remove(engine)
        if old:
            self._folder.write_list(self._plan, self._engines)
            self._announce()
        self._told(f"{len(self._engines)} engines run")

    def _start(self) -> None:
        self._supervisor.start()
        self._told(f"supervisord runs {len(self._engines)} engines, see {self._folder.path}")
        begun = monotonic()
        try:
            for engine in self._engines:
                self._expect(engine, begun)
        except Failure as failure:
            self._told("ending those that were started")
            self._end()
            raise Failure(str(failure), DOWN, "all were ended; see to that, and start the fleet again") from None
        self._announce()

    def _add(self, engines: list[Engine], old: list[Engine]) -> None:
        """Start engines that are new. Those that will go stay in Kamailio's list as long as they have calls."""
        begun = monotonic()
        for engine in engines:
            self._supervisor.run(engine.name)
        for engine in engines:
            self._expect(engine, begun)
        self._folder.write_list(self._plan, self._engines + old)
        if engines:
            self._announce()

    def _announce(self) -> None:
        """Have Kamailio read the list that was written."""
        if self._kamailio:
            self._kamailio.reload()
            self._told("Kamailio has read the list of engines")

    def _remove(self, engine: Engine) -> None:
        self._take_out(engine)
        self._drain(engine)
        self._supervisor.forget(engine.name)

    # -- one after the other --

    def _turn(self, engine: Engine, changed: bool) -> None:
        """Restart an engine. An interrupt ends the command after that, a second one at once."""
        old = self._supervisor.info(engine.name).get("pid", 0)
        try:
            self._restart(engine, old, changed)
        except Interrupted as interrupted:
            self._interrupts.heed()
            self._told(f"interrupted: {engine.name} is finished first; interrupt again to leave it as it is")
            self._restart(engine, old, changed)
            raise interrupted

    def _restart(self, engine: Engine, old: int, changed: bool) -> None:
        """Take it out, drain it, start it, put it back. What an interrupted call has done is not done again.

        ``old`` is the process id that it had, 0 if it did not run.
        """
        self._take_out(engine)
        if self._supervisor.info(engine.name).get("pid", 0) == old:
            self._drain(engine)
        begun = monotonic()
        if changed and self._supervisor.info(engine.name)["statename"] not in ALIVE:
            self._supervisor.forget(engine.name)
        self._supervisor.run(engine.name)
        self._expect(engine, begun)
        self._put_back(engine)

    def _put_back(self, engine: Engine) -> None:
        """Wait until Kamailio sends it calls again: the next engine is taken out after that."""
        if not self._kamailio:
            return
        self._kamailio.put_back(engine)
        begun = monotonic()
        while not self._kamailio.has_back(engine):
            if monotonic() - begun > self._plan.start_timeout:
                raise self._failure(f"Kamailio has no answer of {engine.uri}: see kamcmd dispatcher.list")
            time.sleep(_LOOK)
        self._told(f"{engine.name}: Kamailio sends it calls again after {monotonic() - begun:.1f} s")

    def _take_out(self, engine: Engine) -> None:
        self._kamailio.take_out(engine)
        if self._kamailio:
            self._told(f"{engine.name}: Kamailio sends it no new calls")

    def _drain(self, engine: Engine) -> None:
        """Have an engine end, and wait for that."""
        begun = monotonic()
        self._supervisor.stop(engine.name)
        self._told(f"{engine.name}: drains, {self._plan.drain:g} s at most")
        self._wait_for_end([engine], begun)
        took = monotonic() - begun
        if took < self._plan.drain:
            self._told(f"{engine.name}: has ended after {took:.1f} s")
        else:
            self._told(f"{engine.name}: was killed after {took:.1f} s; calls that it had are lost")

    def _wait_for_end(self, engines: list[Engine], begun: float) -> None:
        while any(self._supervisor.info(each.name)["statename"] in ALIVE for each in engines):
            if monotonic() - begun > self._plan.drain + _KILL:
                raise self._failure("supervisord does not end " + " ".join(each.name for each in engines))
            time.sleep(_LOOK)

    def _expect(self, engine: Engine, begun: float) -> None:
        """Wait until an engine takes calls. Raises Failure."""
        starts = set()
        while True:
            told = self._supervisor.info(engine.name)
            starts.add(told.get("start"))
            if told["statename"] == "FATAL" or len(starts) > _TRIES:
                raise self._down(engine, told.get("spawnerr") or "it ends as soon as it is started")
            if told["statename"] == "RUNNING" and self._pulse.answers(engine):
                break
            if monotonic() - begun > self._plan.start_timeout:
                raise self._down(engine, f"no answer to {self._pulse.question} for {self._plan.start_timeout:g} s")
            time.sleep(_LOOK)
        self._told(f"{engine.name}: takes calls at {engine.address} after {monotonic() - begun:.1f} s")

    def _down(self, engine: Engine, why: str) -> Failure:
        log = self._folder.log(engine)
        line = _last_line(log)
        told = f"its log {log} ends with: {line}" if line else f"its log {log} is empty"
        return self._failure(f"{engine.name} does not take calls: {why}; {told}")

    def _failure(self, text: str) -> Failure:
        hint = "the others were left as they are; see to that, then: sipbridge fleet --rolling --folder "
        return Failure(text, DOWN, hint + self._folder.path)

    # -- look at it, and end it --

    def status(self) -> int:
        """Print a line for each engine. 0 when all take calls."""
        running = self._supervisor.is_running()
        down = 0
        for engine in self._engines:
            told = self._supervisor.info(engine.name) if running else {"statename": "STOPPED"}
            answers = told["statename"] == "RUNNING" and self._pulse.answers(engine)
            down += not answers
            self._console.line(_row(engine, told, answers))
        if not running:
            self._console.line("supervisord does not run")
        return DOWN if down else OK

    def stop(self) -> int:
        """Have all engines drain at the same time, and end supervisord."""
        if not self._supervisor.is_running():
            self._told("supervisord does not run")
            return OK
        for engine in self._engines:
            try:
                self._kamailio.take_out(engine)
            except TransportError as error:
                self._told(str(error))
        self._told(f"all engines drain, {self._plan.drain:g} s at most")
        self._end()
        self._told("all have ended")
        return OK

    def _end(self) -> None:
        begun = monotonic()
        for engine in self._engines:
            self._supervisor.stop(engine.name)
        self._wait_for_end(self._engines, begun)
        self._supervisor.end()

    def _told(self, text: str) -> None:
        self._console.event(text)


def _row(engine: Engine, told: dict[str, Any], answers: bool) -> str:
    state = told["statename"]
    if state == "RUNNING":
        state += f" {told['pid']} for {told['now'] - told['start']} s"
    return f"{engine.name}  {engine.address}  {state}  {'takes calls' if answers else 'takes no calls'}"


def _last_line(path: str) -> str:
    """The last line of a log, "" when there is none."""
    try:
        with open(path, "rb") as stream:
            stream.seek(max(0, os.path.getsize(path) - _TAIL))
            lines = stream.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return ([""] + [line.strip() for line in lines if line.strip()])[-1]
