"""Peers that answer what they should not: an exception or a drop; the endpoint goes on, and no call is left."""

from __future__ import absolute_import, division, print_function

import os
import resource
import time

import pytest

import sipbridge
from conformance.dialog import SDP, is_working
from conformance.sdp import ANSWER, OFFER
from conformance.serving import Serving
from sipbridge import shield

STORM = 500

#: Requests that a peer may make an endpoint send for one of the user's, at the most.
BOUND = 12


#: What comes of an answer that refuses, or that cannot be parsed and so is none.
REFUSED = (sipbridge.ResponseError, sipbridge.TimeoutError)


def _is_bare(phone):
    """libeXosip2 3.6 itself without the shield: it dies of what lacks a header (docs/reliability.md)."""
    return phone.endpoint.engine_name == "exosip" and "SIPBRIDGE_DOUBLE" not in os.environ and not shield.loaded()


def _response(request, status, tag="byhand", body=b"", **changed):
    """The octets of a response; ``changed`` overrides some fields, None leaves one out."""
    fields = {
        "Via": request["Via"],
        "From": request["From"],
        "To": request["To"] + (";tag=%s" % tag if tag else ""),
        "Call_ID": request["Call-ID"],
        "CSeq": request["CSeq"],
        "Contact": "<%s>" % request.start_line.split()[1],
        "Content_Length": "%d" % len(body),
    }
    fields.update(changed)
    lines = ["SIP/2.0 %d Because" % status]
    lines += ["%s: %s" % (name.replace("_", "-"), value) for name, value in fields.items() if value is not None]
    return "\r\n".join(lines + ["", ""]).encode("utf-8") + body


def _close(phone, by_hand, call, invite=None):
    """End the call from our side, whatever it has come to, and see that nothing is left."""
    if invite is not None:
        by_hand.reply(invite, 180)  # before that no CANCEL may be sent (RFC 3261, 9.1)
    call.hangup()
    deadline, last = time.time() + 40.0, None  # 64*T1, or as long as a name in a Contact is looked up
    while call.ended is None and time.time() < deadline:
        message = by_hand.take(0.1)
        if message is not None and message.name in ("CANCEL", "BYE"):
            last = message
        if last is None or (message is not None and message is not last):
            continue
        by_hand.reply(last, 200)  # again and again: what comes first may be lost in a storm
        if last.name == "CANCEL":
            by_hand.reply(invite, 487)
    assert call.ended is not None and phone.endpoint.calls == ()
    is_working(phone, by_hand)


# -- answers that do not fit -----------------------------------------------------------------------------


WRONG = [
    dict(CSeq="7777 INVITE"),
    dict(CSeq="1 FROB"),
    dict(CSeq=None),
    dict(Call_ID="nobody"),
    dict(Call_ID=None),
    dict(From="<sip:alice@sipbridge.test>;tag=other"),
    dict(From=None),
    dict(To=None),
    dict(Via="SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKguessed"),
    dict(Via=None),
    dict(Content_Length="99999"),
    dict(Contact=None),
    dict(Contact="nonsense"),
]


@pytest.mark.parametrize("changed", WRONG, ids=lambda changed: "-".join("%s=%.12s" % each for each in changed.items()))
@pytest.mark.parametrize("status", [180, 200])
def test_a_malformed_answer_to_an_invite(phone, by_hand, elsewhere, status, changed):
    """The engine drops it or takes it; the call ends in order."""
    if _is_bare(phone) and None in changed.values():
        pytest.skip("libeXosip2 dies of it: run with python -m sipbridge.shield")
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    sender = elsewhere if "Via" in changed else by_hand
    sender.send(phone.endpoint.port, _response(invite, status, body=ANSWER, Content_Type="application/sdp", **changed))
    if phone.endpoint.engine_name == "exosip" and status == 200 and changed.get("Call_ID"):
        call.hangup()  # libeXosip2 looks at the branch alone, and takes 15 s to let go of such a call
        assert call.state == "ending"
        is_working(phone, by_hand)
        return
    _close(phone, by_hand, call, invite)


@pytest.mark.parametrize("status", [180, 200, 486])
def test_an_answer_without_a_tag(phone, by_hand, status):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.send(phone.endpoint.port, _response(invite, status, tag=None))
    _close(phone, by_hand, call, invite)


def test_a_malformed_answer_to_a_message(phone, by_hand):
    """The correct answer, which follows, counts."""
    def react(peer, request, number):
        for changed in (dict(CSeq="99 MESSAGE"), dict(CSeq="1 INVITE"), dict(Via="SIP/2.0/UDP 127.0.0.1:9;branch=x")):
            peer.send(phone.endpoint.port, _response(request, 403, **changed))
        peer.reply(request, 202)

    with Serving(by_hand, react):
        try:
            assert phone.endpoint.message(by_hand.uri, b"hello").status == 202
        except sipbridge.ResponseError as error:  # libosip2 looks at the branch alone
            assert (error.status, phone.endpoint.engine_name) == (403, "exosip")
    is_working(phone, by_hand)


# -- storms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [180, 200, 401, 603])
def test_a_storm_of_answers_to_an_invite(phone, by_hand, status):
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    octets = _response(invite, status)
    for _ in range(STORM):
        by_hand.send(phone.endpoint.port, octets)
    _close(phone, by_hand, call, invite)
    assert len([label for label in phone.labels if label.startswith(("answered", "ended"))]) <= 3


@pytest.mark.parametrize("status", [100, 200, 404])
def test_a_storm_of_answers_to_a_message(phone, by_hand, status):
    def react(peer, request, number):
        octets = _response(request, status)
        for _ in range(STORM if number == 1 else 0):
            peer.send(phone.endpoint.port, octets)
        peer.reply(request, 404)

    by_hand.stateless = True  # the first answer is lost in the storm
    with Serving(by_hand, react), pytest.raises(sipbridge.ResponseError) if status != 200 else _nothing():
        phone.endpoint.message(by_hand.uri, b"hello")
    is_working(phone, by_hand)


class _nothing(object):
    def __enter__(self):
        pass

    def __exit__(self, *exc_info):
        pass


def test_a_storm_of_answers_to_a_register(phone, by_hand):
    def react(peer, request, number):
        octets = _response(request, 200, Contact=request["Contact"] + ";expires=600")
        for _ in range(STORM):
            peer.send(phone.endpoint.port, octets)

    by_hand.stateless = True  # all of the second storm are lost where the first has filled the socket's buffer
    with Serving(by_hand, react):
        registration = phone.endpoint.register(by_hand.uri)
        registration.unregister()
    assert phone.labels == ["registration active 200", "registration ended 200"]
    is_working(phone, by_hand)


def test_an_answer_after_the_call_was_cancelled_and_refused(phone, by_hand):
    """After the 487 two phones send a 200: the call stays ended."""
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    by_hand.reply(invite, 180)
    phone.wait("progress 180")
    call.hangup()
    by_hand.reply(by_hand.next("CANCEL"), 200)
    by_hand.reply(invite, 487)
    assert call.wait_ended().cause == "cancelled"
    for tag in ("one", "two"):
        by_hand.reply(invite, 200, SDP, ANSWER, tag=tag)
    is_working(phone, by_hand)
    assert "answered 200 sdp" not in phone.labels


def _resident():
    """Kilobytes of this process that are in memory now."""
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * resource.getpagesize() // 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the memory of a process is read from /proc")
def test_an_endless_ringing_does_not_fill_the_memory(by_hand, make_phone):
    """Megabytes of provisional responses with nobody who looks at them."""
    phone = make_phone(identity="sip:alice@sipbridge.test")
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    invite = by_hand.next("INVITE")
    filling = ("x" * 4000).encode("ascii")
    octets = _response(invite, 183, body=filling, Content_Type="text/plain")

    def ring(times):
        for number in range(times):
            by_hand.send(phone.endpoint.port, octets)
            if number % 50 == 49:  # as fast as they are read
                time.sleep(0.01)
                del phone.events[:]  # the test's own

    ring(1000)
    before = _resident()
    ring(5000)
    assert _resident() - before < 10000, "of 20 MB more than 10 were kept"
    _close(phone, by_hand, call, invite)


# -- loops -----------------------------------------------------------------------------------------------


def _challenge(number, more=', qop="auth", stale=true'):
    return [("WWW-Authenticate", 'Digest realm="sipbridge.test", nonce="nonce%d"%s' % (number, more))]


def _ask(phone, peer, method, timeout=10.0):
    """One request of a kind, seen through to the end."""
    endpoint = phone.endpoint
    if method == "REGISTER":
        endpoint.register(peer.uri, timeout=timeout)
    elif method == "SUBSCRIBE":
        endpoint.subscribe(peer.uri, "presence", timeout=timeout)
    elif method == "PUBLISH":
        endpoint.publish(peer.uri, "presence", b"x", "text/plain", timeout=timeout)
    elif method == "INVITE":
        endpoint.call(peer.uri, OFFER, timeout=timeout)
    else:
        endpoint.message(peer.uri, b"x", timeout=timeout)


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "PUBLISH", "INVITE", "MESSAGE"])
def test_an_endless_series_of_stale_nonces(phone, by_hand, method):
    """The request fails after a few stale nonces (RFC 7616, 3.3)."""
    phone.endpoint.add_credentials("alice", "secret")
    with Serving(by_hand, lambda peer, request, number: peer.reply(request, 401, _challenge(number))) as serving:
        with pytest.raises(sipbridge.AuthenticationError):
            _ask(phone, by_hand, method)
    assert 1 <= serving.count(method) <= BOUND
    is_working(phone, by_hand)


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "PUBLISH"])
def test_an_endless_series_of_423(phone, by_hand, method):
    """423 with ever more seconds (RFC 3261, 10.3; RFC 6665, 4.2.1.1; RFC 3903, 4.1)."""
    def react(peer, request, number):
        peer.reply(request, 423, [("Min-Expires", "%d" % (3600 * (number + 1)))])

    with Serving(by_hand, react) as serving:
        with pytest.raises(sipbridge.ResponseError) as caught:
            _ask(phone, by_hand, method)
    assert caught.value.status == 423
    assert 1 <= serving.count(method) <= BOUND
    is_working(phone, by_hand)


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "PUBLISH"])
@pytest.mark.parametrize("least", ["", "-1", "0", u"\u00b2", "9" * 3000], ids=lambda text: repr(text[:12]))
def test_a_423_with_a_malformed_min_expires(phone, by_hand, method, least):
    def react(peer, request, number):
        peer.reply(request, 423, [("Min-Expires", least)] if number == 1 else [])

    with Serving(by_hand, react) as serving:
        with pytest.raises(REFUSED):
            _ask(phone, by_hand, method, 0.5)
    assert serving.count(method) <= 2
    is_working(phone, by_hand)


@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "PUBLISH", "INVITE", "MESSAGE"])
def test_a_redirection_to_where_it_came_from(phone, by_hand, method):
    """A 302 to the caller or to the peer itself is not followed without end."""
    def react(peer, request, number):
        peer.reply(request, 302, [("Contact", "<%s>;q=1, <%s>" % (peer.uri, phone.endpoint.uri))])

    with Serving(by_hand, react) as serving:
        with pytest.raises(sipbridge.ResponseError) as caught:
            _ask(phone, by_hand, method)
    assert caught.value.status == 302 and serving.count(method) <= 2
    is_working(phone, by_hand)


def test_an_endless_series_of_redirections(phone, by_hand):
    """No more redirections are followed than asked for."""
    def react(peer, request, number):
        contacts = ", ".join("<sip:%d.%d@127.0.0.1:%d>" % (number, each, peer.port) for each in range(50))
        peer.reply(request, 302, [("Contact", contacts)])

    with Serving(by_hand, react) as serving:
        with pytest.raises(sipbridge.ResponseError):
            phone.endpoint.call(by_hand.uri, OFFER, follow_redirects=5, timeout=10.0)
    assert serving.count("INVITE") == 6
    assert phone.endpoint.calls == ()
    is_working(phone, by_hand)


# -- challenges -----------------------------------------------------------------------------------------


CHALLENGES = [
    "",
    "Digest",
    "Digest realm",
    'Digest realm="sipbridge.test"',
    'Digest nonce="n"',
    'Digest realm="", nonce=""',
    'Digest realm="sipbridge.test", nonce="n", qop="auth-int"',
    'Digest realm="sipbridge.test", nonce="n", qop="frob"',
    'Digest realm="sipbridge.test", nonce="n", algorithm=SHA-512-256',
    'Digest realm="sipbridge.test", nonce="n", algorithm=FROB, qop="auth"',
    'Digest realm="sipbridge.test, nonce="n"',
    'Digest realm="sipbridge.test", nonce="%s", qop="auth"' % ("n" * 3000),
    'Digest realm="%s%n%x", nonce="%s%s%s"',
    'Basic realm="sipbridge.test"',
    'Frob a=b, c="d',
    "Digest " + ", ".join('x%d="y"' % number for number in range(200)),
]


@pytest.mark.parametrize("challenge", CHALLENGES, ids=lambda text: text[:40])
def test_a_challenge_of_an_unknown_scheme_or_algorithm(phone, by_hand, challenge):
    """The challenge is answered or the request fails; the password never goes over the wire in clear."""
    phone.endpoint.add_credentials("alice", "wonder-land")
    def react(peer, request, number):
        peer.reply(request, 401, [("WWW-Authenticate", challenge)])

    with Serving(by_hand, react) as serving:
        for method in ("REGISTER", "MESSAGE"):
            with pytest.raises(REFUSED):
                _ask(phone, by_hand, method, 0.5)
    assert 2 <= len(serving.requests) <= 2 * BOUND
    for request in serving.requests:
        assert not any("wonder-land" in value or value.startswith("Basic") for _, value in request.fields)
    is_working(phone, by_hand)


def test_a_hundred_challenges_at_once(phone, by_hand):
    phone.endpoint.add_credentials("alice", "secret")
    def react(peer, request, number):
        peer.reply(request, 401, [each for realm in range(100) for each in _challenge(realm)])

    with Serving(by_hand, react) as serving:
        with pytest.raises(REFUSED):
            _ask(phone, by_hand, "REGISTER", 0.5)
    assert serving.count("REGISTER") <= BOUND
    is_working(phone, by_hand)


# -- registrars -----------------------------------------------------------------------------------------


def test_a_registrar_with_a_thousand_contacts(phone, by_hand):
    """All of them are told, and our own binding is found among them."""
    count = 1000 if phone.endpoint.engine_name == "sofia" else 90  # the shield's bounds: 513 beyond
    others = ["<sip:%d@198.51.100.7>;expires=20" % number for number in range(count)]

    def react(peer, request, number):
        own = [request["Contact"].partition(">")[0] + ">;expires=700"] if "Contact" in request else []
        peer.reply(request, 200, [("Contact", ", ".join(others + own))])

    with Serving(by_hand, react):
        if phone.endpoint.engine_name == "sofia":
            found = ", ".join(phone.endpoint.bindings(by_hand.uri))
            assert len([each for each in found.split(",") if "198.51.100.7" in each]) == 1000
        registration = phone.endpoint.register(by_hand.uri)
        assert registration.expires == 700
        registration.unregister()
    is_working(phone, by_hand)


@pytest.mark.parametrize(
    "expires", ["0", "-1", "2147483647", "9" * 3000], ids=lambda text: repr(text[:12])
)
@pytest.mark.parametrize("method", ["REGISTER", "SUBSCRIBE", "PUBLISH"])
def test_an_expiry_of_zero_or_of_centuries(phone, by_hand, method, expires):
    """The endpoint still works afterwards, and the registration or subscription can be ended."""
    def react(peer, request, number):
        peer.reply(request, 200, [("Expires", expires if number == 1 else "600"), ("SIP-ETag", "one")])

    with Serving(by_hand, react) as serving:
        try:
            _ask(phone, by_hand, method, 0.5)
        except sipbridge.TimeoutError:  # what cannot be parsed is no answer
            pass
        assert phone.endpoint.message(by_hand.uri, b"x").ok  # by the event thread, which is still there
        assert serving.count(method) <= BOUND
        phone.endpoint.close()
