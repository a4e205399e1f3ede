"""Header fields: reading what came, checking what goes (sipbridge.headers)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge.errors import InputError
from sipbridge.headers import Headers, check_headers

BLOCK = (
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n"
    "v: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2\n"
    "m: <sip:bob@192.0.2.1>\n"
    "Subject : lunch: at noon \n"
    "no colon here\n"
    "Empty:\n"
)


def test_names_are_not_case_sensitive_and_compact_forms_are_known():
    headers = Headers(BLOCK)
    assert headers["contact"] == headers["M"] == "<sip:bob@192.0.2.1>"
    assert headers.get_all("Via") == [
        "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2",
    ]


def test_white_space_colons_and_lines_that_are_no_field():
    headers = Headers(BLOCK)
    assert headers["s"] == "lunch: at noon"
    assert headers["Empty"] == ""
    assert len(headers) == 5


def test_a_missing_header_is_none_or_a_key_error():
    headers = Headers(BLOCK)
    assert "Route" not in headers and "Empty" in headers
    assert headers.get("Route") is None and headers.get("Route", "x") == "x"
    assert headers.get_all("Route") == []
    with pytest.raises(KeyError):
        headers["Route"]


def test_order_is_kept_and_text_equals_pairs():
    assert list(Headers("B: 2\nA: 1\n")) == [("B", "2"), ("A", "1")]
    assert Headers("B: 2\nA: 1\n") == Headers([("B", "2"), ("A", "1")])
    assert Headers("B: 2\n") != Headers("B: 3\n")


def test_pairs_and_mappings_are_accepted():
    assert check_headers([("X-One", "1"), ("X-One", "2")]) == [("X-One", "1"), ("X-One", "2")]
    assert check_headers({"Subject": u"Gr\xfc\xdfe"}) == [("Subject", u"Gr\xfc\xdfe")]


@pytest.mark.parametrize(
    "pair, quoted",
    [
        (("Subject", "a\r\nRoute: <sip:evil.example>"), "Subject"),
        (("Subject", "a\nb"), "Subject"),
        (("Subject", "a\0b"), "Subject"),
        (("Sub ject", "a"), "Sub ject"),
        (("Subject:", "a"), "Subject:"),
        (("", "a"), "''"),
        (("Via", "x"), "Via"),
        (("call-id", "x"), "call-id"),
        (("l", "10"), "'l'"),
        (("Subject", 5), "5"),
        ((None, "a"), "None"),
    ],
)
def test_bad_headers_are_refused_and_quoted(pair, quoted):
    with pytest.raises(InputError) as caught:
        check_headers([pair])
    assert quoted in str(caught.value)


@pytest.mark.parametrize("name", ["Replaces", "replaces", "Route", "x-none"])
def test_a_field_that_is_not_there_may_be_in_a_value(name):
    headers = Headers("Supported: replaces, timer\nX-Text: Route: x\n")
    assert headers.get(name) is None and headers.get_all(name) == [] and name not in headers
    assert headers.get_all("k") == ["replaces, timer"]
    assert headers.get(name) is None and len(headers) == 2


def test_a_field_is_found_whatever_the_case_and_the_blanks():
    assert Headers(" REPLACES : a;to-tag=1;from-tag=2\n").get_all("replaces") == ["a;to-tag=1;from-tag=2"]
