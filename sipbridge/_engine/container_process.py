"""A container that runs an engine, as its service has it. For Python 3 alone."""

from __future__ import annotations

import json
import os
import secrets
import socket
from typing import Any, NamedTuple

from sipbridge._engine import flight, protocol
from sipbridge._engine.container_client import sdk
from sipbridge._engine.container_network import Way
from sipbridge._engine.container_owner import Owner, remove
from sipbridge._engine.container_stream import Connection, Parts, PolledStream, PumpedStream, attached
from sipbridge._engine.crash_files import BACKTRACE, remove_oldest
from sipbridge._engine.process import Process
from sipbridge._engine.records import ProtocolError
from sipbridge.errors import EngineLost

#: The seconds to wait for the last words of an engine: a core dump may be among them.
_LAST_WORDS = 30.0

#: The seconds that a removed container may take to end.
_REMOVED = 5.0

#: The octets of crash files that are taken from one container: no more than its memory may be, for most.
_MOST = 2**31


class Recipe(NamedTuple):
    """What a container is made from.

    Attributes:
        image: its id.
        way: its network.
        settings: "engine", "beat" and "hang", as worker_main takes them.
        crash_folder: the folder of the service for crash files, or None.
        memory, pids: the limits.
    """

    image: str
    way: Way
    settings: dict[str, Any]
    crash_folder: str | None
    memory: str
    pids: int


class ContainerProcess(Process):
    """One container. Raises EngineLost when it cannot be started.

    Args:
        client: the SDK's low-level client.
        recipe: what it is made from.
        owner: names it.
    """

    def __init__(self, client: Any, recipe: Recipe, owner: Owner) -> None:
        errors = sdk().errors
        self._client = client
        self._folder = recipe.crash_folder
        self._decoder = protocol.Decoder()
        self._reason: str | None = None
        self._kept: list[str] = []
        self._taken = 0
        mark = secrets.token_bytes(16)
        name = owner.name()
        self._id = ""
        try:
            owner.remove_left(client)
            self._id = client.create_container(**_described(client, recipe, owner, name, mark))["Id"]
            # Before it starts, so that nothing is missed.
            carrier, connection = _attached(client, self._id)
            client.start(self._id)
        except (errors.DockerException, OSError) as error:
            if self._id:
                remove(client, self._id)
            explanation = getattr(error, "explanation", None) or error
            raise EngineLost(f"the engine's container cannot be started: {explanation}") from error
        stream = attached(connection, Parts(mark, name, self._take_last_words), carrier)
        Process.__init__(self, stream, f"container {name}")

    @property
    def id(self) -> str:
        """The container's id."""
        return self._id

    def kill(self) -> None:
        """Remove the container, whatever state it is in."""
        remove(self._client, self._id)
        self.stream.shut()

    def reap(self, patience: float, reason: str | None = None) -> str:
        """Wait for its last words, then remove it: another one shall have its port. Returns how it ended, as text."""
        stream = self.stream
        assert isinstance(stream, (PolledStream, PumpedStream))
        if stream.join(patience) or (self._reason is not None and stream.join(_LAST_WORDS)):
            self._kept_last()
        remove(self._client, self._id)
        stream.shut()
        stream.join(_REMOVED)
        told = self._reason or "its engine did not say why: killed, out of memory, or the daemon is gone"
        text = reason or f"{self.name}: {told}"
        return text + (f" (see {', '.join(self._kept)})" if self._kept else "")

    # -- the last words, on the thread that reads ------------------------------------------------------------

    def _take_last_words(self, octets: bytes) -> None:
        try:
            for kind, payload in self._decoder.feed(octets):
                if kind == protocol.LAST_WORDS:
                    self._reason = protocol.parse_last_words(payload)
                elif kind == protocol.FLIGHT:
                    flight.parse(payload)
                    self.received = payload
                elif kind == protocol.FILE and self._folder:
                    self._take_file(self._folder, *protocol.parse_file(payload))
        except (ProtocolError, OSError) as error:
            self._reason = f"{self._reason} (what it left was not kept: {error})"

    def _take_file(self, folder: str, kind: str, octets: bytes) -> None:
        """Append to a crash file, for this user alone."""
        self._taken += len(octets)
        if kind not in ("core", "traceback") or self._taken > _MOST:
            raise ProtocolError(f"no crash file of the kind {kind!r}, or more than {_MOST} octets")
        path = os.path.join(folder, f"container-{self._id[:12]}.{kind}")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(octets)
        if path not in self._kept:
            self._kept.append(path)

    def _kept_last(self) -> None:
        """What the crash has left is there: note it, and remove the oldest of what earlier ones have left."""
        try:
            for path in self._kept:
                if path.endswith(".core"):
                    self.core = path
                else:
                    with open(path, "rb") as file:
                        self.backtrace = file.read(BACKTRACE)
            if self._folder:
                remove_oldest(self._folder, "container")
        except OSError:  # the folder is gone, or another service removes files there, too
            pass


def _attached(client: Any, container: str) -> tuple[Any, Connection]:
    """What is connected to the standard streams of a container: the SDK's object, and its functions."""
    found = client.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    connection = getattr(found, "_sock", found)  # of a file object around a socket, which has no recv()
    connection.settimeout(None)

    def shutdown() -> None:
        """End a read that goes on. On Linux closing alone does not; a named pipe has nothing else."""
        try:
            if hasattr(connection, "shutdown"):
                connection.shutdown(socket.SHUT_RDWR)
            else:
                connection.close()
        except (OSError, TypeError):
            pass

    def close() -> None:
        for each in (getattr(found, "_response", None), found, connection):
            try:
                if each is not None:
                    each.close()
            except (OSError, ValueError):  # one of them has closed another
                pass

    return connection, Connection(connection.recv, connection.send, shutdown, close)


def _of_the_shield() -> dict[str, str]:
    """This process's variables for the shield, as a worker inherits them; but for the file of its counters."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("SIPBRIDGE_SHIELD_") and name != "SIPBRIDGE_SHIELD_COUNTERS"
    }


def _described(client: Any, recipe: Recipe, owner: Owner, name: str, mark: bytes) -> dict[str, Any]:
    """The arguments of the SDK's create_container()."""
    settings = dict(recipe.settings, mark=mark.hex(), crashes=recipe.crash_folder is not None)
    types = sdk().types
    cores = -1 if recipe.crash_folder is not None else 0
    return {
        "image": recipe.image,
        "name": name,
        "command": ["engine", "stdio:"],
        "environment": dict(_of_the_shield(), **{protocol.CONTAINER_VARIABLE: json.dumps(settings)}),
        "labels": owner.labels(),
        # Standard input is opened once: it ends with the service, and the container with it.
        "stdin_open": True,
        "detach": False,
        "healthcheck": {"test": ["NONE"]},  # signs of life are frames
        "ports": recipe.way.exposed or None,
        "host_config": client.create_host_config(
            auto_remove=True,
            read_only=True,
            tmpfs={"/tmp": f"mode=1777,size={recipe.memory}"},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=recipe.memory,
            memswap_limit=recipe.memory,
            pids_limit=recipe.pids,
            ulimits=[types.Ulimit(name="core", soft=cores, hard=cores)],
            log_config=types.LogConfig(type="none"),  # the frames would be kept on disk, passwords among them
            **recipe.way.options,
        ),
    }
