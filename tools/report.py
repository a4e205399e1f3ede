"""What the runs of the tests came to: counts from pytest's JUnit files, the table, the verdict."""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter, namedtuple

#: Reasons to skip that explain nothing, or tell that something to be tested was not there.
UNEXPLAINED = re.compile(
    r"^\s*$|^skipped$|^unconditional skip$|could not import|not installed|no such file|not found",
    re.IGNORECASE,
)


class Result(namedtuple("Result", "engine python passed failed skips seconds problem names late")):
    """One run: ``skips`` counts the reasons; ``problem`` says why the run itself is no good, or is "".

    ``names`` are those of the failed tests, ``late`` those of the ones that passed at the second try alone.
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
    skips, failed, passed = Counter(), [], 0
    for case in (case for suite in suites for case in suite.iter("testcase")):
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append("%s::%s" % (case.get("classname", "").partition("tests.")[2], case.get("name")))
        elif skip is not None:
            skips[skip.get("message") or ""] += 1
        else:
            passed += 1
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    if not passed and not failed:
        problem = problem or "it ran no test"
    return Result(engine, python, passed, len(failed), skips, seconds, problem, tuple(failed), ())


def merge(first, second):
    """A run whose failed tests were run once more: what failed again failed, what passed is ``late``."""
    problem = second.problem
    if second.passed + second.failed != first.failed:
        problem = problem or "%d tests ran, not %d" % (second.passed + second.failed, first.failed)
    if problem:
        return first._replace(problem="the second try of its failed tests: %s" % problem)
    late = tuple(name for name in first.names if name not in second.names)
    return first._replace(
        passed=first.passed + len(late),
        failed=second.failed,
        seconds=first.seconds + second.seconds,
        names=second.names,
        late=late,
    )


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
