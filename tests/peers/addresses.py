"""The addresses of tests/data/addresses.txt."""

from __future__ import absolute_import, division, print_function

import io
import os
import re

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "addresses.txt")


def _lines():
    with io.open(_PATH, encoding="utf-8") as stream:
        for line in stream:
            if line.strip() and not line.startswith("#"):
                verdict, kind, text = line.rstrip("\n").split(" ", 2)
                yield verdict, kind, re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found.group(1), 16)), text)


_ALL = list(_lines())

GOOD_URIS = [text for verdict, kind, text in _ALL if (verdict, kind) == ("good", "uri")]
BAD_URIS = [text for verdict, kind, text in _ALL if (verdict, kind) == ("bad", "uri")]
GOOD_ADDRESSES = GOOD_URIS + [text for verdict, kind, text in _ALL if (verdict, kind) == ("good", "address")]
#: A URI in brackets is no URI, and an address.
BAD_ADDRESSES = [text for text in BAD_URIS if not text.startswith("<")]
BAD_ADDRESSES += [text for verdict, kind, text in _ALL if (verdict, kind) == ("bad", "address")]
