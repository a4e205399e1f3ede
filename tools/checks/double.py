"""The checking double of libeXosip2 beside the library: the same calls, flows and datagrams, and each difference.

    .venv/bin/python -m tools.checks.double [all|captures|flows|datagrams]...

It takes libeXosip2 in a version that the double plays, installed with its headers, as `make develop` finds it. It ends
with 1 where the double does otherwise than the library, but for what KNOWN lists.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time

from sipbridge._command.compare_process import Contender
from sipbridge._command.comparing import compare_with
from sipbridge._command.console import Console
from sipbridge._command.options import build_parser
from sipbridge._replay.contrast import DIED, PLAYED, Run, contrast
from sipbridge._replay.message import Message
from tools.builds import environment, trees
from tools.builds.environment import BUILD, ROOT, Failed

TESTS = ROOT / "tests"
JOURNAL = TESTS / "double" / "journal.py"

#: What the double does otherwise, and why that may stay: patterns for "flow: kind: what" and for each line, the reason.
KNOWN = (
    (
        "call: message: (INFO|INVITE, number 3|ACK, number 3|BYE)$",
        "-(Proxy-)?Authorization: ",
        "after a 401 the library sends its digest in each request within the dialog, 3.6 as Proxy-Authorization",
    ),
    ("subscribe: order: messages$", "", "the last NOTIFY and the SUBSCRIBE that ends it cross"),
)

#: The libeXosip2 on which the engine offers TCP. Elsewhere it refuses that, and names the version.
OF_TCP = "3.6."

#: Seconds for a flow; for an answer to a probe; and for a process to be there.
FLOW, ANSWER, START = 120, 5.0, 20.0

WHAT_TO_DO = (
    "The double stands for libeXosip2 {lines}, and {found}. Install the library with its headers; if it is in an"
    " unusual place, name its folders: C_INCLUDE_PATH=.../include LIBRARY_PATH=.../lib LDFLAGS=-Wl,-rpath,.../lib"
)


def note(text):
    print("double-check: " + text, flush=True)


class Side:
    """The library, or the double."""

    def __init__(self, name, tree):
        self.name = name
        self.tree = tree

    def variables(self, shielded=True):
        """The environment of a process."""
        settings = dict(
            os.environ,
            PYTHONPATH=os.pathsep.join([str(self.tree.folder), str(TESTS)]),
            SIPBRIDGE_ENGINE="exosip",
            EXOSIP_DOUBLE_CRASH="1",
        )
        settings.pop("LD_PRELOAD", None)
        shield = self.tree.folder / "sipbridge" / "_shield.so"
        return dict(settings, LD_PRELOAD=str(shield)) if shielded else settings

    def contender(self):
        settings = self.variables()
        wanted = ("PYTHONPATH", "EXOSIP_DOUBLE_CRASH", "LD_PRELOAD")
        return Contender(self.name, "exosip", {name: settings[name] for name in wanted})


def sides():
    """The library and the double. Raises Failed where there is no library to hold the double to."""
    python = environment.default()
    version = "%d.%d" % sys.version_info[:2]
    native = trees.native(python, version)
    native.build()
    found = native.engines().get("exosip")
    line = next((each for each in trees.DOUBLES if found and found.startswith(each)), None)
    if line is None or "double" in found:
        raise Failed(
            WHAT_TO_DO.format(
                lines=" and ".join(sorted(trees.DOUBLES)),
                found="here is %s" % ("libeXosip2 " + found if found else "none of these"),
            )
        )
    double = trees.double(python, version, trees.build_double(line))
    double.build()
    return Side("library", native), Side("double", double)


# -- captures ----------------------------------------------------------------------------------------------


def captures(library, double):
    """Each capture of the tests, its caller played and its callee. How many roles had differences."""
    files = [str(path) for path in sorted(TESTS.glob("data/captures/*.pcap*"))]
    if not library.tree.engines()["exosip"].startswith(OF_TCP):
        files = [path for path in files if "tcp" not in os.path.basename(path)]
    different = 0
    for role in ("caller", "callee"):
        options = build_parser().parse_args(["compare", *files, "--role", role, "--speed", "0", "--all"])
        different += compare_with([library.contender(), double.contender()], options, Console())
    return different


# -- flows -------------------------------------------------------------------------------------------------


def names():
    """The flows, as the journal has them."""
    code = (
        "from double import flows, journal; print('\\n'.join(sorted(set(flows.FLOWS) | set(journal.LONGER))))"
    )
    return environment.run([sys.executable, "-c", code], PYTHONPATH=str(TESTS)).split("\n")[:-1]


def run_flow(side, name):
    """A flow on one side, as a Run."""
    process = subprocess.run(
        [sys.executable, str(JOURNAL), name], env=side.variables(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=FLOW, check=False
    )  # fmt: skip
    notes = process.stderr.decode("utf-8", "replace").splitlines()[-20:]
    if process.returncode:
        return Run(side.name, "", "%s: %d" % (DIED, process.returncode), 0, [], [], [], notes)
    told = json.loads(process.stdout.decode("ascii").splitlines()[-1])
    messages = [each.encode("latin-1") for each in told["messages"]]
    known = {
        value
        for each in map(Message, messages)
        for value in (each.get("call-id"), each.tag("from"), each.tag("to"))
    }
    return Run(
        side.name,
        told["version"],
        PLAYED,
        0,
        messages,
        told["events"],
        [each for each in known if len(each) > 5],
        notes,
    )


def flows(library, double):
    """Each flow on both. How many differences there are that KNOWN does not list."""
    different = 0
    for name in names():
        first, second = run_flow(library, name), run_flow(double, name)
        found = contrast(first, second, everything=True).differences
        said = "%d messages, %d events" % (len(first.messages), len(first.events))
        note("flow %-16s %s" % (name + ":", said if not found else "differs (- library, + double)"))
        for each in found:
            different += tell("%s: %s: %s" % (name, each.kind, each.what), each.lines)
        for run in (first, second):
            if run.outcome != PLAYED:
                print("\n".join("       | " + line for line in run.notes))
    return different


def tell(what, lines):
    """Print a difference. 1 if it counts."""
    known = (
        reason
        for pattern, line, reason in KNOWN
        if re.match(pattern, what) and all(re.match(line, each) for each in lines)
    )
    reason = next(known, None)
    print("     %s%s" % (what, "" if reason is None else "   (known: %s)" % reason))
    print("\n".join("       " + line for line in lines), flush=True)
    return reason is None


# -- datagrams ---------------------------------------------------------------------------------------------


class Listening:
    """An engine without the shield, which is asked with OPTIONS after each datagram; another when it has died."""

    def __init__(self, side):
        self._side = side
        self._process = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._count = 0

    def _start(self):
        command = [sys.executable, str(JOURNAL), "--datagrams"]
        self._process = subprocess.Popen(
            command, env=self._side.variables(shielded=False), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._port = int(self._process.stdout.readline())

    def answers(self, octets):
        """What it answers to a datagram: the first lines, sorted; or how it died."""
        if self._process is None:
            self._start()
        self._count += 1
        call_id = "probe-%d" % self._count
        probe = (
            "OPTIONS sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{id}\r\n"
            "From: <sip:a@127.0.0.1>;tag={id}\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: {id}\r\nCSeq: 1 OPTIONS\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).format(port=self._socket.getsockname()[1], id=call_id)
        for each in (
            octets.replace(b"127.0.0.1:9;", b"127.0.0.1:%d;" % self._socket.getsockname()[1]),
            probe.encode(),
        ):
            self._socket.sendto(each, ("127.0.0.1", self._port))
        found, end = [], time.monotonic() + ANSWER
        while time.monotonic() < end:
            try:
                data = self._socket.recv(65535)
            except socket.timeout:
                if self._process.poll() is not None:
                    code, self._process = self._process.returncode, None
                    return ["died (%d)" % code]
                continue
            if call_id.encode() in data:
                return sorted(found)
            if b"probe-" not in data:
                found.append(data[:11].decode("latin-1"))  # the phrase says nothing
        self.stop()
        return ["hangs"]

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def datagrams(library, double):
    """Malformed datagrams without the shield: who dies of which, and what is answered. How many differ."""
    sys.path.insert(0, str(TESTS))
    from memory import malformed

    sent = list(malformed.datagrams())
    results = []
    for side in (library, double):
        listening = Listening(side)
        results.append([listening.answers(each) for each in sent])
        listening.stop()
        note(
            "%s: %d of %d datagrams were its end"
            % (
                side.name,
                sum(bool(each[:1]) and each[0].startswith("died") for each in results[-1]),
                len(sent),
            )
        )
    different = 0
    for number, (octets, first, second) in enumerate(zip(sent, *results)):
        if first != second:
            lines = ["-%s" % ", ".join(first or ["nothing"]), "+%s" % ", ".join(second or ["nothing"])]
            different += tell("datagram %d: %r" % (number, octets[:400]), lines)
    note("datagrams: %d of %d are answered otherwise" % (different, len(sent)))
    return different


PARTS = {"captures": captures, "flows": flows, "datagrams": datagrams}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="*", choices=["all", *PARTS], default="all", help="these alone")
    part = parser.parse_args().part
    chosen = PARTS if "all" in part else part
    try:
        library, double = sides()
    except Failed as error:
        raise SystemExit("double-check: %s" % error)
    os.chdir(str(BUILD))  # "python -m" looks for packages where it is started, and the checkout has one
    note("libeXosip2 %s, and the double of it" % library.tree.engines()["exosip"])
    counts = {name: PARTS[name](library, double) for name in PARTS if name in chosen}
    note("differences: " + ", ".join("%d in %s" % (count, name) for name, count in counts.items()))
    return 1 if any(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
