"""How sipp's part of a call begins, in many of the flows."""

from __future__ import absolute_import, division, print_function

from conformance.sdp import ANSWER
from peers.scenario import Callee


def answering():
    """It is called and answers."""
    return Callee().recv("INVITE").reply(200, ANSWER).recv("ACK")
