"""What a flight recorder costs: calls a second with one beside without, as watched.py measures them.

0.97 are to be left in process, and 0.9 through a worker.
"""

from common import engines, facade
from watched import side_by_side


def measure(arguments):
    rows, ratios = [], {}
    for engine in engines():
        for options in ((), ("--worker",)):
            answerers = [facade(engine, *options), facade(engine, "--flight", *options)]
            try:
                found, ratio = side_by_side(answerers)
            finally:
                for each in answerers:
                    each.stop()
            rows += found
            ratios.update(ratio)
    return {"flight": rows, "ratios": ratios}
