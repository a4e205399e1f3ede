"""How many engines and machines a rate of calls takes: a model, and how well it tells what was measured.

    python bench/scaling.py [--bench build/bench.json] [--cores N] [--busy SHARE] [--hold SECONDS] [RATE]...

It takes the processor times of a call from the part "fleet" of `make bench`. An engine is a queue with one server,
Kamailio one with as many as the machine has cores (M/M/1, M/M/c). libeXosip2 as it is costs more, the more calls come
to an engine: a + b * rate; the line through the measured points gives a and b. docs/scaling.md explains the columns.
"""

import argparse
import json
import math
import os
import pathlib

from common import ROOT, print_table

#: Live calls that an engine can have: libeXosip2 numbers calls from 1 to 32,766 and begins again (docs/reliability.md);
#: with Sofia-SIP it is a matter of memory.
MOST_LIVE = {"exosip": 32000, "sofia": 100000}

#: Messages of a call on each side of Kamailio (INVITE, 100, 200, ACK, BYE, 200), octets of each with IP and UDP, and
#: writes of its record.
MESSAGES, OCTETS, WRITES = 6, 700, 3


def waiting(rate, seconds, servers):
    """The mean wait in a queue with so many servers, each taking so long: seconds (Erlang C); None where it grows."""
    load = rate * seconds
    if load >= servers:
        return None
    term, terms = 1.0, 1.0
    for number in range(1, servers):
        term *= load / number
        terms += term
    last = term * load / servers * servers / (servers - load)
    return last / (terms + last) * seconds / (servers - load)


class Costs:
    """What a call costs on one kind of engine, from its rows: seconds of processor time."""

    def __init__(self, rows):
        self.name = rows[0]["name"]
        points = [(row["calls_per_s"] / row["engines"], row["cpu_us_per_call"] / 1e6) for row in rows]
        self.fixed, self.slope = _line(points) if self.name.startswith("bare") else (_mean(points), 0.0)
        self.kamailio = _mean([(0, row["kamailio_us_per_call"] / 1e6) for row in rows])
        self.caller = _mean([(0, row["sipp_us_per_call"] / 1e6) for row in rows])

    def of_engine(self, rate):
        """A call's at an engine that gets so many a second."""
        return self.fixed + self.slope * rate

    def most(self, busy):
        """The calls a second with which an engine is busy for that share of the time."""
        if not self.slope:
            return busy / self.fixed
        return (math.sqrt(self.fixed**2 + 4 * self.slope * busy) - self.fixed) / (2 * self.slope)

    def on_one_machine(self, engines, cores):
        """The calls a second that so many engines, Kamailio and the callers share on one machine."""
        low, high = 0.0, 1e6
        for _ in range(60):
            rate = (low + high) / 2
            each = self.of_engine(rate / engines)
            fits = rate * (each + self.kamailio + self.caller) <= cores and rate / engines * each <= 1.0
            low, high = (rate, high) if fits else (low, rate)
        return low


def _mean(points):
    return sum(y for _, y in points) / len(points)


def _line(points):
    """The straight line nearest to these points: its height at 0, and its slope."""
    x0, y0 = sum(x for x, _ in points) / len(points), _mean(points)
    slope = sum((x - x0) * (y - y0) for x, y in points) / sum((x - x0) ** 2 for x, _ in points)
    return max(1e-6, y0 - slope * x0), max(0.0, slope)


def checked(costs, rows, cores):
    """What the model says of the measured points."""
    found = []
    for row in rows:
        said = costs.on_one_machine(row["engines"], cores)
        found.append({
            "name": row["name"],
            "engines": row["engines"],
            "measured": row["calls_per_s"],
            "model": round(said, 1),
            "model/measured": round(said / max(0.1, row["calls_per_s"]), 2),
        })  # fmt: skip
    return found


def planned(costs, rate, options):
    """What so many calls a second take."""
    kind = "exosip" if "exosip" in costs.name else "sofia"
    most = min(costs.most(options.busy), MOST_LIVE[kind] / max(1.0, options.hold))
    engines = math.ceil(rate / most)
    each = costs.of_engine(rate / engines)
    machines = math.ceil(engines * max(rate / engines * each, 0.01) / (options.cores * options.busy))
    proxies = math.ceil(rate * costs.kamailio / (options.cores * options.busy))
    wait = waiting(rate / engines, each, 1)
    queue = waiting(rate / proxies, costs.kamailio, options.cores)
    return {
        "name": costs.name,
        "calls_per_s": rate,
        "engines": engines,
        "machines": machines,
        "kamailios": proxies,
        "wait_ms": round((wait + queue) * 1e3, 2),
        "live calls": round(rate * options.hold),
        "mbit_per_s": round(rate * 2 * MESSAGES * OCTETS * 8 / 1e6, 1),
        "writes_per_s": rate * WRITES,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "rates", nargs="*", type=int, default=[1000, 10000, 100000], metavar="RATE", help="calls a second"
    )
    parser.add_argument(
        "--bench", type=pathlib.Path, default=ROOT / "build" / "bench.json", help="(%(default)s)"
    )
    parser.add_argument("--cores", type=int, default=8, help="of a machine (%(default)s)")
    parser.add_argument(
        "--busy", type=float, default=0.6, help="the share of time that a core may be busy (%(default)s)"
    )
    parser.add_argument("--hold", type=float, default=60, help="seconds that a call lasts (%(default)s)")
    options = parser.parse_args()
    if not options.bench.exists() or not isinstance(json.loads(options.bench.read_text()).get("fleet"), list):
        raise SystemExit(
            'scaling: %s has no part fleet: make bench ARGS="--only fleet" measures it' % options.bench
        )
    rows = json.loads(options.bench.read_text())["fleet"]
    kinds = [
        [row for row in rows if row["name"] == name] for name in dict.fromkeys(row["name"] for row in rows)
    ]
    print("what was measured, on %d cores, and what the model says of it" % (os.cpu_count() or 1))
    print_table([each for kind in kinds for each in checked(Costs(kind), kind, os.cpu_count() or 1)])
    print(
        "\nmachines of %d cores, busy for %.0f %% of the time, calls of %g s"
        % (options.cores, options.busy * 100, options.hold)
    )
    print_table([planned(Costs(kind), rate, options) for kind in kinds for rate in options.rates])


if __name__ == "__main__":
    main()
