"""What the command ``sipbridge`` does when it is interrupted before it runs: while it imports its own modules."""

from __future__ import absolute_import, division, print_function

import os
import sys

#: As a shell has it of a program that SIGINT ended.
EXIT_CODE = 130


def tell():
    """Say so, as the command does later. Returns the exit code."""
    sys.stderr.write("sipbridge: interrupted\n")
    return EXIT_CODE


def end_command():
    """End the process where it is the command that imports the package; return where anybody else does."""
    frame = sys._getframe(1)
    while frame is not None and _is_import(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    if frame is not None and _is_command(frame):
        sys.exit(tell())


def _is_import(name):
    return name == "sipbridge" or name.startswith(("sipbridge.", "importlib.", "_frozen_importlib"))


def _is_command(frame):
    """Whether the importer is the script ``sipbridge``, or Python for the sake of ``-m sipbridge``."""
    name = frame.f_globals.get("__name__")
    if name == "runpy":
        return sys.argv[:1] in (["-m"], ["-c"])  # before the module is found; the latter in Python 2.7
    return name == "__main__" and os.path.basename(sys.argv[0]) == "sipbridge"
