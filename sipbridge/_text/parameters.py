"""Parse header values of the form ``value;name=value`` from the network. No function here raises an error."""

from __future__ import absolute_import, division, print_function

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Set, Tuple

    from sipbridge.headers import Headers

_MARK = re.compile(r"[\\\"<>;,]")


def _split(text, separator):
    # type: (str, str) -> List[str]
    """Split at separators outside of quotes and ``<>``. A quote or ``<`` that is not closed goes to the end."""
    parts, start, skipped, closing = [], 0, -1, None
    for found in _MARK.finditer(text):
        position, mark = found.start(), found.group()
        if position == skipped:
            continue
        if closing is not None:
            if mark == "\\" and closing == '"':
                skipped = position + 1
            closing = None if mark == closing else closing
        elif mark in '"<':
            closing = ">" if mark == "<" else mark
        elif mark == separator:
            parts.append(text[start:position])
            start = position + 1
    return parts + [text[start:]]


def parse_parameters(text):
    # type: (str) -> Tuple[str, Dict[str, str]]
    """The value before the parameters, and a dict of the parameters.

    Names are in lower case, and values have no quotes; a parameter without a value has "". Separators in quotes or in
    ``<>`` do not count.
    """
    parts = [part.strip() for part in _split(text, ";")]
    pairs = (part.partition("=") for part in parts[1:] if part)
    return parts[0], dict((name.strip().lower(), _unquoted(value.strip())) for name, _, value in pairs)


def _unquoted(text):
    # type: (str) -> str
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def split_list(values):
    # type: (Iterable[str]) -> List[str]
    """The items of a header, from its field values, each of which may be a comma-separated list (RFC 3261, 7.3.1)."""
    return [item.strip() for value in values for item in _split(value, ",") if item.strip()]


def tokens(headers, name):
    # type: (Headers, str) -> Set[str]
    """The tokens in a header (Supported, Require, Allow), as a set in lower case."""
    return set(parse_parameters(item)[0].lower() for item in split_list(headers.get_all(name)))


def tag(text):
    # type: (str) -> Optional[str]
    """The tag of a From or To, or None."""
    return parse_parameters(text)[1].get("tag")


def number(text, highest=2**31 - 1):
    # type: (str, int) -> Optional[int]
    """Digits as a number; None for other text, and for a number above ``highest``."""
    return int(text) if re.match(r"[0-9]{1,10}\Z", text) and int(text) <= highest else None
