"""The tools are for Python 3, and so are their tests."""

import os
import sys

if sys.version_info[0] == 2:
    collect_ignore_glob = ["test_*.py"]
else:
    # Last: the package there is without engines.
    sys.path.append(os.path.join(os.path.dirname(__file__), "..", ".."))
