"""These tests are about the double: on any other library there is nothing to collect."""

from __future__ import absolute_import, division, print_function

import os

import pytest

if "SIPBRIDGE_DOUBLE" not in os.environ:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def library():
    """The controls of the double, which counts broken rules instead of ending the process at the first."""
    from double.control import Control

    control = Control()
    yield control
    control.fail(None)


@pytest.fixture(scope="session")
def raw():
    from contract.raw import Raw

    return Raw()


@pytest.fixture(autouse=True)
def _closed(raw):
    yield
    raw.close_all()
