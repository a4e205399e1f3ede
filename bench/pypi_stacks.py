"""The answering job done by other SIP stacks that PyPI has, beside the facade, each at its own best.

They are installed into an environment of their own, build/venv-bench-peers, by pip. One that does not install or
does not answer is reported as such, not left out in silence.
"""

import subprocess
import sys
from functools import partial

from common import HERE, ROOT, Answerer, Rush, bare, engines, facade, note

ANY = 0  # calls a second: as many as it takes
PEERS = (  # package, program, the calls a second that it is offered, at a time, and in a window
    # It opens two RTP sockets for each call, has room for 64, and gives one back half a second after its call: more
    # than some 50 calls a second are its end (an assertion of its ioqueue).
    ("pjsua2-python==2.15.1.post1", "peer_pjsua2.py", 30, 4, 200),
    ("sippy==2.5.0", "peer_sippy.py", ANY, 5, 1000),
    ("aiosipua==0.7.1", "peer_aiosipua.py", ANY, 20, 3000),
)
ONLY_BINARY = "pjsua2-python"  # a source of it would take PJSIP and half an hour; sippy has nothing but its source
VENV = ROOT / "build" / "venv-bench-peers"
CALLS, WINDOWS, PARALLEL = 3000, 3, 20


def _python():
    if not (VENV / "bin" / "python").exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(VENV)])
    return str(VENV / "bin" / "python")


def _install(package):
    """What is wrong, or None."""
    options = ["-q", "--disable-pip-version-check", "--only-binary=" + ONLY_BINARY]
    command = [_python(), "-m", "pip", "install"] + options + [package]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return result.stdout.strip().splitlines()[-1] if result.returncode else None


def _measured(answerer, rate, parallel, calls):
    """The best of some windows, the first of which warms up: the machine is noisy."""
    rates, cpus, failures, again = [], [], 0, 0
    for _ in range(WINDOWS):
        cpu = answerer.cpu_seconds()
        succeeded, failed, seconds, retransmitted = Rush(answerer.port, calls, parallel, rate=rate).finish()
        rates.append(succeeded / seconds)
        cpus.append((answerer.cpu_seconds() - cpu) / max(1, succeeded) * 1e6)
        failures, again = failures + failed, again + retransmitted
    return _row(answerer.name, parallel, round(max(rates), 1), round(min(cpus), 1), failures, again, "")


def _row(name, parallel, rate, cpu, failed, again, problem):
    return {
        "name": name,
        "parallel": parallel,
        "calls_per_s": rate,
        "cpu_us_per_call": cpu,
        "failed": failed,
        "retransmissions": again,
        "problem": problem,
    }


def _run(name, start, rate, parallel, calls):
    note("%s: %d calls, %d at a time" % (name, WINDOWS * calls, parallel))
    try:
        answerer = start()
    except SystemExit as error:
        return _row(name, parallel, 0, 0, 0, 0, str(error))
    try:
        return _measured(answerer, rate, parallel, calls)
    finally:
        answerer.stop()


def measure(arguments):
    rows = []
    for engine in engines():
        rows.append(_run("bare " + engine, partial(bare, engine), ANY, PARALLEL, CALLS))
        rows.append(_run("facade " + engine, partial(facade, engine), ANY, PARALLEL, CALLS))
        rows.append(_run("facade worker " + engine, partial(facade, engine, "--worker"), ANY, PARALLEL, CALLS))
    for package, program, rate, parallel, calls in PEERS:
        problem = _install(package)
        name = package.replace("==", " ")
        if problem:
            rows.append(_row(name, parallel, 0, 0, 0, 0, problem))
        else:
            command = [_python(), str(HERE / program)]
            rows.append(_run(name, partial(Answerer, name, "", command), rate, parallel, calls))
    return {"peers": rows, "ratios": dict(_ratios(rows))}


def _ratios(rows):
    """The processor time of a call in each other stack, beside that of the facade on each engine."""
    costs = dict((row["name"], row["cpu_us_per_call"]) for row in rows)
    for ours in [name for name in costs if name.startswith("facade ") and "worker" not in name]:
        for package in [each[0].replace("==", " ") for each in PEERS]:
            if costs[ours] and costs[package]:
                yield "CPU time of a call, %s/%s" % (package, ours), round(costs[package] / costs[ours], 2)
