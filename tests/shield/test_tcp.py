"""An engine on TCP, with the shield where its library takes one, and peers that mean it no good."""

from __future__ import absolute_import, division, print_function

import os
import signal
import socket
import struct
import time

import pytest

from peers import abilities
from peers.process import freeze
from shield.messages import Reply, crash_corpus, request

pytestmark = pytest.mark.skipif(not abilities.has_tcp(), reason=abilities.NO_TCP)

HOSTS = pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "tcp://[::1]:0"])


class Connection(object):
    """A TCP connection to a victim, by hand."""

    def __init__(self, victim):
        self.socket = socket.create_connection((victim.host, victim.port), 10.0)
        self.port = self.socket.getsockname()[1]
        self._octets = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.socket.close()

    def request(self, method, name, **changes):
        """The octets of a request for this connection."""
        host = self.socket.getsockname()[0]
        host = "[%s]" % host if ":" in host else host
        changes.setdefault("Via", "SIP/2.0/TCP %s:%d;branch=z9hG4bK-%s" % (host, self.port, name))
        return request(method, name, self.port, **changes)

    def send(self, octets):
        self.socket.sendall(octets)

    def receive(self):
        """The next response; none has a body here. What answers a keep-alive before it is no response."""
        while b"\r\n\r\n" not in self._octets.lstrip(b"\r\n"):
            got = self.socket.recv(65536)
            assert got, "the connection was closed"
            self._octets += got
        self._octets = self._octets.lstrip(b"\r\n")
        head, _, self._octets = self._octets.partition(b"\r\n\r\n")
        return Reply(head + b"\r\n\r\n")

    def is_closed(self):
        """Whether the other side closes it, in ten seconds at most."""
        self.socket.settimeout(10.0)
        try:
            while self.socket.recv(65536):
                pass
        except socket.timeout:
            return False
        except socket.error:
            pass
        return True

    def reset(self):
        """Close it with a reset, so that the other side knows no peer any more."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(str("ii"), 1, 0))
        self.socket.close()


def lives(victim, name, seconds=10.0):
    """Whether a new connection is served, after what the others have asked for so far."""
    with Connection(victim) as connection:
        connection.socket.settimeout(seconds)
        connection.send(connection.request("OPTIONS", name))
        return connection.receive().status == 200


@HOSTS
def test_the_deadly_messages_over_tcp(make_victim, needs_shield, address):
    """Each of the messages on a connection of its own, and all of them on one."""
    victim = make_victim(address=address)
    refused = 0
    with Connection(victim) as one:
        for name, octets, deadly in crash_corpus():
            octets = octets.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
            refused += deadly and "Via" not in name
            one.send(octets)
            with Connection(victim) as other:
                other.send(octets)
        one.send(one.request("OPTIONS", "after"))
        replies = []
        while not replies or replies[-1]["Call-ID"] != "after@example.com":
            replies.append(one.receive())
    assert [reply.status for reply in replies].count(400) >= refused > 30
    assert replies[-1].status == 200
    source = ";received=%s" % victim.host
    assert all(source in reply["Via"] for reply in replies if reply.status == 400)


@pytest.mark.parametrize("shielded", [False, True])
def test_one_message_before_a_reset(make_victim, needs_shield, shielded):
    """The shield checks it although the peer's address is gone. Without the shield it kills the engine."""
    victim = make_victim(shielded, address="tcp://127.0.0.1:0")
    connection = Connection(victim)
    connection.send(connection.request("OPTIONS", "first"))
    assert connection.receive().status == 200
    freeze(victim.pid)
    connection.send(connection.request("INVITE", "deadly", To=None))
    connection.reset()
    os.kill(victim.pid, signal.SIGCONT)
    if shielded:
        assert lives(victim, "after")
        assert victim.counters()["to"] == (0, 1, 0)
    else:
        assert victim.exit_code(10.0) == -signal.SIGSEGV


@pytest.mark.parametrize("name", ["Content-Length\t", "Content-Length", "l\t"])
def test_no_message_is_smuggled_in_a_body(make_victim, needs_shield, name):
    """libeXosip2 does not find each way to write Content-Length, and goes on where the header ends."""
    victim = make_victim(address="tcp://127.0.0.1:0")
    with Connection(victim) as connection:
        body = connection.request("INVITE", "deadly", To=None)
        message = connection.request("MESSAGE", "bearer", Content_Type="text/plain", Content_Length=None)
        field = "%s: %d\r\n\r\n" % (name, len(body))
        connection.send(message[:-2] + field.encode("ascii") + body)
        if name == "Content-Length":
            assert connection.receive().status == 480  # a message like any other, and nobody takes it
        else:
            assert connection.is_closed()
    assert lives(victim, "after")


@pytest.mark.parametrize("octets", [b"\r\n", b"\n\r\n\r\n", b"\r\r\n\r\n", b"\r\n\r\n\r\n"])
def test_empty_lines_between_messages(make_victim, octets):
    victim = make_victim(address="tcp://127.0.0.1:0")
    with Connection(victim) as connection:
        for name in ("one", "two"):
            connection.send(octets + connection.request("OPTIONS", name))
            assert connection.receive()["Call-ID"] == name + "@example.com"


def test_a_peer_that_does_not_read(make_victim):
    """Its own answers wait; others are served."""
    victim = make_victim(address="tcp://127.0.0.1:0")
    connection = Connection(victim)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.socket.settimeout(2.0)
    deadline = time.time() + 20.0
    try:
        for number in range(100000):
            connection.send(b"".join(connection.request("OPTIONS", "o%d.%d" % (number, i)) for i in range(50)))
            if time.time() > deadline:
                break
    except socket.error:  # it is full, or was closed
        pass
    assert lives(victim, "meanwhile", 60.0)  # tens of thousands of requests are before it
    connection.socket.close()


def test_more_connections_than_the_library_has_room_for(make_victim):
    victim = make_victim(address="tcp://127.0.0.1:0")
    connections = [Connection(victim) for _ in range(150)]
    assert lives(victim, "last")
    for connection in connections:
        connection.reset()
    assert lives(victim, "after")


def test_descriptors_beyond_those_of_select(make_victim, needs_shield):
    """They would be written past the end of a set: the connection is closed instead."""
    victim = make_victim(address="tcp://127.0.0.1:0")
    assert lives(victim, "before")
    assert victim.ask("crowd") > 1024
    with Connection(victim) as connection:
        assert connection.is_closed()
    assert victim.ask("engine")


def test_an_answer_to_a_closed_connection(make_victim):
    """No SIGPIPE ends a program that does not ignore it."""
    victim = make_victim(address="tcp://127.0.0.1:0", SHIELD_VICTIM_SIGPIPE="1")
    for number in range(20):
        connection = Connection(victim)
        connection.send(connection.request("INVITE", "gone%d" % number) * (number % 2 + 1))
        connection.reset() if number % 3 else connection.socket.close()
    assert lives(victim, "after")


@pytest.mark.parametrize("address", ["udp://[::1]:0"])
def test_datagrams_over_ipv6(make_victim, make_sender, needs_shield, address):
    victim = make_victim(address=address)
    sender = make_sender(victim)
    via = "SIP/2.0/UDP [::1]:%d;branch=z9hG4bK-six;rport" % sender.port
    (reply,) = sender.replies_before(request("INVITE", "six", sender.port, Via=via, To=None))
    assert (reply.status, reply.rule) == (400, "to")
    assert ";received=::1" in reply["Via"] and ";rport=%d" % sender.port in reply["Via"]
    assert "answered from ::1:%d: to (400)" % sender.port in victim.errors()
