"""What the runs of the tests came to: counts from pytest's JUnit files, the table, the verdict."""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter, namedtuple

#: Reasons to skip that explain nothing, or tell that something to be tested was not there.
UNEXPLAINED = re.compile(
    r"^\s*$|^skipped$|^unconditional skip$|could not import|not installed|no such file|not found",
    re.IGNORECASE,
)


class Case(namedtuple("Case", "seconds name reason failed")):
    """A test: how long it took, "unit.test_x::test_y[z]", where that was long what it waits for or shows."""


class Result(namedtuple("Result", "engine python passed failed skips seconds problem cases late")):
    """One run: ``skips`` counts the reasons; ``problem`` says why the run itself is no good, or is "".

    ``cases`` are a :class:`Case` for each test, ``late`` the names of those that passed at the second try alone.
    """

    @property
    def skipped(self):
        return sum(self.skips.values())


def read(path, engine, python, problem):
    """The :class:`Result` of a run. A run without tests, or without a report, has a problem."""
    try:
        suites = list(ElementTree.parse(str(path)).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return Result(engine, python, 0, 0, Counter(), 0.0, problem or "it left no report", (), ())
    elements = [element for suite in suites for element in suite.iter("testcase")]
    cases = tuple(map(_case, elements))
    skips = Counter(skip.get("message") or "" for element in elements for skip in element.findall("skipped"))
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    failed = sum(case.failed for case in cases)
    passed = len(cases) - failed - sum(skips.values())
    if not passed and not failed:
        problem = problem or "it ran no test"
    return Result(engine, python, passed, failed, skips, seconds, problem, cases, ())


def _case(element):
    """The :class:`Case` of a testcase element."""
    name = "%s::%s" % (element.get("classname", "").partition("tests.")[2], element.get("name"))
    reasons = [each.get("value") for each in element.iter("property") if each.get("name") == "reason"]
    failed = element.find("failure") is not None or element.find("error") is not None
    return Case(float(element.get("time") or 0), name, "; ".join(reasons), failed)


def merge(first, second):
    """A run whose failed tests were run once more: what failed again failed, what passed is ``late``."""
    problem = second.problem
    if second.passed + second.failed != first.failed:
        problem = problem or "%d tests ran, not %d" % (second.passed + second.failed, first.failed)
    if problem:
        return first._replace(problem="the second try of its failed tests: %s" % problem)
    late = tuple(case.name for case in second.cases if not case.failed)
    return first._replace(
        passed=first.passed + len(late),
        failed=second.failed,
        seconds=first.seconds + second.seconds,
        late=late,
    )


def slowest(results, number=20):
    """The tests that took longest, over all runs, and why: lines."""
    cases = [(case, each) for each in results for case in each.cases]
    cases.sort(key=lambda pair: -pair[0].seconds)
    line = "%6.1f s  %s (%s on Python %s)  %s"
    return ["the slowest %d tests:" % min(number, len(cases))] + [
        line % (case.seconds, case.name, each.engine, each.python, case.reason)
        for case, each in cases[:number]
    ]


def complaints(results):
    """Why the runs as a whole fail, beyond failed tests: lines for the user."""
    lines = [
        "%s on Python %s: %s" % (each.engine, each.python, each.problem) for each in results if each.problem
    ]
    for each in results:
        for reason, count in sorted(each.skips.items()):
            if UNEXPLAINED.search(reason):
                what = "%d skipped without an explanation that counts: %r" % (count, reason)
                lines.append("%s on Python %s: %s" % (each.engine, each.python, what))
    return lines or ([] if results else ["no engine was tested"])


def table(results):
    """Engine x Python x passed, failed, skipped, and why tests were skipped: lines."""
    width = max([len("engine")] + [len(each.engine) for each in results])
    line = "%-" + str(width) + "s  %-8s %7s %7s %8s %8s"
    lines = [line % ("engine", "Python", "passed", "failed", "skipped", "seconds")]
    for each in results:
        counts = (each.passed, each.failed, each.skipped, "%.0f" % each.seconds)
        lines.append(line % ((each.engine, each.python) + counts))
    reasons = Counter()
    for each in results:
        reasons.update(each.skips)
    lines += ["skipped %d times: %s" % (count, reason) for reason, count in sorted(reasons.items())]
    late = "passed at the second try alone: %s (%s on Python %s)"
    return lines + [late % (name, each.engine, each.python) for each in results for name in each.late]


def closing(results):
    """The last line. A run that broke off counts as a failed test, so that no sum hides it."""
    failed = sum(each.failed or bool(each.problem) for each in results)
    passed, skipped = sum(each.passed for each in results), sum(each.skipped for each in results)
    return "%d passed, %d failed, %d skipped" % (passed, failed, skipped)
