"""The peers of the conformance tests, for coroutines."""

from __future__ import absolute_import, division, print_function

import sys

from conformance.conftest import (  # noqa: F401
    installed,
    other,
    pytest_runtest_makereport,
    sipp,
    starter,
    third,
)

# Python 2 has no coroutines, and its install no sipbridge.aio.
collect_ignore_glob = ["test_*.py"] if sys.version_info[0] < 3 else []
