"""What comes of more calls than an endpoint can take: bare, with the shield, and with the shield in a worker.

    python bench/overload.py [--engine NAME] [--seconds N] [--capacity CALLS_PER_S] [--output build/overload.json]

First the capacity of each: the calls per second that it takes from twenty callers who wait for each other, at the end
of a minute, when as many calls are forgotten as begin (libeXosip2 alone keeps one for half a minute after its end).
Then sipp offers 0.5, 1, 2 and 4 times as many, each to a new process. For each: the calls that completed and those
that the shield refused with 503, how many failed any other way, and the calls completed per second until the last of
all was over. Loopback alone; it ends by itself after some minutes.
"""

import argparse
import csv
import json
import os
import pathlib
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

LOADS = (0.5, 1, 2, 4)
PARALLEL = 20
CAPACITY_SECONDS, SETTLED = 60, 40  # how long the capacity is measured, and when it has settled


def note(text):
    print("overload: " + text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


#: What is measured: a name, whether it has the shield, and whether the engine is in a worker.
KINDS = (("bare", False, False), ("shield", True, False), ("shield, worker", True, True))


class Answerer:
    """A new process that answers calls."""

    def __init__(self, engine, shielded, worker=False):
        from sipbridge import shield

        environment = dict(os.environ, SIPBRIDGE_ENGINE=engine, PYTHONWARNINGS="ignore")
        environment.pop("LD_PRELOAD", None)
        if shielded:
            environment = shield.environment(environment)
        self.port = free_port()
        command = [sys.executable, str(HERE / "facade_answer.py")] + ["--worker"] * worker + [str(self.port)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit("overload: the endpoint did not start")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()


def sipp(port, options, seconds):
    """What sipp counted: a dict. It is ended, with what it has then, when it takes longer than that."""
    with tempfile.TemporaryDirectory(prefix="sipbridge-overload-") as folder:
        statistics = pathlib.Path(folder, "statistics.csv")
        command = "sipp 127.0.0.1:%d -sf %s -i 127.0.0.1 -p %d -nostdin -trace_stat -stf %s -fd 1 %s" % (
            port,
            HERE / "overload_caller.xml",
            free_port(),
            statistics,
            options,
        )
        started = time.monotonic()
        process = subprocess.Popen(
            shlex.split(command + " -timeout %d -buff_size 4194304" % seconds),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        process.wait(timeout=seconds + 60)
        elapsed = time.monotonic() - started
        with open(statistics, newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter=";"))
    last = rows[-1]
    refused = int(last["GenericCounter1(C)"])
    return {
        "completed": int(last["SuccessfulCall(C)"]) - refused,
        "refused": refused,
        "failed": int(last["FailedCall(C)"]),
        "retransmissions": int(last["Retransmissions(C)"]),
        "elapsed": elapsed,
        "by_second": [
            int(row["SuccessfulCall(C)"]) - int(row["GenericCounter1(C)"]) for row in rows
        ],
    }


def capacity(engine, shielded, worker):
    """Calls per second that an endpoint takes from callers who wait for each other, once that is steady."""
    answerer = Answerer(engine, shielded, worker)
    try:
        counted = sipp(answerer.port, "-l %d -r 10000" % PARALLEL, CAPACITY_SECONDS)
    finally:
        answerer.stop()
    completed = counted["by_second"]
    return (completed[CAPACITY_SECONDS - 2] - completed[SETTLED]) / (CAPACITY_SECONDS - 2 - SETTLED)


def offer(engine, shielded, worker, rate, seconds):
    """What came of that many calls per second."""
    answerer = Answerer(engine, shielded, worker)
    try:
        counted = sipp(
            answerer.port, "-r %d -m %d -l 100000" % (rate, round(rate * seconds)), seconds + 60
        )
        counted["alive"] = answerer.process.poll() is None
    finally:
        answerer.stop()
    del counted["by_second"]
    counted["per_second"] = round(counted["completed"] / counted["elapsed"], 1)
    return counted


def measure(engine, seconds, known):
    runs = []
    for name, shielded, worker in KINDS:
        if shielded and engine != "exosip":
            continue
        measured = known or capacity(engine, shielded, worker)
        note("%s, %s: capacity %.0f calls/s" % (engine, name, measured))
        for load in LOADS:
            counted = offer(engine, shielded, worker, max(1, round(load * measured)), seconds)
            offered = {"capacity": round(measured, 1), "offered": round(load * measured)}
            runs.append(dict(counted, name=name, load=load, **offered))
            note("%(name)s at %(load)s: %(per_second)s/s of %(offered)s/s" % runs[-1])
    return {"engine": engine, "seconds": seconds, "runs": runs}


def table(data):
    print("%s, %d s each" % (data["engine"], data["seconds"]))
    columns = "%-15s %8s %6s %10s %12s %10s %9s %8s %16s"
    titles = ("", "capacity", "load", "offered/s", "completed/s", "completed", "503", "failed", "retransmissions")
    print(columns % titles)
    for run in data["runs"]:
        keys = ("name", "capacity", "load", "offered", "per_second")
        keys += ("completed", "refused", "failed", "retransmissions")
        print(columns % tuple(run[key] for key in keys))


def main():
    import sipbridge

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    engines = sorted(sipbridge.engines())
    parser.add_argument("--engine", choices=engines, default=engines[0])
    parser.add_argument("--seconds", type=int, default=45, help="of calls at each load (%(default)s)")
    parser.add_argument("--capacity", type=float, help="calls per second of each, instead of measuring it")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "overload.json")
    arguments = parser.parse_args()
    if shutil.which("sipp") is None:
        raise SystemExit("overload: sipp is missing; on Debian and Ubuntu: sudo apt-get install sip-tester")
    data = measure(arguments.engine, arguments.seconds, arguments.capacity)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(data, indent=2) + "\n")
    table(data)


if __name__ == "__main__":
    main()
