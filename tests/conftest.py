"""Tests that take minutes run when they are asked for, those over IPv6 where there is one."""

from __future__ import absolute_import, division, print_function

import os
import re

import pytest

from peers.ports import has_ipv6

#: What a test over IPv6 has among its parameters; others carry the mark.
_IPV6 = re.compile(r"(?:[a-z]+://\[::1\](?::.*)?|::1)\Z")


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes minutes; runs where the environment has SIPBRIDGE_SOAK=1")
    config.addinivalue_line("markers", "ipv6: needs ::1, which a container may not have")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("SIPBRIDGE_SOAK") == "1":
        return
    long_ones = [item for item in items if item.get_closest_marker("soak") is not None]
    config.hook.pytest_deselected(items=long_ones)
    items[:] = [item for item in items if item not in long_ones]


def pytest_runtest_setup(item):
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    over_ipv6 = any(isinstance(value, str) and _IPV6.match(value) for value in values)
    if (over_ipv6 or item.get_closest_marker("ipv6") is not None) and not has_ipv6():
        pytest.skip("this machine has no IPv6")
