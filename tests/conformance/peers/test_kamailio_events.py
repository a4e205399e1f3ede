"""With an event server of others: Kamailio takes what is published, and notifies who subscribes."""

from __future__ import absolute_import, division, print_function

import time

import pytest

import sipbridge
from sipbridge.message_summary import Counts, build_message_summary, parse_message_summary

PRESENCE = """<?xml version="1.0"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:%s"><tuple id="t1"><status><basic>%s</basic></status></tuple>
</presence>"""
DIALOG = """<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:%s">
<dialog id="d1"><state>%s</state></dialog></dialog-info>"""
REG = """<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">
<registration aor="sip:%s" id="r1" state="%s"></registration></reginfo>"""

#: Event package: content type, body with two states, and these.
PACKAGES = {
    "presence": ("application/pidf+xml", PRESENCE, "open", "closed"),
    "dialog": ("application/dialog-info+xml", DIALOG, "early", "confirmed"),
    "reg": ("application/reginfo+xml", REG, "active", "terminated"),
}


@pytest.fixture
def guest(make_phone, kamailio):
    """Our endpoint as somebody whom Kamailio asks for nothing."""
    return make_phone(identity="sip:guest@elsewhere.test", outbound_proxy=kamailio.uri + ";lr")


def _bodies(phone):
    """What was notified, empty ones left out."""
    return [event.body for event in phone.events if isinstance(event, sipbridge.NotifyReceived) and event.body]


def _wait_for(phone, part):
    """Until what was notified last has that in it."""
    deadline = time.time() + 10.0
    while not any(part in body for body in _bodies(phone)[-1:]):
        assert time.time() < deadline, (part, _bodies(phone), phone.labels)
        time.sleep(0.02)


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_what_is_published_is_notified(guest, kamailio, package):
    content_type, form, first, second = PACKAGES[package]
    entity = "%s-of-guest@%s" % (package, kamailio.domain)
    bodies = [(form % (entity, state)).replace("\n", "\r\n").encode("ascii") for state in (first, second)]
    subscription = guest.endpoint.subscribe("sip:" + entity, package, accept=content_type, expires=600)
    assert (subscription.state, subscription.expires) == ("active", 600)
    guest.wait("notify active")
    publication = guest.endpoint.publish("sip:" + entity, package, bodies[0], content_type, expires=300)
    assert (publication.state, publication.expires) == ("active", 300) and publication.etag
    assert first.encode("ascii") in guest.wait("notify active", 2).body
    assert subscription.last.content_type == content_type and subscription.last.event == package
    tag = publication.etag
    publication.modify(bodies[1])
    assert publication.etag != tag
    assert second.encode("ascii") in guest.wait("notify active", 3).body
    publication.refresh()
    guest.wait("notify active", 4)
    subscription.refresh(expires=120)
    assert subscription.expires == 120
    guest.wait("notify active", 5)
    publication.remove()
    guest.wait("notify active", 6)
    subscription.unsubscribe()
    assert (publication.state, subscription.state) == ("ended", "ended")


def test_waiting_messages_are_notified(guest, kamailio):
    """message-summary: what sipbridge writes passes Kamailio's check, and comes back as it was (RFC 3842)."""
    uri = kamailio.aor("mailbox")
    guest.endpoint.subscribe(uri, "message-summary", accept="application/simple-message-summary")
    summary = build_message_summary(2, 8, 0, 2, account=uri)
    guest.endpoint.publish(uri, "message-summary", summary, "application/simple-message-summary")
    _wait_for(guest, b"Voice-Message: 2/8")
    assert parse_message_summary(_bodies(guest)[-1]).voice == Counts(2, 8, 0, 2)


def test_a_subscription_is_challenged(alice, kamailio):
    """407, and again for nothing within the dialog."""
    proxy = kamailio.uri + ";lr"
    uri = kamailio.aor("alice")
    subscription = alice.endpoint.subscribe(uri, "presence", from_=uri, route=proxy)
    alice.wait("notify active")
    subscription.refresh()
    subscription.unsubscribe()
    assert subscription.state == "ended"


def test_a_publication_is_challenged(alice, kamailio):
    """libeXosip2 3.6 cannot send a PUBLISH again: there that is an AuthenticationError."""
    uri = kamailio.aor("alice")
    body = (PRESENCE % (uri[4:], "open")).encode("ascii")
    arguments = dict(from_=uri, route=kamailio.uri + ";lr")
    if alice.endpoint.engine_name == "exosip":
        with pytest.raises(sipbridge.AuthenticationError):
            alice.endpoint.publish(uri, "presence", body, "application/pidf+xml", **arguments)
        return
    publication = alice.endpoint.publish(uri, "presence", body, "application/pidf+xml", **arguments)
    publication.refresh()
    publication.remove()
    assert publication.state == "ended"


def test_a_wrong_password(alice, kamailio):
    alice.endpoint.clear_credentials()
    alice.endpoint.add_credentials("alice", "wrong")
    with pytest.raises(sipbridge.AuthenticationError) as caught:
        alice.endpoint.subscribe(
            kamailio.aor("alice"), "presence", from_=kamailio.aor("alice"), route=kamailio.uri + ";lr"
        )
    assert caught.value.status == 407


def test_a_forgotten_publication_is_published_again(guest, kamailio):
    """412 to the refresh, and it gets all of it again (RFC 3903, 4.1)."""
    uri = kamailio.aor("forgotten")
    guest.endpoint.subscribe(uri, "presence")
    body = (PRESENCE % (uri[4:], "open")).encode("ascii")
    publication = guest.endpoint.publish(uri, "presence", body, "application/pidf+xml")
    _wait_for(guest, b"open")
    behind_its_back = [("Event", "presence"), ("SIP-If-Match", publication.etag), ("Expires", "0")]
    assert guest.endpoint.request("PUBLISH", uri, headers=behind_its_back).status == 200
    count, tag = len(_bodies(guest)), publication.etag
    publication.refresh()
    assert publication.state == "active" and publication.etag != tag
    _wait_for(guest, b"open")
    assert len(_bodies(guest)) > count


def test_a_423_raises_the_expiry(guest, kamailio):
    """423 with Min-Expires: it is asked for that then (RFC 6665, 4.2.1.1)."""
    assert guest.endpoint.subscribe(kamailio.aor("brief"), "presence", expires=10).expires == 60


def test_an_unknown_package_is_refused(guest, kamailio):
    with pytest.raises(sipbridge.ResponseError) as caught:
        guest.endpoint.subscribe(kamailio.aor("alice"), "weather")
    assert caught.value.status == 489
