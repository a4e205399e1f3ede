"""Run the tests on every engine and every Python that is here, and sum up. `make test` calls this.

Environment: ARGS (options for pytest), PYTHONS and ENGINES (only these, as "2.7 3.11", "sofia double"), JOBS
(runs at a time; default 2).
"""

import concurrent.futures
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

import environment
import interpreters
import report
import trees
from environment import BUILD, ROOT, Failed

REPORTS = BUILD / "reports"

#: Seconds: a test that takes longer has failed; a run that does is ended.
TEST_LIMIT, RUN_LIMIT = 180, 1500

#: Lines of a failed run's output to show.
SHOWN = 400

#: A run with no more failed tests than this has them run once more, alone: two runs share the machine otherwise.
FEW = 3

#: Tests of what is no Python's: they run on the default one alone.
OF_NO_PYTHON = ("double", "memory", "properties", "shield")

#: Tests that show that through a worker all is as without one: what passes between the two, in a minute or so.
WORKER = ("aio",) + tuple(
    "conformance/test_%s.py" % name
    for name in (
        "dialog",
        "incoming",
        "messages",
        "outgoing",
        "registration",
        "transfer",
        "transport",
        "two_endpoints",
    )
)

#: Tests of processes, and with peers that no other Python treats otherwise: they run on the oldest one, too.
OF_PROCESSES = ("worker", "conformance/test_baresip.py", "conformance/test_kamailio_events.py")
OLDEST = "2.7"


class Run(namedtuple("Run", "engine label python version tree worker")):
    """The tests with one engine ("sofia", "exosip") on one Python; ``label`` is what the table says.

    With ``worker`` those of WORKER alone, through a worker.
    """

    @property
    def name(self):
        return "%s-%s%s" % (self.tree.folder.name, self.engine, "-worker" if self.worker else "")

    @property
    def selection(self):
        """What pytest is to run, as arguments."""
        if self.worker:
            return [str(ROOT / "tests" / name) for name in WORKER]
        return [str(ROOT / "tests")] + ["--ignore=%s" % (ROOT / "tests" / name) for name in self.left_out]

    @property
    def left_out(self):
        """The tests that this Python is not for, folders and files."""
        if self.version.startswith("%d.%d." % sys.version_info[:2]):
            return ()
        return OF_NO_PYTHON + (() if self.version.startswith(OLDEST) else OF_PROCESSES)


def chosen(variable, name):
    """True when an environment variable is empty or names this."""
    wanted = os.environ.get(variable, "").replace(",", " ").split()
    return not wanted or name in wanted


def prepare(interpreter, place):
    """The runs on one Python: its environment, its built trees, the engines that load. Raises Failed."""
    if interpreter.version == "%d.%d" % sys.version_info[:2]:
        python = environment.default()
    else:
        python = environment.other(interpreter.path, interpreter.version)
    runs = []
    native = trees.native(python, interpreter.version)
    native.build()
    for engine, version in sorted(native.engines().items(), reverse=True):
        label = "%s %s" % (engine, version)
        if not (engine == "sofia" or version.startswith("3.")):
            print("not tested: %s; the tests know libeXosip2 3.x" % label)
        elif chosen("ENGINES", engine):
            runs.append(Run(engine, label, python, interpreter.full, native, False))
    if chosen("ENGINES", "double"):
        double = trees.double(python, interpreter.version, place)
        double.build()
        runs.append(Run("exosip", "exosip (double)", python, interpreter.full, double, False))
    if python == environment.default() and not os.environ.get("ARGS"):
        runs += [run._replace(label=run.label + ", worker", worker=True) for run in runs]
    if python == environment.default() and chosen("ENGINES", "double"):
        older = trees.double(python, interpreter.version, trees.build_double("3.3"))
        older.build()
        runs.append(Run("exosip", "exosip (double of 3.3.0)", python, interpreter.full, older, False))
    return runs


def variables(run):
    """The environment of a run."""
    settings = dict(os.environ, PYTHONPATH=str(run.tree.folder), SIPBRIDGE_ENGINE=run.engine)
    settings.update(PYTHONDONTWRITEBYTECODE="1", SIPBRIDGE_BUILD=str(BUILD))
    settings["SIPBRIDGE_TEST_WORKER"] = "1" if run.worker else ""
    if run.tree.double:
        settings["SIPBRIDGE_DOUBLE"] = str(run.tree.double)
    shield = run.tree.folder / "sipbridge" / "_shield.so"
    if run.engine == "exosip" and shield.exists():
        # As in the image; tests/shield goes without where it is about that.
        settings["LD_PRELOAD"] = str(shield)
    return settings


def execute(run, again=False):
    """Run the tests; a :class:`report.Result`. Everything that they print goes to build/reports/<run>.log.

    ``again``: only those that failed the last time, with files of their own.
    """
    name = run.name + ("-again" if again else "")
    xml, log = REPORTS / (name + ".xml"), REPORTS / (name + ".log")
    command = [str(run.python), "-m", "pytest", "-ra", "--rootdir", str(ROOT)]
    # In the older of its forms the report may say more of a test than its name: the peers that it had.
    command += ["-o", "junit_family=xunit1", "-o", "cache_dir=%s" % (REPORTS / (run.name + ".cache"))]
    command += ["--last-failed"] * again
    command += ["--junitxml", str(xml), "--timeout", str(TEST_LIMIT)] + shlex.split(
        os.environ.get("ARGS", "")
    )
    # Not in the checkout, whose package is without engines and would come first.
    with open(str(log), "wb") as output:
        process = subprocess.Popen(
            command + run.selection,
            cwd=str(run.tree.folder),
            env=variables(run),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        problem = outcome(process)
    return report.read(xml, run.label, run.version, problem)


def outcome(process):
    """Wait for pytest; what was wrong with the run itself, or ""."""
    try:
        code = process.wait(RUN_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "it took longer than %d s" % RUN_LIMIT
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        raise
    if code < 0:
        return "it died of signal %d" % -code
    return "" if code in (0, 1) else "pytest ended with %d" % code


def execute_all(runs):
    """Some at a time, telling of each when it ends; the results in the order of the runs."""
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        futures = {pool.submit(execute, run): run for run in runs}
        for future in concurrent.futures.as_completed(futures):
            announce(futures[future], future.result())
    results = {run: future.result() for future, run in futures.items()}
    return [second_try(run, results[run]) for run in runs]


def second_try(run, result):
    """The result with its few failed tests run again, one run at a time: what passes then is told of, not hidden."""
    if result.problem or not 0 < result.failed <= FEW:
        return result
    print(
        "again, alone: the %d failed of %s on Python %s" % (result.failed, run.label, run.version), flush=True
    )
    repeated = execute(run, again=True)
    announce(run, repeated, "-again")
    return report.merge(result, repeated)


def announce(run, result, suffix=""):
    """Say how a run went, with its output when it went wrong."""
    counts = (result.passed, result.failed, result.skipped, result.seconds)
    print("%s on Python %s: %d passed, %d failed, %d skipped in %.0f s" % ((run.label, run.version) + counts))
    if result.failed or result.problem:
        log = REPORTS / (run.name + suffix + ".log")
        lines = log.read_text(errors="replace").splitlines()
        print("---- the last %d lines of %s:" % (min(SHOWN, len(lines)), log.relative_to(ROOT)))
        print("\n".join(lines[-SHOWN:]))
        print("----")
    sys.stdout.flush()


def left_out(runs):
    """What did not run everywhere, in lines."""
    names = sorted(set(name for run in runs for name in run.left_out))
    own = "%d.%d" % sys.version_info[:2]
    line = "on Python %s alone: tests/%s (%s: on %s, too)"
    return [line % (own, ", tests/".join(names), ", ".join(OF_PROCESSES), OLDEST)] if names else []


def plan():
    """Every run that this machine allows, default Python first. Raises Failed."""
    own = "%d.%d" % sys.version_info[:2]
    found = sorted(interpreters.find(), key=lambda each: (each.version != own, each.version != "2.7"))
    place = trees.build_double()
    runs = []
    for interpreter in found:
        if not chosen("PYTHONS", interpreter.version):
            continue
        if not interpreter.headers:
            print("left out: Python %s at %s: no Python.h" % (interpreter.full, interpreter.path))
            continue
        print("building for Python %s" % interpreter.full, flush=True)
        runs += prepare(interpreter, place)
    return runs


def main():
    REPORTS.mkdir(parents=True, exist_ok=True)
    started = time.time()
    try:
        runs = plan()
    except Failed as error:
        sys.exit("test: %s" % error)
    shutil.rmtree(str(REPORTS))
    REPORTS.mkdir()
    print("running: %d runs, built in %.0f s" % (len(runs), time.time() - started), flush=True)
    results = execute_all(runs)
    complaints = report.complaints(results)
    print("\n".join([""] + report.table(results) + left_out(runs) + complaints))
    print("in %.0f s" % (time.time() - started))
    print(report.closing(results))
    return 1 if complaints or any(each.failed for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
