"""The programs are the same for every Python: Python 2.7 leaves them to the others."""

from __future__ import absolute_import, division, print_function

import sys

if sys.version_info[0] == 2:
    collect_ignore_glob = ["test_*.py"]
