"""Calls a second through Kamailio to one engine and to several, as deploy/kamailio has it.

For libeXosip2 as it is (a bare C program on it), for the facade on it, behind the shield, and for the facade on
Sofia-SIP. Twenty callers wait for each other; the rate is that of the last third. The engines share the machine with
Kamailio and with sipp, so the figures say what a machine of so many cores does, and not what an engine could do alone.
"""

import contextlib
import shutil
import sys

from common import ROOT, bare, engines, facade, note
from sustained import PARALLEL, Load

sys.path.insert(0, str(ROOT / "tests"))

#: How many engines.
COUNTS = (1, 2, 4, 8)

#: Seconds: libeXosip2 as it is keeps a call for 32 s after its end, and has as many as ever only then.
SECONDS = {"exosip": 48, "sofia": 15}

NOT_MEASURED = "not measured: Kamailio is not installed"


@contextlib.contextmanager
def fleet(start, engine, count):
    """So many answerers behind a Kamailio that sends calls to each of them: (the proxy, the answerers)."""
    from fleet.running import Balancer
    from peers.ports import HOST

    answerers, proxy = [start(engine) for _ in range(count)], None
    try:
        proxy = Balancer([each.port for each in answerers], carriers=[HOST])
        proxy.wait_flags("AP", *[each.port for each in answerers])
        yield proxy, answerers
    finally:
        for each in answerers + [proxy]:
            if each is not None:
                each.stop()


def _row(start, engine, count):
    with fleet(start, engine, count) as (proxy, answerers):
        note("%d of %s behind Kamailio: %d callers for %d s" % (count, answerers[0].name, PARALLEL, SECONDS[engine]))
        before = sum(each.cpu_seconds() for each in answerers)
        late, calls, failed, again = Load(proxy.port, SECONDS[engine]).finish()
        spent = sum(each.cpu_seconds() for each in answerers) - before
        return {
            "name": answerers[0].name,
            "engines": count,
            "calls_per_s": round(late, 1),
            "calls": calls,
            "failed": failed,
            "retransmissions": again,
            "cpu_us_per_call": round(spent / max(1, calls) * 1e6, 1),
        }


def measure(arguments):
    if shutil.which("kamailio") is None:
        return {"fleet": NOT_MEASURED}
    kinds = [(bare, "exosip"), (facade, "exosip"), (facade, "sofia")]
    kinds = [(start, engine) for start, engine in kinds if engine in engines()]
    rows = [_row(start, engine, count) for start, engine in kinds for count in COUNTS]
    first = dict((row["name"], row["calls_per_s"]) for row in rows if row["engines"] == 1)
    ratios = {}
    for row in rows[:]:
        if row["engines"] > 1:
            name = "fleet of %d/1, %s" % (row["engines"], row["name"])
            ratios[name] = round(row["calls_per_s"] / max(0.1, first[row["name"]]), 2)
    result = {"fleet": rows, "ratios": ratios}
    if "exosip" not in engines():
        result["fleet on libeXosip2"] = "not measured: libeXosip2 is not installed"
    return result
