"""The process that opened an engine. The engine does not work in processes that are forked from it.

A forked process has one thread only, the one that forked: the threads that take events and those of the library do not
exist there, and a lock that one of them held is held for ever.
"""

from __future__ import absolute_import, division, print_function

import os

from sipbridge.errors import EngineError


class Owner(object):
    """The process in which this object was made."""

    __slots__ = ("_pid",)

    def __init__(self):
        # type: () -> None
        self._pid = os.getpid()

    @property
    def is_elsewhere(self):
        # type: () -> bool
        """True in a process that was forked from that one."""
        return os.getpid() != self._pid

    def check(self):
        # type: () -> None
        """Raise EngineError in a process that was forked from that one."""
        if os.getpid() != self._pid:
            raise EngineError(
                "this endpoint was opened in process %d, before a fork: open one in each process that needs it"
                % self._pid
            )
