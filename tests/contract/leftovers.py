"""What an engine that is closed must not leave behind: descriptors and threads."""

from __future__ import absolute_import, division, print_function

import os
import time

import pytest

#: Seconds: a thread that was joined may still be listed for a moment.
_PATIENCE = 5.0


class Leftovers(object):
    """The descriptors and threads of this process now, to come back to."""

    def __init__(self):
        if not os.path.isdir("/proc/self/task"):
            pytest.skip("descriptors and threads are counted in /proc, which this system has not got")
        self._before = self._settled()

    def _settled(self):
        """What there is once nothing of earlier goes any more."""
        found = self._now()
        for _ in range(100):
            time.sleep(0.005)
            again = self._now()
            if again == found:
                break
            found = again
        return found

    @staticmethod
    def _now():
        return sorted(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    def check(self, what=""):
        """Assert that there are no more and no fewer."""
        deadline = time.time() + _PATIENCE
        while self._now() != self._before and time.time() < deadline:
            time.sleep(0.001)
        assert self._now() == self._before, what
