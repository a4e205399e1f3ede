"""Two peers by hand, and the phone that connects them."""

from __future__ import absolute_import, division, print_function

from conformance.sdp import ANSWER, OFFER
from sipbridge import sdp

SDP = [("Content-Type", "application/sdp")]


class Leg(object):
    """A peer by hand with its call to or from the phone.

    Attributes:
        peer: the ByHand.
        port: the phone's.
        invite: the INVITE, whoever sent it.
        placed: the phone sent it.
    """

    def __init__(self, peer, port):
        self.peer, self.port = peer, port
        self.invite = self.ours = self.theirs = None
        self.placed = True
        self._cseq = 10

    # -- the phone calls ---------------------------------------------------------------------------------------

    def ringing(self, status=180):
        """Take the INVITE, and ring. Returns the INVITE."""
        self.invite = self.peer.next("INVITE")
        self.ours, self.theirs = self.invite["To"] + ";tag=byhand%d" % self.peer.port, self.invite["From"]
        self.peer.reply(self.invite, status)
        return self.invite

    def answer(self, body):
        """Answer the INVITE with 200. The ACK is still to come."""
        self.peer.reply(self.invite, 200, SDP, body)

    def answered(self, body):
        """Take the INVITE, and answer it. Returns the ACK."""
        self.ringing()
        self.answer(body)
        return self.peer.next("ACK")

    # -- the peer calls ----------------------------------------------------------------------------------------

    def call(self, body=OFFER):
        """Send an INVITE."""
        self.placed = False
        self.invite = self.peer.request(self.port, "INVITE", SDP if body else (), body)
        self.ours = self.invite["From"]

    def taken(self, body=b""):
        """Take the 200, and send the ACK. Returns the 200."""
        response = self.peer.next("200")
        self.theirs = response["To"]
        self.peer.within(self.port, self.invite, self.theirs, "ACK", 1, SDP if body else (), body)
        return response

    # -- within the dialog ---------------------------------------------------------------------------------------

    def send(self, method, headers=(), body=b""):
        """Send a request. Returns it."""
        self._cseq += 1
        return self._within(method, self._cseq, headers, body)

    def _within(self, method, cseq, headers=(), body=b""):
        known = {"From": self.ours, "Call-ID": self.invite["Call-ID"]}
        return self.peer.within(self.port, known, self.theirs, method, cseq, headers, body)

    def reinvite(self, body):
        """Send a re-INVITE; with SDP in it unless the body is empty. Returns it."""
        return self.send("INVITE", SDP if body else (), body)

    def accepted(self, body=b""):
        """Take the 200 to a re-INVITE, and send the ACK. Returns the 200."""
        response = self.peer.next("200")
        self._within("ACK", int(response["CSeq"].split()[0]), SDP if body else (), body)
        return response

    def refused(self, invite, status):
        """Take the refusal of an INVITE, and send its ACK. Returns the refusal."""
        refusal = self.peer.next(str(status))
        self.peer.acknowledge(self.port, invite, refusal)
        return refusal

    def reinvited(self, body, status=200):
        """Take a re-INVITE, and answer it. Returns it."""
        request = self.peer.next("INVITE")
        self.peer.reply(request, status, SDP if body else (), body)
        return request

    def reply(self, request, status, headers=(), body=b""):
        self.peer.reply(request, status, headers, body)

    def ended(self):
        """Take the BYE, and answer it. Returns the value of its Reason."""
        bye = self.peer.next("BYE")
        self.peer.reply(bye, 200)
        return bye["Reason"]


def description(port, direction="sendrecv", session=7, version=1, media=1):
    """What a peer with this port says of its media."""
    lines = b"v=0\r\no=peer %d %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" % (session, version)
    one = b"m=audio %d RTP/AVP 0\r\na=%s\r\n" % (port, direction.encode("ascii"))
    return lines + one * media


def port_of(body):
    """The port of the first m= line."""
    return sdp.parse(body).media[0].port


def origin_of(body):
    return sdp.parse(body).origin


def bridged(phone, first, second):
    """Connect a caller that was answered with another peer. Returns the Bridge."""
    first.call(description(5000))
    caller = phone.wait("incoming sdp").call
    caller.answer(ANSWER)
    first.taken()
    caller.wait_established()
    bridge = phone.endpoint.begin_bridge(caller, second.peer.uri)
    second.ringing()
    second.answer(description(6000, session=9))
    first.reinvited(description(5000, version=2))
    first.peer.next("ACK")
    second.peer.next("ACK")
    bridge.wait_connected(10.0)
    return bridge
