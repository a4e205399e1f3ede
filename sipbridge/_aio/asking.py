"""Ask for the health of an endpoint in an event loop from other threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sipbridge._agent.health import Health, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that a loop may take beyond the time of the check itself.
_PATIENCE = 1.0

_HANGS = Health(False, False, None, None, (Problem("engine", "the event loop gave no sign of life"),))


def examiner(endpoint: Any, timeout: float) -> Callable[[], Health]:
    """A function for any thread that gives the Health of an endpoint of sipbridge.aio. To be called in its loop."""
    loop = asyncio.get_running_loop()

    def examine() -> Health:
        if loop.is_closed():
            return _HANGS
        asked = asyncio.run_coroutine_threadsafe(endpoint.health(timeout), loop)
        try:
            found: Health = asked.result(timeout + _PATIENCE)
        except Exception:  # it hangs, or has ended meanwhile
            asked.cancel()
            return _HANGS
        return found

    return examine
