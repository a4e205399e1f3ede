"""Mutated datagrams by the hundred thousand at a live endpoint while calls go through: `make soak`.

    python -m tools.checks.soak [--datagrams N] [--engine NAME]... [--seed N]

For each engine: an endpoint in a process of its own, with the shield where the engine takes one; sipp, which calls it
four times a second; and a sender that does not wait for more than a round trip in a hundred datagrams. It is content
when the process lives, every call of sipp's completed, and the endpoint answers an OPTIONS at the end. The datagrams
before a death are kept in build/soak. Loopback alone; it ends by itself.
"""

import argparse
import collections
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from tools.builds import environment, trees
from tools.builds.environment import BUILD, ROOT, Failed

BATCH = 100  # datagrams between two questions whether it is still there
CALL_RATE = 4
PLACE = BUILD / "soak"

#: Seconds without an answer after which the endpoint is taken for hung.
PATIENCE = 60


def note(text):
    print("soak: " + text, flush=True)


class Endpoint:
    """The victim of the tests, with an engine's tree and its environment."""

    def __init__(self, tree, engine):
        sys.path[:0] = [str(tree.folder), str(ROOT / "tests")]
        os.environ.update(PYTHONPATH=str(tree.folder), SIPBRIDGE_ENGINE=engine)
        from shield import victim

        self._folder = tempfile.mkdtemp(prefix="sipbridge-soak-")
        # Without limits: a mutated INVITE may be a new call, and it is not their number that is tested here.
        limits = dict(("SIPBRIDGE_SHIELD_" + each, "off") for each in ("INVITE", "REGISTER", "SUBSCRIBE"))
        self.victim = victim.Victim(self._folder, **limits)
        self.sender = victim.Sender(self.victim)

    def stop(self):
        self.sender.stop()
        self.victim.stop()
        shutil.rmtree(self._folder)


class Caller:
    """sipp, calling until it is told to stop."""

    def __init__(self, port):
        self._folder = tempfile.TemporaryDirectory(prefix="sipbridge-soak-")
        self._errors = pathlib.Path(self._folder.name, "errors")
        command = "sipp 127.0.0.1:%d -sf %s -i 127.0.0.1 -r %d -d 500 -nostdin -trace_err -error_file %s" % (
            port,
            ROOT / "bench" / "caller.xml",
            CALL_RATE,
            self._errors,
        )
        command += " -trace_stat -fd 1 -stf %s" % pathlib.Path(self._folder.name, "statistics")
        self._process = subprocess.Popen(
            command.split(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self):
        """Let it finish its calls. Returns (completed, failed, what it complained of)."""
        self._process.send_signal(10)  # SIGUSR1: no new calls
        self._process.wait(timeout=90)
        lines = pathlib.Path(self._folder.name, "statistics").read_text().splitlines()
        counts = dict(zip(lines[0].split(";"), lines[-1].split(";")))
        complaints = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        self._folder.cleanup()
        return int(counts["SuccessfulCall(C)"]), int(counts["FailedCall(C)"]), complaints[-2000:]


def is_there(endpoint, number):
    """Whether it still answers; what else has come is thrown away."""
    from shield import messages

    octets = messages.request("OPTIONS", "soak-%d" % number, endpoint.sender.port)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and endpoint.victim.exit_code(0) is None:
        endpoint.sender.send(octets)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            try:
                reply = endpoint.sender.receive(0.5)
            except (ValueError, IndexError):
                continue
            if reply is not None and any("soak-%d@" % number in value for _, value in reply.fields):
                return True
    return False


def send_all(endpoint, total, seed):
    """Send them. Returns how many were sent before it was gone, and the last of them."""
    from shield.mutate import mutated

    last = collections.deque(maxlen=BATCH)
    started = time.monotonic()
    for count, octets in enumerate(mutated(seed, total), 1):
        last.append(octets)
        try:
            endpoint.sender.send(octets)
        except socket.error:  # an empty one, or the port is closed
            pass
        if count % BATCH == 0 and not is_there(endpoint, count):
            return count, last
        if count % 50000 == 0:
            note("%d sent, %.0f/s" % (count, count / (time.monotonic() - started)))
    return total, None


def keep(name, last):
    """Put the last datagrams where they can be looked at."""
    folder = PLACE / name
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    for number, octets in enumerate(last):
        (folder / ("%02d.dat" % number)).write_bytes(octets)
    return folder


def report(endpoint):
    """What the shield counted, in lines."""
    try:
        counters = endpoint.victim.counters()
    except AssertionError:
        return
    for rule, counts in sorted(counters.items()):
        note("    %-20s %8d passed %8d answered %8d dropped" % ((rule or "(well formed)",) + counts))


def soak(name, tree, engine, arguments):
    """One engine; True when all went well."""
    note("%s: %d datagrams, seed %d" % (name, arguments.datagrams, arguments.seed))
    endpoint = Endpoint(tree, engine)
    started = time.monotonic()
    try:
        caller = Caller(endpoint.victim.port)
        sent, last = send_all(endpoint, arguments.datagrams, arguments.seed)
        completed, failed, complaints = caller.stop()
        note(
            "%s: %d sent in %.0f s, %d calls completed, %d failed"
            % (name, sent, time.monotonic() - started, completed, failed)
        )
        if engine == "exosip":
            report(endpoint)
        if last is not None:
            code = endpoint.victim.exit_code(1.0)
            note("%s: it is gone (exit code %s); the last datagrams: %s" % (name, code, keep(name, last)))
        elif failed:
            note(complaints)
        return last is None and not failed and completed > 0
    finally:
        endpoint.stop()


def engines(wanted):
    """(name, tree, engine) of each engine that is here."""
    python = environment.default()
    version = "%d.%d" % sys.version_info[:2]
    found = []
    if set(wanted) != {"double"}:
        native = trees.native(python, version)
        native.build()
        found += [(engine, native, engine) for engine in sorted(native.engines())]
    double = trees.double(python, version, trees.build_double())
    double.build()
    found.append(("double", double, "exosip"))
    return [each for each in found if not wanted or each[0] in wanted]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datagrams", type=int, default=1000000, help="for each engine (%(default)s)")
    parser.add_argument(
        "--engine", action="append", default=[], help="sofia, exosip or double (all there are)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the changes (%(default)s)")
    arguments = parser.parse_args()
    if shutil.which("sipp") is None:
        raise SystemExit("soak: sipp is missing; on Debian and Ubuntu: sudo apt-get install sip-tester")
    try:
        found = engines(arguments.engine)
    except Failed as error:
        raise SystemExit("soak: %s" % error)
    # Each in a process of its own: the package is imported from another tree.
    content = []
    for name, tree, engine in found:
        child = os.fork()
        if not child:
            os._exit(0 if soak(name, tree, engine, arguments) else 1)
        content.append(os.waitpid(child, 0)[1] == 0)
    note("%d of %d engines content" % (content.count(True), len(content)))
    return 0 if found and all(content) else 1


if __name__ == "__main__":
    sys.exit(main())
