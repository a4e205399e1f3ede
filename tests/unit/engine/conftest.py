"""Python 2.7 has no sipbridge.Container."""

from __future__ import absolute_import, division, print_function

import sys

collect_ignore = ["test_container.py"] if sys.version_info[0] < 3 else []
