"""Odd header values at an engine in the driver, in whole flows: what it asks is answered, what it answers goes on."""

from __future__ import absolute_import, division, print_function

import re
import select
import socket
import time

from memory import odd_values

_OWN = ("via", "from", "to", "call-id", "cseq")

#: Requests between two questions whether it is still there, and of one engine: it keeps each for half a minute.
_BATCH, _ENGINE = 25, 500


def _parse(octets):
    """(start line, header lines by name in lower case) of a message."""
    head = octets.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    fields = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    return head[0], fields


class Peer(object):
    """A socket that sends odd requests and plays along with whatever comes of them.

    Attributes:
        odd: a header field and its value, in the answers to requests; None for none.
        hangs_up: whether a call that is taken is ended at once.
        taken: the header fields of the last 200 to an INVITE.
        answered: the Call-IDs that a final response came to.
    """

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.uri = "sip:peer@127.0.0.1:%d" % self.port
        self.odd = None
        self.hangs_up, self.taken = True, None
        self.answered = set()

    def stop(self):
        self._socket.close()

    def send(self, port, octets):
        self._socket.sendto(octets, ("127.0.0.1", port))

    def play(self, port, seconds):
        """Take what is there, or comes within that time."""
        while select.select([self._socket], [], [], seconds)[0]:
            seconds = 0
            start, fields = _parse(self._socket.recv(65536))
            if not all(name in fields for name in _OWN):
                continue
            if start.startswith("SIP/2.0 "):
                self._follow(port, int(start.split()[1]), fields)
            elif not start.startswith("ACK "):
                self.send(port, self._answer(fields))

    def _follow(self, port, status, fields):
        """After a final response: an ACK to that of an INVITE, and in a call that was taken a BYE."""
        number, method = fields["cseq"][0].split(None, 1)
        if status < 200:
            return
        self.answered.add(fields["call-id"][0])
        if method == "INVITE":
            self.send(port, self.within("ACK", number, fields))
            if status < 300:
                self.taken = fields
            if status < 300 and self.hangs_up:
                self.send(port, self.within("BYE", "9", fields))

    def within(self, method, number, fields, more=()):
        """A request in the dialog that the fields are of, with more header fields."""
        via = re.sub("branch=[^;]*", "branch=z9hG4bK%s%d" % (method, time.time() * 1e6), fields["via"][0])
        pairs = [("Via", via)] + [(name, fields[name][0]) for name in ("from", "to", "call-id")]
        pairs += [("CSeq", "%s %s" % (number, method))] + list(more)
        return self._message("%s sip:service@127.0.0.1 SIP/2.0" % method, pairs)

    def _answer(self, fields):
        pairs = [("Via", value) for value in fields["via"]]
        pairs += [(name, fields[name][0]) for name in ("from", "call-id", "cseq")]
        pairs.append(("To", fields["to"][0] + ("" if "tag=" in fields["to"][0] else ";tag=peer")))
        pairs += [("Contact", "<%s>" % self.uri), ("Expires", "60"), ("Supported", "timer"), ("SIP-ETag", "one")]
        return self._message("SIP/2.0 200 OK", pairs, self.odd)

    def _message(self, start, pairs, odd=None):
        pairs = pairs + [("Content-Length", "0")]
        text = odd_values.lines(pairs, *odd) if odd is not None else "".join("%s: %s\r\n" % pair for pair in pairs)
        return (start + "\r\n" + text + "\r\n").encode("latin-1")


class Sweep(object):
    """An engine of the driver's, and a peer.

    Attributes:
        sent: how many odd messages it was sent.
    """

    def __init__(self, driver):
        self._driver, self._lib = driver, driver.lib
        self._peer = Peer()
        self.sent = 0
        self._call = 0  # the last that came in
        self._open()

    def _open(self):
        self._engine = self._driver.open()
        self._port = self._lib.sb_port(self._engine)

    def close(self):
        assert self._lib.sb_close(self._engine, 0) == 0
        self._peer.stop()

    def messages(self, make):
        """Send what a function makes of the peer's port, as cves.py has them."""
        for octets, _ in make(self._peer.port):
            self._peer.send(self._port, octets)
            self._ask()

    def call_with(self, method, contact):
        """A call in which the peer sends a request with that Contact, and which the engine ends."""
        self.sent += 1
        self._peer.hangs_up, self._peer.taken = False, None
        octets = odd_values.request("INVITE", "Content-Type", "application/sdp", self.sent, self._peer.port)
        self._peer.send(self._port, octets)
        deadline = time.time() + 20.0
        while self._peer.taken is None:
            assert time.time() < deadline, "it does not answer a call"
            self._ask()
        self._peer.send(self._port, self._peer.within(method, "2", self._peer.taken, [("Contact", contact)]))
        self._ask()
        assert self._lib.sb_call_hangup(self._engine, self._call, None) == 0
        self._ask()

    def requests(self, cases):
        """Send one for each (method, header, value)."""
        for method, header, value in cases:
            self.sent += 1
            self._peer.send(self._port, odd_values.request(method, header, value, self.sent, self._peer.port))
            if self.sent % _BATCH == 0:
                self._ask()
            if self.sent % _ENGINE == 0:
                self._lib.sb_close(self._engine, 0)
                self._open()
        self._ask()

    def responses(self, pairs):
        """Let it ask something, and answer with each (header, value)."""
        for header, value in pairs:
            self.sent += 1
            self._peer.odd = header, value
            self._begin(self.sent % 5)
            self._ask()
            if self.sent % (_ENGINE // 5) == 0:
                self._lib.sb_close(self._engine, 0)
                self._open()

    def _begin(self, what):
        uri = self._peer.uri
        if what == 0:
            self._driver.call(self._engine, uri, headers=())
        elif what == 1:
            self._driver.register(self._engine, uri, uri)
        elif what == 2:
            self._driver.subscribe(self._engine, uri)
        elif what == 3:
            self._driver.publish(self._engine, uri)
        else:
            self._driver.request(self._engine, "OPTIONS", uri)

    def _ask(self):
        """Play along until it answers an OPTIONS: then all before that is done with."""
        call_id = "odd-ask%d-%d" % (self.sent, self._peer.port)
        octets = odd_values.request("OPTIONS", "Call-ID", call_id, -self.sent, self._peer.port)
        deadline = time.time() + 20.0
        while call_id not in self._peer.answered:
            assert time.time() < deadline, "it answers no more, after %d" % self.sent
            self._peer.send(self._port, octets)
            again = time.time() + 1.0
            while call_id not in self._peer.answered and time.time() < again:
                self._peer.play(self._port, 0.02)
                self._react()
        self._peer.answered.clear()

    def _react(self):
        """Take every event, and do what an application does."""
        lib, engine = self._lib, self._engine
        event = self._driver.wait(engine, 0)
        while event != 0:
            if event.type == lib.SB_EV_CALL_INCOMING:
                self._call = event.call
                lib.sb_call_answer(engine, event.call, "+")
            elif event.type == lib.SB_EV_CALL_ANSWERED:
                lib.sb_call_ack(engine, event.call, None)
                lib.sb_call_hangup(engine, event.call, None)
            elif event.type in (lib.SB_EV_REQUEST, lib.SB_EV_CALL_REQUEST):
                lib.sb_answer(engine, event.transaction, 200, "OK", None)
            elif event.type == lib.SB_EV_SUBSCRIBE:
                lib.sb_subscription_accept(engine, event.subscription, 200, 60)
                lib.sb_notify(engine, event.subscription, "active;expires=60", "+")
            event = self._driver.wait(engine, 0)
