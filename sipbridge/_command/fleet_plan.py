"""What a fleet is made of, and the files that say so: for supervisord, for Kamailio, and for the next command.

For Python 3 alone.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import shlex
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sipbridge._engine.local_address import reachable
from sipbridge._engine.unix_socket import check_address
from sipbridge.errors import InputError
from sipbridge.uri import parse_transport_address

#: From one engine's port to the next one's: what lies between is for copies under a debugger, and for TLS.
STEP = 10

#: Programs that end within a second are started again, always a second later than the last time: for over an hour.
_RETRIES = 100

#: The octets of a log before it is begun anew, and how many old ones are kept.
_LOG, _LOGS = "20MB", 3

#: What stands for an engine's own values.
_PLACES = re.compile(r"\{(address|port|index|http_port|data)\}")

#: What supervisord takes for the end of a value, or of a line.
_NOT_IN_PATHS = re.compile(r"""["'\x00-\x1f]|\s[;#]""")


@dataclass(frozen=True)
class Engine:
    """One of a fleet: a process of the program, at an address of its own.

    Attributes:
        name: what supervisord calls it, "engine-5060".
        uri: where Kamailio reaches it.
        answers: where this machine reaches it.
    """

    index: int
    name: str
    address: str
    port: int
    http_port: int
    data: str
    uri: str
    answers: str

    def fill(self, text: str) -> str:
        """The text with the engine's values in place of {address}, {port}, {index}, {http_port} and {data}."""
        return _PLACES.sub(lambda found: str(getattr(self, found.group(1))), text)

    def variables(self) -> dict[str, str]:
        """What is added to its environment: the names are those of the settings of examples/telephony."""
        values = {"SIP_ADDRESS": self.address, "PORT": self.port, "HTTP_PORT": self.http_port, "DATA": self.data}
        return {name: str(value) for name, value in values.items()}


@dataclass(frozen=True)
class Plan:
    """A fleet as it was asked for. The names are those of the options."""

    count: int
    program: list[str]
    directory: str
    address: str = "udp://127.0.0.1:5080"  # 5060 and 5061 are Kamailio's
    http_port: int = 8000
    drain: float = 45.0
    start_timeout: float = 30.0
    ready: str | None = None
    kamcmd: list[str] = field(default_factory=list)
    dispatcher: str | None = None
    dispatcher_set: int = 1

    def engines(self, folder: str) -> list[Engine]:
        """All engines, from the first port on. Raises InputError."""
        first = parse_transport_address(self.address)
        highest = first.port + STEP * (self.count - 1)
        if not first.port or highest > 65535:
            raise InputError(f"the engines' ports would be {first.port} to {highest}: give another --address")
        return [self._engine(index, folder) for index in range(self.count)]

    def _engine(self, index: int, folder: str) -> Engine:
        transport, host, port = parse_transport_address(self.address)
        port += STEP * index
        home = ("[::1]" if ":" in host else "127.0.0.1") if host != reachable(host) else host
        return Engine(
            index, f"engine-{port}", f"{transport}://{host}:{port}", port, self.http_port + index,
            os.path.join(folder, "data", str(index)),
            _uri(transport, reachable(host), port), _uri(transport, home, port),
        )  # fmt: skip


def _uri(transport: str, host: str, port: int) -> str:
    return f"sip:{host}:{port}" + ("" if transport == "udp" else f";transport={transport}")


class Folder:
    """The folder of a fleet. Raises InputError when it cannot be used."""

    def __init__(self, path: str | None) -> None:
        state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        self.path = os.path.abspath(path or os.path.join(state, "sipbridge", "fleet"))
        if _NOT_IN_PATHS.search(self.path):
            raise InputError(f"supervisord cannot read the path of such a folder: {self.path!r}")
        check_address("unix://" + self.socket)

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)

    @property
    def socket(self) -> str:
        return self.file("supervisord.sock")

    @property
    def settings(self) -> str:
        return self.file("supervisord.conf")

    def log(self, engine: Engine) -> str:
        return self.file(engine.name + ".log")

    def load(self) -> Plan | None:
        """The plan of the fleet that was last asked for, or None."""
        try:
            with open(self.file("fleet.json"), encoding="utf-8") as stream:
                return Plan(**json.load(stream))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"cannot read {self.file('fleet.json')}: {error}") from None

    def write(self, plan: Plan) -> None:
        """Write the files of a fleet, but for Kamailio's list."""
        engines = plan.engines(self.path)
        try:
            for engine in engines:
                os.makedirs(engine.data, mode=0o700, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {error.filename}: {error.strerror}") from None
        _write(self.settings, supervisord_settings(plan, self, engines))
        _write(self.file("fleet.json"), json.dumps(asdict(plan), indent=2) + "\n")

    def write_list(self, plan: Plan, engines: list[Engine]) -> None:
        """Write Kamailio's list of engines."""
        _write(plan.dispatcher or self.file("dispatcher.list"), dispatcher_list(plan, engines))


def _write(path: str, text: str) -> None:
    """Write a file at once: whoever reads it finds the old one or the new one."""
    try:
        with open(path + ".new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(path + ".new", path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None


def merged(before: Plan | None, given: dict[str, Any]) -> Plan:
    """The plan of what is given; what is not stays as it was. Raises InputError."""
    if given.get("program"):
        given["directory"] = os.getcwd()
    if before is not None:
        return replace(before, **given)
    if "count" not in given or "program" not in given:
        raise InputError("no fleet is there yet: give a number and a program, as 3 -- python service.py {address}")
    return Plan(**given)


# -- supervisord's file ------------------------------------------------------------------------------------

_HEAD = """\
; Written by sipbridge fleet: what you change here it overwrites.
[unix_http_server]
file={folder}/supervisord.sock
chmod=0700

[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/supervisord.sock
"""

_PROGRAM = """
[program:{name}]
command={command}
directory={directory}
environment={environment}
autorestart=true
startsecs=1
startretries={retries}
stopsignal=TERM
stopwaitsecs={drain}
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes={log_size}
stdout_logfile_backups={logs}
"""


def supervisord_settings(plan: Plan, folder: Folder, engines: list[Engine]) -> str:
    """The text of supervisord.conf. Raises InputError."""
    if _NOT_IN_PATHS.search(plan.directory):
        raise InputError(f"supervisord cannot read the path of such a directory: {plan.directory!r}")
    user = f"user={getpass.getuser()}\n" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    head = _HEAD.format(folder=_escaped(folder.path), user=user)
    return head + "".join(_program(plan, folder, engine) for engine in engines)


def _program(plan: Plan, folder: Folder, engine: Engine) -> str:
    return _PROGRAM.format(
        name=engine.name,
        command=_escaped(" ".join(quoted(engine.fill(word)) for word in plan.program)),
        directory=_escaped(plan.directory),
        environment=_escaped(",".join(f'{name}="{value}"' for name, value in engine.variables().items())),
        retries=_RETRIES,
        drain=int(plan.drain + 0.999),
        log=_escaped(folder.log(engine)),
        log_size=_LOG,
        logs=_LOGS,
    )


def quoted(word: str) -> str:
    """A word of a command as supervisord reads it. Raises InputError."""
    if re.search(r"[\x00-\x1f]", word):
        raise InputError(f"supervisord takes no control characters in a command: {word!r}")
    # A blank with ; or # behind it would begin a comment, in quotes, too.
    return re.sub(r"(\s)(?=[;#])", r"\1''", shlex.quote(word))


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


# -- Kamailio's file ---------------------------------------------------------------------------------------


def dispatcher_list(plan: Plan, engines: list[Engine]) -> str:
    """The text of dispatcher.list, as deploy/kamailio takes it: set and URI, one engine a line."""
    rows = [f"{plan.dispatcher_set} {engine.uri}" for engine in engines]
    return "\n".join(["# Written by sipbridge fleet.", *rows, ""])
