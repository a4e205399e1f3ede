"""Process 1 of a container, run here: what it tells when its engine has died."""

from __future__ import absolute_import, division, print_function

import binascii
import json
import os
import subprocess
import sys

import pytest

from sipbridge._engine import flight, protocol

MARK = b"sixteen octets:\n"


class FirstProcess(object):
    """The process. What it writes is read frame by frame."""

    def __init__(self):
        settings = {"engine": "exosip", "beat": 0.5, "hang": 5.0, "crashes": False}
        settings["mark"] = binascii.hexlify(MARK).decode("ascii")
        environment = dict(os.environ, **{protocol.CONTAINER_VARIABLE: json.dumps(settings)})
        command = [sys.executable, "-m", "sipbridge", "engine", "stdio:"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._decoder = protocol.Decoder()

    def open(self, *arguments):
        """Open the engine. Returns its port."""
        self._process.stdin.write(protocol.command(1, u"open", (1 << 32,) + arguments))
        self._process.stdin.flush()
        while True:
            for kind, payload in self._decoder.feed(os.read(self._process.stdout.fileno(), 65536)):
                assert kind != protocol.FAILURE, payload
                if kind == protocol.RESULT:
                    return protocol.parse_result(payload)[1][0]

    def last_words(self):
        """The frames behind the mark."""
        words = self._process.communicate()[0].partition(MARK)[2]
        return list(protocol.Decoder().feed(words))

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate()


@pytest.mark.skipif("SIPBRIDGE_DOUBLE" not in os.environ, reason="only the double dies of what a test chooses")
@pytest.mark.parametrize("size", [0, 100000])
def test_the_message_that_killed_the_engine_is_told_to_a_flight_recorder(monkeypatch, by_hand, size):
    monkeypatch.setenv("EXOSIP_DOUBLE_DIE_OF", "X-Deadly: 1")
    process = FirstProcess()
    try:
        port = process.open([u"flight"], u"udp", u"127.0.0.1", 0, size)
        killer = by_hand.request(port, "OPTIONS", [("X-Deadly", "1")])
        found = process.last_words()
    finally:
        process.stop()
    assert found[0][0] == protocol.LAST_WORDS and "SIGSEGV" in protocol.parse_last_words(found[0][1])
    assert [kind for kind, _ in found[1:]] == ([protocol.FLIGHT] if size else [])
    records = [(each.outgoing, each.peer, each.data) for _, payload in found[1:] for each in flight.parse(payload)]
    assert records == ([(False, "127.0.0.1:%d" % by_hand.port, killer.octets)] if size else [])
