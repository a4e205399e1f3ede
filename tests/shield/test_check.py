"""What passes the check and what does not, rule by rule (RFC 3261, 7, 20 and 25)."""

from __future__ import absolute_import, division, print_function

import pytest

from shield.messages import compose, fields, request, response
from sipbridge import shield

PASSED = ("pass", 0, "")


def _refused(rule, status=400):
    return ("answer", status, rule)


def _dropped(rule):
    return ("drop", 0, rule)


def _with(*pairs):
    """An OPTIONS with more header fields."""
    return compose("OPTIONS sip:s@127.0.0.1 SIP/2.0", fields("OPTIONS") + list(pairs))


@pytest.mark.parametrize("octets", [b"", b"\r\n\r\n", b"\r\n", b"jaK\0"])
def test_keep_alives_pass(octets):
    assert shield.check(octets) == PASSED


@pytest.mark.parametrize(
    "octets",
    [b"hello", b"\r\n\r\nhello\r\n\r\n", b"\0" * 40, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 500],
)
def test_a_datagram_that_is_no_sip_is_dropped(octets):
    assert shield.check(octets) == _dropped("start-line")


@pytest.mark.parametrize(
    "line, verdict",
    [
        ("OPTIONS sip:s@127.0.0.1 SIP/2.0", PASSED),
        ("OPTIONS sip:s@127.0.0.1 sip/2.0", PASSED),
        ("OPTIONS tel:+4930123 SIP/2.0", PASSED),
        ("OPTIONS sip:s@[2001:db8::1]:5060;transport=udp SIP/2.0", PASSED),
        ("OPTIONS sip:s@127.0.0.1 SIP/3.0", _refused("version", 505)),
        ("OPTIONS sip:s@127.0.0.1  SIP/2.0", _refused("start-line")),
        ("OPTIONS sip:s@127.0.0.1 SIP/2.0 ", _refused("start-line")),
        ("OPTIONS sip:s@127.0.0.1", _dropped("start-line")),
        ("OPTIONS  SIP/2.0", _refused("start-line")),
        (" OPTIONS sip:s@127.0.0.1 SIP/2.0", _dropped("start-line")),
        ("OPTIONS sip: SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:@host SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:a@b@host SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:s@host:99999 SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:s@host:x SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:s@[::1 SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:s%4@host SIP/2.0", _refused("request-uri")),
        ("OPTIONS nothing SIP/2.0", _refused("request-uri")),
        ("OPTIONS sip:s@127.0.0.1;%s SIP/2.0" % ("x" * 4096), _refused("limit")),
    ],
)
def test_request_lines_are_checked(line, verdict):
    assert shield.check(compose(line, fields("OPTIONS"))) == verdict


@pytest.mark.parametrize(
    "line, verdict",
    [
        ("SIP/2.0 200 OK", PASSED),
        ("SIP/2.0 200 ", PASSED),
        ("SIP/2.0 200", _dropped("start-line")),
        ("SIP/2.0 099 Early", _dropped("start-line")),
        ("SIP/2.0 700 Late", _dropped("start-line")),
        ("SIP/2.0 2000 OK", _dropped("start-line")),
        ("SIP/1.0 200 OK", _dropped("version")),
    ],
)
def test_status_lines_are_checked(line, verdict):
    assert shield.check(compose(line, fields("INVITE"))) == verdict


@pytest.mark.parametrize(
    "name, compact", [("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Content-Length", "l")]
)
def test_compact_forms_count_as_the_long_ones(name, compact):
    octets = request("INVITE")
    shorter = octets.replace(("\r\n%s:" % name).encode("ascii"), ("\r\n%s :" % compact.upper()).encode("ascii"))
    assert shorter != octets and shield.check(shorter) == PASSED
    pairs = fields("INVITE")
    doubled = pairs + [(compact, dict(pairs)[name])]
    verdict = PASSED if name == "Via" else _refused(name.lower())
    assert shield.check(compose("INVITE sip:s@127.0.0.1 SIP/2.0", doubled)) == verdict


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"])
def test_fields_that_must_not_be_repeated(name):
    assert shield.check(_with((name, dict(fields("OPTIONS"))[name]))) == _refused(name.lower())


@pytest.mark.parametrize(
    "via, sound",
    [
        ("SIP/2.0/UDP host", True),
        ("SIP / 2.0 / UDP host : 5060 ; branch = z9hG4bKa ;rport", True),
        ("SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKa", True),
        ("SIP/2.0/UDP a;branch=z9hG4bKa, SIP/2.0/UDP b;branch=z9hG4bKb", True),
        ("SIP/2.0/UDP\r\n host;branch=z9hG4bKa", True),
        ("SIP/2.0 host", False),
        ("SIP/2.0/UDP", False),
        ("SIP/2.0/UDP ;branch=z9hG4bKa", False),
        ("SIP/2.0/UDP [::1;branch=z9hG4bKa", False),
        ("SIP/2.0/UDP host:123456", False),
        ("/2.0/UDP host", False),
    ],
)
def test_vias_are_checked(via, sound):
    assert shield.check(request("OPTIONS", Via=via)) == (PASSED if sound else _dropped("via"))


@pytest.mark.parametrize(
    "via",
    [
        "SIP/2.0/UDP host;;branch=a",
        'SIP/2.0/UDP host;a=";branch;b";branch=a',
        "SIP/2.0/UDP host,",
        "SIP/2.0/UDP host;branch",
        "SIP/2.0/UDP host;branch=a, SIP/2.0/UDP host;received",
        "SIP/2.0/UDP host;branch=a;x=",
        "SIP/2.0/UDP host x",
    ],
)
def test_a_malformed_via_with_an_address_is_answered(via):
    assert shield.check(request("OPTIONS", Via=via)) == _refused("via")


@pytest.mark.parametrize("name", ["From", "To"])
@pytest.mark.parametrize(
    "value, sound",
    [
        ("sip:a@example.com;tag=1", True),
        ("<sip:a@example.com>", True),
        ("A B. C <sip:a@example.com>;tag=1", True),
        ('"A \\"quoted\\" name"<sip:a@example.com> ; tag = 1', True),
        ("<sips:a@example.com?subject=x&to=b>;tag=1", True),
        ("<tel:+4930123>;tag=1", True),
        (u"J\u00f6rg <sip:a@example.com>", True),
        ("a@example.com <sip:a@example.com>", True),
        ('"A" sip:a@example.com', False),
        ('"A <sip:a@example.com>', False),
        ("<sip:a@example.com", False),
        ("< sip:a@example.com>", False),
        ("<>", False),
        ("<sip:>", False),
        ("sip:a@example.com?x=y", False),
        ("A, B <sip:a@example.com>", False),
        ("<sip:a@example.com>;tag=", False),
        ("<sip:a@example.com>;tag", False),
        ("<sip:a@example.com>;tag=1;tag=2", False),
        ('<sip:a@example.com>;a=";tag;b";tag=1', False),
        ('<sip:a@example.com>;a="; tag = ,";tag=1', False),
        ('"A;tag;b" <sip:a@example.com>;tag=1', True),
        ("<sip:a@example.com>, <sip:b@example.com>", False),
        ("<sip:a@example.com> trailing", False),
        (";tag=1", False),
    ],
)
def test_from_and_to_are_checked(name, value, sound):
    verdict = PASSED if sound else _refused(name.lower())
    assert shield.check(request("OPTIONS", **{name: value})) == verdict


@pytest.mark.parametrize(
    "value, verdict",
    [
        ("1 OPTIONS", PASSED),
        ("0001\r\n\tOPTIONS", PASSED),
        ("2147483647 OPTIONS", PASSED),
        ("2147483648 OPTIONS", _refused("cseq")),
        ("-1 OPTIONS", _refused("cseq")),
        ("OPTIONS", _refused("cseq")),
        ("1", _refused("cseq")),
        ("1OPTIONS", _refused("cseq")),
        ("1 OPTIONS x", _refused("cseq")),
        ("1 INVITE", _refused("cseq-method")),
        ("1 options", _refused("cseq-method")),
    ],
)
def test_cseqs_are_checked(value, verdict):
    assert shield.check(request("OPTIONS", CSeq=value)) == verdict


def test_the_cseq_of_a_response_may_be_of_any_method():
    assert shield.check(response(200, CSeq="7 BYE")) == PASSED


@pytest.mark.parametrize(
    "value, sound",
    [
        ("0", True),
        ("5", True),
        ("4", True),
        ("6", False),
        ("-1", False),
        ("", False),
        ("0x5", False),
        ("5, 5", False),
    ],
)
def test_content_lengths_are_checked(value, sound):
    octets = request("MESSAGE", Content_Length=value) + b"12345"
    assert shield.check(octets) == (PASSED if sound else _refused("content-length"))


def test_a_datagram_needs_no_content_length():
    assert shield.check(request("MESSAGE", Content_Length=None) + b"12345") == PASSED


@pytest.mark.parametrize(
    "name, value, rule",
    [
        ("Max-Forwards", "256", "max-forwards"),
        ("Max-Forwards", "", "max-forwards"),
        ("Contact", "", "contact"),
        ("Contact", "<sip:a@host>;;", "contact"),
        ("Contact", "<sip:a@host>;expires", "contact"),
        ("Contact", "<sip:a@host>, ", "contact"),
        ("m", "<sip:a@host", "contact"),
        ("Route", "", "route"),
        ("Record-Route", "<sip:proxy;lr>,", "route"),
        ("Content-Type", "", "content-type"),
        ("Content-Type", "text", "content-type"),
        ("c", "text/plain;", "content-type"),
        ("Content-Type", "multipart/mixed", "content-type"),
        ("Content-Type", 'multipart/mixed;boundary=""', "content-type"),
        ("Authorization", "Digest", "credentials"),
        ("WWW-Authenticate", 'Digest realm="r"', "credentials"),
        ("WWW-Authenticate", 'Digest realm="r, nonce="n"', "credentials"),
        ("Proxy-Authenticate", "", "credentials"),
        ("Event", "", "event"),
        ("o", ";id=1", "event"),
        ("Refer-To", "", "event"),
        ("r", "<>", "event"),
        ("Session-Expires", "", "session-expires"),
        ("x", ";refresher=uac", "session-expires"),
        ("Session-Expires", "90;refresher", "session-expires"),
        ("Session-Expires", "90;refresher=", "session-expires"),
        ("Contact", '<sip:a@host>;a=";expires;"', "contact"),
        ("Contact", "<sip:a@host:" + "1" * 4 + ";" + "^" * 1300 + ">", "contact"),
        ("Content-Type", 'multipart/mixed;a="; boundary = x";boundary=y', "content-type"),
        ("Content-Type", 'multipart/mixed;boundary="x;y"', "content-type"),
        ("Content-Type", 'multipart/mixed;boundary="x\r\n y"', "content-type"),
        ("Content-Type", 'multipart/mixed;boundary="x "', "content-type"),
        ("Date", "Sat, 13 Nov 2010 23:29:00 EST", "date"),
        ("Date", "now", "date"),
        ("User-Agent", "(" * 17, "limit"),
    ],
)
def test_malformed_other_fields_are_refused(name, value, rule):
    pairs = [pair for pair in fields("OPTIONS") if pair[0] not in ("Max-Forwards", "Contact")]
    octets = compose("OPTIONS sip:s@127.0.0.1 SIP/2.0", pairs + [(name, value)])
    assert shield.check(octets) == _refused(rule)


@pytest.mark.parametrize(
    "name, value",
    [
        ("Contact", "*"),
        ("Contact", '"A" <sip:a@host>;q=0.5;+sip.instance="<urn:uuid:1>", sip:b@host;expires=7'),
        ("Route", "<sip:a;lr>,<sip:b;lr>"),
        ("Content-Type", "application/sdp"),
        ("Contact", '<sip:a@host>;a=";expires=7;b";c=";tag";d="; e"'),
        ("Session-Expires", "1800;refresher=uac;x"),
        ("x", "never"),
        ("Content-Type", "text/plain ; charset = utf-8"),
        ("Authorization", 'Digest username="a",realm="r",nonce="n",uri="sip:r",response="0",algorithm=MD5,nc=00000001'),
        ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth,auth-int", stale=FALSE'),
        ("Authorization", "Basic YTpi"),
        ("Event", "presence;id=7"),
        ("Subscription-State", "terminated;reason=timeout"),
        ("Refer-To", "<sip:a@host?Replaces=x%3Bto-tag%3Dy>"),
        ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
        ("User-Agent", "phone/1.0 (one (two))"),
        ("Subject", ""),
        ("Supported", ""),
        ("X-Anything", ';;,,"<<((' + "x" * 8000),
    ],
)
def test_well_formed_messages_pass(name, value):
    assert shield.check(_with((name, value))) == PASSED


@pytest.mark.parametrize("octets", [b"\0", b"\x01", b"\x7f", b"\r", b"\n", b"\rVia:", b"\nVia:\n", b"\x1b[0m"])
def test_octets_that_may_not_be_in_a_field(octets):
    at = request("OPTIONS").index(b"Max-Forwards")
    whole = request("OPTIONS")
    assert shield.check(whole[:at] + b"Subject: a" + octets + b"b\r\n" + whole[at:])[1:] == (400, "octets")


def test_octets_behind_a_backslash_in_quotes():
    assert shield.check(request("OPTIONS", To='"a\\\x00b\\\x07" <sip:a@host>')) == PASSED
    assert shield.check(request("OPTIONS", To='"a\x00b" <sip:a@host>')) == _refused("octets")


def test_a_body_may_hold_anything():
    body = bytes(bytearray(range(256)))
    pairs = fields("MESSAGE")[:-1] + [("Content-Type", "application/octet-stream"), ("Content-Length", "256")]
    assert shield.check(compose("MESSAGE sip:s@127.0.0.1 SIP/2.0", pairs, body)) == PASSED


@pytest.mark.parametrize("body", [b" x", b"\tx", b" ", b"\r\n x"])
def test_a_body_that_begins_with_white_space_is_no_fold(body):
    octets = request("MESSAGE", Content_Length=str(len(body))) + body
    assert shield.check(octets) == PASSED


@pytest.mark.parametrize(
    "lines, rule",
    [
        (b"no colon\r\n", "field"),
        (b": no name\r\n", "field"),
        (b"Sub ject: x\r\n", "field"),
        (b"Sub(ject: x\r\n", "field"),
        (b"X" * 257 + b": x\r\n", "limit"),
        (b"X: " + b"x" * 8192 + b"\r\n", "limit"),
        (b"X: x\r\n" * 257, "limit"),
        (b"Via: SIP/2.0/UDP host\r\n" * 72, "limit"),
    ],
)
def test_malformed_lines_are_refused(lines, rule):
    octets = request("OPTIONS")
    assert shield.check(octets[:-2] + lines + b"\r\n") == _refused(rule)


def test_the_first_line_of_the_header_is_no_fold():
    octets = request("OPTIONS")
    assert shield.check(octets.replace(b"SIP/2.0\r\nVia", b"SIP/2.0\r\n Via", 1))[2] == "field"


def test_a_header_without_an_end():
    assert shield.check(request("OPTIONS")[:-2]) == _refused("field")


@pytest.mark.parametrize(
    "body, sound",
    [
        (b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n", True),
        (b"--x\r\nA: b\r\n\r\n white\r\n--x--", True),
        (b"preamble\r\n--x\r\n\r\nhello\r\n--x\r\nA: b\r\n\r\n\0\r\n--x--", True),
        (b"", False),
        (b"hello", False),
        (b"--x--", False),
        (b"--x\r\n--x--", False),
        (b"--x\r\n\r\n--x\r\n--x--", False),
        (b"--x\r\nno header\r\n--x--", False),
        (b"--x\r\nno header\r\n\r\nhello\r\n--x--", False),
        (b"--x\r\nA: b\r\n\r\nhello", False),
        (b"--x\r\nContent-Type: a/b\r\ncontent-type: a/b\r\n\r\nhello\r\n--x--", False),
        (b"--xx\r\nA: b\r\n\r\nhello\r\n--x--", False),
        (b"--x--\r\n\r\nhello\r\nContent-Type: text/plain\r\n--x\r\n", False),
    ],
)
def test_multipart_bodies_are_checked(body, sound):
    pairs = fields("MESSAGE")[:-1]
    pairs += [("Content-Type", 'multipart/mixed;boundary="x"'), ("Content-Length", str(len(body)))]
    octets = compose("MESSAGE sip:s@127.0.0.1 SIP/2.0", pairs, body)
    assert shield.check(octets) == (PASSED if sound else _refused("body"))


def test_responses_and_acks_are_never_answered():
    assert shield.check(response(200, To=None)) == _dropped("to")
    assert shield.check(request("ACK", To=None)) == _dropped("to")
    assert shield.check(request("INVITE", To=None)) == _refused("to")
