"""Run what a change touches, in less than a minute: on the default Python, on the engines that it concerns.

    python3 -m tools.checks.quick [--list]

--list: name the tests and why, and run none.

The change is what differs from the last commit, files that git does not track among it; where nothing does, the last
commit itself. SINCE=REVISION: all since then. `make test` runs everything.
"""

import fnmatch
import os
import re
import sys
import time
from collections import namedtuple

from tools.builds import environment, trees
from tools.builds.environment import ROOT, Failed
from tools.checks import runs
from tools.reports import summary

TESTS = ROOT / "tests"

#: What shows within seconds that calls, messages and registrations still work.
CORE = ("contract", "unit", "misuse", "conformance/call", "conformance/kept", "conformance/agent")

#: Slow ones in folders of tests: they run where a rule names them, or the file itself.
APART = (
    "unit/command",
    "unit/examples/test_events_page.py",
    "conformance/transport/test_timers.py",
    "conformance/transport/test_unreachable.py",
    "tools/test_engine_libraries.py",
    "tools/test_fetch_packages.py",
    "tools/test_image.py",
    "tools/test_wheels.py",
    "service/test_soak.py",
)


class Rule(namedtuple("Rule", "pattern tests engines")):
    """For a changed file that matches: the tests below tests/, and the engines ("sofia", "double", or "service" for the
    tests of the telephony service).

    In ``tests`` "CORE" stands for CORE without APART, "ITSELF" for the file.
    """


BOTH = ("sofia", "double")

#: What the shield screens, and that it lets the rest through: calls, registrations, messages, lost datagrams, TCP.
BEHIND_THE_SHIELD = (
    "shield",
    "conformance/hostile",
    "conformance/agent/test_messages.py",
    "conformance/call/test_incoming.py",
    "conformance/call/test_outgoing.py",
    "conformance/call/test_two_endpoints.py",
    "conformance/kept/test_registration.py",
    "conformance/transport/test_lost.py",
    "conformance/transport/test_transport.py",
)

#: The first that matches counts.
RULES = (
    Rule("tests/double/*.[ch]", ("double", "contract", "CORE"), ("double",)),
    Rule("tests/double/include/*", ("double", "contract", "CORE"), ("double",)),
    Rule("tests/double/*", ("double",), ("double",)),
    Rule("tests/image/*", ("image/test_static.py",), ("sofia",)),
    Rule("tests/fuzz/*", ("shield",), ("double",)),
    Rule("tests/memory/*", ("memory",), ("double",)),
    Rule("tests/tools/*", ("ITSELF",), ("sofia",)),
    Rule("tests/service/test_*.py", ("ITSELF",), ("service",)),
    Rule("tests/service/*", ("service",), ("service",)),
    Rule("tests/shield/test_*.py", ("ITSELF",), ("double",)),
    Rule("tests/*/test_*.py", ("ITSELF",), BOTH),
    Rule("tests/*", ("CORE",), BOTH),
    Rule("csrc/shield/*", BEHIND_THE_SHIELD, ("double",)),
    Rule("csrc/sofia/*", ("CORE", "conformance/transport"), ("sofia",)),
    Rule("csrc/exosip/*", ("CORE", "conformance/transport"), ("double",)),
    Rule("csrc/dns/*", ("contract", "conformance/transport", "conformance/kept"), ("double",)),
    Rule("csrc/*", ("CORE",), BOTH),
    *(
        Rule("sipbridge/_engine/%s.py" % name, ("worker", "sidecar", "aio"), ("sofia",))
        for name in (
            "channel child ledger process protocol remote server stream supervisor"
            " sidecar listener socket_file unix_socket worker worker_main worker_process crash_files"
        ).split()
    ),
    Rule("sipbridge/shield.py*", ("shield",), ("double",)),
    Rule("sipbridge/_engine/shield_counters.py*", ("shield",), ("double",)),
    Rule("sipbridge/_command/demo*", ("unit/command/test_demo.py",), ("sofia",)),
    Rule("sipbridge/demo.py*", ("unit/command/test_demo.py",), ("sofia",)),
    Rule("sipbridge/_command/doctor.py*", ("unit/command/test_doctor.py",), ("sofia",)),
    Rule("sipbridge/_engine/container*", ("unit/engine/test_container.py",), ("sofia",)),
    Rule("tests/container/*", ("unit/engine/test_container.py",), ("sofia",)),
    Rule("sipbridge/_command/engine.py", ("sidecar",), ("sofia",)),
    Rule("sipbridge/_command/fleet*", ("fleet/test_command.py", "fleet/test_rolling.py"), ("sofia",)),
    Rule("sipbridge/_command/systemd.py", ("sidecar",), ("sofia",)),
    Rule("sipbridge/_command/*", ("unit/command",), ("sofia",)),
    Rule("sipbridge/_build.py", ("tools/test_engine_libraries.py", "contract"), ("sofia",)),
    Rule("sipbridge/*", ("CORE", "conformance/transport", "conformance/hostile", "aio"), ("sofia",)),
    Rule("tools/builds/*wheel*.py", ("tools/test_wheels.py",), ("sofia",)),
    Rule("setup.py", ("tools",), ("sofia",)),
    Rule("tools/*", ("tools",), ("sofia",)),
    Rule("deploy/*", ("fleet",), ("sofia",)),
    Rule("docker/fetch_packages.py", ("tools/test_fetch_packages.py",), ("sofia",)),
    Rule("docker/replay.py", ("conformance/replay/test_service.py",), ("sofia",)),
    Rule("docker/*", ("tools/test_image.py", "unit/command/test_doctor.py"), ("sofia",)),
    Rule("Dockerfile*", ("tools/test_image.py",), ("sofia",)),
    Rule(
        "*.md",
        (
            "unit/examples/test_events_page.py",
            "unit/examples/test_readme.py",
            "unit/examples/test_calls_page.py",
            "unit/test_pytest_plugin.py",
            "conformance/examples/test_pages.py",
            "conformance/examples/test_tutorial.py",
            "tools/test_docs.py",
        ),
        BOTH,
    ),
    Rule("examples/service*", ("conformance/replay/test_service.py",), ("sofia",)),
    Rule("examples/telephony/*", ("service",), ("service",)),
    Rule("examples/*", ("conformance/examples", "unit/examples"), ("sofia",)),
    Rule("*", ("tools",), ("sofia",)),
)


def git(*words):
    """The lines that a git command prints. Raises Failed."""
    return environment.run(("git",) + words).splitlines()


def changed(since=""):
    """The changed files, as paths below the checkout, and what they are changes since."""
    untracked = git("ls-files", "--others", "--exclude-standard")
    if since:
        return git("diff", "--name-only", since) + untracked, since
    files = git("diff", "--name-only", "HEAD") + untracked
    return (
        (files, "the last commit")
        if files
        else (git("diff", "--name-only", "HEAD~1"), "the one before the last commit")
    )


def naming(module):
    """The test files that import a module of the package by its name."""
    # "sipbridge.call" is a logger.
    named = r"(?<!\")sipbridge\.([\w.]+\.)?%s\b|from sipbridge\S* import .*\b%s\b"
    pattern = re.compile(named % (module, module))
    for path in sorted(TESTS.rglob("test_*.py")):
        name = str(path.relative_to(TESTS))
        if not name.startswith(("image/", "service/")) and pattern.search(path.read_text(encoding="utf-8")):
            yield name


def select(files):
    """Engine to a dict of the tests there: paths below tests/, each with the changed files that ask for it."""
    selected = {}
    for file in files:
        rule = next(rule for rule in RULES if fnmatch.fnmatch(file, rule.pattern))
        tests = [file.partition("/")[2] if test == "ITSELF" else test for test in rule.tests]
        if file.startswith("sipbridge/"):
            tests += naming(file.rpartition("/")[2].split(".")[0])
        for engine in rule.engines:
            for test in tests:
                for path in CORE if test == "CORE" else (test,):
                    if (TESTS / path).exists():  # a test that was removed is changed, too
                        selected.setdefault(engine, {}).setdefault(path, []).append(file)
    return selected


def arguments(tests):
    """What pytest is to run: paths, and in folders not what is APART or slow, unless that is asked for."""
    folders = tuple(name + "/" for name in tests if not name.endswith(".py"))
    wanted = [name for name in APART if any((test + "/").startswith(name + "/") for test in tests)]
    ignored = [name for name in APART if name.startswith(folders) and name not in wanted]
    paths = [str(TESTS / name) for name in tests] + ["--ignore=%s" % (TESTS / name) for name in ignored]
    return paths + (["-m", "not slow"] if any(name.startswith("conformance/") for name in folders) else [])


class Quick(runs.Run):
    """A run of some tests alone."""

    selection = ()


def prepare(selected):
    """Build what the selected tests need, and yield the runs. Raises Failed."""
    python = environment.default()
    for engine in ("double", "sofia", runs.SERVICE):
        if engine not in selected:
            continue
        if engine == "double":
            tree = trees.double(python, runs.OWN, trees.build_double())
        else:
            tree = trees.native(python, runs.OWN)
        tree.build()
        if engine == runs.SERVICE:
            run = Quick("sofia", "telephony service", environment.service(), runs.OWN, tree, runs.SERVICE)
        else:
            run = Quick("exosip" if engine == "double" else engine, engine, python, runs.OWN, tree, "")
        run.selection = arguments(selected[engine])
        yield run


def main(words):
    if words not in ([], ["--list"]):
        sys.exit(__doc__)
    started = time.time()
    try:
        files, base = changed(os.environ.get("SINCE", ""))
        selected = select(files)
        print("quick: %d files changed since %s" % (len(files), base))
        for engine, tests in sorted(selected.items()):
            print("quick: on %s: %s" % (engine, " ".join(sorted(tests))), flush=True)
        if words or not selected:
            return 0
        runs.heed_signals()
        runs.clear_reports()
        results = [result for _, result in runs.execute_all(prepare(selected))]
    except Failed as error:
        sys.exit("quick: %s" % error)
    except KeyboardInterrupt:
        print("quick: interrupted", file=sys.stderr)
        return runs.INTERRUPTED
    print("\n".join(summary.complaints(results)))
    print("in %.0f s; make test runs everything" % (time.time() - started))
    print(summary.closing(results))
    return 1 if any(each.failed or each.problem for each in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
