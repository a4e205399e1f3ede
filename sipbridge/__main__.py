"""``python -m sipbridge`` is the command ``sipbridge``."""

from __future__ import absolute_import, division, print_function

import sys

from sipbridge import _interrupted


def main():
    # type: () -> int
    """Run the command line; returns the exit code. An interrupt is no traceback, while modules are imported either."""
    try:
        from sipbridge._command.cli import main as run

        return run()
    except KeyboardInterrupt:
        return _interrupted.tell()


if __name__ == "__main__":
    sys.exit(main())
