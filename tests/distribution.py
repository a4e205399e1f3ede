"""How the tests are given to the workers of pytest-xdist, of which a run has several."""

from __future__ import absolute_import, division, print_function

import re

#: Tests that share something that is dear to make: they run on one worker. What the group matches is their name.
_TOGETHER = re.compile(r"conformance/transport/test_timers|fleet/test_spread|tools/test_wheels|service/test_\w+")


def has_workers(config):
    """True in a worker of pytest-xdist: there are other workers beside it."""
    return hasattr(config, "workerinput") or hasattr(config, "slaveinput")


def together(nodeid):
    """The name of what a test shares with others, or its own where it stands alone."""
    found = _TOGETHER.search(nodeid)
    return found.group() if found else nodeid
