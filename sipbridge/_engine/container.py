"""An engine in a container of the image, which this service starts through the Docker daemon. For Python 3 alone."""

from __future__ import annotations

import logging
import re
from typing import Any

from sipbridge._compat import monotonic
from sipbridge._engine import container_image, container_network
from sipbridge._engine.container_client import connect, sdk
from sipbridge._engine.container_owner import Owner
from sipbridge._engine.container_process import ContainerProcess, Recipe
from sipbridge._engine.crash_files import check_crash_folder
from sipbridge._engine.process import beat_for
from sipbridge._engine.remote import Remote
from sipbridge._text.arguments import check_text, check_whole
from sipbridge.errors import EngineError, EngineLost, InputError

log = logging.getLogger("sipbridge.engine")

#: The seconds between two questions to a daemon that does not answer, and for how long it is waited for.
_ASK, _PATIENCE = 0.5, 600.0

#: How often another port is tried where the system is to choose one.
_TRIES = 5


class Container(Remote):
    """An engine in a container, for one endpoint: ``Endpoint("udp://0.0.0.0:5060", engine=Container())``.

    Args:
        image: name or digest of the image, as ``make build`` makes it.
        engine: ``"sofia"``, ``"exosip"`` or None for the first that the image has.
        network: name of Docker's network; the endpoint's port is published. ``"host"``: this machine's own, on Linux.
        build: build the image where it is missing, as ``make build`` does in a checkout; the log tells how it goes on.
        pull: fetch the image first.
        hang_timeout: seconds without a sign of life after which the engine counts as hung and the container is removed.
        max_restarts: the number of restarts in a row after which the service gives up; None for no limit. A container
            that lived for a minute begins a new row.
        backoff: seconds before the second restart in a row. The seconds double for each further one, up to ten. The
            first restart has no delay.
        crash_folder: the folder of this service for core dumps and tracebacks of engines that died; see Worker.
        memory: the most memory of the container, as ``"512m"``; for core dumps and other files as much again.
        pids: the most processes and threads in it.

    The container has a read-only file system, no capabilities and no log of Docker's. It ends when this service does.
    Service and image are of one release. When the engine is lost, that is as with a :class:`~sipbridge.Worker`. Needs
    the Docker SDK for Python (``pip install 'sipbridge[docker]'``) and a daemon; docs/places.md tells more.

    Raises InputError.
    """

    def __init__(
        self,
        image: str = "sipbridge:runtime",
        engine: str | None = None,
        network: str = "bridge",
        build: bool = False,
        pull: bool = False,
        hang_timeout: float = 5.0,
        max_restarts: int | None = 10,
        backoff: float = 0.25,
        crash_folder: str | None = None,
        memory: str = "512m",
        pids: int = 128,
    ) -> None:
        Remote.__init__(self, hang_timeout, max_restarts, backoff, beat_for(hang_timeout))
        self._image = _check_name(image, "image")
        self._network = _check_name(network, "network")
        if engine is not None:
            check_text(engine, "engine")
        for value, what in ((build, "build"), (pull, "pull")):
            if not isinstance(value, bool):
                raise InputError(f"{what} must be True or False, not {value!r}")
        self._build, self._pull = build, pull
        if not re.fullmatch(r"[1-9][0-9]*[kmg]", check_text(memory, "memory")):
            raise InputError(f'memory must be as "512m", not {memory!r}')
        self._memory = memory
        self._pids = check_whole(pids, "pids", 16, 2**22)
        self._crash_folder = check_crash_folder(crash_folder)
        self._settings = {"engine": engine, "hang": hang_timeout, "beat": beat_for(hang_timeout)}
        self._client: Any = None
        self._recipe: Recipe | None = None
        self._marks = Owner()

    def open(self, transport: str, host: str, port: int, *values: Any, **named: Any) -> None:
        """Start the container and open the engine in it. Raises what Remote.open() does, InputError and more."""
        advertised, *rest = values or (named.pop("advertised", None),)
        if self._client is not None:
            raise EngineError("this Container was opened before; make one for each endpoint")
        self._client = connect()
        self._marks = Owner()
        try:
            image = container_image.require(self._client, self._image, self._build, self._pull)
            for attempt in range(1, _TRIES + 1):
                way = container_network.find(self._client, self._network, transport, host, port, advertised)
                self._recipe = Recipe(image, way, self._settings, self._crash_folder, self._memory, self._pids)
                try:
                    Remote.open(self, transport, way.bind, way.port, way.advertised, *rest, **named)
                    return
                except EngineLost as error:
                    if not container_network.is_port_taken(error):
                        raise
                    if port or attempt == _TRIES:
                        raise container_network.taken(transport, host, way.port, error) from error
                    self._forget()
        except BaseException:
            self._client.close()
            raise

    def close(self, grace: float) -> None:
        """Close the engine in about ``grace`` seconds at most, and end the container."""
        Remote.close(self, grace)
        self._client.close()

    @property
    def container(self) -> str | None:
        """The id of the container, or None while there is none."""
        channel = self._channel
        return channel.process.id if channel is not None and isinstance(channel.process, ContainerProcess) else None

    def _launch(self) -> ContainerProcess:
        assert self._recipe is not None  # open() has made it
        if self._supervisor.has_begun:
            self._await_daemon()
        return ContainerProcess(self._client, self._recipe, self._marks)

    def _await_daemon(self) -> None:
        """Wait for a daemon that starts anew. That is no failure of the engine, and does not count as one."""
        deadline = monotonic() + _PATIENCE
        while True:
            try:
                self._client.ping()
                return
            except (sdk().errors.DockerException, OSError) as error:
                self._miss(EngineLost(f"the engine is lost, and the Docker daemon does not answer: {error}"))
                if monotonic() >= deadline or self._closing.wait(_ASK):
                    raise EngineLost(f"the Docker daemon does not answer: {error}") from error


def _check_name(value: str, what: str) -> str:
    """A name as Docker has them. Raises InputError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]*", check_text(value, what)):
        raise InputError(f"{what} is no name that Docker knows: {value!r}")
    return value
