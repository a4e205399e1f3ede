"""The steps of CI, side by side (tools/checks/ci.py)."""

import sys

import pytest

from tools.checks import ci


@pytest.fixture
def step(tmp_path, monkeypatch):
    """Makes a step that prints a text and ends with a code."""
    monkeypatch.setattr(ci, "LOGS", tmp_path)

    def make(name, text="", code=0, **options):
        return ci.planned(
            name, sys.executable, "-c", "import sys; print(%r); sys.exit(%d)" % (text, code), **options
        )

    return make


def test_what_a_failed_step_printed_is_shown(step, capsys):
    good, bad = ci.perform(step("lint", "all is well")), ci.perform(step("fuzz", "a crash", 77))
    assert (good.failed, bad.failed) == (False, True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit(" in ", 1)[0] for line in lines] == ["lint: ok", "fuzz: FAILED with 77", "a crash"]


def test_a_step_that_could_not_run_is_no_failure_and_counts_as_skipped(step):
    text = "image-selftest: NOT RUN\n0 passed, 0 failed, 1 skipped"
    outcome = ci.perform(step("image-selftest", text, ci.NOT_RUN, counts=True, allowed=(0, ci.NOT_RUN)))
    assert (outcome.failed, outcome.verdict) == (False, "not run")
    assert ci.closing([outcome]) == "0 passed, 0 failed, 1 skipped"


def test_lanes_run_side_by_side_and_the_table_has_all_in_order(step, tmp_path):
    """The first step of each waits for the other's."""
    meet = "import pathlib, time\npathlib.Path(%r).touch()\nend = time.time() + 20\n"
    meet += "while not pathlib.Path(%r).exists() and time.time() < end: time.sleep(0.01)\n"
    meet += "print(pathlib.Path(%r).exists() and '1 passed, 0 failed' or '0 passed, 1 failed')"
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    lanes = [
        (ci.planned("a", sys.executable, "-c", meet % (one, other, other), counts=True), step("b")),
        (ci.planned("c", sys.executable, "-c", meet % (other, one, one), counts=True),),
    ]
    outcomes = ci.perform_lanes(lanes)
    assert [line.split()[:2] for line in ci.table(outcomes)] == [["a", "ok"], ["b", "ok"], ["c", "ok"]]
    assert ci.closing(outcomes) == "2 passed, 0 failed, 0 skipped"
