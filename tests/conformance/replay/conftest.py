"""What the tests of replays have in common."""

from __future__ import absolute_import, division, print_function

import pytest


@pytest.fixture
def path(tmpdir):
    """Where a call is recorded."""
    return str(tmpdir.join("call.pcap"))
