"""The last line of CI (tools/reports/sums.py)."""

from tools.reports import sums


def test_the_last_line_of_each_run_counts():
    ours = "ran\n1 passed in an earlier line\n200 passed, 1 failed, 3 skipped\n"
    pytests = "==== 2 failed, 70 passed, 1 error in 300.01s (0:05:00) ====\nmake: *** Error 1\n"
    assert sums.total([ours, pytests]) == "270 passed, 4 failed, 3 skipped"


def test_a_run_that_broke_off_is_a_failure():
    assert (
        sums.total(["5 passed, 0 failed, 0 skipped\n", "Segmentation fault\n"])
        == "5 passed, 1 failed, 0 skipped"
    )


def test_a_run_that_did_not_happen_is_skipped():
    assert sums.total(["image-selftest: NOT RUN: no daemon\n0 passed, 0 failed, 1 skipped\n"]) == (
        "0 passed, 0 failed, 1 skipped"
    )
