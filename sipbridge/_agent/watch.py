"""Ask a peer with OPTIONS, again and again, whether it is there (RFC 3261, 11)."""

from __future__ import absolute_import, division, print_function

import random

from sipbridge._text.arguments import is_real
from sipbridge.errors import InputError, SipbridgeError
from sipbridge.events import PeerAvailable, PeerUnavailable
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._agent.agent import Agent
    from sipbridge._agent.dispatch import Timer
    from sipbridge._engine.records import Parties
    from sipbridge._engine.response import Response
#: The final responses that mean that nobody is there: no answer came, or a proxy got none.
ABSENT = frozenset([408, 502, 503, 504])


def check_interval(seconds):
    # type: (float) -> float
    """Seconds between two requests. Raises InputError."""
    if not is_real(seconds) or not 1 <= seconds <= 86400:
        raise InputError("interval must be 1 to 86400 s, not %r" % (seconds,))
    return seconds


class Watch(object):
    """A peer that is asked in intervals whether it is there. :meth:`~sipbridge.Endpoint.watch` makes it.

    The first result is an event, and so is each change. A peer is available when it sends a final response other than
    408, 502, 503 and 504, and unavailable when none comes for 64*T1 (32 s). The watch goes on until you call
    :meth:`stop` or the endpoint is closed.

    Attributes:
        uri: the peer's URI, text.
        interval: seconds from one result to the next request, plus or minus a tenth.
        available: True, False, or None before the first answer.
        status: the status code of the last response, 0 before the first.
    """

    def __init__(self, agent, parties, interval):
        # type: (Agent, Parties, float) -> None
        self._agent = agent
        self._parties = parties
        self._alarm = None  # type: Optional[Timer]
        self._stopped = False
        self.interval = check_interval(interval)  # type: float
        self.uri = address_uri(parties.to)  # type: str
        self.available = None  # type: Optional[bool]
        self.status = 0  # type: int
        with agent.lock:
            self._send()

    def __repr__(self):
        # type: () -> str
        return "<Watch of %s %s>" % (
            self.uri,
            {True: "available", False: "unavailable", None: "new"}[self.available],
        )

    def stop(self):
        # type: () -> None
        """Ask no more. No event follows."""
        with self._agent.lock:
            self._stopped = True
            if self._alarm is not None:
                self._alarm.cancel()

    # -- on the event thread ---------------------------------------------------------------------------------

    def _send(self):
        # type: () -> None
        self._agent.ask("OPTIONS", self._parties, self._answered)

    def _answered(self, response):
        # type: (Response) -> None
        if not self._stopped:
            self._seen(response.status, response.reason)

    def _seen(self, status, reason):
        # type: (int, str) -> None
        available = status not in ABSENT
        if available != self.available:
            kind = PeerAvailable if available else PeerUnavailable
            self._agent.post(kind(self, self.uri, status, reason))
        self.available, self.status = available, status
        seconds = self.interval * random.uniform(0.9, 1.1)  # so that many watches do not ask at the same time
        self._alarm = self._agent.later(seconds, self._again)

    def _again(self):
        # type: () -> None
        with self._agent.lock:
            if self._stopped:
                return
            try:
                self._send()
            except SipbridgeError as error:  # the worker restarts just now
                self._seen(503, str(error))
