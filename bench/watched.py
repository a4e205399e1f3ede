"""What it costs to be watched: calls a second with metrics, scraped each second, and with logs at INFO, beside without.

Both programs are there all the time, and are called in turn, so that both have the same machine.
"""

import statistics
import threading
import urllib.request

from common import Rush, engines, facade, note

CALLS, PARALLEL = 3000, 100  # in each window, and under way at once
WINDOWS = 17  # for each program, in turn; the first one warms up

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


def _window(answerer):
    """Calls a second, and microseconds of processor time for each; and how many failed."""
    cpu = answerer.cpu_seconds()
    succeeded, failed, seconds, _ = Rush(answerer.port, CALLS, PARALLEL).finish()
    return succeeded / seconds, (answerer.cpu_seconds() - cpu) / max(1, succeeded) * 1e6, failed


def _measured(engine, options):
    answerers = [facade(engine, *options), facade(engine, "--watched", *options)]
    scraping = Scraping(answerers[1].metrics_port)
    try:
        windows = [[], []]
        for number in range(WINDOWS):
            for which in (0, 1) if number % 2 else (1, 0):
                windows[which].append(_window(answerers[which]))
                note("%s: %.0f/s" % (answerers[which].name, windows[which][-1][0]))
    finally:
        scraping.stop()
        for each in answerers:
            each.stop()
    rows = [_row(*each) for each in zip(answerers, windows)]
    rows[1]["scrapes"] = scraping.scrapes
    # Of neighbours in time, as the machine is another one every few seconds.
    ratio = statistics.median(watched[0] / plain[0] for plain, watched in list(zip(*windows))[1:])
    return rows, {"%s/%s" % (rows[1]["name"], rows[0]["name"]): round(ratio, 3)}


def _row(answerer, windows):
    return {
        "name": answerer.name,
        "calls_per_s": round(statistics.median(each[0] for each in windows[1:]), 1),
        "cpu_us_per_call": round(statistics.median(each[1] for each in windows[1:]), 1),
        "failed": sum(each[2] for each in windows),
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
