"""A small telephone service: callers key in digits and end with "#"; each call has its own.

    python -m sipbridge version          # which engine it will run on
    python examples/service.py           # listens on UDP port 5060, or on $PORT; $ADVERTISED is where it is reached
    INCIDENTS=incidents python examples/service.py   # with a flight recorder: kill -USR1 PID writes an incident there

It takes every call, collects the keys that come in INFO requests (RFC 6086, application/dtmf-relay), and answers
the INFO of the "#" with what was keyed in, as text. Ctrl-C hangs up every call and ends it; SIGTERM gives
calls eight seconds to finish, and new ones a 503.
docs/debugging.md looks for a bug in it: `git apply examples/service-bug.patch` puts the bug in, and
examples/service-bug.pcapng has two calls to it with the bug.
"""

from __future__ import absolute_import, division, print_function

import logging
import os
import signal
import sys

import sipbridge

log = logging.getLogger("service")

#: What we offer as media: nothing is sent, the keys come by INFO.
SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=service\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\na=inactive\r\n"
).encode("ascii")


class Session(object):
    """What one caller has keyed in so far."""

    def __init__(self, call):
        self.call = call
        self.keys = []

    def key(self, key):
        """Take a key; on "#", give back all keys before it."""
        if key != "#":
            self.keys.append(key)
            return None
        return "".join(self.keys)


class Service(object):
    """The handlers of the endpoint, and one Session for each call."""

    def __init__(self, endpoint):
        self.sessions = {}
        endpoint.on(sipbridge.IncomingCall, self.incoming)
        endpoint.on(sipbridge.InfoReceived, self.info)
        endpoint.on(sipbridge.CallEnded, self.ended)

    def incoming(self, event):
        """Take the call."""
        log.info("call from %s", event.call.remote_uri)
        self.sessions[event.call] = Session(event.call)
        event.call.answer(SDP)

    def info(self, event):
        """Take a key."""
        if event.dtmf is None:
            event.answer(415)  # Unsupported Media Type
            return
        keyed = self.sessions[event.call].key(event.dtmf)
        if keyed is None:
            event.answer(200)
            return
        log.info("%s keyed in %s", event.call.remote_uri, keyed)
        event.answer(200, body=keyed.encode("ascii"), content_type="text/plain")

    def ended(self, event):
        """Forget the caller."""
        log.info("call from %s ended: %s", event.call.remote_uri, event.cause)
        self.sessions.pop(event.call, None)


class Stopped(BaseException):
    """A signal asks the program to end."""


def stop(signum, frame):
    """Leave the main thread's wait; a second signal ends the program at once."""
    signal.signal(signum, signal.SIG_DFL)
    raise Stopped(signum)


def main():
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    address = "udp://0.0.0.0:%d" % int(os.environ.get("PORT", "5060"))
    incidents = os.environ.get("INCIDENTS")
    flight = sipbridge.FlightRecorder(incidents, signal=signal.SIGUSR1) if incidents else None
    with sipbridge.Endpoint(address, advertised=os.environ.get("ADVERTISED") or None, flight=flight) as endpoint:
        Service(endpoint)
        log.info("listening on %s (%s %s)", endpoint.address, endpoint.engine_name, endpoint.engine_version)
        try:
            endpoint.wait_closed()
        except Stopped as stopped:
            if stopped.args[0] == signal.SIGTERM:
                endpoint.drain(8.0)  # "docker stop" kills after ten


if __name__ == "__main__":
    main()
