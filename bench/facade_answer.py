"""The same as bare_sofia.c on the facade: answers each call, and each MESSAGE, until SIGTERM.

python bench/facade_answer.py [--worker] PORT

With --worker the engine runs in a process of its own; each time that it was replaced a line tells the seconds.
"""

from __future__ import absolute_import, division, print_function

import signal
import sys
import threading

import sipbridge

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


def tell(event):
    print("restarted %.3f" % event.seconds)
    sys.stdout.flush()


def main():
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    engine = sipbridge.Worker(max_restarts=None, backoff=0.0) if "--worker" in sys.argv else None
    with sipbridge.Endpoint("udp://127.0.0.1:%s" % sys.argv[-1], engine=engine) as phone:
        phone.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
        phone.on(sipbridge.MessageReceived, lambda event: event.answer())
        phone.on(sipbridge.EngineRestarted, tell)
        print("ready")
        sys.stdout.flush()
        while not stopped.is_set():
            stopped.wait(3600)


if __name__ == "__main__":
    main()
