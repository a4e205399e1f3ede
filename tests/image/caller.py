"""Runs in a container: calls a service, keys in digits, prints what the service makes of them.

python2.7 - sip:ADDRESS KEYS [KEYS...] one call after the other, each "KEYS" ended by "#"
python2.7 - sip:ADDRESS hold           one call that is not hung up here; prints how it ends
"""

from __future__ import absolute_import, division, print_function

import sys

import sipbridge

SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
TIMEOUT = 60.0  # seconds; a breakpoint may hold the other side for a while


def say(*words):
    print(*words)
    sys.stdout.flush()


def key_in(call, keys):
    """Send the keys and "#"; the answer to that."""
    for key in keys + "#":
        body = ("Signal=%s\r\nDuration=160\r\n" % key).encode("ascii")
        response = call.info(body, "application/dtmf-relay", timeout=TIMEOUT)
    return response.body.decode("ascii")


def main():
    peer, keys = sys.argv[1], sys.argv[2:]
    with sipbridge.Endpoint("udp://0.0.0.0:5070") as endpoint:
        if keys == ["hold"]:
            call = endpoint.call(peer, sdp=SDP, timeout=TIMEOUT)
            say("established")
            say("ended:", call.wait_ended(TIMEOUT).cause)
            return
        for word in keys:
            call = endpoint.call(peer, sdp=SDP, timeout=TIMEOUT)
            say("keyed in %s, service has %s" % (word, key_in(call, word)))
            call.hangup()
            call.wait_ended(TIMEOUT)


main()
