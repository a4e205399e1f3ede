"""A call between the phone under test and a peer by hand, to be disturbed; from whichever side it was placed."""

from __future__ import absolute_import, division, print_function

import time

from conformance.sdp import ANSWER, OFFER

SDP = [("Content-Type", "application/sdp")]


class Dialog(object):
    """A call that is up.

    Attributes:
        call: the phone's Call.
        invite: the INVITE, whoever sent it.
        ours: what the peer writes in From, with its tag; ``theirs``: in To, with the phone's tag.
        known: the From and Call-ID of the peer's requests, as ``ByHand.within`` wants them.
    """

    def __init__(self, phone, peer, placed):
        self.phone, self.peer, self.port, self.placed = phone, peer, phone.endpoint.port, placed
        (self._place if placed else self._take)()
        self.known = {"From": self.ours, "Call-ID": self.invite["Call-ID"]}
        self.call.wait_established()

    def _take(self):
        """The peer calls, the phone answers."""
        self.invite = self.peer.request(self.port, "INVITE", SDP, OFFER)
        self.call = self.phone.wait("incoming sdp").call
        self.call.answer(ANSWER)
        self.ours, self.theirs = self.invite["From"], self.peer.next("200")["To"]
        self.peer.within(self.port, self.invite, self.theirs, "ACK", 1)

    def _place(self):
        """The phone calls, the peer answers."""
        self.call = self.phone.endpoint.invite(self.peer.uri, OFFER)
        self.invite = self.peer.next("INVITE")
        self.peer.reply(self.invite, 200, SDP, ANSWER)
        ack = self.peer.next("ACK")
        self.ours, self.theirs = ack["To"], ack["From"]

    # -- disturbing it ---------------------------------------------------------------------------------------

    def lines(self, method, sender=None, **changed):
        """The octets of a request within the dialog; ``changed`` overrides some fields, None leaves one out."""
        sender = sender or self.peer
        fields = {
            "Via": "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKx%d%s" % (sender.port, sender.port, method),
            "From": self.ours,
            "To": self.theirs,
            "Call_ID": self.invite["Call-ID"],
            "CSeq": "7 " + method,
            "Content_Length": "0",
        }
        fields.update(changed)
        lines = ["%s sip:engine@127.0.0.1:%d SIP/2.0" % (method, self.port)]
        lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in fields.items() if value is not None]
        return "\r\n".join(lines + ["Max-Forwards: 70", "", ""]).encode("ascii")

    def send(self, method, sender=None, **changed):
        (sender or self.peer).send(self.port, self.lines(method, sender, **changed))

    def within(self, method, cseq, headers=(), body=b""):
        """Send a request as it should be."""
        return self.peer.within(self.port, self.known, self.theirs, method, cseq, headers, body)

    # -- what is left of it ----------------------------------------------------------------------------------

    def works(self):
        """The endpoint does what it should, and the call, where it is left, ends when told to."""
        is_working(self.phone, self.peer)
        self.call.hangup()
        deadline = time.time() + 10.0
        while self.call.ended is None and time.time() < deadline:
            message = self.peer.take(0.1)
            if message is not None and message.name == "BYE":
                self.peer.reply(message, 200)
        assert self.phone.endpoint.calls == ()

    def is_alive(self, cseq=200):
        """The call is up, and the endpoint does what it should."""
        assert any(self._is_answered(cseq + number) for number in range(10))
        assert (self.call.state, self.phone.endpoint.calls) == ("established", (self.call,))
        self.call.hangup()
        self.peer.reply(self.peer.next("BYE"), 200)
        assert self.call.wait_ended().cause == "local-bye"
        assert self.phone.endpoint.calls == ()

    def _is_answered(self, cseq):
        """Whether an INFO is answered; in a storm it may be lost."""
        self.within("INFO", cseq)
        deadline = time.time() + 1.0
        while time.time() < deadline:
            message = self.peer.take(0.1)
            if message is not None and not message.is_request and message.get_all("CSeq") == ["%d INFO" % cseq]:
                return True
        return False


def is_working(phone, peer):
    """A call goes through, from its INVITE to its BYE, and leaves nothing behind."""
    before = set(phone.endpoint.calls)
    invite, call = _placed(phone, peer)
    call.answer(ANSWER)
    while True:
        answer = peer.next("200")
        if answer["Call-ID"] == invite["Call-ID"]:
            break
    peer.within(phone.endpoint.port, invite, answer["To"], "ACK", 1)
    call.wait_established()
    peer.within(phone.endpoint.port, invite, answer["To"], "BYE", 2)
    assert call.wait_ended().cause == "remote-bye"
    assert set(phone.endpoint.calls) <= before


def _placed(phone, peer):
    """An INVITE that arrived, and its Call. One that was lost in a storm, or refused for it, is followed by another."""
    for _ in range(10):
        invite = peer.request(phone.endpoint.port, "INVITE", SDP, OFFER)
        deadline = time.time() + 1.0
        while time.time() < deadline:
            for call in phone.endpoint.calls:
                if call.call_id == invite["Call-ID"]:
                    return invite, call
            time.sleep(0.005)
        peer.cancel(phone.endpoint.port, invite)
    raise AssertionError("the endpoint takes no call any more: %r" % (phone.labels[-5:],))
