"""``python -m sipbridge`` is the command ``sipbridge``."""

from __future__ import absolute_import, division, print_function

import sys


def main():
    # type: () -> int
    """Run the command line; returns the exit code. An interrupt is no traceback, while modules are imported either:
    nothing is imported before this.
    """
    try:
        from sipbridge._command.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("sipbridge: interrupted\n")
        return 130  # as a shell has it of a program that SIGINT ended


if __name__ == "__main__":
    sys.exit(main())
