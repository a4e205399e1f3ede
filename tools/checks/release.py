"""What has to be well before a release: the facts about the commit, then all tests, checks and measurements.

    python3 -m tools.checks.release [--list] [--only STEP]...

--list: name the steps, and run none. --only STEP: run this step; several run one after the other, in the order given.

`make release-check ARGS="--only wheels"` calls this; docs/releases.md tells when. Each step prints a line when it ends,
with its output where it failed; all of it is in build/ci/. Exit code 0 only when every step ran and passed.
"""

import argparse
import os
import sys
import time

from tools.checks import ci

#: Variables with which this was called, which no step is to get: its own make would take them for its own.
OURS = ("ARGS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")


def fact(name):
    """A step that asks tools/checks/release_facts.py."""
    return ci.planned(name, sys.executable, "-m", "tools.checks.release_facts", name)


#: What takes no time, and is told at once.
FACTS = tuple(fact(name) for name in ("tree", "tag", "version", "changelog", "pythons"))

#: Side by side. CI lets the image's self-test go where there is no Docker; a release does not.
LANES = (
    (ci.planned("test-all", "make", "test-all", "SANDBOX=host", counts=True),),
    (
        ci.planned("image-selftest", "sh", "tests/image/run", counts=True),
        ci.planned("lint"),
        ci.planned("docs"),
        ci.planned("linkcheck"),
        ci.planned("wheels"),
        fact("dist"),
    ),
)

#: By itself: it measures.
LAST = (ci.planned("bench"),)

STEPS = {step.name: step for lane in (FACTS, *LANES, LAST) for step in lane}


def run(only):
    """The outcomes of all steps, or of those that are named."""
    if only:
        return ci.perform_lanes([[STEPS[name] for name in dict.fromkeys(only)]])
    outcomes = ci.perform_lanes([FACTS])
    outcomes += ci.perform_first()
    return outcomes + ci.perform_lanes(LANES) + ci.perform_lanes([LAST])


def main(arguments):
    parser = argparse.ArgumentParser(prog="make release-check", description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the steps, and run none")
    parser.add_argument("--only", action="append", choices=STEPS, help="run this step alone", default=[])
    options = parser.parse_args(arguments)
    if options.list:
        print(
            "\n".join("%-16s %s" % (name, " ".join(map(str, step.command))) for name, step in STEPS.items())
        )
        return 0
    for name in OURS:
        os.environ.pop(name, None)
    ci.LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    outcomes = run(options.only)
    code = ci.conclude(outcomes, started)
    if any(each.step.counts for each in outcomes):
        print(ci.closing(outcomes))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
