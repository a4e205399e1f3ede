"""Checks for what an endpoint is opened with, before an engine sees it."""

from __future__ import absolute_import, division, print_function

from sipbridge._text.checks import check_seconds
from sipbridge.errors import InputError

#: Seconds that a connection may be silent at most before it is sent a ping: SB_MAX_KEEPALIVE (csrc/contract/engine.h).
MAX_KEEPALIVE = 86400


def check_keepalive(value, transport):
    """Seconds between pings on a connection, 0 for None; or InputError."""
    if value is None:
        return 0
    if transport == "udp":
        raise InputError(
            "keepalive is for TCP and TLS, whose connections are sent pings (RFC 5626, 4.4.1); over UDP ask the peer"
            " with OPTIONS: endpoint.watch(uri, interval)"
        )
    if check_seconds(value, "keepalive") > MAX_KEEPALIVE:
        raise InputError("keepalive must be %d s at most, not %r" % (MAX_KEEPALIVE, value))
    return value
