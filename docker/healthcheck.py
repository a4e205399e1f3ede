"""Ask the service in this container for a sign of life. Exit 0 when its endpoint answers.

The request has a method of its own, which the endpoint answers with 200 on the thread that takes its events: that shows
that the service hears of calls. OPTIONS (RFC 3261, 11) would not, since the engine alone answers them, and a 503 comes
from the engine when nobody takes its events. SIPBRIDGE_HEALTH names another address than 127.0.0.1:5060, as
"host:port".
"""

from __future__ import absolute_import, division, print_function

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


def main():
    host, _, port = os.environ.get("SIPBRIDGE_HEALTH", "127.0.0.1:5060").rpartition(":")
    try:
        status = ask(host, int(port))
    except (socket.error, ValueError) as error:
        print("%s to %s:%s: %s" % (METHOD, host, port, error))
        return 1
    print("%s to %s:%s: %s" % (METHOD, host, port, status or "no answer"))
    return 0 if status and status.startswith("SIP/2.0 2") else 1


if __name__ == "__main__":
    sys.exit(main())
