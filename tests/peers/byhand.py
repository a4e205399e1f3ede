"""A SIP peer by hand: a UDP socket that sends what a test tells it to, word for word, and repeats nothing."""

from __future__ import absolute_import, division, print_function

import itertools
import re
import select
import socket
import time

from peers.ports import HOST
from peers.wire import Message

_REASONS = {180: "Ringing", 200: "OK", 401: "Unauthorized", 486: "Busy Here", 487: "Request Terminated"}


class ByHand(object):
    """The peer.

    Args:
        host: its address.

    Attributes:
        uri: its address of record and Contact.
        host, port: its UDP address.
        waiting: messages that came and were not asked for yet.
        source: host and port that the last message came from, or None.
        symmetric: True to answer to where a request came from, with received and rport filled in, and to ask for the
            same (RFC 3581).
        stateless: True to take a repeated request for a new one (RFC 3261, 8.2.7).
    """

    def __init__(self, host=HOST):
        self.host = host
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.port = self._socket.getsockname()[1]
        self.uri = "sip:peer@%s:%d" % (host, self.port)
        self._numbers = itertools.count(1)
        self._seen = set()
        self.waiting = []
        self.source = None
        self.symmetric = False
        self.stateless = False

    def stop(self):
        self._socket.close()

    # -- receiving -----------------------------------------------------------------------------------------

    def next(self, *names):
        """The next message of one of these names ("INVITE", "200") that is no repetition, within 10 s.

        Others are kept for later.
        """
        deadline = time.time() + 10.0
        while True:
            for message in self.waiting:
                if message.name in names:
                    self.waiting.remove(message)
                    return message
            self._receive(names, deadline)

    def take(self, seconds):
        """The next message of any name that is no repetition, or None when there is none in that time."""
        deadline = time.time() + seconds
        while not self.waiting and time.time() < deadline:
            self._receive_until(deadline)
        return self.waiting.pop(0) if self.waiting else None

    def _receive(self, names, deadline):
        if time.time() >= deadline:
            raise AssertionError("no %s came, but %r" % (" or ".join(names), self.waiting))
        self._receive_until(deadline)

    def _receive_until(self, deadline):
        # Not the socket's own timeout: another thread may be sending.
        if not select.select([self._socket], [], [], max(0.0, deadline - time.time()))[0]:
            return
        octets, self.source = self._socket.recvfrom(65536)
        message = Message(octets, True)
        message.source = self.source
        key = (message.start_line, tuple(message.get_all("Via")), tuple(message.get_all("CSeq")))
        if key not in self._seen or (self.stateless and message.is_request):
            self._seen.add(key)
            self.waiting.append(message)

    # -- sending -------------------------------------------------------------------------------------------

    def send(self, port, octets):
        """Send a datagram to that port of 127.0.0.1."""
        self._socket.sendto(octets, (HOST, port))

    def reply(self, request, status, headers=(), body=b"", tag=None):
        """Answer a request; ``tag`` is of the phone behind this peer that does, None for the usual one."""
        tag = tag or "byhand%d" % self.port
        to = request["To"] if "tag=" in request["To"] else request["To"] + ";tag=" + tag
        vias = request.get_all("Via")
        port = _port_of(vias[0])
        if self.symmetric:
            vias[0], port = _filled_in(vias[0], request.source), request.source[1]
        fields = [("Via", via) for via in vias] + [("From", request["From"]), ("To", to)]
        fields += [("Call-ID", request["Call-ID"]), ("CSeq", request["CSeq"]), ("Contact", "<%s>" % self.uri)]
        line = "SIP/2.0 %d %s" % (status, _REASONS.get(status, "Because"))
        self.send(port, _octets(line, fields + list(headers), body))

    def request(self, port, method, headers=(), body=b"", call_id=None, tag=None):
        """Send a request that begins something; Call-ID and the tag of From are new ones where none is given.

        Returns the message.
        """
        number = next(self._numbers)
        target = "sip:engine@%s:%d" % (HOST, port)
        fields = [("Via", self._via(number))]
        fields += [("From", "<%s>;tag=%s" % (self.uri, tag or "ours%d" % number)), ("To", "<%s>" % target)]
        fields += [("Call-ID", call_id or "%d-%d" % (self.port, number)), ("CSeq", "1 " + method)]
        return self._request(port, "%s %s SIP/2.0" % (method, target), fields, headers, body)

    def cancel(self, port, invite):
        """Send the CANCEL of our INVITE, which goes in its transaction (RFC 3261, 9.1)."""
        fields = [(name, invite[name]) for name in ("Via", "From", "To", "Call-ID")]
        fields += [("CSeq", invite["CSeq"].replace("INVITE", "CANCEL")), ("Max-Forwards", "70")]
        self.send(port, _octets(invite.start_line.replace("INVITE", "CANCEL", 1), fields, b""))

    def acknowledge(self, port, invite, refusal):
        """Send the ACK for the refusal of our INVITE, which goes in its transaction (RFC 3261, 17.1.1.3)."""
        fields = [(name, invite[name]) for name in ("Via", "From", "Call-ID")] + [("To", refusal["To"])]
        fields += [("CSeq", invite["CSeq"].replace("INVITE", "ACK")), ("Max-Forwards", "70")]
        self.send(port, _octets(invite.start_line.replace("INVITE", "ACK", 1), fields, b""))

    def within(self, port, invite, to, method, cseq, headers=(), body=b""):
        """Send a request within the dialog that our INVITE and the answer's To began. Returns the message."""
        fields = [("Via", self._via(next(self._numbers))), ("From", invite["From"]), ("To", to)]
        fields += [("Call-ID", invite["Call-ID"]), ("CSeq", "%d %s" % (cseq, method))]
        line = "%s sip:engine@%s:%d SIP/2.0" % (method, HOST, port)
        return self._request(port, line, fields, headers, body)

    def _via(self, number):
        rport = ";rport" if self.symmetric else ""
        return "SIP/2.0/UDP %s:%d%s;branch=z9hG4bK%d.%d" % (self.host, self.port, rport, self.port, number)

    def _request(self, port, line, fields, headers, body):
        fields += [("Max-Forwards", "70"), ("Contact", "<%s>" % self.uri)] + list(headers)
        octets = _octets(line, fields, body)
        self.send(port, octets)
        return Message(octets, False)


def _octets(line, fields, body):
    lines = [line] + ["%s: %s" % field for field in fields] + ["Content-Length: %d" % len(body), "", ""]
    return "\r\n".join(lines).encode("utf-8") + body


def _filled_in(via, source):
    """A Via with what a server adds that saw where the request came from."""
    filled = re.sub(r";rport(?=;|$)", ";received=%s;rport=%d" % source, via)
    if filled == via:
        raise AssertionError("no rport in %r" % (via,))
    return filled


def _port_of(via):
    """The port in a Via that an engine on 127.0.0.1 wrote."""
    return int(via.split(";")[0].rsplit(":", 1)[1])
