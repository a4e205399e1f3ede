"""How long an endpoint is without an engine when its worker dies: from the death to the next one in its place, on the
same port."""

import os
import signal
import statistics

from common import Caller, engines, facade, note

DEATHS = 11


def kill_worker(answerer):
    """Kill the worker; the seconds that the answerer tells. Then a call has to go through."""
    (worker,) = answerer.children()
    os.kill(worker, signal.SIGKILL)
    seconds = float(answerer.process.stdout.readline().partition("restarted ")[2])
    return seconds, Caller(answerer.port, 1, 1).finish()[1]


def measure_engine(engine):
    answerer = facade(engine, "--worker")
    try:
        seconds, failed = zip(*[kill_worker(answerer) for _ in range(DEATHS)])
    finally:
        answerer.stop()
    note("%s: %d restarts, %.3f s" % (answerer.name, DEATHS, statistics.median(seconds)))
    return {
        "name": answerer.name,
        "deaths": DEATHS,
        "median_s": round(statistics.median(seconds), 3),
        "longest_s": round(max(seconds), 3),
        "failed": sum(failed),
    }


def measure(arguments):
    return {"restarts": [measure_engine(engine) for engine in sorted(engines())]}
