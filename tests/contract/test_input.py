"""Strings that are missing, too long or hold what would start another header: an error, and nothing was sent."""

from __future__ import absolute_import, division, print_function

import pytest

INJECTIONS = ["a\r\nEvil: 1", "a\nEvil: 1", "a\rEvil: 1", "\r\n\r\nbody", "a\x0b", "a\x7f", "a\x01"]
GOOD = "sip:bob@127.0.0.1:9"


@pytest.fixture(autouse=True)
def nothing_is_sent(raw, engine, peer):
    """After each test: the first thing that the peer gets is what is sent last, on purpose."""
    yield
    assert raw.request(engine, "MESSAGE", peer.uri, headers=[("X-Last", "yes")]) > 0
    first = peer.next("MESSAGE")
    assert first["X-Last"] == "yes" and not [each for each in peer.waiting if each.is_request]


def expect(code, *returned):
    assert returned == (code,) * len(returned)


@pytest.mark.parametrize("text", INJECTIONS)
def test_line_breaks_in_uris(raw, engine, peer, text):
    lib, bad = raw.lib, peer.uri + text
    expect(
        lib.SB_EINVAL,
        raw.call(engine, bad),
        raw.call(engine, "<%s>" % bad),
        raw.call(engine, '"%s" <%s>' % (text, peer.uri)),
        raw.call(engine, peer.uri, from_=bad),
        raw.call(engine, peer.uri, route=bad),
        raw.request(engine, "MESSAGE", bad),
        raw.register(engine, bad, peer.uri),
        raw.register(engine, peer.uri, bad),
        raw.register(engine, peer.uri, peer.uri, contact=bad),
    )


@pytest.mark.parametrize("call_id", INJECTIONS + ["", "a b", "a@", "@b", "a@b@c", "a,b", "a;b", u"h\xe4"])
def test_call_ids_that_are_none(raw, engine, peer, call_id):
    expect(raw.lib.SB_EINVAL, raw.call(engine, peer.uri, call_id=call_id))
    expect(raw.lib.SB_ETOOBIG, raw.call(engine, peer.uri, call_id="x" * 128 + "@" + "y" * 127))


@pytest.mark.parametrize("text", INJECTIONS)
def test_line_breaks_in_contents(raw, engine, peer, text):
    lib = raw.lib
    for headers in ([("Subject", text)], [(text, "value")], [("Subject", "fine"), ("X-Second", text)]):
        expect(lib.SB_EINVAL, raw.call(engine, peer.uri, headers=headers))
        expect(lib.SB_EINVAL, raw.request(engine, "MESSAGE", peer.uri, headers=headers))
    expect(lib.SB_EINVAL, raw.call(engine, peer.uri, content_type=text, body=b"body"))


@pytest.mark.parametrize("method", INJECTIONS + ["", "MESS AGE", "MESSAGE:", u"M\xe9", "MESSAGE sip:x SIP/2.0"])
def test_malformed_methods_are_refused(raw, engine, peer, method):
    assert raw.request(engine, method, peer.uri) == raw.lib.SB_EINVAL


@pytest.mark.parametrize("method", ["INVITE", "ACK", "BYE", "CANCEL", "PRACK", "REGISTER", "SUBSCRIBE"])
def test_methods_with_functions_of_their_own_are_refused(raw, engine, peer, method):
    assert raw.request(engine, method, peer.uri) == raw.lib.SB_EINVAL


@pytest.mark.parametrize(
    "name",
    ["Via", "v", "From", "f", "To", "t", "Call-ID", "i", "CSeq", "Contact", "m", "Record-Route", "Max-Forwards"]
    + ["Content-Type", "c", "Content-Length", "l", "cOnTeNt-LeNgTh", "", "Sub ject", "Subject:", u"S\xfcbject"],
)
def test_headers_of_the_engine_and_malformed_names_are_refused(raw, engine, peer, name):
    assert raw.call(engine, peer.uri, headers=[(name, "value")]) == raw.lib.SB_EINVAL


@pytest.mark.parametrize(
    "uri",
    [None, "", "sip:", "bob", "http://127.0.0.1", "sip:a b", "<sip:a@b", "sip:a@b>;tag=1", '"x sip:a@b', "sip:\\"],
)
def test_malformed_uris_are_refused(raw, engine, peer, uri):
    lib = raw.lib
    expect(lib.SB_EINVAL, raw.call(engine, uri), raw.request(engine, "MESSAGE", uri), raw.register(engine, GOOD, uri))
    expect(lib.SB_EINVAL, raw.register(engine, uri, GOOD))
    if uri is not None:
        expect(lib.SB_EINVAL, raw.call(engine, GOOD, from_=uri), raw.call(engine, GOOD, route=uri))


@pytest.mark.parametrize("event", [None, "", "pre sence", "presence x", "presence\r\nEvil: 1", ";id=1", "x" * 64])
def test_malformed_event_packages_are_refused(raw, engine, peer, event):
    expect(raw.lib.SB_EINVAL, raw.subscribe(engine, peer.uri, event=event), raw.publish(engine, peer.uri, event=event))


@pytest.mark.parametrize("name", ["Event", "o", "eXpires", "Subscription-State", "SIP-If-Match"])
def test_headers_of_the_engine_are_refused_in_subscriptions(raw, engine, peer, name):
    headers = [(name, "value")]
    expect(
        raw.lib.SB_EINVAL,
        raw.subscribe(engine, peer.uri, headers=headers),
        raw.publish(engine, peer.uri, headers=headers),
    )


@pytest.mark.parametrize("text", INJECTIONS)
def test_line_breaks_in_subscriptions(raw, engine, port, peer, text):
    lib, null = raw.lib, raw.ffi.NULL
    expect(
        lib.SB_EINVAL,
        raw.subscribe(engine, peer.uri + text),
        raw.subscribe(engine, peer.uri, from_=peer.uri + text),
        raw.subscribe(engine, peer.uri, headers=[("Accept", text)]),
        raw.publish(engine, peer.uri + text),
        raw.publish(engine, peer.uri, etag=text),
    )
    peer.request(port, "SUBSCRIBE", [("Event", "presence")])
    handle = raw.wait(engine).subscription
    expect(lib.SB_EINVAL, lib.sb_subscription_reject(engine, handle, 403, raw.text(text), null))
    expect(lib.SB_EINVAL, lib.sb_notify(engine, handle, raw.text(text), null))
    expect(lib.SB_OK, lib.sb_subscription_reject(engine, handle, 403, null, null))
    peer.next("403")


def test_numbers_of_subscriptions_out_of_range(raw, engine, port, peer):
    lib, null = raw.lib, raw.ffi.NULL
    expect(lib.SB_EINVAL, raw.subscribe(engine, peer.uri, expires=-1), raw.publish(engine, peer.uri, expires=-1))
    expect(lib.SB_EINVAL, lib.sb_subscribe_refresh(engine, 1, 0), lib.sb_subscribe_refresh(engine, 1, -1))
    for status in (-1, 0, 199, 300):
        expect(lib.SB_EINVAL, lib.sb_subscription_accept(engine, 1, status, 60))
    for status in (-1, 0, 299, 700):
        expect(lib.SB_EINVAL, lib.sb_subscription_reject(engine, 1, status, null, null))
    expect(lib.SB_EINVAL, lib.sb_subscription_accept(engine, 1, 200, -1))


def test_null_is_refused_where_a_value_is_required(raw, engine, peer):
    lib, ffi = raw.lib, raw.ffi
    parties, _keep = raw.parties(peer.uri)
    expect(lib.SB_EINVAL, lib.sb_call(engine, ffi.NULL, ffi.NULL, ffi.NULL), lib.sb_wait(engine, 0, ffi.NULL))
    expect(lib.SB_EINVAL, lib.sb_request(engine, ffi.NULL, parties, ffi.NULL))
    expect(lib.SB_EINVAL, lib.sb_request(engine, raw.text("MESSAGE"), ffi.NULL, ffi.NULL))
    expect(lib.SB_EINVAL, lib.sb_register(engine, ffi.NULL, parties, ffi.NULL, 60))
    expect(lib.SB_EINVAL, lib.sb_register(engine, raw.text(peer.uri), ffi.NULL, ffi.NULL, 60))
    for user, password in ((None, "secret"), ("user", None), ("", "secret"), ("a\r\nb", "x"), ("user", "a\nb")):
        expect(lib.SB_EINVAL, lib.sb_credentials(engine, ffi.NULL, raw.text(user), raw.text(password)))
    expect(lib.SB_EINVAL, lib.sb_credentials(engine, raw.text("a\r\nb"), raw.text("user"), raw.text("x")))
    for user in ('a"b', "a\\", '"'):  # the libraries write it between quotes as it is
        expect(lib.SB_EINVAL, lib.sb_credentials(engine, ffi.NULL, raw.text(user), raw.text("x")))
        expect(lib.SB_EINVAL, lib.sb_credentials(engine, raw.text(user), raw.text("user"), raw.text("x")))
    lib.sb_event_free(ffi.NULL)


def test_contents_without_a_pointer_are_refused(raw, engine, peer):
    lib, ffi = raw.lib, raw.ffi
    parties, _keep = raw.parties(peer.uri)
    kind = ffi.new("char[]", b"text/plain")
    for fields in (
        {"header_count": 1},
        {"body_len": 1, "content_type": kind},
        {"body_len": 4, "body": kind},
    ):
        content = ffi.new("sb_content *", fields)
        expect(lib.SB_EINVAL, lib.sb_call(engine, parties, ffi.NULL, content))
    headers = ffi.new("sb_header[]", [(ffi.NULL, kind), (kind, ffi.NULL)])
    for first in (headers, headers + 1):
        content = ffi.new("sb_content *", {"headers": first, "header_count": 1})
        expect(lib.SB_EINVAL, lib.sb_call(engine, parties, ffi.NULL, content))


def test_numbers_out_of_range(raw, engine, port, peer):
    lib, null = raw.lib, raw.ffi.NULL
    call = raw.call(engine, GOOD)
    for status in (-1, 0, 100, 200, 2 ** 31 - 1):
        expect(lib.SB_EINVAL, lib.sb_call_ring(engine, call, status, null))
    for status in (-1, 0, 399, 700, 2 ** 31 - 1):
        expect(lib.SB_EINVAL, lib.sb_call_reject(engine, call, status, null, null))
    for status in (-1, 0, 299, 400):
        expect(lib.SB_EINVAL, lib.sb_call_redirect(engine, call, status, raw.text(GOOD)))
    for status in (-1, 0, 199, 700):
        expect(lib.SB_EINVAL, lib.sb_answer(engine, call, status, null, null))
    for expires in (0, -1, -(2 ** 31)):
        expect(lib.SB_EINVAL, raw.register(engine, peer.uri, peer.uri, expires=expires))
        expect(lib.SB_EINVAL, lib.sb_register_refresh(engine, 1, expires))


@pytest.mark.parametrize("length", [4097, 70000, 2 ** 20])
def test_strings_that_are_too_long(raw, engine, peer, length):
    lib, long = raw.lib, "x" * length
    expect(
        lib.SB_ETOOBIG,
        raw.call(engine, "sip:" + long),
        raw.call(engine, peer.uri, from_="sip:" + long),
        raw.call(engine, peer.uri, route="sip:" + long),
        raw.call(engine, peer.uri, headers=[("Subject", long)]),
        raw.call(engine, peer.uri, headers=[(long, "value")]),
        raw.call(engine, peer.uri, content_type=long, body=b"body"),
        raw.request(engine, long, peer.uri),
        raw.register(engine, peer.uri, peer.uri, contact="sip:" + long),
        lib.sb_credentials(engine, raw.text(long), raw.text("user"), raw.text("secret")),
        lib.sb_credentials(engine, raw.ffi.NULL, raw.text(long), raw.text("secret")),
        lib.sb_credentials(engine, raw.ffi.NULL, raw.text("user"), raw.text(long)),
    )


def test_too_many_headers_are_refused(raw, engine, peer):
    most = raw.lib.SB_MAX_HEADERS
    assert raw.call(engine, peer.uri, headers=[("X-%d" % i, "v") for i in range(most + 1)]) == raw.lib.SB_ETOOBIG


@pytest.mark.parametrize("length", [60001, 65535, 65536, 2 ** 20])
def test_bodies_that_are_too_long(raw, engine, peer, length):
    too_big = raw.lib.SB_ETOOBIG
    expect(too_big, raw.call(engine, peer.uri, content_type="text/plain", body=b"x" * length))
    expect(too_big, raw.request(engine, "MESSAGE", peer.uri, content_type="text/plain", body=b"x" * length))


def test_a_reason_phrase_with_a_line_break_is_refused(raw, engine, port, peer):
    """A reason phrase with a line break leaves the call as it was: it can still be refused."""
    lib, null = raw.lib, raw.ffi.NULL
    invite = peer.request(port, "INVITE")
    call = raw.wait(engine).call
    for text in INJECTIONS:
        expect(lib.SB_EINVAL, lib.sb_call_reject(engine, call, 486, raw.text(text), null))
        expect(lib.SB_EINVAL, lib.sb_call_redirect(engine, call, 302, raw.text(peer.uri + text)))
    expect(lib.SB_ETOOBIG, lib.sb_call_reject(engine, call, 486, raw.text("x" * 4097), null))
    expect(lib.SB_OK, lib.sb_call_reject(engine, call, 486, raw.text(u"B\xfcsy"), null))
    refusal = peer.next("486")
    assert refusal.start_line == u"SIP/2.0 486 B\xfcsy" and refusal["Call-ID"] == invite["Call-ID"]


def test_bad_input_within_a_call_is_refused(raw, engine, peer, up):
    lib, null = raw.lib, raw.ffi.NULL
    for method in INJECTIONS + ["", "INVITE", "ACK", "BYE", "CANCEL", "PRACK"]:
        expect(lib.SB_EINVAL, lib.sb_call_request(engine, up, raw.text(method), null))
    expect(lib.SB_EINVAL, lib.sb_call_request(engine, up, null, null))
    content, _keep = raw.content(headers=[("Subject", "a\r\nEvil: 1")])
    for function in (lib.sb_call_hangup, lib.sb_call_reinvite, lib.sb_call_ack, lib.sb_call_answer):
        expect(lib.SB_EINVAL, function(engine, up, content))
    big, _big = raw.content(content_type="text/plain", body=b"x" * 60001)
    expect(lib.SB_ETOOBIG, lib.sb_call_reinvite(engine, up, big))
