"""The Reason header (RFC 3326), which tells why a request is sent."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_pairs, check_text, is_whole
from sipbridge._text.checks import check_line
from sipbridge._text.parameters import number, parse_parameters, split_list
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

    from sipbridge.headers import HeaderFields, Headers

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+\Z")


class Reason(NamedTuple("Reason", [("protocol", "str"), ("cause", "Optional[int]"), ("text", "str")])):
    """One reason: ``Reason("Q.850", 16, "Normal call clearing")``, ``Reason("SIP", 200, "Call completed elsewhere")``.

    Attributes:
        protocol: "SIP", "Q.850" or another token.
        cause: a number of that protocol, or None.
        text: words for people, or "".
    """

    __slots__ = ()

    def __new__(cls, protocol, cause=None, text=""):
        # type: (str, Optional[int], str) -> Reason
        return super(Reason, cls).__new__(cls, protocol, cause, text)

    @property
    def value(self):
        # type: () -> str
        """The value for the header. Raises InputError when one of the attributes is malformed."""
        protocol = check_text(self.protocol, "the protocol of a Reason")
        if not _TOKEN.match(protocol):
            raise InputError("the protocol of a Reason is a token, as SIP or Q.850, not %r" % (protocol,))
        value = protocol
        if self.cause is not None:
            if not is_whole(self.cause) or self.cause < 0:
                raise InputError("the cause of a Reason is a number, not %r" % (self.cause,))
            value += ";cause=%d" % self.cause
        text = "" if self.text is None else check_text(self.text, "the text of a Reason")
        if text:
            text = check_line(text, "text of a Reason")
            value += ';text="%s"' % re.sub(r'(["\\])', r"\\\1", text)
        return value


def with_reason(headers, reason):
    # type: (HeaderFields, Optional[Reason]) -> List[Tuple[str, str]]
    """The headers as pairs, and behind them a Reason header unless ``reason`` is None."""
    pairs = check_pairs(headers)
    if reason is None:
        return pairs
    if not isinstance(reason, Reason):
        raise InputError("why must be a Reason, not %r" % (reason,))
    return pairs + [("Reason", reason.value)]


def parse_reasons(headers):
    # type: (Headers) -> Tuple[Reason, ...]
    """The Reasons in the headers of a message, a list. Malformed ones are left out."""
    found = []
    for item in split_list(headers.get_all("Reason")):
        protocol, parameters = parse_parameters(item)
        if _TOKEN.match(protocol):
            found.append(Reason(protocol, number(parameters.get("cause", "")), parameters.get("text", "")))
    return tuple(found)
