"""More than credentials is masked, where that is asked for."""

from __future__ import absolute_import, division, print_function

import re

import pytest

from sipbridge._text.masking import Masker

HEAD = (
    b"INVITE sip:%s@example.com;user=phone SIP/2.0\r\nFrom: Bob <sip:bob:secret@example.com>;tag=1\r\n"
    b"P-Asserted-Identity: <tel:+49-30-123>\r\nContent-Type: %s\r\n\r\n"
)
SDP = b"v=0\r\no=bob 1 1 IN IP4 192.0.2.1\r\ns=talk of bob\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"


def message(user, kind, body):
    return HEAD.replace(b"%s", user, 1).replace(b"%s", kind, 1) + body


def test_nothing_more_than_credentials_by_default():
    data = message(b"+4930", b"text/plain", b"hello")
    assert Masker().message(data) == data.replace(b"secret", b"xxxxxx")


def test_users_and_names():
    data = message(b"+4930", b"text/plain", b"call sip:+4930@example.com")
    masked = Masker(numbers=True).message(data)
    assert len(masked) == len(data)
    assert b"4930" not in masked and b"Bob" not in masked and b"bob" not in masked and b"30-123" not in masked
    user = re.match(br"INVITE sip:(\+[0-9]{4})@example\.com;user=phone", masked).group(1)
    assert masked.endswith(b"call sip:" + user + b"@example.com")


@pytest.mark.parametrize(
    "user",
    [b"+4930123456;phone-context=x", b"+4930123456;ext=5", b"+4930123456:secret", b"%2B4930123456", b"a/4930123456",
     b"4930123456,1", b"'4930123456"],
)  # fmt: skip
def test_odd_users(user):
    data = b'INVITE sip:%s@h SIP/2.0\r\nFrom: "A\r\n 4930123456" <sip:%s@h>;tag=1\r\n'.replace(b"%s", user)
    data += b"P-Called-Party-ID: A 4930123456 <tel:+4930123456;ext=4930123456>\r\n\r\n"
    masked = Masker(numbers=True).message(data)
    assert b"4930123456" not in masked and len(masked) == len(data)
    assert b"%2B" in masked or b"%2B" not in data
    assert b";tag=1" in masked and masked.startswith(b"INVITE sip:") and b"@h SIP/2.0" in masked


def test_each_masker_has_a_key_of_its_own():
    data = message(b"+4930123456789", b"text/plain", b"")
    assert len(set(Masker(numbers=True).message(data) for _ in range(4))) > 1


def test_a_host_without_a_user_stays():
    data = b"OPTIONS sip:192.0.2.1:5060 SIP/2.0\r\nTo: <sip:example.com>\r\n\r\n"
    assert Masker(numbers=True).message(data) == data


def test_bodies():
    masked = Masker(bodies=True).message(message(b"bob", b"text/plain", b"a secret\r\nindeed"))
    assert masked.endswith(b"\r\n\r\nxxxxxxxx\r\nxxxxxx")


def test_the_words_of_a_session_description():
    masked = Masker(bodies=True).message(message(b"bob", b"application/sdp", SDP))
    assert masked.endswith(
        b"v=0\r\no=xxx 1 1 IN IP4 192.0.2.1\r\ns=xxxx xx xxx\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"
    )


@pytest.mark.parametrize(
    "octets",
    [b"sip:" * 50000, b"sip:" + b"a" * 200000, b'From: "' * 30000, b"tel:1" * 50000, b"o=" * 90000],
    ids=["sip", "user", "name", "tel", "sdp"],
)
def test_hostile_octets_take_linear_time(octets):
    assert len(Masker(True, True).message(octets)) == len(octets)
    assert len(Masker(True, True).message(octets + b"\r\n\r\n" + octets)) == 2 * len(octets) + 4
