"""Header values of the form ``value;name=value`` as they came from the network, where anything may stand."""

from __future__ import absolute_import, division, print_function

import re

_PART = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|<[^>]*>|[^;\"<]|[\"<])*")
_ITEM = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"|<[^>]*>|[^,\"<]|[\"<])+")


def parse_parameters(text):
    """The value, and a dict of its parameters, names in lower case, quotes taken off; "" for those without a value.

    What stands in quotes or in ``<>`` is not looked into.
    """
    parts = []
    position = 0
    while position <= len(text):
        found = _PART.match(text, position)
        parts.append(found.group().strip())
        position = found.end() + 1
    pairs = (part.partition("=") for part in parts[1:] if part)
    return parts[0], dict((name.strip().lower(), _unquoted(value.strip())) for name, _, value in pairs)


def _unquoted(text):
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def split_list(values):
    """The items of a header that may be a comma-separated list (RFC 3261, 7.3.1), from its field values."""
    return [item.strip() for value in values for item in _ITEM.findall(value) if item.strip()]


def tokens(headers, name):
    """What a header lists (Supported, Require, Allow), as a set in lower case."""
    return set(parse_parameters(item)[0].lower() for item in split_list(headers.get_all(name)))


def tag(text):
    """The tag of a From or To, or None."""
    return parse_parameters(text)[1].get("tag")


def number(text, highest=2**31 - 1):
    """A run of digits as a number up to ``highest``, or None."""
    return int(text) if re.match(r"[0-9]{1,10}\Z", text) and int(text) <= highest else None
