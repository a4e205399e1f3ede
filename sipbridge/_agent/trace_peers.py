"""Whom a traced message came from, where the engine does not know."""

from __future__ import absolute_import, division, print_function

import re
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sipbridge.events import TraceMessage

# The topmost Via's. Requests whose responses may still come are remembered: so many of them.
_BRANCH = re.compile(
    b"^(?:Via|v)[ \t]*:[^\r\n]*?;[ \t]*branch[ \t]*=[ \t]*([^;, \t\r\n]+)", re.IGNORECASE | re.MULTILINE
)
_ASKED_AT_MOST = 10000


class Peers(object):
    """Tells whom a response came from where the engine cannot (libeXosip2): whoever the request went to."""

    def __init__(self):
        # type: () -> None
        self._asked = OrderedDict()  # type: OrderedDict[bytes, str]  # the peer by the branch of the request (RFC 3261, 17.1.3)

    def completed(self, message):
        # type: (TraceMessage) -> TraceMessage
        """The message, with a peer if there is any way to know it."""
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
