"""Requests that are no calls: MESSAGE outside, INFO within."""

from common import Rush, bare, engines, facade, note

MESSAGES = 20000
CALLS, INFOS = 400, 50  # calls, and requests in each
PARALLEL = 100


def _measured(answerer, what, calls, infos):
    requests = infos or 1  # in each
    note("%s: %d %s" % (answerer.name, calls * requests, what))
    kind = "call" if infos else "message"
    cpu = answerer.cpu_seconds()
    succeeded, failed, seconds, again = Rush(answerer.port, calls, PARALLEL, kind, infos).finish()
    return {
        "name": answerer.name,
        "what": what,
        "requests_per_s": round(succeeded * requests / seconds, 1),
        "cpu_us_per_request": round((answerer.cpu_seconds() - cpu) / max(1, succeeded * requests) * 1e6, 1),
        "failed": failed,
        "retransmissions": again,
    }


def _ratios(engine, rows):
    """The facade beside the bare program, each INFO and MESSAGE."""
    for plain, ours in zip(rows[:2], rows[2:]):
        what = "%s, facade/bare %s" % (ours["what"], engine)
        yield what, round(ours["requests_per_s"] / max(0.1, plain["requests_per_s"]), 3)
        ratio = ours["cpu_us_per_request"] / max(0.1, plain["cpu_us_per_request"])
        yield "CPU time of " + what, round(ratio, 3)


def measure(arguments):
    rows, ratios = [], {}
    for engine in engines():
        of_engine = []
        for start in (bare, facade):
            answerer = start(engine)
            try:
                of_engine.append(_measured(answerer, "MESSAGE", MESSAGES, 0))
                of_engine.append(_measured(answerer, "INFO", CALLS, INFOS))
            finally:
                answerer.stop()
        rows += of_engine
        ratios.update(_ratios(engine, of_engine))
    return {"requests": rows, "ratios": ratios}
