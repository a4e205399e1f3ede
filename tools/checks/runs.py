"""Runs of the tests: one engine on one Python each, built, executed with several workers, and read.

Environment: ARGS (options for pytest), ENGINES (only these, as "sofia double"), JOBS (runs at a time; default 2) and
WORKERS (tests at a time in each run; default 4 on two cores).
"""

import concurrent.futures
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections import namedtuple

from tools.builds import environment, interpreters, trees
from tools.builds.environment import BUILD, ROOT, Stamp
from tools.reports import summary

REPORTS = BUILD / "reports"

#: Seconds: a test that takes longer has failed; a run that does is ended.
TEST_LIMIT, RUN_LIMIT = 180, 1500

#: The exit code, as a shell has it of a program that SIGINT ended.
INTERRUPTED = 130

#: Lines of a failed run's output to show.
SHOWN = 400

#: A run with no more failed tests than this has them run once more, alone. What passes then is named.
FEW = 3

#: The tests mostly wait, for SIP's timers and for processes: so many at a time keep the cores busy. Each worker costs
#: two seconds, in which it collects all tests, so more runs are better than more workers. A short run has fewer.
JOBS = int(os.environ.get("JOBS") or 2)
WORKERS = int(os.environ.get("WORKERS") or 2 * (os.cpu_count() or 1))
FEW_WORKERS = 3

#: Tests of what is no engine's: they run with Sofia-SIP alone.
OF_NO_ENGINE = (
    "fleet",
    "tools",
    "memory/test_parts.py",
    "properties/test_captures.py",
    "properties/test_network.py",
    "properties/test_sdp.py",
    "shield/test_generated.py",
    "unit/test_health.py",
    "unit/test_metrics.py",
)

#: Tests that show nothing of another libeXosip2 that they do not of 3.6: its double goes without.
OF_NO_VERSION = ("aio", "misuse", "properties", "shield", "sidecar", "unit", "worker") + tuple(
    "memory/test_%s.py" % name for name in ("cves", "limits", "odd_values", "passwords")
)

#: Beside those, tests that show nothing of 5.3 that they do not of 3.x.
OF_NO_CONTEXT = ("memory", "conformance/examples", "conformance/replay") + tuple(
    "conformance/peers/test_%s.py" % name for name in ("baresip", "kamailio_events", "prometheus")
)

#: Tests of what is no Python's: they run on the default one alone.
OF_NO_PYTHON = ("double", "fleet", "memory", "properties", "shield", "tools")

#: Tests that show that with an engine elsewhere all is as in process: what passes between the two, in a minute or so.
ELSEWHERE = ("aio",) + tuple(
    "conformance/%s.py" % name
    for name in (
        "agent/test_access",
        "agent/test_health",
        "agent/test_messages",
        "agent/test_metrics",
        "call/test_call_facts",
        "agent/test_serve",
        "call/test_dialog",
        "call/test_incoming",
        "call/test_keys",
        "call/test_outgoing",
        "call/test_replaces",
        "call/test_transfer_between_three",
        "call/test_transferee",
        "call/test_transferor",
        "call/test_two_endpoints",
        "kept/test_registration",
        "transport/test_sources",
        "transport/test_transport",
    )
)

#: Tests of processes, and with peers that no other Python treats otherwise: beside the default Python they run on the
#: oldest one, with libeXosip2, as in the image. A replay is a peer in a process of its own.
OF_PROCESSES = ("sidecar", "worker", "conformance/replay") + tuple(
    "conformance/peers/test_%s.py" % name for name in ("baresip", "kamailio_events", "prometheus")
)

#: Tests that start programs: on another Python than the default one they run with Sofia-SIP alone.
OF_PROGRAMS = tuple(
    "unit/command/test_%s.py" % name
    for name in (
        "calls", "compare_programs", "demo", "events", "ladder", "register", "requests", "terminal", "usage", "watched",
    )
)  # fmt: skip

#: The tests of examples/telephony: one run of its own, with Sofia-SIP on the default Python if that is 3.11 or newer.
OF_THE_SERVICE = ("service",)
SERVICE = "service"

#: A Python between the oldest and the newest, and not the default one, runs all with Sofia-SIP. With libeXosip2 it
#: runs what passes between Python and the library.
OF_EACH_PYTHON = ("contract",)
CONTRACT = "contract"

#: Parts of the tests that are runs of their own, by what stands in the place of Run.place.
PARTS = {SERVICE: OF_THE_SERVICE, CONTRACT: OF_EACH_PYTHON}

OLDEST = interpreters.SUPPORTED[0]
OWN = "%d.%d" % sys.version_info[:2]


class Run(namedtuple("Run", "engine label python version tree place")):
    """The tests with one engine ("sofia", "exosip") on one Python; ``label`` is what the table says.

    ``place`` is "", or another place for the engine, as "worker": then those of ELSEWHERE alone; or one of PARTS: then
    the tests of that part alone.
    """

    @property
    def name(self):
        return "%s-%s%s" % (self.tree.folder.name, self.engine, "-" + self.place if self.place else "")

    @property
    def selection(self):
        """What pytest is to run, as arguments."""
        if self.place:
            names = PARTS.get(self.place, ELSEWHERE)
            return [str(ROOT / "tests" / name) for name in names]
        return [str(ROOT / "tests")] + ["--ignore=%s" % (ROOT / "tests" / name) for name in self.left_out]

    @property
    def left_out(self):
        """The tests that this Python, or this engine, is not for, folders and files."""
        names = OF_THE_SERVICE + (() if self.engine == "sofia" else OF_NO_ENGINE)
        if self.tree.double not in (None, trees.DOUBLES[trees.MAIN_DOUBLE]):
            names += OF_NO_VERSION
        if self.tree.double == trees.DOUBLES["5.3"]:
            names += OF_NO_CONTEXT
        if not self.version.startswith(OWN + "."):
            names += OF_NO_PYTHON + (() if self.engine == "sofia" else OF_PROGRAMS)
            names += () if self.version.startswith(OLDEST) and self.engine != "sofia" else OF_PROCESSES
        return names


def chosen(variable, name):
    """True when an environment variable is empty or names this."""
    wanted = os.environ.get(variable, "").replace(",", " ").split()
    return not wanted or name in wanted


def prepare(interpreter, between=False):
    """Build for one Python, and yield each run of the tests as soon as it can begin. Raises Failed.

    ``between``: it is one of those that run only OF_EACH_PYTHON with libeXosip2.
    """
    part = CONTRACT if between else ""
    own = interpreter.version == OWN
    python = environment.default() if own else environment.other(interpreter.path, interpreter.version)
    tree = trees.native(python, interpreter.version)
    tree.build()
    engines = tree.engines()
    for engine in sorted(engines)[-1:]:
        compile_tests(Run(engine, "", python, "", tree, ""))
    for engine, version in sorted(engines.items(), reverse=True):
        label = "%s %s" % (engine, version)
        if chosen("ENGINES", engine):
            run = Run(engine, label, python, interpreter.full, tree, "" if engine == "sofia" else part)
            yield from _in_places(run, own)
    for line in trees.DOUBLES if chosen("ENGINES", "double") else ():
        other = line != trees.MAIN_DOUBLE
        if own or not other:
            tree = trees.double(python, interpreter.version, trees.build_double(line))
            tree.build()
            label = "exosip (double of %s)" % line if other else "exosip (double)"
            run = Run("exosip", label, python, interpreter.full, tree, part)
            yield from _in_places(run, own and not other)


def compile_tests(run):
    """Have pytest compile the tests for a Python, once: the workers, which begin at one time, would each do it."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    stamp = Stamp(run.tree.objects / "tests-compiled", run.python, *files)
    if not stamp.fits():
        words = "-m pytest --collect-only -q -p no:cacheprovider --rootdir".split()
        settings = {"cwd": str(run.tree.folder), "env": variables(run), "stdin": subprocess.DEVNULL}
        # A run tells what is wrong with a test.
        settings.update(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if subprocess.call([str(run.python), *words, str(ROOT), str(ROOT / "tests")], **settings) == 0:
            stamp.write()


def _in_places(run, elsewhere):
    """A run, and where that is asked for and all tests run those with the engine in other places.

    A sidecar runs the engine as a worker does: Sofia-SIP is enough there.
    """
    yield run
    if elsewhere and not os.environ.get("ARGS"):
        for place in ("worker", "sidecar") if run.engine == "sofia" else ("worker",):
            yield run._replace(label="%s, %s" % (run.label, place), place=place)
        if run.engine == "sofia" and sys.version_info >= environment.OF_THE_SERVICE:
            python = environment.service()
            yield run._replace(label="%s, telephony service" % run.label, place=SERVICE, python=python)


def variables(run):
    """The environment of a run."""
    settings = dict(os.environ, PYTHONPATH=str(run.tree.folder), SIPBRIDGE_ENGINE=run.engine)
    place = "" if run.place in PARTS else run.place
    settings.update(SIPBRIDGE_BUILD=str(BUILD), SIPBRIDGE_TEST_PLACE=place)
    settings.setdefault("SIPBRIDGE_SCREENSHOTS", str(BUILD / "screenshots"))
    settings.pop("PYTHONDONTWRITEBYTECODE", None)  # each worker would compile all tests anew
    if run.tree.double:
        settings["SIPBRIDGE_DOUBLE"] = str(run.tree.double)
    shield = run.tree.folder / "sipbridge" / "_shield.so"
    if run.engine == "exosip" and shield.exists():
        # As in the image; tests/shield goes without where it is about that.
        settings["LD_PRELOAD"] = str(shield)
    return settings


def arguments(run, name, workers):
    """The command that runs tests of a run, without saying which; its report is ``name``.xml."""
    command = [str(run.python), "-m", "pytest", "-rfE", "--rootdir", str(ROOT), "-n", str(workers)]
    # In the older of its forms the report may say more of a test than its name: the peers that it had.
    command += ["-o", "junit_family=xunit1", "-o", "cache_dir=%s" % (REPORTS / (run.name + ".cache"))]
    command += ["--junitxml", str(REPORTS / (name + ".xml")), "--timeout", str(TEST_LIMIT)]
    return command + shlex.split(os.environ.get("ARGS", ""))


#: The pytests that run now. They are in sessions of their own: an interrupt reaches only this process.
_alive = set()


def execute(run, workers, again=False):
    """Run the tests; a :class:`summary.Result`. Everything that they print goes to build/reports/<run>.log.

    ``again``: only those that failed the last time, with files of their own.
    """
    name = run.name + ("-again" if again else "")
    # Not in the checkout, whose package is without engines and would come first.
    with open(str(REPORTS / (name + ".log")), "wb") as output:
        process = subprocess.Popen(
            arguments(run, name, workers) + ["--last-failed"] * again + run.selection,
            cwd=str(run.tree.folder),
            env=variables(run),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _alive.add(process)
        try:
            problem = outcome(process)
        finally:
            _alive.discard(process)
    return summary.read(REPORTS / (name + ".xml"), run.label, run.version, problem)


def heed_signals():
    """Let SIGTERM end everything as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def clear_reports():
    """Remove what the last runs printed."""
    if REPORTS.exists():
        shutil.rmtree(str(REPORTS))
    REPORTS.mkdir(parents=True)


def outcome(process):
    """Wait for pytest; what was wrong with the run itself, or ""."""
    try:
        code = process.wait(RUN_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "it took longer than %d s" % RUN_LIMIT
    if code < 0:
        return "it died of signal %d" % -code
    return "" if code in (0, 1) else "pytest ended with %d" % code


def execute_all(runs, workers=WORKERS):
    """Some at a time, each as soon as it is built, telling of each when it ends; the runs with their results.

    Args:
        runs: an iterable that builds the next run while the last ones go on.
        workers: tests at a time in each.
    """
    results = {}

    def finish(run):
        results[run] = execute(run, min(workers, FEW_WORKERS) if run.place else workers)
        announce(run, results[run])

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        try:
            futures = {pool.submit(finish, run): run for run in runs}
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(_alive):
                os.killpg(process.pid, signal.SIGTERM)
            raise
    return [(run, second_try(run, results[run])) for run in futures.values()]


def second_try(run, result):
    """The result with its few failed tests run again, alone: what passes then is told of, not hidden."""
    if result.problem or not 0 < result.failed <= FEW:
        return result
    print(
        "again, alone: the %d failed of %s on Python %s" % (result.failed, run.label, run.version), flush=True
    )
    repeated = execute(run, 0, again=True)
    announce(run, repeated, "-again")
    return summary.merge(result, repeated)


def announce(run, result, suffix=""):
    """Say how a run went, with its output when it went wrong."""
    counts = (result.passed, result.failed, result.skipped, result.seconds)
    lines = [
        "%s on Python %s: %d passed, %d failed, %d skipped in %.0f s" % ((run.label, run.version) + counts)
    ]
    if result.failed or result.problem:
        log = REPORTS / (run.name + suffix + ".log")
        output = log.read_text(errors="replace").splitlines()
        lines.append("---- the last %d lines of %s:" % (min(SHOWN, len(output)), log.relative_to(ROOT)))
        lines += output[-SHOWN:] + ["----"]
    print("\n".join(lines), flush=True)
