"""Where the SIP library runs: the setting SIP_ENGINE."""

from __future__ import annotations

from typing import Any

import sipbridge
from telephony.settings import Settings


class NoEngine(Exception):
    """There is none here; the text says what to do."""


def choose(settings: Settings) -> tuple[str, Any]:
    """What the first log line says of the engine, and the `engine=` of an endpoint. Raises NoEngine."""
    kind = settings.sip_engine
    if kind == "auto":
        if not sipbridge.engines():
            raise NoEngine(
                "this machine has no SIP library that sipbridge was built with (`sipbridge doctor` explains it):"
                " install Sofia-SIP and build sipbridge again, or say SIP_ENGINE=container or sidecar"
            )
        kind = "worker"
    if kind == "worker":
        return "a worker", sipbridge.Worker()
    if kind == "container":
        return "a container of %s" % settings.sip_image, sipbridge.Container(settings.sip_image)
    if kind == "sidecar":
        return "the sidecar at %s" % settings.sip_socket, sipbridge.Sidecar(settings.sip_socket)
    return "this process, on Sofia-SIP", "sofia"
