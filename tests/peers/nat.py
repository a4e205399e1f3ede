"""A NAT on loopback: a UDP relay that gives what comes from inside a port of its own outside (RFC 3581, 1)."""

from __future__ import absolute_import, division, print_function

import select
import socket
import threading

from peers.ports import HOST


class Nat(object):
    """Sends what arrives at its inner port on to a peer, from an outer port, and the other way round.

    Attributes:
        uri: of the inner port, for a proxy's.

    Whoever is inside sends to :attr:`inner`, as by a proxy; the peer sees :attr:`outer` alone, and what it sends there
    gets in to where the last datagram came from.

    Args:
        peer: port of the peer on 127.0.0.1.
    """

    def __init__(self, peer):
        self._peer = (HOST, peer)
        self._sockets = [_bound(), _bound()]
        self.inner, self.outer = [each.getsockname()[1] for each in self._sockets]
        self.uri = "sip:%s:%d" % (HOST, self.inner)
        self._inside = None
        self._stopping = False
        self._thread = threading.Thread(target=self._relay)
        self._thread.daemon = True
        self._thread.start()

    def stop(self):
        self._stopping = True
        self._thread.join(5.0)
        for each in self._sockets:
            each.close()

    def _relay(self):
        inner, outer = self._sockets
        while not self._stopping:
            for ready in select.select(self._sockets, [], [], 0.05)[0]:
                octets, source = ready.recvfrom(65536)
                if ready is inner:
                    self._inside = source
                    outer.sendto(octets, self._peer)
                elif self._inside is not None:
                    inner.sendto(octets, self._inside)


def _bound():
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind((HOST, 0))
    return bound
