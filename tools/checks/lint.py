"""Every check that runs no test: `make lint`. Each is a function that yields the commands to run; all of
them run, whatever the others say.

    build/venv-lint/bin/python -m tools.checks.lint [NAME...]
"""

import os
import pathlib
import shlex
import subprocess
import sys
import typing

from tools.builds import environment, interpreters
from tools.builds.environment import BUILD, ROOT

sys.path.insert(0, str(ROOT / "sipbridge"))
import _build

#: Folders of sources that Python 2.7 runs, and files among them that it does not.
PYTHON2 = ("sipbridge", "tests", "examples", "bench", "setup.py")
PYTHON3_ONLY = ("tests/data/", "tests/tools/", "tests/image/", "tests/aio/", "tests/typing/", "bench/")
PYTHON3_ONLY += (
    "sipbridge/aio.py",
    "sipbridge/_aio/",
    "sipbridge/_engine/container",
    "sipbridge/_command/fleet",
    "tests/fleet/",
    "tests/container/",
    "tests/unit/engine/test_container",
    "examples/click_to_call.py",
    "examples/telephony/",
    "tests/service/",
)

PYTHON = sys.executable
WARNINGS = ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O2", "-c", "-o", os.devnull]


def files(*patterns):
    """The sources that match, relative, without what is built."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    names = (str(path.relative_to(ROOT)) for path in found)
    return sorted(name for name in names if not name.startswith("build/") and "/build/" not in name)


def python2_files():
    """The Python sources that have to run on 2.7."""
    names = files(*("%s/**/*.py" % folder if (ROOT / folder).is_dir() else folder for folder in PYTHON2))
    return [name for name in names if not name.startswith(PYTHON3_ONLY)]


# -- the checks --------------------------------------------------------------------------------------------


def style():
    """ruff: the rules of pyproject.toml; the layout where only Python 3 reads it."""
    yield [PYTHON, "-m", "ruff", "check", "-q", "--output-format", "concise"]
    yield [PYTHON, "-m", "ruff", "format", "-q", "--check", "tools", "setup.py"] + files(
        "tests/tools/*.py", "tests/service/*.py", "examples/telephony/**/*.py"
    )


def layers():
    """The folders of sipbridge are layers: imports run down (import-linter), and none reaches into another."""
    yield [PYTHON, "-m", "tools.checks.private"]
    if sys.version_info < (3, 10):
        print("layers: imports were not checked, import-linter needs Python 3.10: make lint PYTHON=python3.x")
        return
    yield [str(pathlib.Path(PYTHON).parent / "lint-imports"), "--no-cache", "--no-logo"]


def types():
    """mypy over the package, strictly, and pyright; the stub of aio is compared with aio itself."""
    if sys.version_info < (3, 10):
        print("types: not checked, mypy needs Python 3.10: make lint PYTHON=python3.x")
        return
    yield [PYTHON, "-m", "tools.checks.aio_stub", "--check"]
    yield [PYTHON, "-m", "mypy"]
    # mypy reads the stub instead, unless the file is named.
    yield [PYTHON, "-m", "mypy", "sipbridge/aio.py"]
    yield [PYTHON, "-m", "mypy.stubtest", "--allowlist", "tools/checks/aio_stub.txt", "sipbridge.aio"]
    yield [PYTHON, "-m", "pyright"]
    if sys.version_info >= environment.OF_THE_SERVICE:
        settings = dict(MYPYPATH="examples/telephony")
        yield ["env"] + ["%s=%s" % pair for pair in settings.items()] + [
            PYTHON, "-m", "mypy", "--python-executable", str(environment.service()), "--strict", "-p", "telephony"
        ]  # fmt: skip


def python2():
    """What Python 2.7 cannot compile or has not got, and what 2.7.3 has not got."""
    names = python2_files()
    # Not newer: TimeoutError is our own name, the others stand in a `try` with what 2.7 has beside them,
    # or behind a hasattr().
    known = "TimeoutError time.monotonic queue Queue faulthandler signal.SIG_SETMASK signal.pthread_sigmask"
    # What is imported for types alone is never loaded: too_new.py sees to that.
    names_of_types = ["typing"] + ["typing." + name for name in typing.__all__]
    excluded = [word for name in known.split() + names_of_types for word in ("--exclude", name)]
    package = [name for name in names if name.startswith(("sipbridge/", "examples/", "setup.py"))]
    yield (
        [str(pathlib.Path(PYTHON).parent / "vermin"), "-q", "--no-tips", "--violations", "-t=2.7-", "-t=3.9-"]
        + excluded
        + package
    )
    yield [PYTHON, "-m", "tools.checks.too_new"] + names
    compiled = "import sys\nfor name in sys.argv[1:]: compile(open(name, 'rb').read(), name, 'exec')"
    found = [each for each in interpreters.find() if each.version == "2.7"]
    for interpreter in found:
        yield [str(interpreter.path), "-c", compiled] + names
    if not found:
        print("python2: no Python 2.7 here, so nothing was compiled with it")


def c():
    """gcc's warnings as errors over each layer of csrc and the tests' C, and what 12.04 lacks."""
    folders = ("csrc/**/*.[ch]", "tests/**/*.[ch]", "bench/*.[ch]", "examples/**/*.c")
    yield [PYTHON, "-m", "tools.checks.too_new"] + files(*folders)
    compiler = shlex.split(os.environ.get("CC", "cc")) + WARNINGS
    flags = {library.engine: locate(library) for library in _build.LIBRARIES}
    (exosip,) = [library for library in _build.LIBRARIES if library.engine == "exosip"]
    cares = locate(_build.CARES) or []
    double = ["-Itests/double", "-Itests/double/include"] + cares
    other = ["-DEXOSIP_DOUBLE_5_3", "-Itests/double/include-5.3"] + double
    places = [place + _build.declared(exosip, place) for place in (double, other)]
    shared = set(_build.sources("sofia")) & set(_build.sources("exosip"))
    for name in sorted(shared | set(_build.shield_sources())):
        yield compiler + _build.include_flags(name) + [name]
    for name in sorted(set(_build.sources("sofia")) - shared) + [_build.probe("sofia")]:
        yield compiler + _build.include_flags(name) + flags["sofia"] + [name]
    probes = [_build.probe("exosip"), _build.probe("dns")]
    for name in sorted(set(_build.sources("exosip")) - shared) + probes:
        for place in places:
            yield compiler + _build.include_flags(name) + place + [name]
        if flags["exosip"] is not None:
            yield compiler + _build.include_flags(name) + flags["exosip"] + [name]
    every = _build.all_include_flags(_build.sources("exosip") + _build.shield_sources())
    for name in files("tests/double/*.c"):
        yield compiler + other + [name]
    for name in files("tests/**/*.c", "bench/*.c", "examples/**/*.c"):
        yield compiler + every + double + (flags["sofia"] or []) + [name]


def size():
    """No file over 500 lines, no function over 60; of branches a function of csrc has 10, and ruff counts Python's."""
    sources, of_tests = files("csrc/**/*.[ch]"), files("tests/**/*.[ch]")
    python = files("sipbridge/**/*.py", "tests/**/*.py", "tools/**/*.py", "bench/*.py", "examples/**/*.py")
    yield [PYTHON, "-m", "tools.checks.size"] + python + sources + of_tests
    # --modified counts a switch as one branch: a line for each case reads like a table.
    lizard = [PYTHON, "-m", "lizard", "--languages", "cpp", "--modified", "--length", "60", "--warnings_only"]
    yield lizard + ["--CCN", "10"] + sources
    yield lizard + ["--CCN", "100"] + of_tests


def fixtures():
    """No two fixtures of the tests do the same."""
    yield [PYTHON, "-m", "tools.checks.fixtures"]


def locate(library):
    """The compiler flags for a library, or None when it is not here."""
    try:
        return _build.locate(library)[0]
    except _build.Absent as error:
        print("c: not compiled against %s: %s" % (library.package, error))
        return None


def scripts():
    """shellcheck over the shell scripts."""
    shells = (b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash")
    names = files("tools/**/*", ".ci/*", "docker/*", "tests/**/*")
    yield ["shellcheck"] + [name for name in names if (ROOT / name).read_bytes().startswith(shells)]


def kubernetes():
    """The manifests by Kubernetes' own schemas: those of the oldest release that will do, and of the newest."""
    if sys.version_info < (3, 10):
        print("kubernetes: not checked, the checker needs Python 3.10: make lint PYTHON=python3.x")
        return
    for version in ("1.29", "1.37"):
        command = [str(pathlib.Path(PYTHON).parent / "kubernetes-validate"), "--strict", "--quiet"]
        yield command + ["-k", version] + files("deploy/kubernetes/*.yaml")


def package():
    """The sdist is complete and installs."""
    yield [PYTHON, "-m", "tools.checks.package"]


CHECKS = (style, layers, types, python2, c, size, fixtures, scripts, kubernetes, package)


def run(check):
    """Run the commands of a check; True when all of them were content."""
    content = True
    for command in check():
        result = subprocess.run(
            command, cwd=str(ROOT), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if result.returncode:
            content = False
            print("%s\n%s" % (shlex.join(command)[:500], result.stdout.decode(errors="replace").rstrip()))
    print("lint: %s: %s" % (check.__name__, "ok" if content else "FAILED"), flush=True)
    return content


def main(names):
    os.chdir(str(ROOT))
    pathlib.Path(BUILD).mkdir(exist_ok=True)
    chosen = [check for check in CHECKS if not names or check.__name__ in names]
    results = [run(check) for check in chosen]
    print("lint: %d of %d checks failed" % (results.count(False), len(results)))
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
