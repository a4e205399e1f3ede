"""Whose a container is: its labels say so, and what a killed service has left is found by them. For Python 3 alone."""

from __future__ import annotations

import logging
import os
import socket
import sys
import uuid
from typing import Any

from sipbridge._engine.container_client import sdk

log = logging.getLogger("sipbridge.engine")

#: The label of each container: which place it is of, and which service, as host, process id and start of the process.
PLACE, SERVICE = "org.sipbridge.place", "org.sipbridge.service"

_STILL_ACTIVE = 259  # of GetExitCodeProcess()
_QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION


class Owner:
    """The labels of one Container object. Made in the process that opens it."""

    def __init__(self) -> None:
        self._place = uuid.uuid4().hex
        self._made = 0

    def name(self) -> str:
        """A name for the next container."""
        self._made += 1
        return f"sipbridge-{os.getpid()}-{self._place[:8]}-{self._made}"

    def labels(self) -> dict[str, str]:
        """The labels of its containers."""
        return {PLACE: self._place, SERVICE: _described(os.getpid())}

    def remove_left(self, client: Any) -> None:
        """Remove the containers of this place, and those of services on this machine that are gone."""
        for container in client.containers(all=True, filters={"label": PLACE}):
            labels = container.get("Labels") or {}
            if labels.get(PLACE) == self._place or _is_gone(labels.get(SERVICE, "")):
                log.info("removing the container %s, which was left", container["Id"][:12])
                remove(client, container["Id"])


def remove(client: Any, container: str) -> None:
    """End a container at once, whatever state it is in, and remove it."""
    errors = sdk().errors
    try:
        client.remove_container(container, force=True, v=True)
    except errors.NotFound:
        pass
    except (errors.DockerException, OSError) as error:
        if "already in progress" not in str(error):
            log.warning("the container %s was not removed: %s", container[:12], error)


def _described(pid: int) -> str:
    return f"{socket.gethostname()}/{pid}/{_start_of(pid)}"


def _start_of(pid: int) -> str:
    """When a process started, in ticks since this machine did; "" where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _is_gone(service: str) -> bool:
    """Whether a service ran on this machine and has ended. Of other machines nobody here knows."""
    host, _, rest = service.partition("/")
    pid, _, start = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return not _lives(int(pid)) or _start_of(int(pid)) != start


if sys.platform == "win32":
    import ctypes

    def _lives(pid: int) -> bool:
        """Whether there is such a process. (Here os.kill() would end it.)"""
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == _STILL_ACTIVE

else:

    def _lives(pid: int) -> bool:
        """Whether there is such a process."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # another user's
            pass
        return True
