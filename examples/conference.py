"""A conference: who calls waits for a second one; then re-INVITEs move both calls to a mixer, and each that follows.

    python examples/conference.py udp://192.0.2.1:5060 192.0.2.20 7000

sipbridge carries no audio. The mixer does: a program of yours or a product, here at 192.0.2.20, with a place at each
second port from 7000 on. What it has to be told is printed. Who presses "*" leaves; "0" ends the conference for all."""

from __future__ import absolute_import, division, print_function

import itertools
import sys
import threading

import sipbridge
from sipbridge import negotiation, payload, sdp

CODECS = [payload.PCMU, payload.PCMA]
WAITING = sdp.build("127.0.0.1", [sdp.medium("audio", 9, CODECS, "inactive")]).raw


class Conference(object):
    """Calls whose audio goes to a mixer. Any thread may use it."""

    def __init__(self, host, first_port, tell):
        self._host, self._first, self._tell = host, first_port, tell
        self._lock = threading.Lock()
        self._waiting, self._places = [], {}

    def join(self, call):
        """Let a call that is up wait for a second one, or move it, and the one that waits, to the mixer."""
        with self._lock:
            self._waiting.append(call)
            if len(self._waiting) + len(self._places) < 2:
                self._tell("%s waits" % call.remote_uri)
                return
            calls, self._waiting = self._waiting, []
        for each in calls:
            self._move(each)

    def _move(self, call):
        """Offer a place at the mixer (RFC 3264, 8: the o= of the call, one version on); tell the mixer the answer."""
        with self._lock:
            port = next(port for port in itertools.count(self._first, 2) if port not in self._places.values())
            self._places[call] = port
        place = sdp.build(self._host, [sdp.medium("audio", port, CODECS)])
        offer = place.following(sdp.parse(call.local_sdp))
        try:
            answer = sdp.parse(call.reinvite(offer.raw).body)
            streams = [each for each in negotiation.streams(offer, answer) if each.codec]
            if not streams:  # "m=audio 0", or no codec of ours
                raise ValueError("no codec in common")
        except (sipbridge.SipbridgeError, ValueError) as error:
            self._tell("%d: %s stays out: %s" % (port, call.remote_uri, error))
            self.leave(call)
            call.hangup()
            return
        for stream in streams:
            self._tell("%d: %s at %s:%d, %s" % ((port, call.remote_uri) + stream.remote + (stream.codec.rtpmap,)))

    def leave(self, call):
        """Take a call out: its place is free. The others stay."""
        with self._lock:
            self._waiting = [each for each in self._waiting if each is not call]
            port = self._places.pop(call, None)
        if port is not None:
            self._tell("%d: free" % port)

    def end(self):
        """Hang up all."""
        with self._lock:
            calls = self._waiting + list(self._places)
        for call in calls:
            call.hangup()


def serve(phone, conference):
    """Put each caller into the conference."""

    @phone.serve
    def take(call):
        try:
            call.answer(WAITING)
            call.wait_established()
            conference.join(call)
            for key in call.keys():
                if key == "0":
                    conference.end()
                if key == "*":
                    break
        finally:  # also when the caller hangs up
            conference.leave(call)


def tell(line):
    print(line)
    sys.stdout.flush()


if __name__ == "__main__":
    with sipbridge.Endpoint(sys.argv[1]) as endpoint:
        serve(endpoint, Conference(sys.argv[2], int(sys.argv[3]), tell))
        tell("takes calls at %s" % endpoint.uri)
        endpoint.wait_closed()
