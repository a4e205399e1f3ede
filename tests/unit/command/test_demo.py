"""The demo (sipbridge._command.demo): it passes, and it notices when a party misbehaves."""

from __future__ import absolute_import, division, print_function

import socket

import pytest

from sipbridge._command.demo_party import DEVIATIONS, direction, session
from sipbridge._command.demo_registrar import digest
from unit.command.process import run

STEPS = [
    "checks digests at",
    "is refused with a wrong password: 401",
    "registers: 401, then 200",
    "calls sip:",
    "rings: 180",
    "answers: 200, SDP",
    "acknowledges",
    "presses 42#",
    "holds the call: a=sendonly",
    "resumes it: a=sendrecv",
    "sends a message",
    "hangs up: BYE",
    "unregisters",
]

ARROWS = "REGISTER INVITE ACK INFO INFO INFO INVITE ACK INVITE ACK MESSAGE BYE REGISTER".split()


def test_every_step_happens_and_the_call_is_drawn():
    demo = run(module="sipbridge.demo")
    assert demo.process.returncode == 0, demo.output + demo.errors
    assert demo.errors == ""
    place = 0
    for step in STEPS:
        place = demo.output.index(step, place)
    drawn = demo.output[demo.output.index("what passed", place) :]
    for method in ARROWS:
        drawn = drawn[drawn.index(" %s " % method) :]
    lines = demo.output.splitlines()
    assert lines[-2].startswith("engine: ") and lines[-1] == "demo: ok"


@pytest.mark.parametrize(
    "deviation, step",
    [
        ("password", "register"),
        ("refuse", "call"),
        ("sdp", "call"),
        ("dtmf", "send keys"),
        ("hold", "hold and resume"),
        ("message", "send a message"),
        ("crash", "hold and resume"),
    ],
)
def test_a_deviation_is_noticed(deviation, step):
    demo = run("--deviation", deviation, module="sipbridge.demo")
    assert demo.process.returncode == 1, demo.output + demo.errors
    last = demo.output.splitlines()[-1]
    assert last.startswith("demo: FAILED in step '%s': " % step), demo.output


def test_each_deviation_is_tested():
    (mark,) = [mark for mark in test_a_deviation_is_noticed.pytestmark if mark.name == "parametrize"]
    assert sorted(name for name, _ in mark.args[1]) == sorted(DEVIATIONS)


def test_the_direction_of_a_session_description():
    assert direction(session("bob", 1, "recvonly")) == "recvonly"
    assert direction(b"v=0\r\nm=audio 9 RTP/AVP 0\r\n") == direction(None) == "sendrecv"


# -- the registrar -------------------------------------------------------------------------------------------

HEADERS = (
    "Via: SIP/2.0/UDP 127.0.0.1:%d;rport;branch=z9hG4bK%d\r\nFrom: <sip:alice@x>;tag=1\r\nTo: <sip:alice@x>\r\n"
    "Call-ID: c\r\nCSeq: %d %s\r\n%s\r\n"
)


class Client(object):
    """Sends requests, as it is told, and reads what comes back."""

    def __init__(self, registrar):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(10.0)
        host, port = registrar.host_port.split(":")
        self._socket.connect((host, int(port)))
        self._number = 0

    def close(self):
        self._socket.close()

    def send(self, headers="", method="REGISTER", again=False):
        self._number += not again
        rest = HEADERS % (self._socket.getsockname()[1], self._number, self._number, method, headers)
        self._socket.send(("%s sip:x SIP/2.0\r\n%s" % (method, rest)).encode("ascii"))
        return self._socket.recv(65535).decode("ascii")


@pytest.fixture
def client(registrar):
    made = Client(registrar)
    yield made
    made.close()


def answer_to(response, count=1, password="secret", user="alice"):
    nonce = response.partition('nonce="')[2].partition('"')[0]
    parameters = {"nonce": nonce, "nc": "%08x" % count, "cnonce": "abc", "qop": "auth", "uri": "sip:x"}
    value = digest(user, "sipbridge demo", password, "REGISTER", parameters)
    return (
        'Contact: <sip:alice@127.0.0.1:5062>\r\nExpires: 60\r\nAuthorization: Digest username="%s",'
        ' realm="sipbridge demo", nonce="%s", uri="sip:x", response="%s", qop=auth, nc=%08x, cnonce="abc"\r\n'
    ) % (user, nonce, value, count)


def test_the_example_of_the_rfc():
    """RFC 2617, 3.5."""
    parameters = {
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "nc": "00000001",
        "cnonce": "0a4f113b",
        "qop": "auth",
        "uri": "/dir/index.html",
    }
    found = digest("Mufasa", "testrealm@host.com", "Circle Of Life", "GET", parameters)
    assert found == "6629fae49393a05397450978507c4ef1"


def test_the_right_password_binds_and_a_retransmission_gets_the_same_answer(registrar, client):
    headers = answer_to(client.send())
    response = client.send(headers)
    assert response.startswith("SIP/2.0 200 ") and "<sip:alice@127.0.0.1:5062>;expires=60" in response
    assert client.send(headers, again=True) == response
    assert registrar.bindings == {"alice": "sip:alice@127.0.0.1:5062"}
    assert registrar.answers == [("alice", 401), ("alice", 200)]


def test_a_wrong_password_and_another_user_are_challenged_again(registrar, client):
    for changed in ({"password": "Secret"}, {"user": "bob"}):
        response = client.send(answer_to(client.send(), **changed))
        assert response.startswith("SIP/2.0 401 ") and "stale" not in response
    assert registrar.bindings == {}


def test_a_nonce_of_somebody_else_and_a_count_used_before_are_stale(registrar, client):
    first = client.send()
    assert client.send(answer_to(first)).startswith("SIP/2.0 200 ")
    assert "stale=true" in client.send(answer_to(first))
    assert client.send(answer_to(first, count=2)).startswith("SIP/2.0 200 ")
    assert "stale=true" in client.send(answer_to('nonce="made up"'))


def test_expires_0_removes_the_binding(registrar, client):
    challenge = client.send()
    client.send(answer_to(challenge))
    assert registrar.bindings
    client.send(answer_to(challenge, count=2).replace("Expires: 60", "Expires: 0"))
    assert registrar.bindings == {}


def test_what_is_malformed_or_no_register_does_not_stop_it(registrar, client):
    never = answer_to(client.send()).replace("Expires: 60", "Expires: never")
    assert client.send(never).startswith("SIP/2.0 400 ")
    assert client.send("", "OPTIONS").startswith("SIP/2.0 501 ")
    client._socket.send(b"\xff\xff")
    assert client.send().startswith("SIP/2.0 401 ")
