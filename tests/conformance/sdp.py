"""Session descriptions for the flows; engines pass them through octet for octet."""

from __future__ import absolute_import, division, print_function


def _sdp(port, direction="sendrecv"):
    text = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio %d RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n"
    )
    return (text % (port, direction)).encode("ascii")


OFFER = _sdp(4000)
EARLY = _sdp(4002)
ANSWER = _sdp(4004)
HOLD = _sdp(4000, "sendonly")
HELD = _sdp(4004, "recvonly")
RESUME = _sdp(4006)
RESUMED = _sdp(4008)
