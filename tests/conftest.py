"""Which tests run, in what order, and which of them one pytest-xdist worker keeps together."""

from __future__ import absolute_import, division, print_function

import inspect
import os
import re

import pytest

from distribution import has_workers, together
from peers.fixtures import by_hand, elsewhere, make_phone, phone, silent  # noqa: F401
from peers.ports import claim, has_ipv6

#: Endpoints in memory and on loopback, as the tests of any service may have them; and what looks at all log lines.
pytest_plugins = ["sipbridge.pytest_plugin", "peers.log_watch"]

#: What a test over IPv6 has among its parameters; others carry the mark.
_IPV6 = re.compile(r"(?:[a-z]+://\[::1\](?::.*)?|::1)\Z")

#: Characters of a parameter that may stand in the name of a test.
_LONGEST_NAME = 200

#: Seconds from which a test says in the report what it waits for.
_LONG = 2.0


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes minutes; runs where the environment has SIPBRIDGE_SOAK=1")
    config.addinivalue_line("markers", "ipv6: needs ::1, which a container may not have")
    config.addinivalue_line("markers", "slow(reason): waits for a timer; begins first, so that others run meanwhile")
    claim()  # now: tests count descriptors


def pytest_collection_modifyitems(config, items):
    if os.environ.get("SIPBRIDGE_SOAK") != "1":
        long_ones = [item for item in items if item.get_closest_marker("soak") is not None]
        config.hook.pytest_deselected(items=long_ones)
        items[:] = [item for item in items if item not in long_ones]
    # Without workers the flows in the background run while others are tested, and are looked at last.
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None) == has_workers(config))


def pytest_make_parametrize_id(val, argname):
    """A test with a long text is not named after it: older pytests would send a megabyte to each worker and back."""
    return argname if isinstance(val, (bytes, type(u""))) and len(val) > _LONGEST_NAME else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """One test after the other to the worker that is free; a group of them to one worker."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return together(nodeid)

        def _pending_of(self, workload):
            """How many tests a worker has to do. What it has done is forgotten: it is counted after each test."""
            for scope in [scope for scope, unit in workload.items() if all(unit.values())]:
                del workload[scope]
            return LoadScopeScheduling._pending_of(self, workload)

    config.option.loadscopereorder = False  # the order is that of the collection: slow ones first
    return Scheduling(config, log)


def pytest_runtest_setup(item):
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    over_ipv6 = any(isinstance(value, str) and _IPV6.match(value) for value in values)
    if (over_ipv6 or item.get_closest_marker("ipv6") is not None) and not has_ipv6():
        pytest.skip("this machine has no IPv6")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Leave in the JUnit file why a test takes long: the reason of its mark, or what it shows."""
    report = (yield).get_result()
    item.sipbridge_seconds = getattr(item, "sipbridge_seconds", 0.0) + report.duration
    if call.when == "teardown" and item.sipbridge_seconds > _LONG:
        mark = item.get_closest_marker("slow")
        reason = mark.args[0] if mark and mark.args else inspect.getdoc(item.function) or ""
        item.user_properties.append(("reason", reason.split("\n")[0]))
        report.user_properties = list(item.user_properties)
