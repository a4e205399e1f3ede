"""Packets made of messages, for capture files. It needs dpkt."""

from __future__ import absolute_import, division, print_function

import socket

from sipbridge._engine.local_address import packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Dict, Iterator, Tuple

    _Party = Tuple[str, int]

    dpkt = None  # type: Any  # dpkt has no types
else:
    import dpkt
    import dpkt.pcapng

# LINKTYPE_RAW of tcpdump.org: packets begin with their IP header.
LINKTYPE_RAW = 101
SNAPLEN = 262144
_SEGMENT = 60000  # octets of TCP in one packet
_UDP, _TCP = 17, 6


def pcap(stream):
    # type: (BinaryIO) -> Any
    """What writes packets to a pcap file: ``writepkt(octets, seconds since 1970)``."""
    return dpkt.pcap.Writer(stream, SNAPLEN, LINKTYPE_RAW)


def pcapng(stream):
    # type: (BinaryIO) -> Any
    """What writes packets to a pcapng file: ``writepkt(octets, seconds since 1970)``."""
    return dpkt.pcapng.Writer(stream, SNAPLEN, LINKTYPE_RAW)


class Packets(object):
    """The packets of one capture.

    Args:
        transport: "udp", or what is shown as TCP.
    """

    def __init__(self, transport):
        # type: (str) -> None
        self._make = _udp_packets if transport == "udp" else self._tcp_packets
        self._sent = {}  # type: Dict[Tuple[_Party, _Party], int]  # octets sent so far from one party to another: TCP's sequence numbers

    def of(self, source, target, data):
        # type: (_Party, _Party, bytes) -> Iterator[Any]
        """Those of a message that went from one (host, port) to another."""
        return self._make(source, target, data)

    def _tcp_packets(self, source, target, data):
        # type: (_Party, _Party, bytes) -> Iterator[Any]
        for start in range(0, len(data), _SEGMENT):
            part = data[start : start + _SEGMENT]
            sequence = self._sent.get((source, target), 1)
            segment = dpkt.tcp.TCP(
                sport=source[1],
                dport=target[1],
                seq=sequence & 0xFFFFFFFF,
                ack=self._sent.get((target, source), 1) & 0xFFFFFFFF,
                flags=dpkt.tcp.TH_ACK | dpkt.tcp.TH_PUSH,
                data=part,
            )
            self._sent[source, target] = sequence + len(part)
            yield _ip_packet(source[0], target[0], _TCP, segment)


def _udp_packets(source, target, data):
    # type: (_Party, _Party, bytes) -> Iterator[Any]
    datagram = dpkt.udp.UDP(sport=source[1], dport=target[1], ulen=8 + len(data), data=data)
    yield _ip_packet(source[0], target[0], _UDP, datagram)


def _ip_packet(source, target, protocol, payload):
    # type: (str, str, int, Any) -> Any
    if ":" in source or ":" in target:
        return dpkt.ip6.IP6(
            src=packed(source, socket.AF_INET6),
            dst=packed(target, socket.AF_INET6),
            nxt=protocol,
            plen=len(payload),
            hlim=64,
            data=payload,
        )
    return dpkt.ip.IP(
        src=packed(source, socket.AF_INET),
        dst=packed(target, socket.AF_INET),
        p=protocol,
        len=20 + len(payload),
        data=payload,
    )
