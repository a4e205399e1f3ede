"""Make .venv and the engines, and say at the end what is there and how to use it. `make develop` calls this.

    python3 -m tools.builds.made

Exit code 1, with what failed, when it could not be made.
"""

import os
import pathlib
import re
import sys

from tools.builds import environment
from tools.builds.environment import VENV, Failed, run

#: What the user calls the library of each engine.
LIBRARIES = {"sofia": "Sofia-SIP", "exosip": "libeXosip2"}

#: What .venv's interpreter tells of itself: a line for each fact, "kind name value".
FACTS = """
import importlib.metadata, platform, re, sipbridge, sipbridge.shield
print("is", "sipbridge", sipbridge.__version__)
print("is", "Python", platform.python_version())
for name, version in sorted(sipbridge.engines().items()):
    print("engine", name, version)
for line in importlib.metadata.requires("sipbridge"):
    needed, extra = re.match(r"([\\w.-]+).*?(?:extra == .(\\w+).)?$", line).groups()
    try:
        importlib.metadata.version(needed)
    except importlib.metadata.PackageNotFoundError:
        print("missing", extra, needed)
    else:
        print("extra", extra, needed)
if sipbridge.shield.library():
    print("shield", "is", "there")
"""

#: How a shell reads the file that puts .venv in front, by the name of the shell; the others do it as sh.
ACTIVATE = {"fish": "source .venv/bin/activate.fish", "csh": "source .venv/bin/activate.csh"}
ACTIVATE["tcsh"] = ACTIVATE["csh"]


def left_out(output):
    """Engine and reason of those that a build has left out, by what it printed."""
    found = re.findall(r"(?m)^left out: (\w+): (.*(?:\n +.*)*)", output)
    return {engine: re.sub(r"\s*\n\s*", " ", reason) for engine, reason in found}


def activation(shell):
    """The command that makes .venv the reader's Python, for the shell that is named so."""
    return ACTIVATE.get(pathlib.PurePath(shell).name, ". .venv/bin/activate")


def report(told, reasons, shell):
    """Lines for the user.

    Args:
        told: what FACTS printed.
        reasons: of :func:`left_out`.
        shell: the path of the user's shell.
    """
    facts = {}
    for kind, name, value in (line.split(" ", 2) for line in told.splitlines()):
        facts.setdefault(kind, {})[name] = value
    itself, engines = facts["is"], facts.get("engine", {})
    lines = [
        "",
        ".venv: sipbridge %s from this checkout, Python %s" % (itself["sipbridge"], itself["Python"]),
    ]
    for name, library in LIBRARIES.items():
        if name in engines:
            lines.append("  engine %-7s %s %s" % (name, library, engines[name]))
        else:
            why = reasons.get(name, "SIPBRIDGE_ENGINES does not name it")
            lines.append("  left out: %-4s %s (docs/install.md tells what it needs)" % (name, why))
    if "shield" in facts:
        lines.append("  shield         sipbridge/_shield.so, to preload in front of libeXosip2")
    extras = sorted(
        name for name in facts.get("extra", {}) if name not in ("None", *facts.get("missing", {}))
    )
    lines.append("  extras         %s" % (" ".join(extras) or "none"))
    for name, needed in sorted(facts.get("missing", {}).items()):
        lines.append(
            "  left out: %-7s the extra; it needs %s: .venv/bin/pip install %s" % (name, needed, needed)
        )
    start = activation(shell)
    rows = [(start, "in each terminal; then sipbridge and python are those of .venv")]
    rows += [("sipbridge version", ""), (".venv/bin/sipbridge version", "the same without it")]
    rows += [
        ("make quick", "the tests of what you change"),
        ("make develop", "again after a change in csrc/"),
    ]
    width = max(len(command) for command, _ in rows)
    lines += ["", "To use it, in this folder:"]
    lines += [("  %-*s  %s" % (width, *row)).rstrip() for row in rows]
    return lines


def main():
    try:
        python = environment.editable()
        reasons = left_out(environment.build_engines(python))
        # Outside of the checkout, whose sipbridge would be found without being installed.
        told = run([python, "-c", FACTS], cwd=VENV)
    except Failed as error:
        sys.exit("develop: %s" % error)
    print("\n".join(report(told, reasons, os.environ.get("SHELL", ""))))


if __name__ == "__main__":
    main()
