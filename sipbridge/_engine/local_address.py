"""Which of this machine's addresses a peer sees."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing

from sipbridge.uri import is_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

#: Nothing is sent to these: they only serve to ask the system for the default route (RFC 5737, RFC 3849).
SOMEWHERE, SOMEWHERE_IPV6 = "192.0.2.1", "2001:db8::1"


def reachable(host):
    # type: (str) -> str
    """The host of an endpoint's address as others may use it: in the place of a wildcard the address of this machine on
    the default route, or loopback. IPv6 in brackets.
    """
    if not is_wildcard(host):
        return host
    if ":" in host:
        return "[%s]" % (source_address(SOMEWHERE_IPV6, 5060) or "::1")
    return source_address(SOMEWHERE, 5060) or "127.0.0.1"


def source_address(host, port):
    # type: (str, int) -> Optional[str]
    """The local address from which this machine reaches a host, or None. Nothing is sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((host, port))
            name = probe.getsockname()[0]  # type: str
            return name
    except (socket.error, UnicodeError):
        return None
