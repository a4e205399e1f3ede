"""The flight recorder at a live endpoint: what an incident has, and when there is one."""

from __future__ import absolute_import, division, print_function

import functools
import io
import json
import os
import signal

import pytest

import sipbridge
from conformance.conftest import USERS
from conformance.sdp import ANSWER, OFFER
from peers import tshark
from peers.waiting import wait_until
from sipbridge import access, hep, record
from sipbridge._capture.passed import call_id_of
from sipbridge._engine import flight
from sipbridge._engine.last_received import LastReceived

CALL = ["INVITE", "SIP/2.0 200", "ACK", "BYE", "SIP/2.0 200"]


@pytest.fixture
def folder(tmpdir):
    return tmpdir.join("incidents")


def incidents(folder, reason):
    """The paths of those that are whole."""
    return [path for path in folder.listdir(sort=True) if path.basename[0] != "." and "Z-%s-" % reason in path.basename]


def incident(folder, reason):
    """The path of the one incident with that reason, once it is there."""
    wait_until(lambda: incidents(folder, reason))
    (found,) = incidents(folder, reason)
    return found


def told(path):
    return json.loads(path.join("incident.json").read())


def starts(path):
    """How the messages of a capture begin, but for 100."""
    with io.open(str(path), "rb") as stream:
        messages = [each.data.decode("latin-1") for each in record.read(stream)]
    words = [" ".join(text.split(" ")[: 2 if text.startswith("SIP/2.0") else 1]) for text in messages]
    return [each for each in words if each != "SIP/2.0 100"]


def make_call(phone, other):
    calling = other.start("endpoint", "call", phone.uri, OFFER)
    call = phone.wait("incoming sdp").call
    call.answer(ANSWER)
    calling.result()
    call.wait_established()
    return call


def test_a_call_that_ends_for_a_named_cause(make_phone, other, folder):
    phone = make_phone(flight=sipbridge.FlightRecorder(str(folder), causes=["local-bye"]))
    call = make_call(phone, other)
    call.hangup()
    call.wait_ended()
    path = incident(folder, "call-ended")
    assert starts(path.join("call.pcapng")) == CALL
    facts = told(path)
    assert facts["call"]["cause"] == "local-bye" and facts["call_id"] == call.call_id
    assert facts["versions"]["sipbridge"] == sipbridge.__version__
    assert "BYE" in path.join("call.txt").read() and path.join("call.svg").read().startswith("<svg")
    assert not path.join("traceback.txt").exists()


def test_a_call_that_ends_for_another_cause_is_none(make_phone, other, folder):
    phone = make_phone(flight=sipbridge.FlightRecorder(str(folder), causes=["failed"]))
    call = make_call(phone, other)
    call.hangup()
    call.wait_ended()
    phone.close()
    assert folder.listdir() == []


def test_a_handler_that_fails(make_phone, other, folder):
    phone = make_phone(flight=sipbridge.FlightRecorder(str(folder)), on_error=lambda fault: None)

    def fail(event):
        raise ValueError("no such account")

    phone.endpoint.on(sipbridge.CallConfirmed, fail)
    call = make_call(phone, other)
    path = incident(folder, "handler-failed")
    assert "in fail" in path.join("traceback.txt").read()
    assert told(path)["text"] == "ValueError: no such account"
    assert told(path)["call_id"] == call.call_id and starts(path.join("call.pcapng")) == CALL[:3]


def test_an_incident_when_somebody_asks(make_phone, other, folder):
    recorder = sipbridge.FlightRecorder(str(folder))
    phone = make_phone(flight=recorder)
    call = make_call(phone, other)
    path = recorder.dump("odd", call=call, text="the music stopped")
    assert os.path.basename(path).split("-")[1] == "odd"
    assert starts(os.path.join(path, "window.pcapng")) == CALL[:3]


def test_tshark_reads_an_incident(make_phone, other, folder):
    recorder = sipbridge.FlightRecorder(str(folder))
    call = make_call(make_phone(flight=recorder), other)
    path = recorder.dump(call=call)
    assert tshark.fields(os.path.join(path, "call.pcapng"), "sip.CSeq.method")[0] == ("INVITE",)


def test_an_incident_at_a_signal(make_phone, folder):
    before = signal.getsignal(signal.SIGUSR1)
    phone = make_phone(flight=sipbridge.FlightRecorder(str(folder), signal=signal.SIGUSR1))
    os.kill(os.getpid(), signal.SIGUSR1)
    assert told(incident(folder, "signal"))["text"] == "signal %d" % signal.SIGUSR1
    phone.close()
    assert signal.getsignal(signal.SIGUSR1) == before


def test_credentials_for_kamailio_are_in_no_file(make_phone, kamailio, folder):
    recorder = sipbridge.FlightRecorder(str(folder))
    phone = make_phone(flight=recorder)
    phone.endpoint.add_credentials("alice", USERS["alice"], realm=kamailio.domain)
    phone.endpoint.register("sip:" + kamailio.host_port, "sip:alice@" + kamailio.domain)
    path = recorder.dump()
    with io.open(os.path.join(path, "window.pcapng"), "rb") as stream:
        octets = stream.read()
    assert b'response="***"' in octets


def test_numbers_and_bodies_are_masked_when_asked_for(make_phone, other, folder):
    recorder = sipbridge.FlightRecorder(str(folder), mask_numbers=True, mask_bodies=True)
    phone = make_phone(flight=recorder, identity="sip:+4930123456@example.com")
    phone.endpoint.invite(other.uri, OFFER.replace(b"s=-", b"s=secret talk"))
    other.wait("incoming sdp")
    path = recorder.dump()
    for name in os.listdir(path):
        with io.open(os.path.join(path, name), "rb") as stream:
            assert b"4930123456" not in stream.read()
    with io.open(os.path.join(path, "window.pcapng"), "rb") as stream:
        (invite,) = [each for each in record.read(stream) if each.data.startswith(b"INVITE")]
    assert b"c=IN IP4 127.0.0.1" in invite.data and b"\r\ns=xxxxxx xxxx\r\n" in invite.data


def test_the_settings_are_there_without_secrets(make_phone, folder, monkeypatch):
    secrets = ["own-pw", "proxy-pw", "hep-key", "nonce-secret-of-32-octets", "user-pw", "env-pw", "added-pw"]
    own, proxy, hep_key, secret, user, variable, added = secrets
    monkeypatch.setenv("SIPBRIDGE_PASSWORD", variable)
    monkeypatch.setenv("SIPBRIDGE_SHIELD_INVITE", "50/s")
    recorder = sipbridge.FlightRecorder(str(folder))
    phone = make_phone(
        engine=sipbridge.Worker(), flight=recorder, session_expires=1800, handlers=7,
        identity='"Alice" <sip:alice:%s@example.com>' % own,
        outbound_proxy=["sip:p:%s@127.0.0.1:9;lr" % proxy, "sip:127.0.0.1:8;lr"],
        hep=hep.CaptureAgent("udp://127.0.0.1:9", key=hep_key), on_error=functools.partial(print, user),
        authenticator=access.Authenticator("example.com", lambda name, realm: user, secret=secret),
        limits=access.SourceLimits(calls_per_second=5, calls_at_once=20), bans=access.BanList(), allow=["127.0.0.0/8"],
    )  # fmt: skip
    phone.endpoint.add_credentials("alice", added)
    path = recorder.dump()
    with io.open(os.path.join(path, "incident.json"), encoding="utf-8") as stream:
        found = json.load(stream)["settings"]
    assert found["address"].startswith("udp://127.0.0.1:")
    assert found["identity"] == '"Alice" <sip:alice:***@example.com>'
    assert found["outbound_proxy"] == ["sip:p:***@127.0.0.1:9;lr", "sip:127.0.0.1:8;lr"]
    assert (found["session_expires"], found["handlers"], found["allow"]) == (1800, 7, ["127.0.0.0/8"])
    assert found["limits"] == "<SourceLimits: calls 5/s with a burst of 5, 20 at once, requests None>"
    assert (found["authenticator"], found["on_error"]) == ("<Authenticator for example.com>", "partial")
    assert found["engine"] == "Worker" and found["keepalive"] is None
    assert found["environment"]["SIPBRIDGE_SHIELD_INVITE"] == "50/s"
    for name in os.listdir(path):
        with io.open(os.path.join(path, name), "rb") as stream:
            octets = stream.read().decode("latin-1")
        assert not [each for each in secrets if each in octets]


def test_the_engine_keeps_what_it_received_last_in_a_file(make_phone, by_hand, folder):
    phone = make_phone(flight=sipbridge.FlightRecorder(str(folder)))
    last = LastReceived()
    descriptor = os.open(last.path, os.O_RDWR)
    try:
        phone.endpoint._engine.keep("received", descriptor)
    finally:
        os.close(descriptor)
    try:
        asked = []
        for _ in range(6):
            asked.append(by_hand.request(phone.endpoint.port, "OPTIONS")["Call-ID"])
            by_hand.next("200")
    finally:
        phone.endpoint._engine.keep("received", -1)
    found = flight.parse(last.take())
    assert [call_id_of(each.data) for each in found] == asked[-4:]
    assert {each.peer for each in found} == {"127.0.0.1:%d" % by_hand.port} and not any(each.outgoing for each in found)


def test_a_recorder_is_of_one_endpoint(make_phone, folder):
    recorder = sipbridge.FlightRecorder(str(folder))
    make_phone(flight=recorder)
    with pytest.raises(sipbridge.InputError) as caught:
        sipbridge.Endpoint(engine=sipbridge.Worker(), flight=recorder)
    assert "one for each" in str(caught.value)
