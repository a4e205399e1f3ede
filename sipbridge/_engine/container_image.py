"""The image of a Container: found, built or pulled, and of this service's release. For Python 3 alone."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from typing import Any

from sipbridge._engine.container_client import sdk
from sipbridge._version import __version__
from sipbridge.errors import EngineError, NotSupportedError

log = logging.getLogger("sipbridge.engine")

_RELEASE = "org.opencontainers.image.version"

#: The checkout that this package is in, if it is in one.
_CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def require(client: Any, image: str, build: bool, pull: bool) -> str:
    """The id of an image. ``pull`` fetches it first; ``build`` builds it where it is missing, as ``make build`` does.

    Raises EngineError when there is none or it has another release of sipbridge, and NotSupportedError.
    """
    if pull:
        _pull(client, image)
    found = _find(client, image)
    if found is None and build:
        _build(image)
        found = _find(client, image)
    if found is None:
        raise EngineError(
            f"there is no image {image}: build it (make build in a checkout of sipbridge, or build=True), or fetch it"
            " (docker pull, or pull=True)"
        )
    release = ((found.get("Config") or {}).get("Labels") or {}).get(_RELEASE)
    if release not in (None, __version__):
        raise EngineError(
            f"the image {image} has sipbridge {release}, and this service {__version__}: make build in a checkout of"
            f" {__version__}, or pip install sipbridge=={release} for the service"
        )
    return str(found["Id"])


def _find(client: Any, image: str) -> Any:
    try:
        return client.inspect_image(image)
    except sdk().errors.ImageNotFound:
        return None


def _pull(client: Any, image: str) -> None:
    """Fetch an image, and log how it goes on."""
    errors = sdk().errors
    log.info("fetching the image %s", image)
    name, digest, _ = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:  # the colon of a port
        repository, tag = name, "latest"
    try:
        what = (image, None) if digest else (repository, tag)
        for line in client.pull(*what, stream=True, decode=True):
            if "error" in line:
                raise EngineError(f"cannot fetch the image {image}: {line['error']}")
            _tell(image, line)
    except errors.APIError as error:
        raise EngineError(f"cannot fetch the image {image}: {error.explanation or error}") from error


def _tell(image: str, line: dict[str, Any]) -> None:
    """Log what the daemon says of a fetch: what it says of all of it, and when a layer is there."""
    status = line.get("status")
    if status in ("Already exists", "Download complete", "Pull complete"):
        log.info("%s: layer %s: %s", image, line.get("id"), status)
    elif status and "progressDetail" not in line:
        log.info("%s: %s", image, status)


#: One build at a time.
_building = threading.Lock()


def _build(image: str) -> None:
    """Run ``make build`` in the checkout, and log what it prints."""
    if not os.path.exists(os.path.join(_CHECKOUT, "Dockerfile.ubuntu1204")):
        raise NotSupportedError("build=True builds the image from a checkout of sipbridge, and this package is in none")
    name, colon, stage = image.rpartition(":")
    if not colon or stage not in ("runtime", "test", "debug"):
        raise NotSupportedError(f"build=True builds NAME:runtime, NAME:test and NAME:debug, and not {image}")
    with _building, subprocess.Popen(
        ["make", "build"],
        cwd=_CHECKOUT,
        env=dict(os.environ, IMAGE=name),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        last = ""
        for line in process.stdout or ():
            last = line.strip() or last
            log.info("make build: %s", line.rstrip())
    if process.returncode:
        raise EngineError(f"the image {image} was not built (make build in {_CHECKOUT}): {last}")
