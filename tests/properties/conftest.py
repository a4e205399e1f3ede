"""Properties are tested with hypothesis, which is for Python 3."""

from __future__ import absolute_import, division, print_function

import os
import sys

if sys.version_info[0] >= 3:
    from hypothesis import settings

    # The same examples each time, so that a run says what the last one said; SIPBRIDGE_RANDOM=1 looks for others.
    same = os.environ.get("SIPBRIDGE_RANDOM") != "1"
    settings.register_profile("untimed", deadline=None, derandomize=same)
    settings.load_profile("untimed")

collect_ignore_glob = ["test_*.py"] if sys.version_info[0] < 3 else []
