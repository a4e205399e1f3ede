"""Where messages begin and end: in a datagram, and in a stream (RFC 3261, 18.3)."""

from __future__ import absolute_import, division, print_function

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

_HEAD = 65536  # octets of the largest head
_BODY = 1048576  # and of the largest body

_START = re.compile(
    br"(?:SIP/2\.0 [0-9]{3}[ \r\n]|[A-Za-z0-9.!%*_+`'~-]{1,64} \S{1,8192} SIP/2\.0\r?\n)", re.IGNORECASE
)
_LENGTH = re.compile(br"^(?:Content-Length|l)[ \t]*:\s*([0-9]{1,9})\s*?$", re.IGNORECASE | re.MULTILINE)


def is_message(data):
    # type: (bytes) -> bool
    """Whether these octets begin as a SIP message does."""
    return _START.match(data) is not None


def content_length(head):
    # type: (bytes) -> Optional[int]
    """What the Content-Length in a head says, or None."""
    found = _LENGTH.search(head)
    return None if found is None else int(found.group(1))


class Framer(object):
    """Takes the octets of a stream as they come, and has the messages in them.

    What is no message is left out: it goes on at the next line that begins one. What it keeps is at most one message.
    """

    def __init__(self):
        # type: () -> None
        self._waiting = bytearray()
        self._seen = 0  # octets in which there is no end of a head
        self._size = None  # type: Optional[int]  # of the message, once its head is there

    def __len__(self):
        # type: () -> int
        return len(self._waiting)

    def feed(self, data):
        # type: (bytes) -> List[bytes]
        """The messages that these octets complete."""
        self._waiting += data
        found = []  # type: List[bytes]
        while self._waiting:
            if self._size is None and not self._find_head():
                break
            if self._size is not None:
                if len(self._waiting) < self._size:
                    break
                found.append(bytes(self._waiting[: self._size]))
                self._drop(self._size)
        return found

    def reset(self):
        # type: () -> None
        """Octets are missing: forget what was begun."""
        self._drop(len(self._waiting))

    def _drop(self, size):
        # type: (int) -> None
        del self._waiting[:size]
        self._seen, self._size = 0, None

    def _find_head(self):
        # type: () -> bool
        """Look for a head at the beginning. True when something was found, or dropped."""
        blank = len(self._waiting) - len(self._waiting.lstrip(b"\r\n"))
        if blank:
            self._drop(blank)  # a ping (RFC 5626, 3.5.1)
            return True
        end = self._waiting.find(b"\r\n\r\n", max(0, self._seen - 3))
        if end < 0 and len(self._waiting) <= _HEAD:
            self._seen = len(self._waiting)
            return False
        head = bytes(self._waiting[: end + 4])
        length = content_length(head) or 0
        if end < 0 or length > _BODY or not is_message(head):
            self._resume()
        else:
            self._size = end + 4 + length
        return True

    def _resume(self):
        # type: () -> None
        """Go on at the next line that may begin a message."""
        waiting = bytes(self._waiting)
        place = waiting.find(b"\n")
        while place >= 0:
            if _START.match(waiting, place + 1):
                self._drop(place + 1)
                return
            place = waiting.find(b"\n", place + 1)
        self._drop(len(waiting))
