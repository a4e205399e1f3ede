"""What the facade costs over a bare C program on the same engine, both called alike, side by side in one run.

python bench/run.py [--only PART]... [--calls N] [--output build/bench.json]

calls:         for each program, how many calls a second it answers and sees through with none failed, the CPU time
               that a call costs it, what a live call adds to its memory, and whether its memory comes back
requests:      MESSAGE, and INFO within calls: requests a second, CPU time of each (requests_in.py)
watched:       calls a second with metrics and logs at INFO beside without: 0.9 at least (watched.py)
flight:        the same with a flight recorder beside without: 0.97 in process, 0.9 through a worker (flight.py)
waiting:       200 calls within one second to handlers that each wait for two: when the callers hear what (waiting.py)
sustained:     on libeXosip2, calls a second at the end of a minute beside the bare program, the library without help
               there; then with 1,000 calls standing (sustained.py)
restarts:      seconds from a worker's death to the next one in its place (restarts.py)
places:        a worker, a sidecar and, where a Docker daemon has the image, a container: calls a second, how late
               events come, twenty restarts of each (places.py)
registrations: 10,000 registrations on one endpoint, made, refreshed, kept (registrations.py)
fleet:         through Kamailio to 1, 2, 4 and 8 engines; one of four killed, four restarted (through_kamailio.py)
held:          10,000 calls held for a minute: memory of each, CPU time while nothing happens (held.py)
peers:         the same answering job done by other stacks from PyPI (pypi_stacks.py)

Prints tables and writes JSON. All of it takes three quarters of an hour; the last four are the longest.
"""

import argparse
import json
import pathlib
import shutil
import time

import flight
import held
import places
import pypi_stacks
import registrations
import requests_in
import restarts
import sustained
import through_kamailio
import waiting
import watched
from common import ROOT, Caller, Rush, bare, engines, exosip_version, facade, note, print_table

PARALLEL = 100  # calls under way at once while throughput is measured
WARM_UP = 2000  # calls before anything is measured
HELD = 1000  # calls that are held while memory per live call is measured
SETTLE = 55  # seconds: 64*T1 (RFC 3261, 17), after which nothing of an ended call is left, and sb_core_tidy()
WINDOWS = 3  # throughput is measured this often, turn and turn about; the best counts (machines are noisy)


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
        succeeded, failed, seconds, again = Rush(self.answerer.port, count, parallel).finish()
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


def start_answerers():
    found = []
    for engine in engines():
        found += [bare(engine), facade(engine), facade(engine, "--worker")]
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
    costs = dict((each["name"], each["cpu_us_per_call"]) for each in results)
    ratios = {}
    for engine in sorted(set(each["engine"] for each in results)):
        in_process = rates["facade " + engine]
        ratios["facade/bare " + engine] = round(in_process / rates["bare " + engine], 3)
        ratios["worker/facade " + engine] = round(rates["facade worker " + engine] / in_process, 3)
        for name in ("facade", "facade worker"):
            ratio = costs["%s %s" % (name, engine)] / max(0.1, costs["bare " + engine])
            ratios["CPU time of a call, %s/bare %s" % (name, engine)] = round(ratio, 3)
    return {"runs": results, "ratios": ratios}


def measure_calls(arguments):
    answerers = start_answerers()
    try:
        runs = [Run(answerer) for answerer in answerers]
        measure(runs, arguments.calls)
        return report([run.result() for run in runs])
    finally:
        for answerer in answerers:
            answerer.stop()


#: What can be measured, in this order.
PARTS = {
    "calls": measure_calls,
    "sustained": sustained.measure,
    "requests": requests_in.measure,
    "watched": watched.measure,
    "flight": flight.measure,
    "waiting": waiting.measure,
    "restarts": restarts.measure,
    "places": places.measure,
    "registrations": registrations.measure,
    "fleet": through_kamailio.measure,
    "held": held.measure,
    "peers": pypi_stacks.measure,
}


#: What is about libeXosip2 alone, and what is said of it where that is not installed.
OF_EXOSIP = ("sustained",)
NOT_MEASURED = "not measured: libeXosip2 3.x is not installed"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=sorted(PARTS),
        help="measure only this, may be repeated (default: everything)",
    )
    parser.add_argument(
        "--calls", type=int, default=20000, help="finished calls of each program (%(default)s)"
    )
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    if shutil.which("sipp") is None:
        raise SystemExit("bench: sipp is missing; on Debian and Ubuntu: sudo apt-get install sip-tester")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    data = {"libeXosip2": exosip_version() or NOT_MEASURED, "ratios": {}}
    for part in arguments.only or PARTS:
        measured = PARTS[part](arguments) if part not in OF_EXOSIP or exosip_version() else {part: NOT_MEASURED}
        data["ratios"].update(measured.pop("ratios", {}))
        data.update(measured)
        arguments.output.write_text(json.dumps(data, indent=2) + "\n")
    tables = dict((name, rows) for name, rows in data.items() if isinstance(rows, list))
    for name, text in data.items():
        if isinstance(text, str):
            print("%s: %s" % (name, text))
    for name, rows in tables.items():
        print("\n%s" % name)
        print_table(rows)
    for name, ratio in data["ratios"].items():
        print("%s: %.3f" % (name, ratio))
    ours = [row for name, rows in tables.items() if name != "peers" for row in rows]
    # With calls standing the library gives their numbers away again (docs/reliability.md).
    if any(row["failed"] for row in ours if row["name"] != "bare exosip" and not row.get("standing")):
        raise SystemExit("bench: calls or requests failed")
    if watched.shortfall(data["ratios"]):
        raise SystemExit("bench: " + watched.shortfall(data["ratios"]))


if __name__ == "__main__":
    main()
