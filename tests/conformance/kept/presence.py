"""What the tests of subscriptions send and expect: presence (RFC 3856), and values of Event."""

from __future__ import absolute_import, division, print_function

PIDF = "application/pidf+xml"
OPEN = b'<?xml version="1.0"?>\r\n<presence entity="sip:bob@sipbridge.test"/>\r\n'
EVENT = ("Event", "presence")


def expires_of(seconds):
    return [("Expires", "%d" % seconds)]


#: Values of Event, and what they name.
EVENTS = [
    ("dialog; id=7", "dialog;id=7"),
    ("dialog \t;\tID = 7 ;x=y", "dialog;id=7"),
    ('dialog;x=";id=9";id=7', "dialog;id=7"),
    ("dialog;sla;ma", "dialog"),
    ('dialog;id="a;b"', 'dialog;id="a;b"'),
    ("dialog;id=" + 150 * "7", "dialog;id=" + 150 * "7"),
    ("dialog;x=" + 150 * "y" + ";id=7", "dialog;id=7"),
]
