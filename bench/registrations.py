"""10,000 registrations on one endpoint: how fast they are made and refreshed, and what keeping them costs."""

import json
import os
import subprocess
import sys
import tempfile

from common import HERE, ROOT, free_port, note

COUNT = 10000
KEPT = 120  # seconds, in which each has to be refreshed once


def _rows(engine):
    with tempfile.TemporaryDirectory(prefix="sipbridge-bench-") as folder:
        port = free_port()
        registrar = subprocess.Popen(
            ["sipp", "-sf", str(HERE / "registrar.xml"), "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
            + ["-buff_size", "4194304", "-deadcall_wait", "0", "-timeout", "600"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        command = [sys.executable, str(HERE / "facade_register.py"), "sip:127.0.0.1:%d" % port, str(COUNT), str(KEPT)]
        environment = dict(os.environ, SIPBRIDGE_ENGINE=engine, PYTHONPATH=os.environ.get("PYTHONPATH", str(ROOT)))
        try:
            output = subprocess.check_output(command, text=True, env=environment, timeout=500)
        finally:
            registrar.kill()
            registrar.wait()
    return [json.loads(line) for line in output.splitlines()[1:]]


def measure(arguments):
    import sipbridge

    rows = []
    for engine in sipbridge.engines():
        note("facade %s: %d registrations, made, refreshed, and kept for %d s" % (engine, COUNT, KEPT))
        steps = _rows(engine)
        for step in steps[1:]:
            rows.append(
                {
                    "name": "facade " + engine,
                    "what": step["what"],
                    "done": step["done"],
                    "failed": step["failed"],
                    "per_s": round(step["done"] / step["seconds"], 1),
                    "cpu_us_each": round(step["cpu"] / max(1, step["done"]) * 1e6, 1),
                    "cpu_percent": round(100 * step["cpu"] / step["seconds"], 1),
                    "rss_kb_each": round((step["rss_kb"] - steps[0]["rss_kb"]) / COUNT, 2),
                }
            )
    return {"registrations": rows}
