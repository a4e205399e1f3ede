"""Calls a second through Kamailio to one engine and to several, as deploy/kamailio has it; and engines that go.

For libeXosip2 as it is (a bare C program on it), for the facade on it, behind the shield, and for the facade on
Sofia-SIP. Twenty callers wait for each other; the rate is that of the last third. The engines share the machine with
Kamailio and with sipp, so the figures say what a machine of so many cores does, and not what an engine could do alone.

Then four engines on Sofia-SIP under a steady load: one is killed; and each is restarted, one after the other.
"""

import contextlib
import os
import resource
import shutil
import sys
import tempfile
import time
import types

from common import ROOT, bare, cpu_seconds, engines, facade, free_port, note
from sustained import PARALLEL, Load

sys.path.insert(0, str(ROOT / "tests"))

#: How many engines.
COUNTS = (1, 2, 4, 8)

#: Seconds: libeXosip2 as it is keeps a call for 32 s after its end, and has as many as ever only then.
SECONDS = {"exosip": 48, "sofia": 15}

#: Calls a second while engines go, and seconds that each is up.
RATE, HOLD = 50, 2.0

#: Memory of Kamailio for its transactions.
MEGABYTES = 512

NOT_MEASURED = "not measured: Kamailio is not installed"


@contextlib.contextmanager
def fleet(start, engine, count):
    """So many answerers behind a Kamailio that sends calls to each of them: (the proxy, the answerers)."""
    from fleet.running import Balancer
    from peers.ports import HOST

    answerers, proxy = [start(engine) for _ in range(count)], None
    try:
        proxy = Balancer([each.port for each in answerers], free_port(), MEGABYTES, carriers=[HOST])
        proxy.wait_flags("AP", *[each.port for each in answerers])
        yield proxy, answerers
    finally:
        for each in answerers + [proxy]:
            if each is not None:
                each.stop()


def _row(start, engine, count):
    with fleet(start, engine, count) as (proxy, answerers):
        note("%d of %s behind Kamailio: %d callers for %d s" % (count, answerers[0].name, PARALLEL, SECONDS[engine]))
        before = _spent(proxy, answerers)
        late, calls, failed, again = Load(proxy.port, SECONDS[engine]).finish()
        ours, kamailio, sipp = (
            round((after - before) / max(1, calls) * 1e6, 1)
            for before, after in zip(before, _spent(proxy, answerers))
        )
        return {
            "name": answerers[0].name,
            "engines": count,
            "calls_per_s": round(late, 1),
            "calls": calls,
            "failed": failed,
            "retransmissions": again,
            "cpu_us_per_call": ours,
            "kamailio_us_per_call": kamailio,
            "sipp_us_per_call": sipp,
        }


def _spent(proxy, answerers):
    """The processor time of the answerers, of Kamailio, and of every sipp that has ended: seconds."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.cpu_seconds() for each in answerers), cpu_seconds(proxy.pid), ended.ru_utime + ended.ru_stime


@contextlib.contextmanager
def _under_load():
    """Four engines behind Kamailio, and calls to them at a steady rate: (the fleet, the load)."""
    import sipbridge
    from fleet.load import Load as Steady
    from fleet.running import Fleet
    from peers.ports import HOST

    os.environ["SIPBRIDGE_ENGINE"] = "sofia"
    with tempfile.TemporaryDirectory(prefix="sipbridge-bench-") as folder:
        fleet = Fleet(folder, 4, carriers=[HOST])
        try:
            with sipbridge.Endpoint() as endpoint:
                load = Steady(types.SimpleNamespace(endpoint=endpoint), fleet.proxy.uri, RATE, HOLD)
                with load:
                    load.wait(RATE * 3)
                    yield fleet, load
                    load.wait(RATE * 6)
                load.finish()
        finally:
            fleet.stop()


def _killed():
    from fleet.load import failed

    note("one of four engines killed, at %d calls a second" % RATE)
    with _under_load() as (fleet, load):
        load.forget(1)
        fleet.engines[1].kill()
        killed = time.time()
    lost = failed(load.placed)
    others = [each for each in lost if each.began >= killed or each.engine not in (1, None)]
    return _gone("kill -9 of one of four", load.placed, len(lost) - len(others), others)


def _restarted():
    from fleet.load import failed

    note("four engines restarted, one after the other, at %d calls a second" % RATE)
    with _under_load() as (fleet, load):
        for number, port in enumerate(fleet.ports):
            fleet.proxy.set_state("d", port)
            fleet.restart(number)
            fleet.proxy.set_state("ip", port)
            fleet.proxy.wait_flags("AP", port)
    return _gone("rolling restart of four", load.placed, 0, failed(load.placed))


def _gone(name, placed, ended, lost):
    """A row: of the calls that were placed, ``ended`` ended with their engine, and others were lost."""
    return {
        "name": name,
        "calls": len(placed),
        "on the killed one": ended,
        "failed": len(lost),
        "longest_answer_s": round(max(each.answered for each in placed if each.answered), 3),
    }


def measure(arguments):
    if shutil.which("kamailio") is None:
        return {"fleet": NOT_MEASURED}
    kinds = [(bare, "exosip"), (facade, "exosip"), (facade, "sofia")]
    kinds = [(start, engine) for start, engine in kinds if engine in engines()]
    rows = [_row(start, engine, count) for start, engine in kinds for count in COUNTS]
    first = dict((row["name"], row["calls_per_s"]) for row in rows if row["engines"] == 1)
    ratios = {}
    for row in rows:
        if row["engines"] > 1:
            name = "fleet of %d/1, %s" % (row["engines"], row["name"])
            ratios[name] = round(row["calls_per_s"] / max(0.1, first[row["name"]]), 2)
    return {"fleet": rows, "engines that go": [_killed(), _restarted()], "ratios": ratios}
