"""A peer that is there and never says anything."""

from __future__ import absolute_import, division, print_function

import socket

from peers.ports import HOST


class Silent(object):
    """A bound UDP socket: what is sent to it is neither refused nor answered."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self.uri = "sip:nobody@%s:%d" % self._socket.getsockname()

    def received(self):
        """The datagrams that have come since the last time, bytes each."""
        datagrams = []
        while True:
            try:
                datagrams.append(self._socket.recv(65536))
            except socket.error:  # nothing more
                return datagrams

    def stop(self):
        self._socket.close()
