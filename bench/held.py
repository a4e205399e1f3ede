"""10,000 calls at once, held for a minute: what each takes of memory, and what the CPU has to do meanwhile."""

import time

from common import Caller, bare, engines, facade, note

CALLS, RATE, IDLE = 10000, 200, 60  # calls, how many a second are begun, seconds that all of them are up
EVENTS = 3  # of the facade in each call: incoming, confirmed, ended

RAMP = CALLS // RATE + 10  # seconds until all are up, with some to spare


def _measured(answerer, events):
    note("%s: %d calls, begun within %d s, then held for %d s" % (answerer.name, CALLS, RAMP, IDLE))
    before, cpu = answerer.rss_kb(), answerer.cpu_seconds()
    hold = (RAMP + IDLE) * 1000
    caller = Caller(answerer.port, CALLS, CALLS, hold_ms=hold, rate=RATE, limit=2 * RAMP + IDLE + 120)
    time.sleep(RAMP)
    rss, idle_from = answerer.rss_kb(), answerer.cpu_seconds()
    time.sleep(IDLE - 5)
    idle = answerer.cpu_seconds() - idle_from
    succeeded, failed, seconds, again = caller.finish()
    busy = answerer.cpu_seconds() - cpu - idle
    return {
        "name": answerer.name,
        "calls": succeeded,
        "failed": failed,
        "retransmissions": again,
        "rss_kb_per_call": round((rss - before) / CALLS, 2),
        "cpu_percent_idle": round(100 * idle / (IDLE - 5), 2),
        "cpu_us_per_call": round(busy / max(1, succeeded) * 1e6, 1),
        "events_per_cpu_s": round(events * succeeded / busy) if events else "-",
    }


def measure(arguments):
    rows = []
    for engine in engines():
        for start, events in ((bare, 0), (facade, EVENTS)):
            answerer = start(engine)
            try:
                rows.append(_measured(answerer, events))
            finally:
                answerer.stop()
    return {"held": rows}
