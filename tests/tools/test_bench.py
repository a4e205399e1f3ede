"""The bench measures libraries, and never the tests' double in the place of one."""

import importlib.util
import pathlib

import pytest

import sipbridge

_BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def common():
    spec = importlib.util.spec_from_file_location("bench_common", str(_BENCH / "common.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_double_is_not_measured(common, monkeypatch):
    monkeypatch.setattr(sipbridge, "engines", lambda: {"exosip": "3.6.0 (double)", "sofia": "1.12.11"})
    assert common.engines() == {"sofia": "1.12.11"}
    assert common.exosip_version() == ""


def test_a_library_for_which_there_is_no_yardstick_is_not_measured(common, monkeypatch):
    monkeypatch.setattr(sipbridge, "engines", lambda: {"exosip": "5.3.0", "sofia": "1.12.11"})
    assert common.engines() == {"sofia": "1.12.11"}


def test_the_library_is(common, monkeypatch):
    monkeypatch.setattr(sipbridge, "engines", lambda: {"exosip": "3.6.0"})
    assert common.exosip_version() == "3.6.0"
