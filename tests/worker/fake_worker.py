"""A worker that does what none should. Started in place of an interpreter; its first argument says what to do."""

from __future__ import absolute_import, division, print_function

import socket
import struct
import sys
import time

from sipbridge._engine import protocol
from sipbridge._version import __version__

FACTS = {
    "protocol": protocol.VERSION,
    "sipbridge": __version__,
    "engine": "sofia",
    "library": "none",
    "types": {"1": "call-incoming", "2": "subscribe", "4": "unsubscribed"},
    "causes": {"0": "none"},
    "states": {},
}
EVENT = struct.Struct("!BBBBBHiiqqqqqIIIIIII")


def event(kind=1, subscription=0, lengths=(0,) * 7):
    return protocol.frame(protocol.EVENT, EVENT.pack(*(kind, 0, 0, 0, 0, 0, 0, 0, 1, 0, subscription, 0, 0) + lengths))


#: What is sent in place of a hello.
FIRST = {
    "version": protocol.hello(dict(FACTS, protocol=protocol.VERSION + 1)),
    "no-version": protocol.hello({}),
    "other-release": protocol.hello(dict(FACTS, sipbridge="0.0.9")),
    "no-names": protocol.hello({"protocol": protocol.VERSION}),
    "no-engine": protocol.hello(dict(FACTS, engine=None)),
    "deep": protocol.frame(protocol.HELLO, b"[" * 1000000),
    "no-command": protocol.hello(FACTS) + protocol.result(99, None),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "huge": struct.pack("!IB", 0xFFFFFFFF, protocol.HELLO),
    "kind": protocol.frame(99, b""),
    "no-json": protocol.frame(protocol.HELLO, b"\xff{"),
    "early-event": event(),
}

#: What is sent once the engine is open.
LATER = {
    "noise": bytes(bytearray(range(255, -1, -1))) * 8,
    "type": event(kind=77),
    "lengths": event(lengths=(0, 0, 0, 1 << 30, 0, 0, 0)),
    "short": protocol.frame(protocol.EVENT, b"\x01"),
    "result": protocol.frame(protocol.RESULT, b"\x00"),
    "deep-result": protocol.frame(protocol.RESULT, b"\x00\x00\x00\x01" + b"[" * 1000000),
    "failure": protocol.frame(protocol.FAILURE, b"\x00\x00\x00\x01" + b'["SystemExit","boo",0]'),
    "command": protocol.command(1, "open", ()),
}

#: What opening the engine returns.
OPENED = {"open-null": None, "open-text": ["x", []], "unshielded": [5060, ["there is no shield"]]}

#: The same, by a worker that dies of the next command: two subscriptions from outside, one of them over.
SUBSCRIPTIONS = event(2, 11) + event(2, 12) + event(4, 11)


def main(mode):
    connection = socket.fromfd(0, socket.AF_UNIX, socket.SOCK_STREAM)
    if mode == "exit":
        sys.exit(3)
    if mode in FIRST:
        connection.sendall(FIRST[mode])
        time.sleep(10)
    connection.sendall(protocol.hello(FACTS))
    opened = OPENED.get(mode, [5060, []])
    decoder = protocol.Decoder()
    while True:
        for kind, payload in decoder.feed(connection.recv(65536)):
            if kind == protocol.COMMAND:
                number, method, _ = protocol.parse_command(payload)
                if method == "probe":
                    sys.exit(1)
                connection.sendall(protocol.result(number, opened if method == "open" else None))
            elif mode == "subscriptions":
                connection.sendall(SUBSCRIPTIONS)
            elif mode in LATER:  # leave to send events comes when all is set up
                connection.sendall(LATER[mode])


if __name__ == "__main__":
    main(sys.argv[1])
