"""The SIP messages in a capture file."""

from __future__ import absolute_import, division, print_function

import socket

from sipbridge._capture.frames import frames
from sipbridge._capture.framing import is_message
from sipbridge._capture.packets import UDP, Packets
from sipbridge._capture.passed import Passed, host_port
from sipbridge._capture.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO, Iterator

    from sipbridge._capture.packets import Packet


def read(stream):
    # type: (BinaryIO) -> Iterator[Passed]
    """The messages in a file that is open for reading bytes, in the order in which they were complete.

    Raises InputError, also after some messages, when it is no capture file, damaged, or cut off.
    """
    packets, streams = Packets(), Streams()
    for frame in frames(stream):
        packet = packets.take(frame)
        if packet is None:
            continue
        if packet.protocol == UDP:
            if is_message(packet.data):
                yield _read(packet, packet.data)
            continue
        for segment, data in streams.take(packet):
            yield _read(segment, data)
    for segment, data in streams.end():
        yield _read(segment, data)


def _read(packet, data):
    # type: (Packet, bytes) -> Passed
    transport = "udp" if packet.protocol == UDP else "tcp"
    source, target = _name(*packet.source), _name(*packet.target)
    return Passed(packet.time, source, target, data, transport, packet.cut and transport == "udp")


def _name(address, port):
    # type: (bytes, int) -> str
    family = socket.AF_INET6 if len(address) == 16 else socket.AF_INET
    return host_port(socket.inet_ntop(family, address), port)
