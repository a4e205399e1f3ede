"""SIP messages for the eye: as they passed, less what would let a reader log in."""

from __future__ import absolute_import, division, print_function

import re
from collections import OrderedDict

from sipbridge.console import clock, printable

#: What stands in the place of a credential.
MASK = "***"

# The topmost Via's. Requests whose responses may still come are remembered: so many of them.
_BRANCH = re.compile(
    b"^(?:Via|v)[ \t]*:[^\r\n]*?;[ \t]*branch[ \t]*=[ \t]*([^;, \t\r\n]+)", re.IGNORECASE | re.MULTILINE
)
_ASKED_AT_MOST = 10000

_HEAD_END = re.compile(u"\r?\n\r?\n")

# A header field with the lines that it is folded on to (RFC 3261, 7.3.1).
_CREDENTIALS = re.compile(
    u"^((?:Proxy-)?Authorization|(?:Proxy-)?Authentication-Info)([ \t]*:[ \t]*)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
# The parameters from which a password can be guessed offline (RFC 3261, 22.4; RFC 7616, 3.4 and 3.5). A quoted
# string that nobody closed goes to the end.
_DIGEST = re.compile(u"\\b(response|rspauth)(\\s*=\\s*)(\"(?:[^\"\\\\]|\\\\.?)*(?:\"|$)|[^,\\s]*)", re.IGNORECASE)


# The keys of SRTP in a session description (RFC 4568, 6.1; RFC 8866, 5.12).
_KEY_LINE = re.compile(u"^(?:a=crypto:|k=)[^\r\n]*", re.MULTILINE)
_KEY = re.compile(u"(inline:|k=(?:clear|base64):)([^\\s|;]*)")


def masked(text):
    """The text of a message without digest responses, credentials of any other scheme, and the keys of SRTP.

    The body keeps its length.
    """
    end = _HEAD_END.search(text)
    split = end.start() if end else len(text)
    body = _KEY_LINE.sub(lambda line: _KEY.sub(_blotted, line.group()), text[split:])
    return _CREDENTIALS.sub(_masked_field, text[:split]) + body


def _blotted(key):
    return key.group(1) + u"x" * len(key.group(2))  # still Base64: Wireshark calls the message malformed else


def _masked_field(found):
    name, colon, value = found.groups()
    if name.lower().endswith("authorization") and not value.lower().startswith("digest"):
        return name + colon + MASK
    return name + colon + _DIGEST.sub(lambda digest: '%s%s"%s"' % (digest.group(1), digest.group(2), MASK), value)


class Peers(object):
    """Tells whom a response came from where the engine cannot (libeXosip2): whoever the request went to."""

    def __init__(self):
        self._asked = OrderedDict()  # the peer by the branch of the request (RFC 3261, 17.1.3)

    def completed(self, message):
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


def render(message):
    """Lines of text for a :class:`~sipbridge.TraceMessage`: time, direction and peer, then the message."""
    text = masked(message.data.decode("utf-8", "replace"))
    arrow = "->" if message.outgoing else "<-"
    head = "%s %s %s (%d octets)" % (clock(message.time), arrow, printable(message.peer), len(message.data))
    return [head] + ["    " + printable(line.rstrip("\r")) for line in text.rstrip("\r\n").split("\n")] + [""]
