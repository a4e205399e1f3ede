"""A port that is free, for an engine that has to be told one."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing

from sipbridge.errors import TransportError


def free_port(host, transport):
    # type: (str, str) -> int
    """A port that is free on this machine now. Raises TransportError."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.socket(family, kind)) as probe:
            probe.bind((host, 0))
            return int(probe.getsockname()[1])
    except socket.error as error:
        raise TransportError("%s port 0 on %s: %s" % (transport, host, error))
