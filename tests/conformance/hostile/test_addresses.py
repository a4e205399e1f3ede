"""Addresses of peers that cannot be sent to: without a host, or longer than anybody's. Nothing dies of them.

libeXosip2 3.3 looks up the host of what it receives and sends, and has 200 octets for our side's address.
"""

from __future__ import absolute_import, division, print_function

import time

import pytest

from conformance.sdp import ANSWER, OFFER
from peers.endpoint_process import RemoteError
from peers.wire import Message

#: Without a host.
HOSTLESS = ["<tel:+12015550123>", "tel:+12015550123", "<mailto:x@example.com>", "<urn:service:sos>"]

LONG = "x" * 300


@pytest.fixture
def there(other, by_hand):
    """Asserts that the endpoint lives and answers: a function."""
    port = int(other.host_port.rsplit(":", 1)[1])

    def ask():
        by_hand.waiting = [message for message in by_hand.waiting if not message.name.isdigit()]
        by_hand.request(port, "OPTIONS")
        while by_hand.next("200")["CSeq"] != "1 OPTIONS":
            pass

    return ask


def _sent(by_hand, other, method, **fields):
    """Send a request that begins something, with other header fields or another target. Returns it."""
    port = int(other.host_port.rsplit(":", 1)[1])
    number = "hostless-%d-%d" % (by_hand.port, next(by_hand._numbers))
    target = fields.pop("target", "sip:engine@127.0.0.1:%d" % port)
    headers = {
        "Via": "SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s" % (by_hand.port, number),
        "From": "<%s>;tag=ours" % by_hand.uri,
        "To": "<sip:engine@127.0.0.1:%d>" % port,
        "Call-ID": number,
        "CSeq": "1 " + method,
        "Contact": "<%s>" % by_hand.uri,
        "Content-Type": "application/sdp" if method == "INVITE" else "text/plain",
        "Max-Forwards": "70",
    }
    headers.update((name.replace("_", "-"), value) for name, value in fields.items())
    body = OFFER if method == "INVITE" else b""
    lines = ["%s %s SIP/2.0" % (method, target)] + ["%s: %s" % each for each in sorted(headers.items())]
    octets = "\r\n".join(lines + ["Content-Length: %d" % len(body), "", ""]).encode("ascii") + body
    by_hand.send(port, octets)
    return Message(octets, False)


def _answer(by_hand, request, status, contact, **changes):
    """Answer with another Contact, with Record-Route where there is one, or another From."""
    fields = [(name, changes.get(name.lower(), request[name])) for name in ("Via", "From", "Call-ID", "CSeq")]
    fields += [("To", request["To"] + ";tag=" + changes.get("tag", "theirs")), ("Contact", contact)]
    fields += [("Record-Route", each) for each in [changes.get("record_route")] if each is not None]
    lines = ["SIP/2.0 %d Because" % status] + ["%s: %s" % each for each in fields]
    body = ANSWER if status == 200 and request.name == "INVITE" else b""
    lines += ["Content-Type: application/sdp"] * bool(body) + ["Expires: 60", "Content-Length: %d" % len(body), "", ""]
    by_hand.send(int(request["Via"].split(";")[0].rsplit(":", 1)[1]), "\r\n".join(lines).encode("ascii") + body)


def _arrived(other, label):
    return sum(each.startswith(label) for each in other.labels)


def _hang_up(other):
    try:
        other.call("hangup")
    except RemoteError:
        pass  # it is over


def _take(other, by_hand, before):
    """Answer the call, unless it was refused, and hang it up, though the BYE may reach nobody. True when it came."""
    deadline = time.time() + 3.0  # some are neither taken nor answered
    while _arrived(other, "incoming") == before and time.time() < deadline:
        message = by_hand.take(0.05)
        if message is not None and message.name.isdigit() and int(message.name) >= 300:
            return False
    if _arrived(other, "incoming") == before:
        return False
    other.call("answer", ANSWER)
    _hang_up(other)
    return True


def test_requests_to_uris_without_a_host(other, by_hand, there):
    for method in ("INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "NOTIFY", "BYE", "CANCEL", "REGISTER", "INFO"):
        for target in ("tel:+12015550123", "soap.beep://192.0.2.103:3002", "urn:service:sos"):
            _sent(by_hand, other, method, target=target, Event="presence", Subscription_State="active")
        there()


@pytest.mark.parametrize("field", ["Contact", "Record_Route", "Route"])
def test_calls_from_addresses_without_a_host(other, by_hand, there, field):
    """They may be refused or taken."""
    for address in HOSTLESS + ["*"] * (field == "Contact"):
        before = _arrived(other, "incoming")
        _sent(by_hand, other, "INVITE", **{field: address})
        _take(other, by_hand, before)
        there()


@pytest.mark.parametrize("status", [180, 200, 302, 486])
def test_answers_from_addresses_without_a_host(other, by_hand, there, status):
    for address in HOSTLESS + ["*"]:
        other.start("endpoint", "invite", by_hand.uri, OFFER).result()
        _answer(by_hand, by_hand.next("INVITE"), status, address)
        there()
        _hang_up(other)
        there()


@pytest.mark.parametrize("field", ["contact", "record_route"])
def test_notifiers_without_a_host(other, by_hand, there, field):
    for address in HOSTLESS:
        pending = other.start("endpoint", "subscribe", by_hand.uri, "presence")
        subscribe = by_hand.next("SUBSCRIBE")
        while "tag=" in subscribe["To"]:  # the refresh of the one before
            subscribe = by_hand.next("SUBSCRIBE")
        contact = address if field == "contact" else "<%s>" % by_hand.uri
        _answer(by_hand, subscribe, 200, contact, record_route=address if field == "record_route" else None)
        there()
        pending.result()
        other.start("subscription", "refresh")
        there()


def test_subscribers_without_a_host(other, by_hand, there):
    for address in HOSTLESS:
        before = _arrived(other, "subscribe presence")
        _sent(by_hand, other, "SUBSCRIBE", Event="presence", Contact=address)
        there()
        if _arrived(other, "subscribe presence") > before:
            other.start("notifier", "notify", b"open", "text/plain")
            there()


def test_a_reinvite_whose_contact_has_no_host(other, by_hand, there):
    """A re-INVITE, whose Contact is where everything goes from then on (RFC 3261, 12.2.2)."""
    port = int(other.host_port.rsplit(":", 1)[1])
    for count, address in enumerate(HOSTLESS, 1):
        invite = _sent(by_hand, other, "INVITE")
        other.wait("incoming sdp", count)
        other.call("answer", ANSWER)
        answer = by_hand.next("200")
        by_hand.within(port, invite, answer["To"], "ACK", 1)
        other.wait("confirmed", count)
        moved = dict(Call_ID=invite["Call-ID"], To=answer["To"], CSeq="2 INVITE", Contact=address)
        _sent(by_hand, other, "INVITE", **moved)
        there()
        _hang_up(other)
        there()


def test_a_call_to_a_long_user(other, by_hand, there):
    """The peer's To becomes our address in the dialog, and so the Contact of our BYE."""
    port = int(other.host_port.rsplit(":", 1)[1])
    for length in (100, 128, 129, 200, 300, 1000):
        before = _arrived(other, "incoming")
        _sent(by_hand, other, "INVITE", To="<sip:%s@127.0.0.1:%d>" % ("x" * length, port))
        assert _take(other, by_hand, before) or length > 128
        there()


def test_an_answer_that_names_a_long_user(other, by_hand, there):
    """Two answers, as of two phones behind one address, whose From is not ours."""
    other.start("endpoint", "invite", by_hand.uri, OFFER).result()
    invite = by_hand.next("INVITE")
    tag = invite["From"].partition(";tag=")[2]
    contact = "<%s>" % by_hand.uri
    for theirs in ("one", "two"):
        _answer(by_hand, invite, 200, contact, tag=theirs, **{"from": "<sip:%s@h.test>;tag=%s" % (LONG, tag)})
        there()
    _answer(by_hand, invite, 200, contact)
    there()
    _hang_up(other)
    there()
