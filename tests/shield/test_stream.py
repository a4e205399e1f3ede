"""Messages on a stream (RFC 3261, 18.3): cut where they end, and each of them looked at."""

from __future__ import absolute_import, division, print_function

import binascii
import socket
import time

import pytest

from shield.messages import Reply, request
from shield.screened import Screened

pytestmark = pytest.mark.usefixtures("needs_shield")



class Stream(Screened):
    """A TCP connection to a process that reads through the shield."""

    def __init__(self, *arguments):
        super(Stream, self).__init__(*arguments)
        self._socket = socket.create_connection(("127.0.0.1", self.port), 10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *parts):
        for part in parts:
            self._socket.sendall(part)
            time.sleep(0.02)  # two segments, not one

    def read(self):
        """What the process read next: a length, "again" or "end N"."""
        line = self._process.stdout.readline().decode("ascii").strip()
        return int(line) if line.isdigit() else line

    def passage(self):
        """What the process was told next of a message that passed: its direction, its peer, its octets."""
        direction, transport, host, port, octets = self._process.stdout.readline().decode("ascii").split()
        assert (transport, host, int(port)) == ("tcp", "127.0.0.1", self._socket.getsockname()[1])
        return direction, binascii.unhexlify(octets)

    def receive(self):
        """What was answered."""
        return self._socket.recv(65536)

    def close(self):
        self._socket.shutdown(socket.SHUT_WR)


@pytest.fixture
def stream():
    connection = Stream()
    yield connection
    connection.stop()


MESSAGE = request("MESSAGE", Content_Length="5") + b"hello"


def test_a_read_returns_one_whole_message(stream):
    stream.send(MESSAGE + request("OPTIONS") + b"\r\n\r\n")
    assert [stream.read() for _ in range(3)] == [len(MESSAGE), len(request("OPTIONS")), "again"]


def test_a_part_of_a_message_waits_in_the_kernel(stream):
    for piece in (MESSAGE[:30], MESSAGE[30:200]):
        stream.send(piece)
        assert stream.read() == "again"
    stream.send(MESSAGE[200:])
    assert _lengths(stream, len(MESSAGE)) == [len(MESSAGE)]


def _lengths(stream, total):
    """The lengths that are read until that many octets have come."""
    found = []
    while sum(found) < total:
        length = stream.read()
        found += [] if length == "again" else [length]
    return found


@pytest.mark.parametrize("size", [3900, 30000, 65000])
def test_a_message_longer_than_a_read_comes_in_pieces_once_it_is_whole(stream, size):
    body = b"x" * size
    message = request("MESSAGE", Content_Length=str(size)) + body
    stream.send(message[:-1])
    assert stream.read() == "again"
    stream.send(message[-1:] + MESSAGE)
    lengths = _lengths(stream, len(message) + len(MESSAGE))
    assert lengths == [4000] * (len(message) // 4000) + [len(message) % 4000, len(MESSAGE)]


def test_a_long_malformed_message_is_skipped(stream):
    stream.send(request("MESSAGE", To=None, Content_Length="30000") + b"x" * 30000 + MESSAGE)
    assert _lengths(stream, len(MESSAGE)) == [len(MESSAGE)]
    assert Reply(stream.receive()).status == 400


def test_a_malformed_message_is_answered_and_the_next_is_read(stream):
    stream.send(request("OPTIONS", To=None) + MESSAGE)
    assert stream.read() == len(MESSAGE)
    reply = Reply(stream.receive())
    assert (reply.status, reply.rule) == (400, "to")


def test_a_stream_needs_content_length(stream):
    stream.send(request("MESSAGE", Content_Length=None) + MESSAGE)
    assert stream.read() == len(request("MESSAGE", Content_Length=None))  # it has no body
    assert stream.read() == len(MESSAGE)


@pytest.mark.parametrize(
    "octets",
    [
        b"x" * 5000,
        request("MESSAGE", Content_Length="-1"),
        request("MESSAGE", Content_Length="99999"),
        request("MESSAGE", Content_Length=None)[:-2] + b"Content-Length\t: 5\r\n\r\nhello",
    ],
)
def test_octets_that_begin_no_message_end_the_stream(stream, octets):
    stream.send(octets)
    found = stream.read()
    assert found.startswith("end") or (found == "again" and stream.read().startswith("end"))
    assert stream.receive() == b""


def test_a_peer_that_closes_half_way_causes_no_busy_loop(stream):
    stream.send(MESSAGE[:50])
    assert stream.read() == "again"
    stream.close()
    assert stream.read() == "end 2"


def test_who_asks_is_told_of_each_message_whole(needs_shield):
    """However the library reads and writes it: in pieces, or until there is no more room."""
    long, mended = [request("MESSAGE", Content_Length=str(n), Subject=" ") + b"x" * n for n in (60000, 5)]
    stream = Stream("echo")
    try:
        for message in (long, mended):
            stream.send(b"\r\n\r\n" + message[:1000], message[1000:])
            assert stream.passage() == ("received", message)
            told, sent = stream.passage(), b""
            while len(sent) < len(message):
                sent += stream.receive()
            assert told == ("sent", sent)
            assert b"subject:  " in message and b"subject  :" in sent
    finally:
        stream.stop()
