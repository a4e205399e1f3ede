"""What events read of a message (sipbridge.events)."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge


@pytest.mark.parametrize(
    "content_type, body, key",
    [
        (u"application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        (u"Application/DTMF-Relay; x=y", b"Duration= 250\r\nSignal= *\r\n", "*"),
        (u"application/dtmf-relay", b"Signal=a\r\n", "A"),
        (u"application/dtmf", b"#", "#"),
        (u"application/dtmf", b"12", None),
        (u"application/dtmf-relay", b"Signal=15\r\n", None),
        (u"application/dtmf-relay", b"", None),
        (u"text/plain", b"Signal=5\r\n", None),
    ],
)
def test_dtmf_in_an_info(content_type, body, key):
    headers = sipbridge.Headers([("Content-Type", content_type)])
    assert sipbridge.InfoReceived(None, "INFO", headers, body, None).dtmf == key


def test_a_message_is_read_as_utf_8_whatever_it_holds():
    headers = sipbridge.Headers(u"From: <sip:a@b>;tag=1\nTo: sip:c@d\n")
    event = sipbridge.MessageReceived(None, "MESSAGE", headers, u"Gr\xfc\xdfe \U0001f44b".encode("utf-8"), None)
    assert event.text == u"Gr\xfc\xdfe \U0001f44b"
    assert (event.from_uri, event.to_uri) == (u"sip:a@b", u"sip:c@d")
    assert event._replace(body=b"\xff").text == u"\ufffd"


def test_events_are_immutable():
    event = sipbridge.TraceMessage(True, "127.0.0.1:5060", b"", 0.0)
    with pytest.raises(AttributeError):
        event.peer = "x"
