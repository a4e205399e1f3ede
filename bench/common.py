"""What the benchmarks share: the programs that are measured, and what calls them: caller.c, or sipp."""

import csv
import functools
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def engines():
    """The engines that can be measured, by name: those on the libraries themselves, and not on the tests' double.

    The bare programs on libeXosip2 are for 3.x.
    """
    import sipbridge

    return dict(
        (name, version)
        for name, version in sipbridge.engines().items()
        if "(double)" not in version and not (name == "exosip" and version.startswith("5."))
    )


def exosip_version():
    """The version of libeXosip2 that is installed and can be measured, or ""."""
    return engines().get("exosip", "")


def note(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def environment(engine):
    """The variables of a program with the facade on an engine: with the shield where that needs it, as in the image.

    Without overload control, whose 503 would count as failures; overload.py is about that.
    """
    from sipbridge import shield

    variables = dict(os.environ, SIPBRIDGE_ENGINE=engine, PYTHONPATH=os.environ.get("PYTHONPATH", str(ROOT)))
    variables.update(("SIPBRIDGE_SHIELD_" + kind, "off") for kind in ("INVITE", "REGISTER", "SUBSCRIBE"))
    return shield.environment(variables) if engine == "exosip" else variables


def children(pid):
    """The process ids of those that a process has started."""
    tasks = pathlib.Path("/proc/%d/task" % pid).glob("*/children")
    return [int(child) for file in tasks for child in file.read_text().split()]


def _processes(pid):
    """A process and its children, as folders of /proc."""
    return [pathlib.Path("/proc/%d" % each) for each in [pid] + children(pid)]


def cpu_seconds(pid):
    """The processor time of a process and its children."""
    ticks = 0
    for folder in _processes(pid):
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Answerer:
    """A program that answers calls on a port of its own; ``metrics_port`` is that of its metrics, or 0."""

    def __init__(self, name, engine, command, variables=None):
        self.name = name
        self.engine = engine
        self.port = free_port()
        self.process = subprocess.Popen(
            command + [str(self.port)], stdout=subprocess.PIPE, text=True, env=variables
        )
        self.metrics_port = 0
        said = self.process.stdout.readline().split()
        if said[:1] == ["metrics"]:
            self.metrics_port = int(said[1])
            said = self.process.stdout.readline().split()
        if said != ["ready"]:
            raise SystemExit("bench: %s did not start" % name)

    def children(self):
        """The process ids of those that the program has started."""
        return children(self.process.pid)

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def rss_kb(self):
        status = "".join((folder / "status").read_text() for folder in _processes(self.process.pid))
        return sum(int(number) for number in re.findall(r"^VmRSS:\s*(\d+) kB", status, re.MULTILINE))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def facade(engine, *options):
    """An answerer on the facade. --worker: its engine is in another process; --watched: with metrics and logs;
    --flight: with a flight recorder."""
    words = ["facade"] + [each.strip("-") for each in ("--flight", "--watched", "--worker") if each in options]
    name = " ".join(words + [engine])
    command = [sys.executable, str(HERE / "facade_answer.py")] + list(options)
    return Answerer(name, engine, command, environment(engine))


def bare(engine):
    """The C program that does the same on the same engine."""
    return Answerer("bare " + engine, engine, [build_bare(engine)])


class Rush:
    """caller.c, which costs a small part of what sipp does, so that the answerer is what limits; what it counted.

    Makes ``count`` calls with so many INFOs in each, or, with ``kind`` "message", as many MESSAGEs: ``parallel`` at a
    time, at most ``rate`` a second (0: any number), for ``limit`` seconds; what is not finished then has failed.
    """

    def __init__(self, port, count, parallel, kind="call", infos=0, rate=0, limit=120):
        command = [build_caller()] + [str(each) for each in (port, kind, count, parallel, rate, limit, infos)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def finish(self):
        """Wait for the end. Returns (what succeeded, what failed, seconds, retransmissions)."""
        counted = json.loads(self._process.communicate()[0])
        return tuple(counted[name] for name in ("succeeded", "failed", "seconds", "retransmissions"))


class Caller:
    """sipp with a scenario; what it counted.

    ``scenario`` is a file beside this one, or the text of one; ``rate`` calls a second are begun at most, and after
    ``limit`` seconds it gives up; ``options`` are sipp's.
    """

    def __init__(self, port, calls, parallel, hold_ms=0, scenario="caller.xml", rate=100000, limit=120, options=""):
        self._limit, self._port = limit, port
        self._folder = tempfile.TemporaryDirectory(prefix="sipbridge-bench-")
        self._statistics = pathlib.Path(self._folder.name, "statistics.csv")
        if scenario.startswith("<"):
            path = pathlib.Path(self._folder.name, "scenario.xml")
            path.write_text(scenario)
        else:
            path = HERE / scenario
        command = (
            "sipp 127.0.0.1:%d -sf %s -i 127.0.0.1 -p %d -m %d -l %d -r %d -rp 1000 -d %d -nostdin"
            " -trace_stat -stf %s -fd 1 -timeout %d -buff_size 4194304 %s"
        ) % (port, path, free_port(), calls, parallel, rate, hold_ms, self._statistics, limit, options)
        self._process = subprocess.Popen(
            shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._started = time.monotonic()

    def finish(self):
        """Wait for the end. Returns (calls that succeeded, calls that failed, seconds, retransmissions)."""
        try:
            self._process.wait(timeout=self._limit + 60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise SystemExit("bench: the program on port %d no longer answers" % self._port)
        seconds = time.monotonic() - self._started
        with open(self._statistics, newline="") as lines:
            last = list(csv.DictReader(lines, delimiter=";"))[-1]
        self._folder.cleanup()
        return (
            int(last["SuccessfulCall(C)"]),
            int(last["FailedCall(C)"]),
            seconds,
            int(last["Retransmissions(C)"]),
        )


#: What a C program on an engine is linked with, where pkg-config does not know it.
LIBRARIES = ["-leXosip2", "-losip2", "-losipparser2"]


def build_bare(engine, job="bare"):
    """The path of the C program that does a job ("bare", "bare_register") on an engine, compiled."""
    flags = LIBRARIES
    if engine == "sofia":
        query = ["pkg-config", "--cflags", "--libs", "sofia-sip-ua"]
        flags = subprocess.check_output(query, text=True).split()
    return _build("%s_%s" % (job, engine), flags)


@functools.lru_cache(None)
def build_caller():
    """The path of caller.c, compiled."""
    return _build("caller", [])


def _build(name, flags):
    target = ROOT / "build" / "bench" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler = shlex.split(os.environ.get("CC", "cc")) + shlex.split(os.environ.get("LDFLAGS", ""))
    source = str(HERE / (name + ".c"))
    subprocess.check_call(compiler + ["-std=gnu99", "-O2", source, "-o", str(target)] + flags)
    return str(target)


def print_table(rows):
    """Rows of one kind, dicts, under the names of their columns."""
    columns = list(rows[0]) if rows else []
    table = [columns] + [[str(row[column]) for column in columns] for row in rows]
    widths = [max(len(cells[at]) for cells in table) for at in range(len(columns))]
    for cells in table:
        first, others = cells[0].ljust(widths[0]), zip(cells[1:], widths[1:])
        print("  ".join([first] + [cell.rjust(width) for cell, width in others]))
