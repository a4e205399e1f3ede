"""Find the address of this machine that a peer sees."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing

from sipbridge.uri import is_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

#: Addresses for documentation (RFC 5737, RFC 3849). They only serve to ask the system for its default route; nothing is
#: sent to them.
SOMEWHERE, SOMEWHERE_IPV6 = "192.0.2.1", "2001:db8::1"


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
