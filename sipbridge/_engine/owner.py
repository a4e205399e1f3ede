"""The process that an engine was opened in, and the ones forked from it, in which nothing of it works.

A fork has one thread, whichever forked: none that takes events, none of the library's; and a lock that another thread
held stays held for good.
"""

from __future__ import absolute_import, division, print_function

import os

from sipbridge.errors import EngineError


class Owner(object):
    """This process, as it is when this is made."""

    __slots__ = ("_pid",)

    def __init__(self):
        # type: () -> None
        self._pid = os.getpid()

    @property
    def is_elsewhere(self):
        # type: () -> bool
        """True in a process that was forked from it."""
        return os.getpid() != self._pid

    def check(self):
        # type: () -> None
        """Raise EngineError in a process that was forked from it."""
        if os.getpid() != self._pid:
            raise EngineError(
                "this endpoint was opened in process %d, before a fork: open one in each process that needs it"
                % self._pid
            )
