"""These tests are about the double: on any other library there is nothing to collect."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from contract.conftest import _closed, raw  # noqa: F401

if "SIPBRIDGE_DOUBLE" not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def library():
    """The controls of the double, which counts broken rules instead of ending the process at the first."""
    from double.control import Control

    control = Control()
    yield control
    control.fail(None)
