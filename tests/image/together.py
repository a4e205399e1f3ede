"""How these tests share a machine: they run in several processes, each with files of its own. What the files share, a
daemon, the archives and the images, is made before the processes are started, and named to them in the environment."""

import fixtures
import pytest

#: What takes longest begins first.
FIRST = ("test_suite.py", "test_build.py", "test_debug.py")


def _is_first(config):
    """True in the process that starts the others, or is the only one."""
    return not hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    if _is_first(session.config) and not session.config.option.collectonly:
        session.config.common = fixtures.Common()
        session.config.common.start()


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if _is_first(session.config) and hasattr(session.config, "common"):
        session.config.common.stop()
