"""The output of ``--trace``: SIP messages that are easy to read."""

from __future__ import absolute_import, division, print_function

from sipbridge._text.masking import masked
from sipbridge._text.printable import clock, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

    from sipbridge.events import TraceMessage


def render(message):
    # type: (TraceMessage) -> List[str]
    """The lines for a :class:`~sipbridge.TraceMessage`: time, direction and peer, then the message."""
    text = masked(message.data.decode("utf-8", "replace"))
    arrow = "->" if message.outgoing else "<-"
    head = "%s %s %s (%d octets)" % (clock(message.time), arrow, printable(message.peer), len(message.data))
    return [head] + ["    " + printable(line.rstrip("\r")) for line in text.rstrip("\r\n").split("\n")] + [""]
