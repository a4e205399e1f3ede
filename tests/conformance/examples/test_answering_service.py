"""examples/answering_service.py as a program, called from another process."""

from __future__ import absolute_import, division, print_function

import os
import sys

import sipbridge
from peers.ports import free_port
from peers.process import Process
from sipbridge import testing

PROGRAM = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples", "answering_service.py"
)


def test_a_caller_is_transferred_another_leaves_a_number(starter, sip_loopback):
    """The loopback's endpoint is the operator, its peer calls."""
    operator, caller = sip_loopback
    operator.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    caller.on(sipbridge.TransferRequested, lambda event: event.accept(testing.SDP))
    folder, port = starter.folder(), free_port()
    records = os.path.join(folder, "calls.csv")
    command = [sys.executable, PROGRAM, "udp://127.0.0.1:%d" % port, operator.uri, records]
    process = starter.keep("answering service", Process(command, folder, "service"))
    process.report = process.output
    uri = "sip:127.0.0.1:%d" % port
    while True:
        try:
            call = caller.call(uri, testing.SDP, timeout=5.0)
            break
        except (sipbridge.PeerUnreachable, sipbridge.TimeoutError, sipbridge.ResponseError):  # it has not begun
            assert process.wait(0.05) is None, process.output()
    call.send_dtmf("14711#0")
    assert call.wait_ended().cause == "remote-bye"
    assert [each.remote_uri for each in caller.calls] == [operator.uri]
    assert process.wait(0.05) is None, process.output()
    with open(records) as stream:
        sender, outcome, _ = stream.read().strip().split(",")
    assert (sender, outcome) == ("sip:peer@example.com", "transferred")
