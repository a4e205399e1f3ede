"""Waiting for what a test has no event for."""

from __future__ import absolute_import, division, print_function

import time


def wait_until(predicate, timeout=10.0):
    """Wait until predicate() is true. Returns True. Raises AssertionError when it is not in ``timeout`` seconds."""
    deadline = time.time() + timeout
    while not predicate():
        assert time.time() < deadline, "not in %g s" % timeout
        time.sleep(0.005)
    return True
