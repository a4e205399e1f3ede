"""All that CI checks: steps side by side, a table of their times, the sums of the tests. `.ci/run` calls this.

    python3 -m tools.checks.ci

Each step prints a line when it ends, with its output where it failed; all of it is in build/ci/. Exit code 1 when a
step failed.
"""

import subprocess
import sys
import threading
import time
from collections import namedtuple

from tools.builds.environment import BUILD, ROOT
from tools.reports import sums

LOGS = BUILD / "ci"

#: Lines of a failed step's output to show.
SHOWN = 300

#: What image-selftest ends with where no Docker daemon answers and none can be started: it counts as skipped.
NOT_RUN = 3


class Step(namedtuple("Step", "name command counts allowed shown")):
    """A command; with ``counts`` it ends with a number of tests, with ``shown`` its output is shown as it comes.

    ``allowed`` are its exit codes that are no failure.
    """


def planned(name, *command, counts=False, allowed=(0,), shown=False):
    """A step; the command is that target of make where none is given."""
    return Step(name, command or ("make", name), counts, allowed, shown)


#: Before anything else: the packages of the system, and environments that several of the others would make.
FIRST = (
    planned("packages", "tools/builds/prepare", "build", "test", "lint", "fuzz"),
    planned("develop"),
    planned("service-environment", sys.executable, "-m", "tools.builds.environment", "service"),
)

#: Side by side; in each, one after the other. The tests keep the cores busy, the image's mostly wait.
LANES = (
    (planned("test-all", "make", "test-all", "SANDBOX=host", counts=True, shown=True),),
    (
        planned("image-selftest", "sh", "tests/image/run", counts=True, allowed=(0, NOT_RUN)),
        planned("lint"),
        planned("docs"),
        planned("demo", "make", "demo", "SANDBOX=host"),
        planned("fuzz", "make", "fuzz", "SECONDS=30"),
    ),
)


class Outcome(namedtuple("Outcome", "step code seconds")):
    """How a step ended."""

    @property
    def failed(self):
        return self.code not in self.step.allowed

    @property
    def log(self):
        return LOGS / (self.step.name + ".log")

    @property
    def verdict(self):
        if self.failed:
            return "FAILED with %d" % self.code
        return "not run" if self.code else "ok"


def perform(step):
    """Run a step to its end and tell of it; the :class:`Outcome`."""
    started = time.monotonic()
    with open(str(LOGS / (step.name + ".log")), "wb") as log:
        process = subprocess.Popen(
            step.command,
            cwd=str(ROOT),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for line in process.stdout:
            log.write(line)
            if step.shown:
                sys.stdout.write(line.decode("utf-8", "replace"))
                sys.stdout.flush()
        process.stdout.close()
    outcome = Outcome(step, process.wait(), time.monotonic() - started)
    lines = ["%s: %s in %.0f s" % (step.name, outcome.verdict, outcome.seconds)]
    if outcome.failed and not step.shown:
        lines += outcome.log.read_text(errors="replace").splitlines()[-SHOWN:]
    print("\n".join(lines), flush=True)
    return outcome


def perform_lanes(lanes):
    """Run lanes side by side, in each one step after the other; all outcomes, in the order of the steps."""
    outcomes = {}

    def follow(lane):
        for step in lane:
            outcomes[step] = perform(step)

    threads = [threading.Thread(target=follow, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[step] for lane in lanes for step in lane]


def table(outcomes):
    """Step, verdict and seconds: lines."""
    return ["%-16s %-16s %6.0f s" % (each.step.name, each.verdict, each.seconds) for each in outcomes]


def closing(outcomes):
    """The sums of all tests, in the last line."""
    counted = [each.log.read_text(errors="replace") for each in outcomes if each.step.counts]
    return sums.total(counted)


def perform_first(steps=FIRST):
    """Run the steps without which no other can run. Their outcomes; ends the program when one failed."""
    outcomes = []
    for step in steps:
        outcomes.append(perform(step))
        if outcomes[-1].failed:
            sys.exit("ci: without %s nothing else can run" % step.name)
    return outcomes


def conclude(outcomes, started):
    """Print the table and what failed; 1 when something did. ``started`` is of time.monotonic()."""
    print("\n".join([""] + table(outcomes)))
    print("in all %34.0f s" % (time.monotonic() - started))
    failed = [each.step.name for each in outcomes if each.failed]
    if failed:
        print("failed: %s" % " ".join(failed))
    return 1 if failed else 0


def main():
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    outcomes = perform_first()
    outcomes += perform_lanes(LANES)
    code = conclude(outcomes, started)
    print(closing(outcomes))
    return code


if __name__ == "__main__":
    sys.exit(main())
