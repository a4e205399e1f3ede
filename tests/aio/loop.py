"""Running a test's coroutine to its end."""

import asyncio
import functools

LIMIT = 30.0  # seconds: only a test that fails takes that long


def in_loop(test):
    """A test that runs in an event loop of its own."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        return asyncio.run(asyncio.wait_for(test(*args, **kwargs), LIMIT))

    return run


def elsewhere(function, *args, **kwargs):
    """What a blocking function of a peer returns, awaited in a thread of the test's."""
    call = functools.partial(function, *args, **kwargs)
    return asyncio.get_running_loop().run_in_executor(None, call)
