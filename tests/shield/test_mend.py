"""What is well formed and harms libeXosip2 all the same comes to it in other words, of the same length.

libosip2 reads the octet in front of its memory for a value of white space, and for such an element of a list
(CVE-2016-10324): "Subject: " is given to it as "Subject :", "a, , b" as "a,   b".
"""

from __future__ import absolute_import, division, print_function

import binascii
import socket

import pytest

from shield.messages import request
from shield.screened import Screened
from sipbridge import shield

pytestmark = pytest.mark.usefixtures("needs_shield")


#: Header lines as they come, and as libeXosip2 gets them.
MENDED = [
    (b"Subject: ", b"Subject :"),
    (b"Subject:    ", b"Subject    :"),
    (b"Subject : ", b"Subject  :"),
    (b"Subject:\t", b"Subject :"),
    (b"Subject:\r\n ", b"Subject   :"),
    (b"Subject: \r\n\t\r\n ", b"Subject       :"),
    (b"s: ", b"s :"),
    (b"X-Unknown: a, ,b", b"X-Unknown: a,  b"),
    (b"X-Unknown: a,\t,,\r\n ,b, ", b"X-Unknown: a,\t  \r\n  b, "),
    (b"Supported: 100rel, , timer", b"Supported: 100rel,   timer"),
    (b'X-Unknown: "a\\"", , "b', b'X-Unknown: "a\\"",   "b'),
    (b'X-Unknown: "never closed, ,', b'X-Unknown: "never closed,  '),
]

#: What nothing is done to.
KEPT = [
    b"Subject:",
    b"Subject: a",
    b"Subject: a, ,b",
    b"Organization: , ,",
    b'X-Unknown: "a, ,b", c',
    b"X-Unknown: a,b,,c,",
    b"X-Unknown: a\\\\, b",
    b"X-Unknown: :",
]


def _with(line, method="OPTIONS", body=b""):
    octets = request(method, Content_Length=str(len(body)))
    return octets.replace(b"\r\nContent-Length", b"\r\n" + line + b"\r\nContent-Length") + body


class Telling(Screened):
    """A process that tells what it reads through the shield.

    Args:
        kind: "datagrams", or "octets" for a TCP connection.
    """

    def __init__(self, kind):
        super(Telling, self).__init__(kind)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM)
        self._socket.connect(("127.0.0.1", self.port))

    def send(self, octets):
        self._socket.sendall(octets)

    def read(self):
        """What the process read next."""
        while True:
            line = self._process.stdout.readline().strip()
            assert line, "the process is gone"
            if line != b"again":
                return binascii.unhexlify(line)


@pytest.fixture(scope="module")
def start():
    """Starts such processes, one of each kind."""
    running = {}

    def get(kind):
        if kind not in running:
            running[kind] = Telling(kind)
        return running[kind]

    yield get
    for each in running.values():
        each.stop()


@pytest.mark.parametrize("kind", ["datagrams", "octets"])
@pytest.mark.parametrize("line, mended", MENDED + [(line, line) for line in KEPT])
def test_empty_values_and_elements_are_mended(start, kind, line, mended):
    assert len(line) == len(mended)
    assert shield.check(_with(line)) == ("pass", 0, "")
    screened = start(kind)
    screened.send(_with(line))
    assert screened.read() == _with(mended)


@pytest.mark.parametrize("kind", ["datagrams", "octets"])
def test_a_body_is_not_touched(start, kind):
    body = b"Subject: \r\nX: a, ,b\r\n\r\nSubject: \r\n"
    screened = start(kind)
    screened.send(_with(b"Subject: ", "MESSAGE", body))
    assert screened.read() == _with(b"Subject :", "MESSAGE", body)


@pytest.mark.parametrize("before", [3900, 3985, 3990, 3995, 7990, 30000])
def test_a_message_that_is_read_in_pieces(start, before):
    """Each piece as it should be, wherever the line is cut; and the next message as well."""
    filling = before - len(_with(b"")) + len(b"Content-Length: 0\r\n\r\n\r\n")
    lines = [b"X-%d: %s" % (count, b"x" * 1000) for count in range(filling // 1010)]
    lines.append(b"X: " + b"x" * (filling % 1010))
    octets, mended = (
        _with(b"\r\n".join(lines + [line]), "MESSAGE", b"y" * 5000) for line in (b"Subject: \t ", b"Subject   :")
    )
    screened = start("octets")
    screened.send(octets + _with(b"Subject:\t"))
    read = b""
    while len(read) < len(octets):
        read += screened.read()
    assert read == mended
    assert screened.read() == _with(b"Subject :")


def test_a_mended_message_reaches_the_application(victim, sender):
    """Of use to libeXosip2 as well: it drops a message with one element of nothing in a list, but takes this."""
    octets = _with(b"Subject: \r\nX-Unknown: a, ,b").replace(b"127.0.0.1:9;", b"127.0.0.1:%d;" % sender.port)
    assert sender.exchange(octets).status == 200
