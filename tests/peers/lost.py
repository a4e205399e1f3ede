"""An engine for a test to lose: in a container where the run has its engines in containers, else in a worker."""

from __future__ import absolute_import, division, print_function

import contextlib
import os
import signal

from peers.phone import PLACES
from peers.process import freeze

_IN_CONTAINER = os.environ.get("SIPBRIDGE_TEST_PLACE") == "container"


def engine_to_lose(**options):
    """A new engine, of which a process may have several. Options are those that Worker and Container share."""
    return PLACES["container" if _IN_CONTAINER else "worker"](**options)


def kill(engine):
    """End its process, which has no time to say anything."""
    if _IN_CONTAINER:
        _ask("kill", engine)
    else:
        os.kill(engine.pid, signal.SIGKILL)


def pause(engine):
    """Stop its process, which stands when this returns."""
    if _IN_CONTAINER:
        _ask("pause", engine)
    else:
        freeze(engine.pid)


def go_on(engine):
    """Let a process that was stopped go on."""
    if _IN_CONTAINER:
        _ask("unpause", engine)
    else:
        os.kill(engine.pid, signal.SIGCONT)


def _ask(what, engine):
    """Have the daemon do that with the container of an engine."""
    import docker  # where it is asked for: few test runs have it

    with contextlib.closing(docker.APIClient(**docker.utils.kwargs_from_env())) as client:
        getattr(client, what)(engine.container)
