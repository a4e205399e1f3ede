"""The streams of TCP in a capture: segments in order, each octet once, within limits."""

from __future__ import absolute_import, division, print_function

from collections import OrderedDict

from sipbridge._capture.framing import Framer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional, Tuple

    from sipbridge._capture.packets import Packet

    _Found = Tuple[Packet, bytes]

_FIN, _SYN, _RST = 1, 2, 4
_AHEAD = 262144  # octets that wait for one that is missing; then that one is given up
_SEGMENTS = 1024  # and segments
_WINDOW = 1048576  # octets: a number that is further away is of another connection
_TOTAL = 33554432  # octets kept of all streams; those that were silent longest go first
_STREAMS = 4096


class Streams(object):
    """Takes segments, and has the messages that they complete."""

    def __init__(self):
        # type: () -> None
        self._streams = OrderedDict()  # type: OrderedDict[Any, _Stream]
        self._size = 0

    def take(self, packet):
        # type: (Packet) -> Iterator[_Found]
        """The messages that this segment completes, each with the segment."""
        key = (packet.source, packet.target)
        stream = self._streams.pop(key) if key in self._streams else _Stream()
        before = len(stream)
        for data in stream.take(packet):
            yield packet, data
        self._size += len(stream) - before
        if packet.flags & _RST:
            self._size -= len(stream)
        else:
            self._streams[key] = stream
        while self._size > _TOTAL or len(self._streams) > _STREAMS:
            self._size -= len(self._streams.popitem(last=False)[1])

    def end(self):
        # type: () -> Iterator[_Found]
        """The messages behind octets that never came."""
        for stream in self._streams.values():
            for packet, data in stream.rest():
                yield packet, data


class _Stream(object):
    """One direction of a connection."""

    def __init__(self):
        # type: () -> None
        self._next = None  # type: Optional[int]  # the number of the octet that comes next
        self._ahead = {}  # type: Dict[int, Packet]  # segments that came before their turn
        self._size = 0  # octets of these
        self._framer = Framer()

    def __len__(self):
        # type: () -> int
        return self._size + len(self._framer)

    def take(self, packet):
        # type: (Packet) -> Iterator[bytes]
        sequence = packet.sequence
        if packet.flags & _SYN:
            self._begin(sequence + 1)
            return
        if self._next is None or abs(self._distance(sequence)) > _WINDOW:
            self._begin(sequence)
        if packet.data and self._distance(sequence) + len(packet.data) > 0:
            kept = self._ahead.get(sequence)
            if kept is None or len(kept.data) < len(packet.data):
                self._ahead[sequence] = packet
                self._size += len(packet.data) - (0 if kept is None else len(kept.data))
        for data in self._in_order():
            yield data
        if self._size > _AHEAD or len(self._ahead) > _SEGMENTS:
            for data in self._jump():
                yield data

    def rest(self):
        # type: () -> Iterator[_Found]
        while self._ahead:
            packet = self._ahead[self._first()]
            for data in self._jump():
                yield packet, data

    def _begin(self, sequence):
        # type: (int) -> None
        self._next = sequence & 0xFFFFFFFF
        self._ahead.clear()
        self._size = 0
        self._framer.reset()

    def _distance(self, sequence):
        # type: (int) -> int
        """How many octets this number is ahead of what comes next; negative behind it."""
        assert self._next is not None
        return ((sequence - self._next + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def _first(self):
        # type: () -> int
        return min(self._ahead, key=self._distance)

    def _in_order(self):
        # type: () -> Iterator[bytes]
        while self._ahead:
            first = self._first()
            behind = -self._distance(first)
            if behind < 0:
                return
            data = self._ahead.pop(first).data
            self._size -= len(data)
            new = data[behind:]
            if new:
                assert self._next is not None
                self._next = (self._next + len(new)) & 0xFFFFFFFF
                for message in self._framer.feed(new):
                    yield message

    def _jump(self):
        # type: () -> Iterator[bytes]
        """Give up the octets that are missing."""
        if self._ahead:
            self._next = self._first()
            self._framer.reset()
        return self._in_order()
