"""Calls somebody and records what they say into a WAV file, until they hang up. It takes ffmpeg.

    python examples/recorder.py sip:announcement@192.0.2.1 heard.wav

It offers one codec, at a port that ffmpeg listens on before the call is placed, so that nothing is missed.
"""

from __future__ import absolute_import, division, print_function

import sys

import rtp

import sipbridge
from sipbridge import sdp
from sipbridge.commands import local_address


def record(phone, to, path, longest=3600.0):
    """Place the call, record at most ``longest`` seconds; returns why it ended."""
    host = rtp.host_of(phone)
    audio = sdp.medium("audio", rtp.free_port(host), rtp.CODECS[:1], "recvonly")
    offer = sdp.build(host, [audio])
    recording = rtp.record(offer, path)
    try:
        call = phone.call(to, offer.raw)
        try:
            return call.wait_ended(longest).cause
        except sipbridge.TimeoutError:
            call.hangup()
            return call.wait_ended().cause
    finally:
        recording.stop()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    to, path = sys.argv[1:]
    with sipbridge.Endpoint(local_address(to)) as phone:
        print("over: %s" % record(phone, to, path))


if __name__ == "__main__":
    main()
