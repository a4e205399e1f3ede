"""URIs, addresses and transport addresses (sipbridge.uri)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge import uri
from sipbridge.errors import InputError, SipbridgeError


@pytest.mark.parametrize(
    "text, expected",
    [
        ("sip:bob@example.com", ("sip", "bob", "example.com", None, "", "")),
        ("sip:example.com", ("sip", None, "example.com", None, "", "")),
        ("SIPS:bob@Example.com:5061", ("sips", "bob", "Example.com", 5061, "", "")),
        (
            "sip:alice;day=tue@atlanta.com;lr?subject=x",
            ("sip", "alice;day=tue", "atlanta.com", None, "lr", "subject=x"),
        ),
        ("sip:bob@[2001:db8::1]:5070", ("sip", "bob", "[2001:db8::1]", 5070, "", "")),
        ("sip:a%20b@192.0.2.1", ("sip", "a%20b", "192.0.2.1", None, "", "")),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            ("sip", "+1-212-555-1212:1234", "gateway.com", None, "user=phone", ""),
        ),
        ("tel:+12125551212;phone-context=x", ("tel", "+12125551212", "", None, "phone-context=x", "")),
    ],
)
def test_uris_of_the_rfc_are_split(text, expected):
    assert tuple(uri.parse_uri(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "bob@example.com",
        "http://example.com",
        "sip:",
        "sip:bob@",
        "sip:@example.com",
        "sip:bob @example.com",
        "sip:bob@exa mple.com",
        "sip:bob@example.com:port",
        "sip:bob@example.com:99999",
        "sip:bob@example.com>",
        "sip:bob@-example.com",
        "sip:%zz@example.com",
        "<sip:bob@example.com>",
        "tel:",
        "tel:hello",
        None,
        5060,
        b"\xff",
    ],
)
def test_what_is_no_uri_is_refused_and_quoted(text):
    if text == b"\xff" and str is bytes:
        text = u"\xff"
    with pytest.raises(InputError) as caught:
        uri.parse_uri(text)
    quoted = repr(text)[1:-1] if isinstance(text, str) else repr(text)
    assert quoted.strip("'\"") in str(caught.value) or "99999" in str(caught.value)


@pytest.mark.parametrize("control", ["\r", "\n", "\0", "\x7f", "\t"])
def test_control_characters_are_named(control):
    with pytest.raises(ValueError) as caught:
        uri.parse_uri("sip:bob@example.com" + control)
    assert repr(control).lstrip("u") in str(caught.value)


def test_an_input_error_is_a_value_error_and_a_sipbridge_error():
    with pytest.raises(InputError) as caught:
        uri.parse_uri("nonsense")
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, SipbridgeError)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("sip:bob@example.com", ("", "sip:bob@example.com", "")),
        ("<sip:bob@example.com>", ("", "sip:bob@example.com", "")),
        ("Bob <sip:bob@example.com>;tag=1", ("Bob", "sip:bob@example.com", "tag=1")),
        (
            '"Bob \\"the\\" <builder>" <sip:bob@example.com>',
            ('Bob "the" <builder>', "sip:bob@example.com", ""),
        ),
        (u'"B\xf6b" <sip:bob@example.com>', (u"B\xf6b", "sip:bob@example.com", "")),
    ],
)
def test_addresses_are_split(text, expected):
    assert tuple(uri.parse_address(text)) == expected


@pytest.mark.parametrize("text", ["Bob <bob>", "<sip:bob@example.com", '"Bob <sip:bob@example.com>', "Bob"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InputError):
        uri.parse_address(text)


def test_a_tag_cannot_be_slipped_in():
    with pytest.raises(InputError) as caught:
        uri.check_address("<sip:bob@example.com>;tag=mine", "to")
    assert "tag=mine" in str(caught.value)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("<sip:a@b>;tag=1", "sip:a@b"),
        ("sip:a@b;tag=1", "sip:a@b"),
        ('"x" <sip:a@b>', "sip:a@b"),
        ("", ""),
        ("garbage", "garbage"),
    ],
)
def test_addresses_from_the_network_never_raise(text, expected):
    assert uri.address_uri(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("udp://127.0.0.1:5060", ("udp", "127.0.0.1", 5060)),
        ("udp://localhost", ("udp", "localhost", 0)),
        ("TCP://[::1]:5061", ("tcp", "[::1]", 5061)),
    ],
)
def test_transport_addresses(text, expected):
    assert tuple(uri.parse_transport_address(text)) == expected


@pytest.mark.parametrize(
    "text, quoted",
    [
        ("127.0.0.1:5060", "127.0.0.1:5060"),
        ("sctp://127.0.0.1", "sctp"),
        ("udp://", "udp://"),
        ("udp://host:70000", "70000"),
        ("udp://a b", "a b"),
    ],
)
def test_bad_transport_addresses_are_quoted(text, quoted):
    with pytest.raises(InputError) as caught:
        uri.parse_transport_address(text)
    assert quoted in str(caught.value)
