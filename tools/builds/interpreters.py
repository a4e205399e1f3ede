"""Which Pythons this machine has: on PATH, and among pyenv's, which need not be set up for that."""

import json
import os
import pathlib
import subprocess
from collections import namedtuple

from tools.builds import environment

#: What sipbridge runs on.
SUPPORTED = ("2.7", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

QUESTION = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": "%d.%d" % sys.version_info[:2],
    "full": platform.python_version(),
    "headers": os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")),
}))
"""


class Interpreter(namedtuple("Interpreter", "version full path headers")):
    """As "3.11" and "3.11.7", where it is, and whether extensions can be built for it."""


def ask(path):
    """The :class:`Interpreter` at a path, or None: a stand-in without its Python, another implementation."""
    try:
        answer = subprocess.run(
            [str(path), "-c", QUESTION],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )
        facts = json.loads(answer.stdout.decode())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if facts["implementation"] != "CPython" or facts["version"] not in SUPPORTED:
        return None
    return Interpreter(facts["version"], facts["full"], path, facts["headers"])


def candidates(path, home, pyenv_root=None):
    """Where a Python may be, in the order in which they are preferred."""
    names = ["python" + version for version in SUPPORTED] + ["python3", "python2"]
    for folder in path.split(os.pathsep):
        for name in names:
            yield pathlib.Path(folder) / name
    versions = pathlib.Path(pyenv_root or os.path.join(home, ".pyenv")) / "versions"
    for folder in sorted(versions.glob("*"), key=_as_version, reverse=True):
        yield folder / "bin" / "python"


def _as_version(folder):
    return [int(part) for part in folder.name.split(".") if part.isdigit()]


def find():
    """One :class:`Interpreter` for each supported version here: this one, else the first with headers."""
    found = {}
    places = candidates(os.environ.get("PATH", ""), os.path.expanduser("~"), os.environ.get("PYENV_ROOT"))
    for path in [environment.base()] + [place for place in places if place.is_file()]:
        interpreter = ask(path)
        if interpreter is None:
            continue
        known = found.get(interpreter.version)
        if known is None or (interpreter.headers and not known.headers):
            found[interpreter.version] = interpreter
    return sorted(found.values(), key=lambda each: SUPPORTED.index(each.version))
