"""Which Pythons are found and which is preferred (tools/builds/interpreters.py)."""

import os
import sys

import pytest

from tools.builds import interpreters

ANSWER = '{"implementation": "%s", "version": "%s", "full": "%s.9", "headers": %s}'


@pytest.fixture
def stand_in(tmp_path):
    """Makes a program that answers as a Python of a version."""

    def make(place, version, implementation="CPython", headers=True):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        text = ANSWER % (implementation, version, version, "true" if headers else "false")
        path.write_text("#!/bin/sh\necho '%s'\n" % text)
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What is found on a machine that has only what is under tmp_path: version to path below it."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    def find(*folders, own="none"):
        monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / folder) for folder in folders))
        monkeypatch.setattr(interpreters.environment, "base", lambda: tmp_path / own)
        return {each.version: str(each.path.relative_to(tmp_path)) for each in interpreters.find()}

    return find


def test_the_running_python_is_found():
    facts = interpreters.ask(sys.executable)
    assert facts.version == "%d.%d" % sys.version_info[:2]


def test_the_first_python_on_the_path_is_taken(stand_in, found):
    stand_in("a/python3.11", "3.11")
    stand_in("b/python3.11", "3.11")
    stand_in("b/python2", "2.7")
    assert found("a", "b") == {"3.11": "a/python3.11", "2.7": "b/python2"}
    assert list(found("b", "a")) == ["2.7", "3.11"]


def test_a_python_that_can_build_extensions_is_preferred(stand_in, found):
    stand_in("a/python3.11", "3.11", headers=False)
    stand_in("b/python3.11", "3.11")
    assert found("a", "b") == {"3.11": "b/python3.11"}
    assert found("a") == {"3.11": "a/python3.11"}


def test_the_newest_python_of_pyenv_is_taken(stand_in, found):
    stand_in("pyenv/versions/3.11.9/bin/python", "3.11")
    stand_in("pyenv/versions/3.11.10/bin/python", "3.11")
    assert found() == {"3.11": "pyenv/versions/3.11.10/bin/python"}


def test_the_default_python_comes_first(stand_in, found):
    stand_in("own/python", "3.11")
    stand_in("a/python3.11", "3.11")
    assert found("a", own="own/python") == {"3.11": "own/python"}


def test_programs_that_are_no_python_are_left_out(stand_in, found, tmp_path):
    stand_in("a/python3.12", "3.12", implementation="PyPy")
    stand_in("a/python3.9", "3.8")
    (tmp_path / "a" / "python3.10").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "a" / "python3.10").chmod(0o755)
    (tmp_path / "a" / "python3.13").write_text("not executable")
    assert found("a") == {}
