"""What a capture file is known by, and a message of one."""

from __future__ import absolute_import, division, print_function

import re

from sipbridge._compat import NamedTuple

#: The first octets of a pcapng file, and of each section in it.
PCAPNG = b"\x0a\x0d\x0d\x0a"

#: The first octets of a pcap file (times in microseconds or nanoseconds, or with the fields of modified libpcap;
#: either byte order) and of pcapng.
MAGIC = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x34\xcd\xb2\xa1",
    PCAPNG,
)


class Passed(NamedTuple("Passed", [
    ("time", "float"),
    ("source", "str"),
    ("target", "str"),
    ("data", "bytes"),
    ("transport", "str"),
    ("cut", "bool"),
])):
    """A message in a capture file.

    Attributes:
        time: seconds since 1970.
        source, target: "host:port" of sender and receiver.
        data: its octets.
        transport: "udp" or "tcp".
        cut: True when the capture lacks its end, because it was made with a limit on the octets of a packet.
    """

    __slots__ = ()


_CALL_ID = re.compile(br"^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def host_port(host, port):
    # type: (str, int) -> str
    """An IP address and a port as text, as they stand in a URI: an IPv6 address is in brackets."""
    return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)


def call_id_of(data):
    # type: (bytes) -> str
    """The Call-ID of a message, or ""."""
    found = _CALL_ID.search(data.replace(b"\r\n\r\n", b"\n\n").partition(b"\n\n")[0])
    return found.group(1).decode("latin-1") if found else u""
