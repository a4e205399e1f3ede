"""What the tests of transfers have in common."""

from __future__ import absolute_import, division, print_function

from conformance.sdp import ANSWER

FRAG = "message/sipfrag;version=2.0"
TARGET = "sip:carol@sipbridge.test"


def take_call(phone):
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    return call
