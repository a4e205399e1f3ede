"""10,000 registrations on one endpoint: how fast they are made and refreshed, and what keeping them costs."""

import json
import subprocess
import sys
import tempfile

from common import HERE, build_bare, engines, environment, free_port, note

COUNT = 10000
KEPT = 120  # seconds, in which each has to be refreshed once
LONGEST = 900  # seconds for all of it


def _steps(command, variables=None):
    """What the program tells of each of its steps, with a registrar of its own."""
    with tempfile.TemporaryDirectory(prefix="sipbridge-bench-") as folder:
        port = free_port()
        registrar = subprocess.Popen(
            ["sipp", "-sf", str(HERE / "registrar.xml"), "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
            + ["-buff_size", "4194304", "-deadcall_wait", "0", "-timeout", "600"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        command = command + ["sip:127.0.0.1:%d" % port, str(COUNT), str(KEPT)]
        try:
            program = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=variables, timeout=LONGEST)
        finally:
            registrar.kill()
            registrar.wait()
    steps = [json.loads(line) for line in program.stdout.splitlines()[1:]]
    if program.returncode != 0:  # libeXosip2 may die of it, bare
        steps.append(dict(steps[-1], what="died: exit code %d" % program.returncode, done=0, failed=COUNT))
    return steps


def _rows(name, steps):
    """A row for each step; the first is none: it tells the memory before."""
    return [
        {
            "name": name,
            "what": step["what"],
            "done": step["done"],
            "failed": step["failed"],
            "per_s": round(step["done"] / step["seconds"], 1),
            "cpu_us_each": round(step["cpu"] / max(1, step["done"]) * 1e6, 1),
            "cpu_percent": round(100 * step["cpu"] / step["seconds"], 1),
            "rss_kb_each": round((step["rss_kb"] - steps[0]["rss_kb"]) / COUNT, 2),
        }
        for step in steps[1:]
    ]


def measure(arguments):
    rows = []
    for engine in engines():
        note("%s: %d registrations, made, refreshed, and kept for %d s; bare, then the facade" % (engine, COUNT, KEPT))
        rows += _rows("bare " + engine, _steps([build_bare(engine, "bare_register")]))
        command = [sys.executable, str(HERE / "facade_register.py")]
        rows += _rows("facade " + engine, _steps(command, environment(engine)))
    return {"registrations": rows}
