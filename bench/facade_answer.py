"""The same as bare_sofia.c on the facade: answers each call, and each MESSAGE, until SIGTERM.

python bench/facade_answer.py [--worker | --sidecar ADDRESS | --container IMAGE] [--wait] [--watched] [--flight] PORT

The engine runs in a process of its own, at a socket or in a container; each time that it was replaced a line tells the
seconds. At the end a line tells how long after its arrival the handler of a MESSAGE was called: microseconds, median.
With --wait each call rings, and its handler waits for two seconds before it answers.
With --flight it has a flight recorder, which writes nothing.
With --watched it logs at INFO to a file, which nobody keeps, and serves its metrics: on the port that a line tells.
"""

from __future__ import absolute_import, division, print_function

import argparse
import logging
import signal
import sys
import tempfile
import threading
import time
from collections import deque

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
    from sipbridge import logs, metrics

    log = tempfile.NamedTemporaryFile(mode="w", prefix="sipbridge-bench-", suffix=".log")
    handler = logs.BufferedHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    server = metrics.serve(phone, 0)
    print("metrics %d" % server.port)
    return server, log


class Messages(object):
    """Answers each MESSAGE, and knows how late the last ones came."""

    def __init__(self):
        self.seconds = deque(maxlen=2000)

    def answer(self, event):
        self.seconds.append(time.time() - event.time)
        event.answer()

    def median_us(self):
        return sorted(self.seconds)[len(self.seconds) // 2] * 1e6 if self.seconds else 0.0


def make_engine(options):
    """The engine, in the place that the options name."""
    unlimited = {"max_restarts": None, "backoff": 0.0}
    if options.sidecar:
        return sipbridge.Sidecar(options.sidecar, **unlimited)
    if options.container:
        return sipbridge.Container(options.container, network="host", **unlimited)
    return sipbridge.Worker(**unlimited) if options.worker else None


def main():
    parser = argparse.ArgumentParser()
    for name in ("--worker", "--wait", "--watched", "--flight"):
        parser.add_argument(name, action="store_true")
    for name in ("--sidecar", "--container", "port"):
        parser.add_argument(name)
    options = parser.parse_args()
    stopped, messages = threading.Event(), Messages()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    recorder = sipbridge.FlightRecorder(tempfile.mkdtemp(prefix="sipbridge-bench-")) if options.flight else None
    address = "udp://127.0.0.1:%s" % options.port
    with sipbridge.Endpoint(address, engine=make_engine(options), flight=recorder) as phone:
        phone.on(sipbridge.IncomingCall, answer_late if options.wait else answer)
        phone.on(sipbridge.MessageReceived, messages.answer)
        phone.on(sipbridge.EngineRestarted, tell)
        watching = watch(phone) if options.watched else ()  # noqa: F841
        print("ready")
        sys.stdout.flush()
        while not stopped.is_set():
            stopped.wait(3600)
    print("late %.1f" % messages.median_us())


if __name__ == "__main__":
    main()
