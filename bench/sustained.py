"""What the shield makes of libeXosip2: its calls a second for a minute, beside a bare C program on the library alone.

Twenty callers wait for each other, at both programs at the same time, so that both have the same machine. The rate is
that of the last third, when as many calls are forgotten as begin. Then the same with a thousand calls standing.
"""

import csv
import pathlib
import shlex
import subprocess
import tempfile
import time

from common import HERE, Caller, bare, facade, free_port, note

SECONDS, PARALLEL = 60, 20
STANDING, RATE = 1000, 100  # calls that stand, and how many of them are begun a second
EXOSIP = "exosip"


class Load:
    """sipp, which calls for so many seconds; then what it counted, second by second."""

    def __init__(self, port, seconds=SECONDS):
        self._seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="sipbridge-bench-")
        self._statistics = pathlib.Path(self._folder.name, "statistics.csv")
        command = (
            "sipp 127.0.0.1:%d -sf %s -i 127.0.0.1 -p %d -m 100000000 -l %d -r 100000 -rp 1000 -nostdin -trace_stat"
            " -stf %s -fd 1 -timeout %d -buff_size 4194304 -deadcall_wait 0"
        ) % (port, HERE / "caller.xml", free_port(), PARALLEL, self._statistics, seconds)
        self._process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def finish(self):
        """Wait for the end. Returns (calls a second in the last third, calls, failed calls, retransmissions)."""
        self._process.wait(timeout=self._seconds + 120)
        with open(self._statistics, newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter=";"))
        self._folder.cleanup()
        begin = next(row for row in rows if _elapsed(row) >= self._seconds * 2 / 3)
        end = next((row for row in rows if _elapsed(row) >= self._seconds - 1), rows[-1])
        late = (_completed(end) - _completed(begin)) / max(1.0, _elapsed(end) - _elapsed(begin))
        last = rows[-1]
        return late, _completed(last), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"])


def _completed(row):
    return int(row["SuccessfulCall(C)"])


def _elapsed(row):
    """Seconds, of "00:00:07:123000" (sipp 3.6) or "00:00:07" (3.7)."""
    hours, minutes, seconds = row["ElapsedTime(C)"].split(":")[:3]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _stand(answerers):
    """Have calls stand at each of them until all is measured. Returns the callers."""
    if not STANDING:
        return []
    hold = (STANDING // RATE + SECONDS + 30) * 1000
    callers = [
        Caller(each.port, STANDING, STANDING, hold_ms=hold, rate=RATE, limit=hold // 1000 + 120) for each in answerers
    ]
    time.sleep(STANDING / RATE + 5)
    return callers


def _measured(starts, standing):
    answerers = [start(EXOSIP) for start in starts]
    try:
        callers = _stand(answerers) if standing else []
        note("%s: %d callers each for %d s, %d calls standing" % (
            ", ".join(each.name for each in answerers), PARALLEL, SECONDS, STANDING if standing else 0))
        before = [each.cpu_seconds() for each in answerers]
        loads = [Load(each.port) for each in answerers]
        rows = [_row(*each, standing) for each in zip(answerers, before, loads)]
        for row, caller in zip(rows, callers):
            row["failed"] += caller.finish()[1]
        return rows
    finally:
        for each in answerers:
            each.stop()


def _row(answerer, cpu, load, standing):
    late, calls, failed, again = load.finish()
    return {
        "name": answerer.name,
        "standing": STANDING if standing else 0,
        "calls_per_s": round(late, 1),
        "calls": calls,
        "failed": failed,
        "retransmissions": again,
        "cpu_us_per_call": round((answerer.cpu_seconds() - cpu) / max(1, calls) * 1e6, 1),
    }


def measure(arguments):
    rows, ratios = [], {}
    for standing in (False, True):
        plain, ours = _measured((bare, facade), standing)
        rows += [plain, ours]
        name = "facade/bare exosip, sustained, %d calls standing" % ours["standing"]
        ratios[name] = round(ours["calls_per_s"] / max(0.1, plain["calls_per_s"]), 2)
    return {"sustained": rows, "ratios": ratios}
