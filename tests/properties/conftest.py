"""Properties are tested with hypothesis, which is for Python 3."""

from __future__ import absolute_import, division, print_function

import sys

if sys.version_info[0] >= 3:
    from hypothesis import settings

    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")

collect_ignore_glob = ["test_*.py"] if sys.version_info[0] < 3 else []
