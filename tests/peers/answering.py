"""Has a peer by hand answer by itself while a test waits for the answers."""

from __future__ import absolute_import, division, print_function

import threading


class Answering(object):
    """Answers every request with a status, on a thread, within a ``with``.

    Attributes:
        messages: what came.
    """

    def __init__(self, peer, status=200):
        self._peer = peer
        self._status = status
        self.messages = []
        self._stopping = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stopping:
            message = self._peer.take(0.05)
            if message is not None and message.is_request:
                self.messages.append(message)
                self._peer.reply(message, self._status)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def stop(self):
        self._stopping = True
        self._thread.join()
