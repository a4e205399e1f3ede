"""The same as bare_sofia.c on the facade: answers each call, and each MESSAGE, until SIGTERM.

python bench/facade_answer.py [--worker] [--wait] [--watched] PORT

With --worker the engine runs in a process of its own; each time that it was replaced a line tells the seconds.
With --wait each call rings, and its handler waits for two seconds before it answers.
With --watched it logs at INFO to a file, which nobody keeps, and serves its metrics: on the port that a line tells.
"""

from __future__ import absolute_import, division, print_function

import logging
import signal
import sys
import tempfile
import threading
import time

import sipbridge

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"


def tell(event):
    print("restarted %.3f" % event.seconds)
    sys.stdout.flush()


def answer(event):
    event.call.answer(SDP)


def answer_late(event):
    event.call.ring()
    time.sleep(2.0)
    event.call.answer(SDP)


def watch(phone):
    from sipbridge import metrics

    log = tempfile.NamedTemporaryFile(prefix="sipbridge-bench-", suffix=".log")
    logging.basicConfig(filename=log.name, level=logging.INFO)
    server = metrics.serve(phone, 0)
    print("metrics %d" % server.port)
    return server, log


def main():
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    engine = sipbridge.Worker(max_restarts=None, backoff=0.0) if "--worker" in sys.argv else None
    with sipbridge.Endpoint("udp://127.0.0.1:%s" % sys.argv[-1], engine=engine) as phone:
        phone.on(sipbridge.IncomingCall, answer_late if "--wait" in sys.argv else answer)
        phone.on(sipbridge.MessageReceived, lambda event: event.answer())
        phone.on(sipbridge.EngineRestarted, tell)
        watching = watch(phone) if "--watched" in sys.argv else ()  # noqa: F841
        print("ready")
        sys.stdout.flush()
        while not stopped.is_set():
            stopped.wait(3600)


if __name__ == "__main__":
    main()
