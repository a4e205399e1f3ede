"""The last messages that an engine has sent and received: their records, and those of an engine in another process."""

from __future__ import absolute_import, division, print_function

import struct
import threading
from collections import deque

from sipbridge._compat import NamedTuple
from sipbridge._engine.records import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Deque, List

#: What a record begins with: octets of what follows, microseconds since 1970, outgoing, the length of the peer.
_HEAD = struct.Struct("!IQBH")
_LENGTH = 4


class Record(NamedTuple("Record", [("time", "float"), ("outgoing", "bool"), ("peer", "str"), ("data", "bytes")])):
    """A message that was sent or received: seconds since 1970, its direction, "host:port" of the peer, its octets."""

    __slots__ = ()


def parse(octets):
    # type: (bytes) -> List[Record]
    """The records in these octets (docs/worker-protocol.md). Raises ProtocolError."""
    found, place = [], 0
    try:
        while place < len(octets):
            length, time_us, outgoing, named = _HEAD.unpack_from(octets, place)
            start, end = place + _HEAD.size, place + _LENGTH + length
            if start + named > end or end > len(octets):
                raise ProtocolError("malformed record of a message")
            peer = octets[start : start + named].decode("utf-8", "replace")
            found.append(Record(time_us / 1e6, outgoing != 0, str(peer), octets[start + named : end]))
            place = end
    except struct.error as error:
        raise ProtocolError("malformed record of a message: %s" % error)
    return found


def packed(record):
    # type: (Record) -> bytes
    """The octets of a record, as :func:`parse` reads them."""
    peer = record.peer.encode("utf-8")
    length = _HEAD.size - _LENGTH + len(peer) + len(record.data)
    return _HEAD.pack(length, int(round(record.time * 1e6)), record.outgoing, len(peer)) + peer + record.data


class Kept(object):
    """The records that an engine in another process has told of, as they came, in so many octets at most.

    Attributes:
        size: the octets; 0: nobody wants any.
    """

    def __init__(self, size):
        # type: (int) -> None
        self.size = size
        self._lock = threading.Lock()
        self._pieces = deque()  # type: Deque[bytes]
        self._octets = 0

    def add(self, piece):
        # type: (bytes) -> None
        """Keep these records, and let the oldest pieces go for them."""
        with self._lock:
            self._pieces.append(piece)
            self._octets += len(piece)
            while self._octets > self.size and len(self._pieces) > 1:
                self._octets -= len(self._pieces.popleft())

    def add_unknown(self, records):
        # type: (bytes) -> None
        """Keep those of these received messages that came after the last received one that is known."""
        with self._lock:
            pieces = list(self._pieces)
        known = (each.time for piece in reversed(pieces) for each in reversed(parse(piece)) if not each.outgoing)
        last = next(known, 0.0)
        for record in parse(records):
            if record.time > last:
                self.add(packed(record))

    def joined(self):
        # type: () -> bytes
        """All of them, the oldest first."""
        with self._lock:
            return b"".join(self._pieces)
