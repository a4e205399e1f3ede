"""What makes a run of the tests a failure, and the table at its end (tools/reports/summary.py)."""

from collections import Counter

import pytest

from tools.reports import summary

SUITE = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" time="1.5">%s</testsuite></testsuites>"""
PASSED = '<testcase name="a"/>'
FAILED = '<testcase classname="tests.unit.test_x" name="b"><failure message="no"/></testcase>'
BROKEN = '<testcase name="c"><error message="fixture"/></testcase>'
SKIPPED = '<testcase name="d"><skipped message="%s"/></testcase>'


@pytest.fixture
def read(tmp_path):
    """The result of a run that left these test cases."""

    def reading(*cases, problem=""):
        path = tmp_path / "run.xml"
        path.write_text(SUITE % "".join(cases))
        return summary.read(path, "sofia 1.12", "3.11.7", problem)

    return reading


def result(**fields):
    whole = dict(engine="sofia", python="3.11", passed=1, failed=0, skips=Counter(), seconds=1.0, problem="")
    whole.update(cases=(), late=())
    return summary.Result(**dict(whole, **fields))


def test_the_outcomes_are_counted(read):
    run = read(PASSED, PASSED, FAILED, BROKEN, SKIPPED % "not on this system")
    assert (run.passed, run.failed, run.skipped, run.seconds, run.problem) == (2, 2, 1, 1.5, "")
    assert [case.name for case in run.cases if case.failed] == ["unit.test_x::b", "::c"]


def test_a_run_without_a_report_or_with_half_of_one(tmp_path):
    path = tmp_path / "run.xml"
    assert summary.read(path, "sofia", "3.11", "").problem == "it left no report"
    assert summary.read(path, "sofia", "3.11", "it died of signal 11").problem == "it died of signal 11"
    path.write_text("<testsuites><testsuite")
    assert summary.read(path, "sofia", "3.11", "").problem == "it left no report"


def test_a_run_without_tests(read):
    assert read().problem == "it ran no test"
    assert read(SKIPPED % "not on this system").problem == "it ran no test"


def test_no_run_at_all():
    assert summary.complaints([]) == ["no engine was tested"]


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "  ",
        "skipped",
        "unconditional skip",
        "could not import 'x'",
        "sipp is not installed",
        "No such file or directory",
    ],
)
def test_skips_that_explain_nothing(read, reason):
    (complaint,) = summary.complaints([read(PASSED, SKIPPED % reason)])
    assert "skipped without an explanation" in complaint and "sofia 1.12 on Python 3.11.7" in complaint


def test_skips_that_explain_themselves(read):
    assert (
        summary.complaints([read(PASSED, SKIPPED % "needs CAP_NET_ADMIN, which this process has not got")])
        == []
    )


def test_problems_are_told():
    assert summary.complaints([result(), result(problem="it ran no test")]) == [
        "sofia on Python 3.11: it ran no test"
    ]


def test_the_table():
    lines = summary.table(
        [result(passed=12, failed=3), result(engine="exosip 3.6.0", skips=Counter({"why": 2}))]
    )
    assert [line.split() for line in lines] == [
        ["engine", "Python", "passed", "failed", "skipped", "seconds"],
        ["sofia", "3.11", "12", "3", "0", "1"],
        ["exosip", "3.6.0", "3.11", "1", "0", "2", "1"],
        ["skipped", "2", "times:", "why"],
    ]


def test_the_sums_count_a_broken_run_as_failed():
    runs = [result(passed=5), result(passed=1, failed=2), result(passed=0, problem="it died of signal 11")]
    assert summary.closing(runs) == "6 passed, 3 failed, 0 skipped"


def test_the_slowest_tests_are_named_with_their_reason(read):
    waits = '<properties><property name="reason" value="timer B"/></properties>'
    run = read(PASSED, '<testcase classname="tests.unit.test_x" name="b" time="32.04">%s</testcase>' % waits)
    lines = summary.slowest([run, result()], number=1)
    assert lines[0] == "the slowest 1 tests:"
    assert lines[1].split("  ") == ["", "32.0 s", "unit.test_x::b (sofia 1.12 on Python 3.11.7)", "timer B"]
    assert len(lines) == 2


def test_a_second_try_that_passes_is_told_of(read):
    run = summary.merge(read(PASSED, FAILED), read(FAILED.partition("<failure")[0] + "</testcase>"))
    assert (run.passed, run.failed, run.problem, run.late) == (2, 0, "", ("unit.test_x::b",))
    line = "passed at the second try alone: unit.test_x::b (sofia 1.12 on Python 3.11.7)"
    assert summary.table([run])[-1] == line
    assert summary.closing([run]) == "2 passed, 0 failed, 0 skipped"


def test_a_second_try_that_fails_is_a_failure(read):
    run = summary.merge(read(PASSED, FAILED, BROKEN), read(PASSED, FAILED))
    assert (run.passed, run.failed, run.late) == (2, 1, ("::a",))


@pytest.mark.parametrize("cases", [(), (SKIPPED % "why",), (PASSED, PASSED)])
def test_a_second_try_of_something_else_counts_for_nothing(read, cases):
    run = summary.merge(read(PASSED, FAILED), read(*cases))
    assert run.failed == 1 and run.problem.startswith("the second try of its failed tests: ")
