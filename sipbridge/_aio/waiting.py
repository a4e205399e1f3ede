"""Run a method that waits in a greenlet, so that a coroutine can await what the method waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import greenlet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Waiting(greenlet.greenlet):
    """A method that is running and may wait. To wait, it switches to its parent with an awaitable."""


async def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function that waits, and await what it waits for. Returns what it returns, raises what it raises."""
    waiting = Waiting(function)
    result = waiting.switch(*args, **kwargs)
    while not waiting.dead:
        try:
            value = await result
        except BaseException as error:  # a cancellation, too: the method itself has to clean up
            result = waiting.throw(error)
        else:
            result = waiting.switch(value)
    return result


def wait_here(awaitable: Awaitable[Any]) -> Any:
    """Wait for an awaitable in a function that :func:`run` has called. Returns its result."""
    current = greenlet.getcurrent()
    assert current.parent is not None  # the greenlet that runs the event loop
    return current.parent.switch(awaitable)


def can_wait() -> bool:
    """True in a function that :func:`run` has called."""
    return isinstance(greenlet.getcurrent(), Waiting)
