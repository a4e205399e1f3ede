"""Find the address of this machine that a peer sees, and the ends of a traced message."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing

from sipbridge.errors import InputError
from sipbridge.uri import is_wildcard, parse_host_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Tuple

    #: An IP address and a port.
    End = Tuple[str, int]

#: Addresses for documentation (RFC 5737, RFC 3849). They only serve to ask the system for its default route; nothing is
#: sent to them.
SOMEWHERE, SOMEWHERE_IPV6 = "192.0.2.1", "2001:db8::1"

# The peers of which is remembered which address they see.
_PEERS_AT_MOST = 10000


def reachable(host):
    # type: (str) -> str
    """The host of an endpoint's address; for a wildcard, this machine's address on the default route, else loopback.
    An IPv6 address is in brackets.
    """
    if not is_wildcard(host):
        return host
    if ":" in host:
        return "[%s]" % (source_address(SOMEWHERE_IPV6, 5060) or "::1")
    return source_address(SOMEWHERE, 5060) or "127.0.0.1"


def source_address(host, port):
    # type: (str, int) -> Optional[str]
    """The local address from which this machine sends to a host, or None. It sends nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((host, port))
            name = probe.getsockname()[0]  # type: str
            return name
    except (socket.error, UnicodeError):
        return None


class Ends(object):
    """Tells whence and whither the traced messages of one endpoint went.

    Args:
        host, port: of the endpoint's address.
    """

    def __init__(self, host, port):
        # type: (str, int) -> None
        self._host = host.strip("[]")
        self._port = port
        self._is_known = _is_address(self._host) and not is_wildcard(self._host)
        self._sources = {}  # type: Dict[End, str]  # what each peer sees of an endpoint whose address is not known

    def of(self, outgoing, peer):
        # type: (bool, str) -> Tuple[End, End]
        """The ends that a message came from and went to. ``peer`` is its "host:port", or what else is known of it."""
        there = _peer(peer)
        here = (self._host if self._is_known else self._source(there), self._port)
        return (here, there) if outgoing else (there, here)

    def _source(self, peer):
        # type: (End) -> str
        if peer not in self._sources:
            if len(self._sources) >= _PEERS_AT_MOST:
                self._sources.clear()
            self._sources[peer] = source_address(*peer) or self._host
        return self._sources[peer]


def _peer(text):
    # type: (str) -> End
    """(host, port) of a "host:port"; for any other text the unspecified address and port 0."""
    try:
        host, port = parse_host_port(text)
    except InputError:
        return "0.0.0.0", 0
    return host.strip("[]"), port


def _is_address(host):
    # type: (str) -> bool
    return any(any(bytearray(packed(host, family))) for family in (socket.AF_INET, socket.AF_INET6))


def packed(host, family):
    # type: (str, int) -> bytes
    """The octets of an IP address. Of a host name, or an address of the other family, those of the unspecified one."""
    try:
        return socket.inet_pton(family, host)
    except (socket.error, ValueError):
        return b"\x00" * (16 if family == socket.AF_INET6 else 4)
