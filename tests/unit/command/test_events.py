"""``sipbridge subscribe`` and ``sipbridge publish``, against an endpoint as the peer."""

from __future__ import absolute_import, division, print_function

import signal

import pytest

import sipbridge
from unit.command.process import Command, run

OPEN = b"<presence/>\r\n"
PIDF = "application/pidf+xml"


class _Server(object):
    """Knows presence, and takes what is published.

    Attributes:
        published: the bodies of PUBLISHes.
        uri: of the peer.
    """

    def __init__(self):
        self.published = []
        self.over = []
        self._endpoint = sipbridge.Endpoint(engine=sipbridge.Worker())
        self._endpoint.on(sipbridge.SubscriptionRequested, self._subscribe)
        self._endpoint.on(sipbridge.SubscriptionTerminated, self.over.append)
        self._endpoint.on(sipbridge.RequestReceived, self._publish)
        self.uri = self._endpoint.uri

    def _subscribe(self, event):
        if event.package == "presence":
            event.accept().notify(OPEN, PIDF)

    def _publish(self, event):
        self.published.append(event.body)
        event.answer(200, headers=[("SIP-ETag", "one"), ("Expires", event.headers["Expires"])])

    def wait(self, condition):
        assert self._endpoint._agent.wait(condition, 10.0)

    def close(self):
        self._endpoint.close()


@pytest.fixture
def server():
    peer = _Server()
    yield peer
    peer.close()


def test_subscribe_once(server):
    command = run("subscribe", server.uri, "presence", "--once")
    assert command.process.returncode == 0, command.errors
    assert "NOTIFY terminated, timeout, application/pidf+xml of 13 octets" in command.output
    assert "<presence/>" in command.output


def test_subscribe_until_interrupted(server):
    with Command("subscribe", server.uri, "presence", "--expires", "600") as command:
        command.expect("NOTIFY active, application/pidf\\+xml of 13 octets")
        command.process.send_signal(signal.SIGINT)
        assert command.finish() == 0, command.errors
    assert "subscribed to presence of %s for 600 s" % server.uri in command.output
    server.wait(lambda: server.over)


def test_subscribe_refused(server):
    command = run("subscribe", server.uri, "dialog")
    assert command.process.returncode == 4 and "489" in command.errors


def test_publish_once(server, tmpdir):
    path = tmpdir.join("open.xml")
    path.write_binary(OPEN)
    command = run("publish", server.uri, "presence", str(path), "--once", "--expires", "60")
    assert command.process.returncode == 0, command.errors
    assert "published presence of %s for 60 s" % server.uri in command.output
    assert "the publication was taken back" in command.output and server.published == [OPEN, b""]


def test_publish_a_file_that_is_not_there(server):
    command = run("publish", server.uri, "presence", "/nowhere/open.xml")
    assert command.process.returncode == 2 and "/nowhere/open.xml" in command.errors
