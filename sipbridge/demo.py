"""``python -m sipbridge.demo``: a real call between two endpoints, checked on both sides."""

from __future__ import absolute_import, division, print_function

import sys

from sipbridge._command.demo import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
