"""These tests need root, Docker and a while: only `make image-selftest` (tests/image/run) collects them."""

from __future__ import absolute_import, division, print_function

import os

if os.environ.get("SIPBRIDGE_IMAGE_SELFTEST"):
    from fixtures import *  # noqa: F403
    from together import *  # noqa: F403
else:
    collect_ignore_glob = ["*.py"]
