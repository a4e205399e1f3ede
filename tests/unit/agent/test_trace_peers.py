"""Where the messages of a trace came from (sipbridge._agent.trace_peers)."""

from __future__ import absolute_import, division, print_function

from sipbridge._agent.trace_peers import Peers
from sipbridge.events import TraceMessage


def test_a_response_without_a_peer_came_from_where_its_request_went():
    peers = Peers()

    def passed(outgoing, peer, start, branch):
        head = u"%s\r\nv: SIP/2.0/UDP here;rport ;Branch=%s, SIP/2.0/UDP there;branch=z2\r\n\r\n"
        data = (head % (start, branch)).encode("ascii")
        return peers.completed(TraceMessage(outgoing, peer, data, 1.0)).peer

    assert passed(True, "192.0.2.7:5060", u"INVITE sip:b@c SIP/2.0", u"z1") == "192.0.2.7:5060"
    assert passed(False, "", u"SIP/2.0 180 Ringing", u"z1") == "192.0.2.7:5060"
    assert passed(False, "192.0.2.8:5060", u"SIP/2.0 200 OK", u"z1") == "192.0.2.8:5060"
    assert passed(False, "", u"SIP/2.0 200 OK", u"z2") == ""
    assert passed(True, "192.0.2.9:5060", u"SIP/2.0 200 OK", u"z2") == "192.0.2.9:5060"
    assert passed(False, "", u"SIP/2.0 200 OK", u"z2") == ""
    for number in range(20000):
        passed(True, "192.0.2.7:5060", u"OPTIONS sip:b@c SIP/2.0", u"y%d" % number)
    assert passed(False, "", u"SIP/2.0 180 Ringing", u"z1") == ""
    assert peers.completed(TraceMessage(False, "", b"\xff", 1.0)).peer == ""
