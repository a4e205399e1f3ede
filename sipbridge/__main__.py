"""``python -m sipbridge`` is the command ``sipbridge``."""

from __future__ import absolute_import, division, print_function

import sys


def main():
    # type: () -> int
    """Run the command line. Returns the exit code.

    An interrupt ends it without a traceback, also while it imports modules: this function makes the first import.
    """
    try:
        from sipbridge._command.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("sipbridge: interrupted\n")
        return 130  # a shell reports this code for a program that SIGINT ended


if __name__ == "__main__":
    sys.exit(main())
