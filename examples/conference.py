"""A conference: who calls waits for a second one; then re-INVITEs move both calls to a mixer, and each that follows.

    python examples/conference.py udp://192.0.2.1:5060 192.0.2.20 7000

sipbridge carries no audio. The mixer does: a program of yours or a product, here at 192.0.2.20, with a place at each
second port from 7000 on. What it has to be told is printed. Who presses "*" leaves; "0" ends the conference for all.
Who is left alone stays at the mixer, and the next one joins there."""

from __future__ import absolute_import, division, print_function

import itertools
import sys
import threading

import sipbridge
from sipbridge import negotiation, payload, sdp

CODECS = [payload.PCMU, payload.PCMA]
SILENCE = [sdp.medium("audio", 9, CODECS, "inactive")]  # for who waits


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
            moves = [(each, self._place(each)) for each in self._waiting]
            self._waiting = []
        for each, port in moves:
            self._move(each, port)

    def _place(self, call):
        taken = self._places.values()
        self._places[call] = next(port for port in itertools.count(self._first, 2) if port not in taken)
        return self._places[call]

    def _move(self, call, port):
        """Offer a place at the mixer, and tell the mixer the answer.

        RFC 3264, 8: the o= of the call, one version on, and its media in their order, of which others are refused.
        """
        last = sdp.parse(call.local_sdp)
        media = [each.with_port(port).with_direction("sendrecv") if each in last.live else each for each in last.media]
        offer = sdp.build(self._host, media).following(last)
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


def waiting(offer):
    """What is answered to an offer; without one the offer is ours, and the answer comes with the ACK."""
    if offer is None:
        return sdp.build("127.0.0.1", SILENCE)
    return negotiation.answer(sdp.parse(offer), "127.0.0.1", SILENCE)


def serve(phone, conference):
    """Put each caller into the conference."""

    @phone.serve
    def take(call):
        answer = waiting(call.remote_sdp)
        if not answer.live:
            call.reject(488)  # no codec in common
            return
        try:
            call.answer(answer.raw)
            call.wait_established()
            conference.join(call)
            for key in call.keys():
                if key == "0":
                    conference.end()
                if key == "*":
                    break
        finally:  # also when the caller hangs up
            conference.leave(call)


telling = threading.Lock()


def tell(line):
    """Print a line whole, whoever else does."""
    with telling:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with sipbridge.Endpoint(sys.argv[1]) as endpoint:
        serve(endpoint, Conference(sys.argv[2], int(sys.argv[3]), tell))
        tell("takes calls at %s" % endpoint.uri)
        endpoint.wait_closed()
