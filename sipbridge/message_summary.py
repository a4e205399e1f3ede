"""Message waiting (RFC 3842): the text of application/simple-message-summary."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple
from sipbridge._text.arguments import check_octets, check_whole
from sipbridge.errors import InputError
from sipbridge.uri import check_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional

#: The media type.
MESSAGE_SUMMARY = "application/simple-message-summary"

_COUNTS = re.compile(r"^\s*(\d{1,9})\s*/\s*(\d{1,9})\s*(?:\(\s*(\d{1,9})\s*/\s*(\d{1,9})\s*\))?\s*$")


class Counts(NamedTuple("Counts", [
    ("new", "int"),
    ("old", "int"),
    ("urgent_new", "int"),
    ("urgent_old", "int"),
])):
    """How many messages of one class wait: new ones, old ones, and how many of each are urgent."""

    __slots__ = ()

    def __str__(self):
        # type: () -> str
        return "%d/%d (%d/%d)" % self


class MessageSummary(NamedTuple("MessageSummary", [
    ("waiting", "bool"),
    ("account", "Optional[str]"),
    ("counts", "Dict[str, Counts]"),
])):
    """The content of a message-summary body (RFC 3842, 5.2).

    Attributes:
        waiting: True when there are new messages.
        account: the URI of the mailbox, text, or None.
        counts: a dict of message class ("voice-message", "fax-message", ... in lower case) and :class:`Counts`.
    """

    __slots__ = ()

    @property
    def voice(self):
        # type: () -> Counts
        """The :class:`Counts` of voice messages; zeros when the body has none."""
        return self.counts.get("voice-message", Counts(0, 0, 0, 0))


def parse_message_summary(body):
    # type: (bytes) -> MessageSummary
    """The :class:`MessageSummary` in a body (bytes). Raises InputError when the body lacks Messages-Waiting."""
    body = check_octets(body, "body")
    waiting = account = None
    counts = {}
    for line in body.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "messages-waiting" and value.lower() in ("yes", "no"):
            waiting = value.lower() == "yes"
        elif name == "message-account":
            account = value
        else:
            found = _COUNTS.match(value)
            if found is not None:
                counts[name] = Counts(*[int(each or 0) for each in found.groups()])
    if waiting is None:
        raise InputError("no message-summary: it does not say Messages-Waiting: yes, or no")
    return MessageSummary(waiting, account, counts)


def build_message_summary(new, old=0, urgent_new=0, urgent_old=0, account=None):
    # type: (int, int, int, int, Optional[str]) -> bytes
    """The body (bytes) that tells these numbers of voice messages.

    ``account`` is the URI of the mailbox, or None. Raises InputError for a negative number or a malformed account.
    """
    counts = Counts(new, old, urgent_new, urgent_old)
    for name, each in zip(("new", "old", "urgent_new", "urgent_old"), counts):
        check_whole(each, name, 0, 2**31 - 1)
    lines = ["Messages-Waiting: %s" % ("yes" if new else "no")]
    if account is not None:
        lines.append("Message-Account: %s" % check_uri(account, "account"))
    lines.append("Voice-Message: %s" % (counts,))
    return ("\r\n".join(lines) + "\r\n").encode("utf-8")
