"""Bad input at the facade: a ValueError that quotes the offending part, and nothing sent."""

from __future__ import absolute_import, division, print_function

import socket

import pytest

import sipbridge


@pytest.fixture(scope="module")
def phone():
    with sipbridge.Endpoint(identity="sip:alice@127.0.0.1") as phone:
        yield phone


@pytest.fixture(scope="module")
def silent_peer():
    """A bound socket to which nothing may be sent, and its URI."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(0.2)
    yield peer, "sip:bob@127.0.0.1:%d" % peer.getsockname()[1]
    with pytest.raises(socket.timeout):
        peer.recv(65535)
    peer.close()


INJECTION = "x\r\nRoute: <sip:evil@example.com>"


@pytest.mark.parametrize(
    "attempt, quoted",
    [
        (lambda phone, to: phone.invite("bob"), "bob"),
        (lambda phone, to: phone.invite(to + "\r\nX: y"), "\\r"),
        (lambda phone, to: phone.invite(to, b"v=0", content_type=INJECTION), "content type"),
        (lambda phone, to: phone.invite(to, u"v=0"), "bytes"),
        (lambda phone, to: phone.invite(to, b"v=0", headers={"Subject": INJECTION}), "Subject"),
        (lambda phone, to: phone.invite(to, b"v=0", headers={"Via": "x"}), "Via"),
        (lambda phone, to: phone.invite(to, from_="alice"), "alice"),
        (lambda phone, to: phone.invite(to, route="proxy"), "proxy"),
        (lambda phone, to: phone.message(to, 5), "5"),
        (lambda phone, to: phone.message(to, b"x", content_type=None), "content type"),
        (lambda phone, to: phone.message(to, b"x" * 65536), "65536"),
        (lambda phone, to: phone.request("MES SAGE", to), "MES SAGE"),
        (lambda phone, to: phone.request("INFO\r\n", to), "\\r"),
        (lambda phone, to: phone.request("INVITE", to), "INVITE"),
        (lambda phone, to: phone.request("REGISTER", to), "REGISTER"),
        (lambda phone, to: phone.register("registrar"), "registrar"),
        (lambda phone, to: phone.register(to, aor="alice"), "alice"),
        (lambda phone, to: phone.register(to, expires=0), "0"),
        (lambda phone, to: phone.register(to, expires=1.5), "1.5"),
        (lambda phone, to: phone.register(to, contact="<sip:a@b>"), "<sip:a@b>"),
        (lambda phone, to: phone.add_credentials("", "secret"), "user"),
        (lambda phone, to: phone.add_credentials("alice", INJECTION), "password"),
        (lambda phone, to: phone.on(sipbridge.Call, len), "Call"),
        (lambda phone, to: phone.on("IncomingCall", len), "IncomingCall"),
    ],
)
def test_it_is_a_value_error_that_quotes_the_part(phone, silent_peer, attempt, quoted):
    with pytest.raises(ValueError) as caught:
        attempt(phone, silent_peer[1])
    assert isinstance(caught.value, sipbridge.InputError)
    assert quoted in str(caught.value)


@pytest.mark.parametrize(
    "arguments, quoted",
    [
        (dict(address="127.0.0.1:5060"), "127.0.0.1:5060"),
        (dict(address="udp://127.0.0.1:66000"), "66000"),
        (dict(identity="alice"), "alice"),
        (dict(engine="pjsip"), "pjsip"),
        (dict(outbound_proxy="proxy"), "proxy"),
        (dict(user_agent="a\r\nb"), "user agent"),
        (dict(advertised="a b"), "a b"),
    ],
)
def test_an_endpoint_is_not_opened_with_nonsense(arguments, quoted):
    with pytest.raises(sipbridge.InputError) as caught:
        sipbridge.Endpoint(**arguments)
    assert quoted in str(caught.value)


def test_a_password_is_never_quoted(phone):
    with pytest.raises(sipbridge.InputError) as caught:
        phone.add_credentials("alice", "hunter2\n")
    assert "hunter2" not in str(caught.value)
