"""As much as the contract allows goes through unchanged."""

from __future__ import absolute_import, division, print_function

import pytest

from peers import abilities


def test_the_greatest_number_of_headers_is_sent(raw, engine, peer):
    headers = [("X-Number-%d" % i, "value %d" % i) for i in range(raw.lib.SB_MAX_HEADERS)]
    assert raw.request(engine, "MESSAGE", peer.uri, headers=headers) > 0
    sent = peer.next("MESSAGE")
    assert [sent[name] for name, _ in headers] == [value for _, value in headers]


def test_a_body_of_60000_octets(raw, engine, peer):
    body = bytes(bytearray(i % 256 for i in range(raw.lib.SB_MAX_BODY)))
    assert raw.request(engine, "MESSAGE", peer.uri, content_type="application/octet-stream", body=body) > 0
    assert peer.next("MESSAGE").body == body


def test_a_message_too_long_for_a_datagram_is_refused(raw, engine, peer):
    """Body and headers that fit one by one and not together."""
    headers = [("X-Long-%d" % i, "x" * 4000) for i in range(2)]
    code = raw.request(
        engine, "MESSAGE", peer.uri, headers=headers, content_type="text/plain", body=b"x" * raw.lib.SB_MAX_BODY
    )
    assert code == raw.lib.SB_ETOOBIG


# Not a NUL first: libosip2 3.6 takes a body that begins with one for none.
@pytest.mark.parametrize("body", [b"a\x00", b"a\x00b\r\n\r\nc", b"\xff\xfe", u"\u20ac".encode("utf-8")])
def test_bodies_are_octets(raw, engine, port, peer, body):
    assert raw.request(engine, "MESSAGE", peer.uri, content_type="application/octet-stream", body=body) > 0
    assert peer.next("MESSAGE").body == body
    peer.request(port, "MESSAGE", [("Content-Type", "application/octet-stream")], body)
    assert raw.wait(engine).body == body


def test_text_is_utf8(raw, engine, port, peer):
    assert raw.request(engine, "MESSAGE", peer.uri, headers=[("Subject", u"Gr\xfc\xdfe \u20ac")]) > 0
    assert peer.next("MESSAGE")["Subject"] == u"Gr\xfc\xdfe \u20ac"
    peer.request(port, "MESSAGE", [("X-Text", u"Gr\xfc\xdfe \u20ac")])
    assert u"X-Text: Gr\xfc\xdfe \u20ac\n".lower() in raw.wait(engine).headers.decode("utf-8").lower()


def test_every_code_has_a_text(raw):
    names = [name for name in dir(raw.lib) if name.startswith("SB_E") and not name.startswith("SB_EV_")]
    assert len(names) == 12
    texts = [raw.error_text(getattr(raw.lib, name)) for name in names]
    assert len(set(texts)) == len(texts) and all(text and "\n" not in text for text in texts)
    assert raw.error_text(raw.lib.SB_OK) == raw.error_text(1) == "success"
    for code in (-13, -100, -(2 ** 31)):
        assert raw.error_text(code) == "unknown error code"


def test_what_an_engine_does_not_offer_is_an_error(raw, engine, peer):
    """It says so with one code, and nothing is sent."""
    lib, null, (parties, _keep) = raw.lib, raw.ffi.NULL, raw.parties(peer.uri)
    event = raw.text("presence")
    codes = [
        lib.sb_subscribe(engine, parties, event, 60, null),
        lib.sb_publish(engine, parties, event, null, 60, null),
    ]
    for code, method in zip(codes, ("SUBSCRIBE", "PUBLISH")):
        assert code == lib.SB_ENOTSUP or (code > 0 and peer.next(method))
    if lib.SB_ENOTSUP in codes:
        assert raw.request(engine, "MESSAGE", peer.uri) > 0
        assert peer.next("MESSAGE") and not peer.waiting


@pytest.mark.parametrize("transport", ["SB_TCP", "SB_TLS"])
def test_a_transport_that_is_not_offered_is_an_error(raw, transport):
    code = raw.open(transport=getattr(raw.lib, transport))
    assert code > 0 or code == raw.lib.SB_ENOTSUP
    if code > 0:
        raw.lib.sb_close(code, 0)


@pytest.mark.parametrize("length", [128, 129, 1000])
def test_a_long_user_in_our_contact(raw, engine, peer, length):
    """It is in the Contact of what is sent within the dialog, for which libeXosip2 3.3 has 200 octets."""
    code = raw.call(engine, peer.uri, from_="<sip:%s@h.test>" % ("x" * length))
    if length > 128 and abilities.is_exosip("3.3"):
        assert code == raw.lib.SB_ETOOBIG
    else:
        assert code > 0 and peer.next("INVITE")
