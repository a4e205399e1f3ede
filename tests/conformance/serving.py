"""A peer by hand that answers in a thread of its own, as badly as it is told to."""

from __future__ import absolute_import, division, print_function

import threading


class Serving(object):
    """A context in which ``react(peer, request, number)`` is called with each request that is no repetition.

    Attributes:
        requests: those that came. An ACK is among them and is not reacted to.
    """

    def __init__(self, peer, react):
        self._peer, self._react = peer, react
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.requests = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._over.set()
        self._thread.join()

    def _serve(self):
        while not self._over.is_set():
            message = self._peer.take(0.05)
            if message is None or not message.is_request:
                continue
            self.requests.append(message)
            if message.name != "ACK":
                self._react(self._peer, message, len(self.requests))

    def count(self, name):
        """How many requests of that method came."""
        return len([each for each in self.requests if each.name == name])
