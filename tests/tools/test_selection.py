"""Which Pythons `make test` and `make test-all` run on, and what they say of the others (tools/checks/test.py)."""

import pytest

from tools.builds.interpreters import Interpreter
from tools.checks import runs
from tools.checks import test as selection


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine whose default Python is 3.11."""
    monkeypatch.setattr(runs, "OWN", "3.11")
    monkeypatch.delenv("PYTHONS", raising=False)


def found(*versions):
    return [Interpreter(version, version + ".1", "/python" + version, True) for version in versions]


def test_the_default_the_oldest_and_the_newest_python_run():
    selected, lines = selection.select(found("2.7", "3.9", "3.10", "3.11", "3.13"), False)
    assert [each.version for each in selected] == ["3.11", "2.7", "3.13"]
    assert lines == ["left out: Python 3.9.1, 3.10.1 (make test-all runs them, too)"]


def test_every_python_runs_when_asked_for():
    selected, lines = selection.select(found("2.7", "3.9", "3.11", "3.13"), True)
    assert [each.version for each in selected] == ["3.11", "2.7", "3.9", "3.13"]
    assert lines == []


def test_the_named_pythons_run(monkeypatch):
    monkeypatch.setenv("PYTHONS", "3.9")
    selected, lines = selection.select(found("2.7", "3.9", "3.11"), False)
    assert [each.version for each in selected] == ["3.9"] and lines == []


def test_a_python_without_headers_is_named():
    selected, lines = selection.select([found("3.11")[0], Interpreter("3.13", "3.13.1", "/p", False)], False)
    assert [each.version for each in selected] == ["3.11"]
    assert lines == ["left out: Python 3.13.1 at /p: no Python.h"]


def test_a_machine_with_one_python():
    selected, lines = selection.select(found("3.11"), False)
    assert [each.version for each in selected] == ["3.11"] and lines == []


def test_a_python_in_between_runs_all_with_one_engine():
    selected, _ = selection.select(found("2.7", "3.9", "3.10", "3.11", "3.13"), True)
    assert [each.version for each in selection.between(selected)] == ["3.9", "3.10"]


def test_a_python_that_is_named_runs_all(monkeypatch):
    monkeypatch.setenv("PYTHONS", "3.9 3.12")
    assert selection.between(found("3.9", "3.12")) == []
