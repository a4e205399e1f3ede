"""Find the sender of a traced response, if the engine does not tell it."""

from __future__ import absolute_import, division, print_function

import re
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sipbridge.events import TraceMessage

# The branch of the topmost Via; and how many requests are remembered, whose responses may still come.
_BRANCH = re.compile(
    b"^(?:Via|v)[ \t]*:[^\r\n]*?;[ \t]*branch[ \t]*=[ \t]*([^;, \t\r\n]+)", re.IGNORECASE | re.MULTILINE
)
_ASKED_AT_MOST = 10000


class Peers(object):
    """Finds the sender of a response, which libeXosip2 does not tell: the peer to which the request went."""

    def __init__(self):
        # type: () -> None
        self._asked = OrderedDict()  # type: OrderedDict[bytes, str]  # the peer of each request, by its branch (RFC 3261, 17.1.3)

    def completed(self, message):
        # type: (TraceMessage) -> TraceMessage
        """The message, with its peer if that is known."""
        if not message.outgoing and message.peer:
            return message
        found = _BRANCH.search(message.data)
        if found is None:
            return message
        branch = found.group(1)
        if not message.outgoing:
            return message._replace(peer=self._asked.get(branch, ""))
        if not message.data.startswith(b"SIP/2.0 "):
            self._asked.pop(branch, None)
            self._asked[branch] = message.peer
            if len(self._asked) > _ASKED_AT_MOST:
                self._asked.popitem(last=False)
        return message
