"""A service for the tests to kill: an endpoint with a worker, which answers calls.

    python service.py

It prints its port and its worker's process id, and then waits.
"""

from __future__ import absolute_import, division, print_function

import sys
import time

import sipbridge

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


def main():
    endpoint = sipbridge.Endpoint(engine=sipbridge.Worker())
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
    print(endpoint.port, endpoint._engine.pid)
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    main()
