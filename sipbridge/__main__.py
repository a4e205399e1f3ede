"""``python -m sipbridge`` is the command ``sipbridge``."""

from __future__ import absolute_import, division, print_function

import sys

from sipbridge.cli import main

if __name__ == "__main__":
    sys.exit(main())
