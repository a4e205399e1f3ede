"""200 calls within one second to a service whose handlers each ring and then wait for two seconds: when each caller
hears what.

python bench/run.py --only waiting
"""

import os
import select
import socket
import sys
import time

from common import HERE, ROOT, Answerer, engines, note

CALLS, SECONDS = 200, 1.0  # so many calls, begun within so many seconds
LIMIT = 32.0  # seconds after which a caller gives up (64*T1, RFC 3261, 17.1.1.2)
T1 = 0.5

_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class Call:
    """One caller.

    Attributes:
        heard: seconds until the first response of each status.
    """

    def __init__(self, number, own, port):
        self.number, self._own, self._port = number, own, port
        self.began = self._again_at = 0.0
        self._interval = T1
        self.heard = {}

    def _request(self, method, cseq, to_tag="", body=""):
        own, number = self._own, self.number
        lines = [
            "%s sip:bench@127.0.0.1:%d SIP/2.0" % (method, self._port),
            "Via: SIP/2.0/UDP %s;branch=z9hG4bKw%d%s%d" % (own, number, method, cseq),
            "From: <sip:waiting@%s>;tag=w%d" % (own, number),
            "To: <sip:bench@127.0.0.1:%d>%s" % (self._port, to_tag),
            "Call-ID: w%d@%s" % (number, own),
            "CSeq: %d %s" % (cseq, method),
            "Contact: <sip:waiting@%s>" % own,
            "Max-Forwards: 70",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        return "\r\n".join(lines + ["Content-Length: %d" % len(body), "", body]).encode("ascii")

    def invite(self, now):
        """The INVITE, for the first time or again."""
        self.began = self.began or now
        self._again_at = now + self._interval
        self._interval *= 2
        return self._request("INVITE", 1, body=_SDP)

    def is_silent(self, now):
        """Whether the INVITE is due again, since nothing was heard (RFC 3261, 17.1.1.2)."""
        return self.began > 0 and not self.heard and now >= self._again_at

    @property
    def is_over(self):
        return any(status >= 200 for status in self.heard)

    def take(self, response, now):
        """Note a response to the INVITE. Returns what is to be sent for it."""
        lines = response.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        if not any(line.lower().replace(" ", "") == "cseq:1invite" for line in lines):
            return []
        self.heard.setdefault(status, now - self.began)
        if status < 200:
            return []
        to = [line for line in lines if line.lower().startswith("to:")][0]
        tag = to[to.index(";tag=") :] if ";tag=" in to else ""
        ack = self._request("ACK", 1, tag)
        if status >= 300:  # it goes in the transaction of the INVITE
            return [ack.replace(b"ACK1\r\n", b"INVITE1\r\n", 1)]
        return [ack, self._request("BYE", 2, tag)]


class Callers:
    """All of them, on one socket."""

    def __init__(self, port):
        self._to = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        own = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self.calls = [Call(number, own, port) for number in range(CALLS)]

    def run(self):
        began = time.monotonic()
        begun = 0
        while time.monotonic() < began + LIMIT and not all(call.is_over for call in self.calls):
            now = time.monotonic()
            while begun < CALLS and now >= began + SECONDS * begun / CALLS:
                self._socket.sendto(self.calls[begun].invite(now), self._to)
                begun += 1
            for call in self.calls:
                if call.is_silent(now):
                    self._socket.sendto(call.invite(now), self._to)
            if select.select([self._socket], [], [], 0.002)[0]:
                self._receive()
        self._socket.close()

    def _receive(self):
        response = self._socket.recv(65536)
        now = time.monotonic()
        if not response.startswith(b"SIP/2.0 "):
            return
        number = response.partition(b"Call-ID: w")[2].partition(b"@")[0]
        for octets in self.calls[int(number)].take(response, now) if number.isdigit() else ():
            self._socket.sendto(octets, self._to)


def _longest(calls, status):
    """Milliseconds until the last of the callers had that; "-" where none has it."""
    times = [call.heard[status] for call in calls if status in call.heard]
    return round(1000 * max(times), 1) if times else "-"


def _measured(engine):
    from sipbridge import shield

    variables = dict(os.environ, SIPBRIDGE_ENGINE=engine, PYTHONPATH=os.environ.get("PYTHONPATH", str(ROOT)))
    if engine == "exosip":  # with its limits, as in the image
        variables = shield.environment(variables)
    command = [sys.executable, str(HERE / "facade_answer.py"), "--wait"]
    answerer = Answerer("facade " + engine, engine, command, variables)
    try:
        note("%s: %d calls within %g s, each of whose handlers waits" % (answerer.name, CALLS, SECONDS))
        callers = Callers(answerer.port)
        callers.run()
    finally:
        answerer.stop()
    calls = callers.calls
    return {
        "name": answerer.name,
        "calls": len(calls),
        "answered": sum(200 in call.heard for call in calls),
        "refused_503": sum(503 in call.heard for call in calls),
        "failed": sum(not call.is_over for call in calls),
        "longest_ms_to_any": round(1000 * max(min(call.heard.values(), default=LIMIT) for call in calls), 1),
        "longest_ms_to_100": _longest(calls, 100),
        "longest_ms_to_180": _longest(calls, 180),
        "longest_ms_to_200": _longest(calls, 200),
    }


def measure(arguments):
    return {"waiting": [_measured(engine) for engine in engines()]}
