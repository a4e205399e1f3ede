"""Write docs/engines.md from the reports of a test run: what each engine offers, and the tests that show it.

    python -m tools.reports.engines [--check]

Reads what `make test` left in build/reports for the default Python. With --check nothing is written: fails when the
page is not what it would be.
"""

import fnmatch
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, namedtuple

from tools.builds.environment import BUILD, ROOT
from tools.reports.capabilities import CAPABILITIES

PAGE = ROOT / "docs" / "engines.md"

BEGINNING = """\
# What each engine offers

`make engines` writes this page from a run of `make test`; `tools/reports/capabilities.py` lists the rows and their
tests. A tick means that each of the row's tests passed with that engine. "exosip 3.6", "exosip 3.3" and "exosip 5.3"
are the engine on libeXosip2 3.6, 3.3 and 5.3. The checking double in `tests/double` plays each of them; the same tests,
run on the libraries, hold the double to them. [Below](#libexosip2-53) stands what differs on 5.3. The column "with"
names the programs of others that were the peer in tests of the row that passed, as the run recorded it. In the other
tests the peer is a second endpoint of sipbridge or datagrams written by hand, or there is no peer.

| | sofia | exosip 3.6 | exosip 3.3 | exosip 5.3 | with | tests |
| --- | --- | --- | --- | --- | --- | --- |
"""

END = """
## libeXosip2 5.3

5.3 has another API than 3.x: a context is the first argument of nearly each function. For a program on sipbridge it
is the same engine, but for this:

- **UDP alone.** 5.3 accepts no connection unless it was built with `ENABLE_MAIN_SOCKET`, which is not its default. So
  the engine raises `NotSupportedError` for TCP and TLS.
- **Ports.** 5.3 binds with `SO_REUSEADDR`, with which two sockets can have one UDP port. The engine takes the port
  first, alone, so a port that somebody has is a `TransportError`, as ever.
- **Contact.** 5.3 would put into Contact what the last response said of our address (`received`, `rport`). The engine
  turns that off. Name another address with `advertised=`.
- **Traces without the shield** show `999.999.999.999:99999` in Via and Contact of what is sent: the library puts its
  address there afterwards. With the shield they show what is on the network.
- **Speed.** Of what [helps with many calls](reliability.md#finished-transactions), 5.3 has all but two: it takes a
  turn through its calls for each message, and its records do not lie beside each other in memory.
- **Malformed messages.** None of the seventy requests of the [crash
  corpus](reliability.md#why-libexosip2-needs-protection) kills it, nor one of the thousand datagrams of
  `make double-check`. Have the shield in front all the same: it brings the sources of messages, and limits them.
"""

#: The columns, in their order: the name of each, and of its report after the version of Python.
COLUMNS = (
    ("sofia", "native-sofia"),
    ("exosip 3.6", "double-exosip"),
    ("exosip 3.3", "double-3.3-exosip"),
    ("exosip 5.3", "double-5.3-exosip"),
)


#: The programs of others that a test can have for a peer (tests/conformance/conftest.py records it).
OTHERS = {"baresip": "baresip", "kamailio": "Kamailio", "sipp": "sipp", "tshark": "tshark"}


class Case(namedtuple("Case", "name outcome reason peers")):
    """A test with one engine: ``name`` is "conformance.call.test_x::test_y[z]"; "passed", "failed" or "skipped"."""


def read(path):
    """The cases in a JUnit file."""
    for case in ElementTree.parse(str(path)).getroot().iter("testcase"):
        skip = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        name = "%s::%s" % (case.get("classname").partition("tests.")[2], case.get("name"))
        outcome = "failed" if failed else "passed" if skip is None else "skipped"
        yield Case(name, outcome, "" if skip is None else skip.get("message") or "", peers(case))


def peers(case):
    """The peers that a testcase element names."""
    values = [each.get("value") for each in case.iter("property") if each.get("name") == "peers"]
    return frozenset(name for value in values for name in value.split(", "))


def runs():
    """The cases of each column on the default Python, or SystemExit that says what to do."""
    own = "%d.%d" % sys.version_info[:2]
    found = {}
    for column, report in COLUMNS:
        path = BUILD / "reports" / ("%s-%s.xml" % (own, report))
        if not path.exists():
            sys.exit("engines: no %s; run this first: make test SANDBOX=host" % path.relative_to(ROOT))
        cases = dict((case.name, case) for case in read(path))
        again = path.with_name(path.stem + "-again.xml")  # the second try of what failed
        cases.update((case.name, case) for case in (read(again) if again.exists() else ()))
        found[column] = list(cases.values())
    return found


def chosen(cases, patterns):
    """The cases that a row is about. A pattern that fits nothing anywhere is a mistake in the row."""
    return [case for case in cases if any(fnmatch.fnmatchcase(case.name, pattern) for pattern in patterns)]


def cell(cases):
    """What the table says of one engine and row."""
    outcomes = Counter(case.outcome for case in cases)
    reasons = sorted(set(case.reason for case in cases if case.outcome == "skipped"))
    if outcomes["failed"]:
        return "**fails**"
    if not outcomes["passed"]:
        return "no: %s" % "; ".join(reasons) if reasons else "not tested"
    return "✓" if not reasons else "✓, but: %s" % "; ".join(reasons)


def others(cases):
    """The programs of others in tests that passed."""
    names = set(name for case in cases if case.outcome == "passed" for name in case.peers)
    return ", ".join(label for name, label in sorted(OTHERS.items()) if name in names)


def modules(cases):
    """The files of the tests, with how many there are."""
    counts = Counter(case.name.partition("::")[0].replace(".", "/") for case in cases)
    return ", ".join("%s (%d)" % each for each in sorted(counts.items()))


def table(found):
    """The rows as lines of Markdown, and the patterns that fit no test."""
    lines, idle = [], []
    for area, rows in CAPABILITIES:
        lines.append("| **%s** |%s" % (area, " |" * (len(COLUMNS) + 2)))
        for label, patterns in rows:
            cases = {column: chosen(found[column], patterns) for column in found}
            every = {case.name: case for column in found for case in cases[column]}
            if not every:
                idle.append(label)
            cells = [label] + [cell(cases[column]) for column in cases]
            cells += [others(sum(cases.values(), [])), modules(every.values())]
            lines.append("| %s |" % " | ".join(cells))
    return lines, idle


def main():
    lines, idle = table(runs())
    if idle:
        sys.exit("engines: no test fits: %s (tools/reports/capabilities.py)" % ", ".join(idle))
    page = BEGINNING + "\n".join(lines) + "\n" + END
    if "--check" not in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        sys.exit("engines: docs/engines.md is not what this run shows: python -m tools.reports.engines")
    return 1 if "**fails**" in page else 0


if __name__ == "__main__":
    sys.exit(main())
