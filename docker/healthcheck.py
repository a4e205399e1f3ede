"""Ask the service in this container for a sign of life. Exit 0 when its endpoint answers.

SIPBRIDGE_HEALTH says whom to ask: "host:port" of the endpoint (the default is 127.0.0.1:5060), or the URL of a page of
sipbridge.health, as "http://127.0.0.1:8060/ready".

An endpoint is sent a SIP request with a method of its own, over UDP. A thread for handlers answers it with 200: so it
went through socket, engine, event thread and pool, like a call. OPTIONS (RFC 3261, 11) would not, since the engine
alone answers them, and a 503 comes from the engine when nobody takes its events.
"""

from __future__ import absolute_import, division, print_function

import contextlib
import os
import socket
import sys
import uuid

#: As in sipbridge/_agent/table.py.
METHOD = "SIPBRIDGE-HEALTH"

ATTEMPTS = 3
WAIT = 1.0  # seconds for each attempt; Docker allows the whole check five


def question(host, port, local):
    """The request as octets."""
    token = uuid.uuid4().hex
    lines = (
        "%s sip:health@%s:%d SIP/2.0" % (METHOD, host, port),
        "Via: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK%s" % (local + (token,)),
        "Max-Forwards: 1",
        "From: <sip:health@%s:%d>;tag=%s" % (local + (token[:8],)),
        "To: <sip:health@%s:%d>" % (host, port),
        "Call-ID: %s@%s" % (token, local[0]),
        "CSeq: 1 %s" % METHOD,
        "Contact: <sip:health@%s:%d>" % local,
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def ask(host, port):
    """The status line of the answer, or None."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        peer.connect((host, port))
        peer.settimeout(WAIT)
        request = question(host, port, peer.getsockname())
        for _ in range(ATTEMPTS):
            peer.send(request)
            try:
                answer = peer.recv(65535)
            except socket.timeout:
                continue
            if answer.startswith(b"SIP/2.0 ") and not answer.startswith(b"SIP/2.0 1"):
                return answer.split(b"\r\n", 1)[0].decode("ascii", "replace")
    finally:
        peer.close()
    return None


def fetch(url):
    """Whether the page at a URL has the status 200, and its first line."""
    try:
        from urllib.request import ProxyHandler, build_opener
    except ImportError:  # Python 2
        from urllib2 import ProxyHandler, build_opener
    try:
        page = build_opener(ProxyHandler({})).open(url, timeout=ATTEMPTS * WAIT)
    except EnvironmentError as error:
        if not hasattr(error, "code"):  # it is no answer with an error for its status
            raise
        page = error
    with contextlib.closing(page):
        return page.getcode() == 200, page.read(4096).decode("utf-8", "replace").partition("\n")[0]


def check(whom):
    """Whether all is well there, and a line that tells what was asked and answered."""
    if whom.startswith("http://"):
        passed, said = fetch(whom)
        return passed, "%s: %s" % (whom, said)
    host, _, port = whom.rpartition(":")
    status = ask(host, int(port))
    passed = status is not None and status.startswith("SIP/2.0 2")
    return passed, "%s to %s: %s" % (METHOD, whom, status or "no answer")


def main():
    whom = os.environ.get("SIPBRIDGE_HEALTH", "127.0.0.1:5060")
    try:
        passed, told = check(whom)
    except (EnvironmentError, ValueError) as error:
        passed, told = False, "%s: %s" % (whom, error)
    print(told)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
