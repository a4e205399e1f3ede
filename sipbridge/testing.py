"""Endpoints in memory, for the unit tests of a service: no socket, no library, and time that the test moves.

>>> with testing.Network() as network:
...     service = network.endpoint("sip:service@example.com")
...     alice = network.endpoint("sip:alice@example.com")
...     call = alice.call("sip:service@example.com", testing.SDP)

See docs/testing.md. Fixtures for pytest are in :mod:`sipbridge.pytest_plugin`.
"""

from __future__ import absolute_import, division, print_function

from sipbridge._agent.network import Network

__all__ = ["SDP", "Network"]

#: A session description, for an offer or an answer: audio, PCMU and telephone-event.
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)  # type: bytes
