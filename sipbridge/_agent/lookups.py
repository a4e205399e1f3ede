"""Threads for lookups that may take their time, such as that of a user in a database."""

from __future__ import absolute_import, division, print_function

import threading
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Deque

#: Lookups that may wait for each one that may run.
WAITING = 100


class Lookups(object):
    """Runs functions, which must not raise anything, on threads of their own: ``most`` at a time."""

    def __init__(self, most):
        # type: (int) -> None
        self._most = most
        self._lock = threading.Lock()
        self._waiting = deque()  # type: Deque[Callable[[], object]]
        self._count = 0  # threads

    def put(self, function):
        # type: (Callable[[], object]) -> bool
        """Run a function as soon as there is room. Returns False where too many wait already."""
        with self._lock:
            if len(self._waiting) >= WAITING * self._most:
                return False
            self._waiting.append(function)
            if self._count >= self._most:
                return True
            self._count += 1
        thread = threading.Thread(target=self._run, name="sipbridge lookup")
        thread.daemon = True
        try:
            thread.start()
        except threading.ThreadError:  # the system has no more
            with self._lock:
                self._count -= 1
                if self._count or function not in self._waiting:  # another thread takes it
                    return True
                self._waiting.remove(function)
            return False
        return True

    def _run(self):
        # type: () -> None
        while True:
            with self._lock:
                if not self._waiting:
                    self._count -= 1
                    return
                function = self._waiting.popleft()
            function()
