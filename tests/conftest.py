"""Tests that take minutes run when they are asked for."""

from __future__ import absolute_import, division, print_function

import os


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes minutes; runs where the environment has SIPBRIDGE_SOAK=1")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("SIPBRIDGE_SOAK") == "1":
        return
    long_ones = [item for item in items if item.get_closest_marker("soak") is not None]
    config.hook.pytest_deselected(items=long_ones)
    items[:] = [item for item in items if item not in long_ones]
