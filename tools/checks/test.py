"""Run the tests on every engine, on the default Python, the oldest and the newest, and sum up. `make test` calls this.

    python3 -m tools.checks.test [--all]

--all (`make test-all`): on every Python that is here.

Environment: ARGS (options for pytest), PYTHONS and ENGINES (only these, as "2.7 3.11", "sofia double"), DURATIONS=1
(name the tests that took longest, and why), JOBS (runs at a time; default 2) and WORKERS (tests at a time in each run;
default 4 on two cores).
"""

import os
import sys
import time

from tools.builds import interpreters
from tools.builds.environment import Failed
from tools.checks import runs
from tools.reports import summary


def left_out(ran):
    """What did not run everywhere, in lines."""
    names = set(name for run in ran for name in run.left_out)
    lines = [
        ("with Sofia-SIP alone", runs.OF_NO_ENGINE),
        ("not with the doubles of 3.3 and 5.3 (memory goes without valgrind)", runs.OF_NO_VERSION),
        ("nor with that of 5.3", runs.OF_NO_CONTEXT),
        ("in a run of its own, on Python %s" % runs.OWN, runs.OF_THE_SERVICE),
        ("on Python %s alone" % runs.OWN, runs.OF_NO_PYTHON),
        ("on Python %s, and on %s with libeXosip2, alone" % (runs.OWN, runs.OLDEST), runs.OF_PROCESSES),
        ("on Python %s, and elsewhere with Sofia-SIP, alone" % runs.OWN, runs.OF_PROGRAMS),
    ]
    if any(run.place == runs.CONTRACT for run in ran):
        lines.append(("alone with libeXosip2 on the Pythons in between", runs.OF_EACH_PYTHON))
        names.update(runs.OF_EACH_PYTHON)
    return [
        "%s: tests/%s" % (where, ", tests/".join(what)) for where, what in lines if names.issuperset(what)
    ]


def select(found, everything):
    """The interpreters to test on, the default one first, and lines that name the others."""
    found = sorted(found, key=lambda each: (each.version != runs.OWN, each.version != runs.OLDEST))
    usable = [each for each in found if each.headers and runs.chosen("PYTHONS", each.version)]
    lines = [
        "left out: Python %s at %s: no Python.h" % (each.full, each.path)
        for each in found
        if not each.headers
    ]
    others = between(usable)
    if everything or not others:
        return usable, lines
    names = ", ".join(each.full for each in others)
    lines.append("left out: Python %s (make test-all runs them, too)" % names)
    return [each for each in usable if each not in others], lines


def between(selected):
    """Of these interpreters those that are neither the default one nor the oldest or the newest, nor asked for."""
    newest = max([interpreters.SUPPORTED.index(each.version) for each in selected] or [0])
    ends = (runs.OWN, runs.OLDEST, interpreters.SUPPORTED[newest])
    return [each for each in selected if each.version not in ends and not os.environ.get("PYTHONS")]


def planned(selected):
    """Build for one interpreter after the other, and yield the runs, the short ones last. Raises Failed."""
    short, others = [], between(selected)
    for interpreter in selected:
        print("building for Python %s" % interpreter.full, flush=True)
        for run in runs.prepare(interpreter, interpreter in others):
            if run.place:
                short.append(run)
            else:
                yield run
    yield from short


def main(arguments):
    if arguments not in ([], ["--all"]):
        sys.exit(__doc__)
    runs.heed_signals()
    runs.clear_reports()
    started = time.time()
    selected, unselected = select(interpreters.find(), bool(arguments))
    try:
        pairs = runs.execute_all(planned(selected))
    except Failed as error:
        sys.exit("test: %s" % error)
    except KeyboardInterrupt:
        print("test: interrupted", file=sys.stderr)
        return runs.INTERRUPTED
    results = [result for _, result in pairs]
    complaints = summary.complaints(results)
    lines = [""] + summary.table(results) + left_out([run for run, _ in pairs]) + unselected
    if os.environ.get("DURATIONS", "") not in ("", "0"):
        lines += summary.slowest(results)
    print("\n".join(lines + complaints))
    print("in %.0f s" % (time.time() - started))
    print(summary.closing(results))
    return 1 if complaints or any(each.failed for each in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
