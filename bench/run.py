"""What the facade costs over a bare C program, both called by sipp, side by side in one run.

python bench/run.py [--calls N] [--output build/bench.json]

For each program: how many calls a second it answers and sees through with none failed, the CPU time that a call
costs it, what a live call adds to its memory, and whether its memory comes back after many calls. Prints a table
and writes JSON.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

PARALLEL = 20  # calls under way at once while throughput is measured
WARM_UP = 2000  # calls before anything is measured
HELD = 1000  # calls that are held while memory per live call is measured
SETTLE = 55  # seconds: 64*T1 (RFC 3261, 17), after which nothing of an ended call is left, and sb_core_tidy()
WINDOWS = 3  # throughput is measured this often, turn and turn about; the best counts (machines are noisy)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def note(text):
    print("bench: " + text, file=sys.stderr, flush=True)


class Answerer:
    """A program that answers calls on a port of its own."""

    def __init__(self, name, engine, command):
        self.name = name
        self.engine = engine
        self.port = free_port()
        environment = dict(os.environ, SIPBRIDGE_ENGINE=engine, PYTHONPATH=str(ROOT))
        self.process = subprocess.Popen(
            command + [str(self.port)], stdout=subprocess.PIPE, text=True, env=environment
        )
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit("bench: %s did not start" % name)

    def _processes(self):
        """The program's process and those that it has started, as folders of /proc."""
        own = pathlib.Path("/proc/%d" % self.process.pid)
        children = (task / "children" for task in own.glob("task/*"))
        pids = [pid for file in children for pid in file.read_text().split()]
        return [own] + [pathlib.Path("/proc", pid) for pid in pids]

    def cpu_seconds(self):
        ticks = 0
        for folder in self._processes():
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss_kb(self):
        status = "".join((folder / "status").read_text() for folder in self._processes())
        return sum(int(number) for number in re.findall(r"^VmRSS:\s*(\d+) kB", status, re.MULTILINE))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


class Caller:
    """sipp with the scenario caller.xml; what it counted."""

    def __init__(self, port, calls, parallel, hold_ms=0):
        self._folder = tempfile.TemporaryDirectory(prefix="sipbridge-bench-")
        self._statistics = pathlib.Path(self._folder.name, "statistics.csv")
        command = (
            "sipp 127.0.0.1:%d -sf %s -i 127.0.0.1 -p %d -m %d -l %d -r 100000 -rp 1000 -d %d -nostdin"
            " -trace_stat -stf %s -fd 1 -timeout 120 -buff_size 4194304"
        ) % (port, HERE / "caller.xml", free_port(), calls, parallel, hold_ms, self._statistics)
        self._process = subprocess.Popen(
            shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._started = time.monotonic()

    def finish(self):
        """Wait for the end. Returns (calls that succeeded, calls that failed, seconds, retransmissions)."""
        self._process.wait(timeout=180)
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


class Run:
    """The measurements of one answerer."""

    def __init__(self, answerer):
        self.answerer = answerer
        self.finished = self.failed = self.retransmitted = 0
        self.rates = []
        self.cpu_us = []
        self.rss_per_call = 0.0
        self.rss_early = self.rss_late = 0

    def calls(self, count, parallel=PARALLEL, measured=True):
        cpu = self.answerer.cpu_seconds()
        succeeded, failed, seconds, again = Caller(self.answerer.port, count, parallel).finish()
        self.finished += succeeded
        self.failed += failed
        self.retransmitted += again
        if measured:
            self.rates.append(succeeded / seconds)
            self.cpu_us.append((self.answerer.cpu_seconds() - cpu) / max(1, succeeded) * 1e6)

    def hold(self):
        before = self.answerer.rss_kb()
        caller = Caller(self.answerer.port, HELD, HELD, hold_ms=4000)
        time.sleep(3)
        self.rss_per_call = (self.answerer.rss_kb() - before) / HELD
        succeeded, failed, _, again = caller.finish()
        self.finished += succeeded
        self.failed += failed
        self.retransmitted += again

    def result(self):
        return {
            "name": self.answerer.name,
            "engine": self.answerer.engine,
            "calls_per_s": round(max(self.rates), 1),
            "failed": self.failed,
            "retransmissions": self.retransmitted,
            "cpu_us_per_call": round(min(self.cpu_us), 1),
            "rss_kb_per_live_call": round(self.rss_per_call, 2),
            "calls": self.finished,
            "rss_kb_after_warm_up": self.rss_early,
            "rss_kb_at_the_end": self.rss_late,
        }


def build_bare():
    target = ROOT / "build" / "bench" / "bare_sofia"
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "sofia-sip-ua"], text=True).split()
    compiler = shlex.split(os.environ.get("CC", "cc"))
    source = str(HERE / "bare_sofia.c")
    subprocess.check_call(compiler + ["-std=gnu99", "-O2", source, "-o", str(target)] + flags)
    return str(target)


def start_answerers():
    import sipbridge

    facade = [sys.executable, str(HERE / "facade_answer.py")]
    found = []
    for engine in sipbridge.engines():
        found.append(Answerer("facade " + engine, engine, facade))
        found.append(Answerer("facade worker " + engine, engine, facade + ["--worker"]))
    if any(each.engine == "sofia" for each in found):
        found.insert(0, Answerer("bare sofia", "sofia", [build_bare()]))
    if not found:
        raise SystemExit("bench: no engine is built; run make build first")
    return found


def measure(runs, calls):
    for run in runs:  # first, while no memory of earlier calls is there to be used again
        note("%s: %d calls held" % (run.answerer.name, HELD))
        run.hold()
    for run in runs:
        note(
            "%s: %d calls to warm up, then %d s for them to be forgotten"
            % (run.answerer.name, WARM_UP, SETTLE)
        )
        run.calls(WARM_UP, measured=False)
    time.sleep(SETTLE)
    for run in runs:
        run.rss_early = run.answerer.rss_kb()
    share = max(1, (calls - WARM_UP - HELD) // WINDOWS)
    for _ in range(WINDOWS):
        for run in runs:
            run.calls(share)
            note("%s: %d calls, %.0f/s" % (run.answerer.name, share, run.rates[-1]))
    note("%d s for the last of them to be forgotten" % SETTLE)
    time.sleep(SETTLE)
    for run in runs:
        run.rss_late = run.answerer.rss_kb()


def report(results):
    rates = dict((each["name"], each["calls_per_s"]) for each in results)
    ratios = {}
    if "bare sofia" in rates and "facade sofia" in rates:
        ratios["facade/bare sofia"] = round(rates["facade sofia"] / rates["bare sofia"], 3)
    for engine in sorted(set(each["engine"] for each in results)):
        worker, facade = rates.get("facade worker " + engine), rates.get("facade " + engine)
        if worker and facade:
            ratios["worker/facade " + engine] = round(worker / facade, 3)
    return {"runs": results, "ratios": ratios}


def table(data):
    columns = (
        ("name", "%-22s"),
        ("calls_per_s", "%12s"),
        ("failed", "%7s"),
        ("retransmissions", "%16s"),
        ("cpu_us_per_call", "%16s"),
        ("rss_kb_per_live_call", "%21s"),
        ("rss_kb_after_warm_up", "%21s"),
        ("rss_kb_at_the_end", "%18s"),
    )
    print("".join(form % name for name, form in columns))
    for each in data["runs"]:
        print("".join(form % each[name] for name, form in columns))
    for name, ratio in data["ratios"].items():
        print("%s: %.3f" % (name, ratio))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--calls", type=int, default=20000, help="finished calls of each program (%(default)s)"
    )
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    if shutil.which("sipp") is None:
        raise SystemExit("bench: sipp is missing; on Debian and Ubuntu: sudo apt-get install sip-tester")
    answerers = start_answerers()
    try:
        runs = [Run(answerer) for answerer in answerers]
        measure(runs, arguments.calls)
        data = report([run.result() for run in runs])
    finally:
        for answerer in answerers:
            answerer.stop()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(data, indent=2) + "\n")
    table(data)
    if any(each["failed"] for each in data["runs"]):
        raise SystemExit("bench: calls failed")


if __name__ == "__main__":
    main()
