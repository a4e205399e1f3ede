"""URIs, addresses and transport addresses (sipbridge.uri)."""

from __future__ import absolute_import, division, print_function

import pytest

from peers import addresses
from sipbridge import uri
from sipbridge.errors import InputError, SipbridgeError, UnreachableContactWarning


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


@pytest.mark.parametrize("text", addresses.GOOD_URIS)
def test_uris_that_a_user_may_give(text):
    assert uri.check_uri(text, "to") == uri.check_address(text, "to") == text
    uri.parse_uri(text)


@pytest.mark.parametrize("text", addresses.GOOD_ADDRESSES)
def test_addresses_that_a_user_may_give(text):
    assert uri.check_address(text, "to") == text
    uri.parse_address(text)


@pytest.mark.parametrize("text", addresses.BAD_URIS + ["", None, 5060, b"\xff"])
def test_what_is_no_uri_is_refused_and_quoted(text):
    if isinstance(text, bytes) and str is bytes:
        text = text.decode("latin-1")
    with pytest.raises(InputError) as caught:
        uri.check_uri(text, "to")
    quoted = repr(text).lstrip("u")[1:-1] if isinstance(text, type(u"")) else repr(text)
    assert str(caught.value).startswith("to: ") or " must be text, not" in str(caught.value)
    assert quoted in str(caught.value) or "65535" in str(caught.value)


@pytest.mark.parametrize("text", addresses.BAD_ADDRESSES)
def test_addresses_that_are_refused(text):
    with pytest.raises(InputError) as caught:
        uri.check_address(text, "to")
    assert str(caught.value).startswith("to: ")


@pytest.mark.parametrize("text", ["sip:bob@h?Subject=hi%0D%0AX-Evil:%20yes", "Bob <sip:bob@h?Subject=hi>"])
def test_the_headers_of_a_uri_are_named(text):
    with pytest.raises(InputError) as caught:
        uri.check_address(text, "registrar")
    assert str(caught.value).startswith("registrar: a URI has no headers here: ")
    assert "?Subject=hi" in str(caught.value)


def test_an_escape_of_a_control_character_is_named_wherever_it_stands():
    for text in ("sip:bob%0d@h", "sip:bob@h;x=%0d", "sip:bob@h?Subject=%0d", "tel:+1;x=%0d"):
        with pytest.raises(InputError) as caught:
            uri.parse_uri(text)
        assert "%0d" in str(caught.value)


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
        ("udp://localhost", ("udp", "localhost", 5060)),
        ("tcp://localhost", ("tcp", "localhost", 5060)),
        ("tls://localhost", ("tls", "localhost", 5061)),
        ("udp://localhost:0", ("udp", "localhost", 0)),
        ("TCP://[::1]:5061", ("tcp", "[::1]", 5061)),
    ],
)
def test_transport_addresses_are_split(text, expected):
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


def test_a_host_without_a_port_leaves_it_open():
    assert uri.parse_host_port("example.com") == ("example.com", 0)
    assert uri.parse_host_port("[::1]:5060") == ("[::1]", 5060)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "::", "0:0:0:0:0:0:0:0"])
def test_a_host_that_stands_for_every_address(host):
    assert uri.is_wildcard(host)
    with pytest.warns(UnreachableContactWarning, match="contact: no peer reaches"):
        uri.warn_of_wildcard(host, "contact")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.0.0.0", "example.com", ""])
def test_a_host_that_stands_for_one_address(host):
    assert not uri.is_wildcard(host)
