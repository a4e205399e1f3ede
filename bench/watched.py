"""What it costs to be watched: calls a second with metrics, scraped each second, and with logs at INFO, beside without.

As in sustained.py: sipp has twenty callers wait for each other, at both programs at the same time, so that both have
the same machine. A call's processor time says more of the cost: it is the answerer's alone, without sipp's.
"""

import threading
import urllib.request

from common import engines, facade, note
from sustained import PARALLEL, Load

SECONDS = 20

#: What is to be left of the calls per second.
LEAST = 0.9


class Scraping(threading.Thread):
    """Scrapes a program each second, as no Prometheus does it more often."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._url = "http://127.0.0.1:%d/metrics" % port
        self._over = threading.Event()
        self.scrapes = 0
        self.start()

    def run(self):
        while not self._over.wait(1.0):
            with urllib.request.urlopen(self._url, timeout=10) as page:
                page.read()
            self.scrapes += 1

    def stop(self):
        self._over.set()
        self.join()


def side_by_side(answerers):
    """The rows of two answerers that are called at the same time, and the ratios of the second to the first."""
    note("%s: %d callers each for %d s" % (", ".join(each.name for each in answerers), PARALLEL, SECONDS))
    before = [each.cpu_seconds() for each in answerers]
    loads = [Load(each.port, SECONDS) for each in answerers]
    rows = [_row(*each) for each in zip(answerers, before, loads)]
    name = "%s/%s" % (rows[1]["name"], rows[0]["name"])
    return rows, {
        name: round(rows[1]["calls_per_s"] / max(0.1, rows[0]["calls_per_s"]), 3),
        "CPU time of a call, " + name: round(rows[1]["cpu_us_per_call"] / max(0.1, rows[0]["cpu_us_per_call"]), 3),
    }


def _measured(engine, options):
    answerers = [facade(engine, *options), facade(engine, "--watched", *options)]
    scraping = Scraping(answerers[1].metrics_port)
    try:
        rows, ratios = side_by_side(answerers)
    finally:
        scraping.stop()
        for each in answerers:
            each.stop()
    rows[1]["scrapes"] = scraping.scrapes
    return rows, ratios


def _row(answerer, cpu, load):
    late, calls, failed, _ = load.finish()
    return {
        "name": answerer.name,
        "calls_per_s": round(late, 1),
        "cpu_us_per_call": round((answerer.cpu_seconds() - cpu) / max(1, calls) * 1e6, 1),
        "calls": calls,
        "failed": failed,
        "scrapes": 0,
    }


def measure(arguments):
    rows, ratios = [], {}
    for engine in engines():
        for options in ((), ("--worker",)):
            found, ratio = _measured(engine, options)
            rows += found
            ratios.update(ratio)
    return {"watched": rows, "ratios": ratios}


def shortfall(ratios):
    """What is less than it is to be, as text; "" where nothing is."""
    return ", ".join(
        "%s is %.3f, less than %g" % (name, ratio, LEAST)
        for name, ratio in ratios.items()
        if name.startswith("facade watched") and ratio < LEAST
    )
