"""A service for the tests to kill: an endpoint with a worker, which answers calls.

    python service.py [--child] [--python PATH]

It prints its port and its worker's process id, and then waits. With --child it has a child that was forked after the
worker was started, and holds all that it holds; the child's process id is printed as well. PATH is the worker's
interpreter.
"""

from __future__ import absolute_import, division, print_function

import argparse
import os
import sys
import time

import sipbridge

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", action="store_true")
    parser.add_argument("--python")
    options = parser.parse_args()
    endpoint = sipbridge.Endpoint(engine=sipbridge.Worker(hang_timeout=2.0, python=options.python))
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
    child = os.fork() if options.child else 0
    if options.child and not child:
        time.sleep(30)
        os._exit(0)
    print(endpoint.port, endpoint._engine.pid, child)
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    main()
