"""The Docker daemon, as the SDK for Python reaches it, and what it cannot do for a Container. For Python 3 alone."""

from __future__ import annotations

import importlib
import os
import urllib.parse
from typing import Any

from sipbridge.errors import EngineLost, NotSupportedError

#: The seconds that the daemon has to answer.
_PATIENCE = 20

#: Where the SDK's base URL of a daemon on this machine begins: a UNIX socket, or a named pipe of Windows.
_LOCAL = ("http+docker://localhost", "http+docker://localnpipe")


def sdk() -> Any:
    """The package ``docker``. Raises NotSupportedError when it is not installed, or too old."""
    try:
        found = importlib.import_module("docker")
        release = int(str(getattr(found, "__version__", "0")).split(".")[0])
    except (ImportError, ValueError) as error:
        raise NotSupportedError(
            f"a Container needs the Docker SDK for Python ({error}): pip install 'sipbridge[docker]'"
        ) from error
    if release < 7:
        raise NotSupportedError(
            f"the Docker SDK for Python is {found.__version__}, and has to be 7 or newer: pip install -U docker"
        )
    return found


def connect() -> Any:
    """The SDK's low-level client of the daemon that $DOCKER_HOST, or else the client's context, names.

    Raises EngineLost, with what to do, when no daemon answers, and NotSupportedError.
    """
    docker = sdk()
    try:
        settings = docker.utils.kwargs_from_env() if os.environ.get("DOCKER_HOST") else _of_context(docker)
        client = docker.APIClient(version="auto", timeout=_PATIENCE, **settings)
        client.headers["Connection"] = "close"  # it would keep one for each URL, of which each container has several
        about = client.version()
    except (docker.errors.DockerException, OSError) as error:
        # From None: three libraries have a traceback each, and say no more.
        raise EngineLost(f"no Docker daemon answers: {_reason(error)}. {HOW_TO_START}") from None
    names = [each.get("Name", "") for each in about.get("Components") or ()]
    if any("podman" in name.lower() for name in names):
        client.close()
        raise NotSupportedError(
            "this is Podman, which sipbridge.Container was never run with: use Docker, or a Sidecar in a container that"
            " Podman runs (docs/places.md)"
        )
    return client


HOW_TO_START = (
    "Linux: sudo systemctl start docker, and be in its group (sudo usermod -aG docker $USER, then log in again); macOS,"
    " Windows: start Docker Desktop. sipbridge doctor tells more"
)


def _of_context(docker: Any) -> dict[str, Any]:
    """The daemon's address in the client's context, as Docker Desktop sets one; empty for the default."""
    try:
        context = docker.ContextAPI.get_current_context()
        if context is None or context.name == "default":
            return {}
        return {"base_url": str(context.Host), "tls": context.TLSConfig or False}
    except Exception:  # an odd ~/.docker costs no more than the context
        return {}


def _reason(error: Exception) -> str:
    """The innermost reason: around it are the names of three libraries."""
    reason: BaseException = error
    while reason.__cause__ is not None or reason.__context__ is not None:
        reason = reason.__cause__ or reason.__context__ or reason
    return str(reason) or type(reason).__name__


def is_local(client: Any) -> bool:
    """Whether the daemon publishes ports on this machine: on Docker Desktop, too."""
    if client.base_url.startswith(_LOCAL):
        return True
    return urllib.parse.urlsplit(client.base_url).hostname in ("localhost", "127.0.0.1", "::1")


def why_no_host_network(client: Any) -> str | None:
    """Why containers of this daemon do not have this machine's network; None: they can have it."""
    about = client.info()
    if "Docker Desktop" in str(about.get("OperatingSystem")) or not client.base_url.startswith(_LOCAL[0]):
        return "the daemon is not on this machine, but in a virtual machine or elsewhere"
    if any("rootless" in each for each in about.get("SecurityOptions") or ()):
        return "the daemon is rootless, and its network is a namespace of its own"
    return None
