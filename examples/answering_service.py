"""Answers calls with a menu by keys: 0 for the operator, 1 to be called back, "#" ends the number. Records each call.

    python examples/answering_service.py udp://192.0.2.1:5060 sip:operator@192.0.2.9 calls.csv"""

from __future__ import absolute_import, division, print_function

import csv
import sys

import sipbridge
from sipbridge import payload, sdp

SDP = sdp.build("127.0.0.1", [sdp.medium("audio", 9, [payload.PCMU, payload.PCMA], "inactive")]).raw


def serve(phone, operator, path):
    # type: (sipbridge.Endpoint, str, str) -> None
    @phone.serve
    def take(call):
        # type: (sipbridge.Call) -> None
        outcome = "nothing"
        try:
            call.answer(SDP)
            for key in call.keys(timeout=20):
                if key == "1":
                    outcome = "call back " + call.collect(terminator="#", timeout=10)
                elif key == "0" and call.transfer(operator, timeout=30).succeeded:
                    outcome = "transferred"
        except (sipbridge.ResponseError, sipbridge.TimeoutError) as error:
            outcome = "no operator: %s" % error
        finally:  # also when the caller hangs up
            with open(path, "a") as records:
                csv.writer(records).writerow([call.remote_uri, outcome, "%.0f s" % call.duration])


if __name__ == "__main__":
    with sipbridge.Endpoint(sys.argv[1]) as endpoint:
        serve(endpoint, *sys.argv[2:])
        endpoint.wait_closed()
