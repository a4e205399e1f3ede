"""Which of this machine's addresses a peer sees."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing


def source_address(host, port):
    """The local address from which this machine reaches a host, or None. Nothing is sent."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect((host, port))
            return probe.getsockname()[0]
    except (socket.error, UnicodeError):
        return None
