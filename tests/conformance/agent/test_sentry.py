"""What comes to Sentry of a service: failing handlers with their call, lost engines, and no credentials."""

from __future__ import absolute_import, division, print_function

import io
import json
import logging
import os
import signal

import pytest
import sentry_sdk

import sipbridge
from conformance.sdp import OFFER
from peers.sentry_server import SentryServer
from peers.waiting import wait_until
from sipbridge import record, sentry
from sipbridge._agent.agent import Draining
from sipbridge.sentry import CALL, ENGINE, REFUSAL, REGISTRATION, SipbridgeIntegration

#: It is none of the lines of source around those that fail, which Sentry shows.
IDENTITY = "sip:alice:sesame@example.com"

LIMIT = 10.0  # seconds: only a test that fails waits that long


@pytest.fixture
def make_phone(make_phone):
    """Endpoints whose engines are workers: there are two of them, and one that is lost."""
    return lambda **options: make_phone(engine=sipbridge.Worker(), **options)


@pytest.fixture
def server(pem):
    server = SentryServer(pem)
    yield server
    server.close()


@pytest.fixture
def init(server, pem):
    def run(**options):
        sentry_sdk.init(server.dsn, integrations=[SipbridgeIntegration()], ca_certs=pem.ca, **options)

    yield run
    sentry_sdk.init()  # nobody is told any more


def kind_of(event):
    values = (event.get("exception") or {}).get("values") or [{}]
    return values[-1].get("type")


def crumbs(event):
    return [crumb["message"] for crumb in event["breadcrumbs"]["values"] if crumb.get("category") == "sip"]


def test_a_handler_that_fails_is_reported_with_its_call_once(init, server, make_phone):
    is_old = not hasattr(sentry_sdk, "get_client")
    init(**({"send_default_pii": True} if is_old else {"data_collection": {"user_info": True}}))
    phone, peer = make_phone(), make_phone(identity=IDENTITY)

    @phone.endpoint.serve
    def take(call):
        call.ring()
        call.answer(OFFER)
        raise ValueError("too much")

    call = peer.endpoint.call(phone.endpoint.uri, OFFER)
    call.wait_ended(LIMIT)
    event = server.until(lambda event: kind_of(event) == "ValueError")
    context = event["contexts"][CALL]
    assert (context["call_id"], context["direction"]) == (call.call_id, "inbound")
    assert context["from"] == "sip:alice:***@example.com"
    assert event["tags"]["sip.call_id"] == call.call_id
    assert crumbs(event)[:4] == [
        "received INVITE", "sent 180 INVITE", "sent 200 INVITE", "received ACK"
    ][: len(crumbs(event))]  # the ACK may be here or not  # fmt: skip
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "take" and "vars" not in frames[0]
    phone.endpoint.close()
    sentry_sdk.flush(LIMIT)
    assert [kind_of(each) for each in server.events].count("ValueError") == 1  # although it was logged as well
    assert b"sesame" not in server.raw and b"v=0" not in server.raw


def test_who_called_stays_here_unless_it_is_asked_for(init, server, make_phone, caplog):
    caplog.set_level(logging.INFO, "sipbridge")  # log lines are breadcrumbs of sentry-sdk's
    init()
    phone, peer = make_phone(), make_phone(identity="sip:alice@example.com")

    @phone.endpoint.on(sipbridge.IncomingCall)
    def take(event):
        sentry_sdk.capture_message("mine")
        event.call.reject(486)

    with pytest.raises(sipbridge.ResponseError):
        peer.endpoint.call(phone.endpoint.uri, OFFER)
    event = server.until(lambda event: event.get("message") == "mine")
    assert event["contexts"][CALL]["from"] == "sip:***@example.com"
    assert crumbs(event) == ["received INVITE"]
    assert b"alice" not in server.raw


@pytest.mark.parametrize("uri, shown", [
    ("sip:alice:pw@example.com", "sip:***@example.com"),
    ("sip:alice@x@example.com", "sip:***@example.com"),
    (" im:alice@example.com", " im:***@example.com"),
    ("tel:+12015550123", "tel:***"),
    ("alice", "***"),
    ("", ""),
])  # fmt: skip
def test_no_scheme_shows_the_user(uri, shown):
    assert sentry._uri(uri) == shown


def test_a_request_with_credentials_comes_without_them(init, server, make_phone):
    init()
    phone, peer = make_phone(), make_phone()

    @phone.endpoint.on(sipbridge.RequestReceived)
    def fail(event):
        headers = event.headers  # local variables, which Sentry shows
        told = headers["Authorization"]
        shown = "%r" % (headers,)  # noqa: F841
        uri = "sip:alice:%s@example.com" % ("7" * 32)
        logging.getLogger("mine").warning("%s wrote %s", uri, told)
        try:
            raise ValueError("Authorization: %s of %s" % (told, uri))
        except ValueError:
            sentry_sdk.capture_exception()
        raise KeyError("nothing")

    digest = 'Digest username="a", realm="b", nonce="c", uri="sip:d", response="%s"' % ("5" * 32)
    with pytest.raises(sipbridge.ResponseError):
        peer.endpoint.request("FROB", phone.endpoint.uri, headers={"Authorization": digest})
    server.until(lambda event: kind_of(event) == "ValueError")
    event = server.until(lambda event: kind_of(event) == "KeyError")
    assert "received FROB" in crumbs(event)
    assert b"5" * 32 not in server.raw and b"7" * 32 not in server.raw
    assert json.dumps(event).count("***") >= 2


def test_a_lost_engine_has_its_signal_its_backtrace_and_the_core(init, server, tmpdir):
    init()
    worker = sipbridge.Worker(crash_folder=str(tmpdir))
    with sipbridge.Endpoint(engine=worker) as phone:
        pid = worker.pid
        os.kill(pid, signal.SIGSEGV)
        event = server.until(lambda event: kind_of(event) == "SIGSEGV")
        assert phone.options is not None
    context = event["contexts"][ENGINE]
    assert context["pid"] == pid and "worker process %d died of SIGSEGV" % pid in context["reason"]
    value = event["exception"]["values"][0]
    assert value["mechanism"]["handled"] is False
    packages = [frame["package"] for frame in value["stacktrace"]["frames"]]
    assert any("libc" in package for package in packages) and "backtrace" in context
    sentry_sdk.flush(LIMIT)
    assert len(server.events) == 1  # the log's line of it is not another


def attachments(server, event):
    """The files of the incident that follows an event, by name, once they are there."""
    wait_until(lambda: event["event_id"] in server.attachments)
    return server.attachments[event["event_id"]]


def test_the_incident_of_a_handler_that_failed_follows_its_event(init, server, make_phone, tmpdir):
    init()
    phone = make_phone(flight=sipbridge.FlightRecorder(str(tmpdir)))
    peer = make_phone(identity=IDENTITY)

    @phone.endpoint.on(sipbridge.IncomingCall)
    def take(event):
        event.call.ring()
        raise ValueError("too much")

    call = peer.endpoint.invite(phone.endpoint.uri, OFFER)
    event = server.until(lambda event: kind_of(event) == "ValueError")
    files = attachments(server, event)
    assert set(files) == {"incident.json", "traceback.txt", "call.txt", "call.pcapng"}
    messages = [each.data.split(b" ", 1)[0] for each in record.read(io.BytesIO(files["call.pcapng"]))]
    assert messages[0] == b"INVITE" and b"too much" in files["traceback.txt"] and b"INVITE" in files["call.txt"]
    assert json.loads(files["incident.json"].decode("utf-8"))["call_id"] == call.call_id
    assert b"alice" not in server.raw  # nobody has asked for who called


def test_the_incident_is_masked_as_the_recorder_masks_where_sentry_may_know(init, server, make_phone, tmpdir):
    is_old = not hasattr(sentry_sdk, "get_client")
    init(**({"send_default_pii": True} if is_old else {"data_collection": {"user_info": True}}))
    phone = make_phone(flight=sipbridge.FlightRecorder(str(tmpdir), mask_bodies=True))
    peer = make_phone(identity="sip:alice@example.com")
    phone.endpoint.on(sipbridge.IncomingCall, lambda event: event.nonsense)
    peer.endpoint.invite(phone.endpoint.uri, OFFER.replace(b"s=-", b"s=secret"))
    files = attachments(server, server.until(lambda event: kind_of(event) == "AttributeError"))
    assert b"alice@" in files["call.pcapng"] and b"secret" not in files["call.pcapng"]


def test_the_incident_of_a_lost_engine_follows_its_event(init, server, make_phone, tmpdir):
    init()
    phone = make_phone(flight=sipbridge.FlightRecorder(str(tmpdir)))
    os.kill(phone.endpoint._engine.pid, signal.SIGKILL)
    files = attachments(server, server.until(lambda event: kind_of(event) == "SIGKILL"))
    assert json.loads(files["incident.json"].decode("utf-8"))["reason"] == "engine-lost"


def test_too_large_an_incident_is_left_out_with_a_word(monkeypatch, init, server, make_phone, tmpdir):
    monkeypatch.setattr(sentry, "_ATTACHED", 100)
    init()
    phone, peer = make_phone(flight=sipbridge.FlightRecorder(str(tmpdir))), make_phone()
    phone.endpoint.on(sipbridge.IncomingCall, lambda event: event.nonsense)
    peer.endpoint.invite(phone.endpoint.uri, OFFER)
    files = attachments(server, server.until(lambda event: kind_of(event) == "AttributeError"))
    assert set(files) == {"left-out.txt"} and b"incident.json, " in files["left-out.txt"]


def test_a_registration_that_failed_and_a_refused_caller(init, server, make_phone):
    init()
    phone, peer = make_phone(), make_phone(identity=IDENTITY)
    phone.endpoint.on(sipbridge.RequestReceived, lambda event: event.answer(403))
    with pytest.raises(sipbridge.ResponseError):
        peer.endpoint.register(phone.endpoint.uri)
    event = server.until(lambda event: event.get("message") == "a registration failed: 403")
    assert event["contexts"][REGISTRATION]["aor"] == "sip:***@example.com"
    phone.endpoint._agent.draining = Draining(None, 30)
    for _ in range(3):
        with pytest.raises(sipbridge.ResponseError):
            peer.endpoint.call(phone.endpoint.uri, OFFER)
    event = server.until(lambda event: event.get("logger") == "sipbridge.shield")
    assert event["contexts"][REFUSAL]["rule"] == "draining" and event["level"] == "warning"
    sentry_sdk.flush(LIMIT)
    assert [each.get("logger") for each in server.events].count("sipbridge.shield") == 1


def test_without_the_integration_nothing_is_reported(server, pem, make_phone):
    sentry_sdk.init(server.dsn, ca_certs=pem.ca, default_integrations=False)
    try:
        assert make_phone().endpoint.observe(sipbridge.Observer())
        phone, peer = make_phone(), make_phone()
        phone.endpoint.on(sipbridge.MessageReceived, lambda event: event.nonsense)
        with pytest.raises(sipbridge.ResponseError):
            peer.endpoint.message(phone.endpoint.uri, "x")
        sentry_sdk.flush(LIMIT)
        assert server.events == []
    finally:
        sentry_sdk.init()
