"""A proxy that takes what comes, or is not there."""

from __future__ import absolute_import, division, print_function

import threading

from conformance.sdp import ANSWER
from peers.byhand import ByHand

SDP = [("Content-Type", "application/sdp")]


class Proxy(object):
    """A proxy that answers by itself, also for those behind it.

    Attributes:
        status: what it answers to everything but ACK; None: it is silent.
        requests: what came, but for OPTIONS.
    """

    def __init__(self, status=200):
        self._peer = ByHand()
        self.status = status
        self.requests = []
        self.asked = 0
        self.uri = "sip:127.0.0.1:%d;lr" % self._peer.port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._over.is_set():
            message = self._peer.take(0.05)
            if message is None or not message.is_request:
                continue
            if message.name == "OPTIONS":
                self.asked += 1
            else:
                self.requests.append(message)
            if self.status is not None and message.name != "ACK":
                self._answer(message)

    def _answer(self, message):
        fields, body = [], b""
        if self.status == 200 and message.name == "INVITE":
            fields, body = SDP, ANSWER
        elif self.status == 200 and message.name == "REGISTER":
            fields = [("Contact", message["Contact"] + ";expires=60")]
        elif message.name == "SUBSCRIBE":
            fields = [("Expires", "60")]
        self._peer.reply(message, self.status, fields, body)

    def count(self, name):
        return len([each for each in self.requests if each.name == name])

    def stop(self):
        self._over.set()
        self._thread.join()
        self._peer.stop()
