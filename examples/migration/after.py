"""What before.c does, on sipbridge: takes calls, collects the keys that come by INFO, hangs up after "#", and prints
what each caller keyed in.

    python after.py 5060"""

from __future__ import absolute_import, division, print_function

import signal
import sys
import threading

import sipbridge
from sipbridge import payload, sdp

SDP = sdp.build("127.0.0.1", [sdp.medium("audio", 9, [payload.PCMU], "inactive")]).raw


def take(call):
    # type: (sipbridge.Call) -> None
    keys = []
    try:
        call.ring()
        call.answer(SDP)
        for key in call.keys():
            if key == "#":
                break
            keys.append(key)
    finally:  # also when the caller hangs up
        print("%s keyed in %s" % (call.remote_uri, "".join(keys) or "nothing"))
        sys.stdout.flush()


def main():
    # type: () -> None
    with sipbridge.Endpoint("udp://127.0.0.1:%d" % int(sys.argv[1])) as endpoint:
        endpoint.serve(take)
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=endpoint.drain, args=(8,)).start())
        endpoint.wait_closed()


if __name__ == "__main__":
    main()
