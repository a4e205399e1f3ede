"""Why a request is sent, in so many words: the Reason header (RFC 3326)."""

from __future__ import absolute_import, division, print_function

import re
from collections import namedtuple

from sipbridge._compat import text_type, to_text
from sipbridge.content import check_line
from sipbridge.errors import InputError
from sipbridge.parameters import number, parse_parameters, split_list

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")


class Reason(namedtuple("Reason", "protocol cause text")):
    """One reason: ``Reason("Q.850", 16, "Normal call clearing")``, ``Reason("SIP", 200, "Call completed elsewhere")``.

    ``protocol`` is "SIP", "Q.850" or another token, ``cause`` its number or None, ``text`` may be "".
    """

    __slots__ = ()

    def __new__(cls, protocol, cause=None, text=""):
        return super(Reason, cls).__new__(cls, protocol, cause, text)

    @property
    def value(self):
        """The header's value. Raises InputError."""
        protocol, text = to_text(self.protocol), to_text(self.text)
        if not isinstance(protocol, text_type) or not _TOKEN.match(protocol):
            raise InputError("the protocol of a Reason is a token, as SIP or Q.850, not %r" % (protocol,))
        value = protocol
        if self.cause is not None:
            if isinstance(self.cause, bool) or not isinstance(self.cause, int) or self.cause < 0:
                raise InputError("the cause of a Reason is a number, not %r" % (self.cause,))
            value += ";cause=%d" % self.cause
        if text:
            value += ';text="%s"' % re.sub(r'(["\\])', r"\\\1", check_line(text, "text of a Reason"))
        return value


def with_reason(headers, reason):
    """Headers and, unless it is None, a Reason, as pairs."""
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    if reason is None:
        return pairs
    if not isinstance(reason, Reason):
        raise InputError("a Reason is wanted, not %r" % (reason,))
    return pairs + [("Reason", reason.value)]


def parse_reasons(headers):
    """Every Reason of a message; what is none is left out."""
    found = []
    for item in split_list(headers.get_all("Reason")):
        protocol, parameters = parse_parameters(item)
        if _TOKEN.match(protocol):
            found.append(Reason(protocol, number(parameters.get("cause", "")), parameters.get("text", "")))
    return tuple(found)
