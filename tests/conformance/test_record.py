"""Captures of what passed, read by Wireshark: addresses, directions, times, methods."""

from __future__ import absolute_import, division, print_function

import io

import pytest

import sipbridge
from conformance.conftest import USERS
from conformance.sdp import ANSWER, OFFER
from peers import tshark
from peers.scenario import Callee
from sipbridge import record
from sipbridge._command import diagram_input

SIP = ("ip.src", "udp.srcport", "ip.dst", "udp.dstport", "sip.Method", "sip.Status-Code")


@pytest.fixture
def path(tmpdir, record_property):
    record_property("peers", "tshark")  # which reads what is written there
    return str(tmpdir.join("call.pcap"))


def _ends(host_port):
    return tuple(host_port.split(":"))


def test_a_recorded_call_is_read_by_tshark(make_phone, sipp, path):
    peer = sipp(Callee().recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK").recv("BYE").reply(200))
    traced = []
    phone = make_phone(record=path, trace=traced.append)
    call = phone.endpoint.call(peer.uri, OFFER)
    call.hangup()
    call.wait_ended()
    peer.wait()
    phone.close()
    here, there = _ends(phone.host_port), _ends(peer.uri.rpartition("@")[2])
    messages = [("INVITE", ""), ("", "180"), ("", "200"), ("ACK", ""), ("BYE", ""), ("", "200")]
    assert tshark.fields(path, *SIP) == [
        ((here + there) if message[0] else (there + here)) + message for message in messages
    ]
    times = [float(time) for (time,) in tshark.fields(path, "frame.time_epoch")]
    assert times == pytest.approx([message.time for message in traced], abs=2e-6)
    assert [arrow.brief for arrow in diagram_input.read(path)][1] == "180 INVITE %s" % _number(traced[0])


def _number(message):
    return message.data.partition(b"CSeq: ")[2].split()[0].decode("ascii")


def test_session_descriptions_are_dissected(make_phone, other, path):
    phone = make_phone(record=path)
    calling = other.start("endpoint", "call", phone.uri, OFFER)
    phone.wait("incoming sdp").call.answer(ANSWER)
    calling.result()
    phone.close()
    ports = [row[0] for row in tshark.fields(path, "sdp.media.port") if row[0]]
    assert ports == ["4000", "4004"]


def _octets(path):
    with io.open(path, "rb") as stream:
        return stream.read()


@pytest.mark.parametrize("credentials", [False, True])
def test_credentials_are_there_only_when_asked_for(make_phone, kamailio, path, credentials):
    phone = make_phone(identity="sip:alice@" + kamailio.domain, record=record.Recorder(path, credentials))
    phone.endpoint.add_credentials("alice", USERS["alice"])
    phone.endpoint.register(kamailio.uri).unregister()
    phone.close()
    answers = [row[0] for row in tshark.fields(path, "sip.auth.digest.response") if row[0]]
    assert len(answers) >= 1
    masked = [answer.strip('"') == "***" for answer in answers]
    assert masked == [not credentials] * len(answers)
    assert b"username=\"alice\"" in _octets(path) and b"nonce=" in _octets(path)


def test_an_endpoint_on_every_address_is_recorded_with_the_address_that_its_peer_sees(sipp, path):
    peer = sipp(Callee().recv("OPTIONS").reply(200))
    with sipbridge.Endpoint("udp://0.0.0.0:0", record=path) as phone:
        phone.options(peer.uri)
        port = str(phone.port)
    peer.wait()
    assert [row[:2] for row in tshark.fields(path, *SIP)][:1] == [("127.0.0.1", port)]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0"])
def test_a_call_over_other_transports_is_recorded(path, address):
    phone = sipbridge.Endpoint(address, record=path)
    # libeXosip2 allows one in each process.
    with phone, sipbridge.Endpoint(address, engine=sipbridge.Worker()) as peer:
        peer.on(sipbridge.MessageReceived, lambda event: event.answer(202))
        phone.message(peer.uri, "hello")
    names = {"transport": address[:3], "ip": "ipv6" if "[" in address else "ip"}
    fields = ["%(ip)s.src", "%(transport)s.srcport", "%(ip)s.dst", "%(transport)s.dstport"]
    fields = [field % names for field in fields] + ["sip.Method", "sip.Status-Code"]
    host = "::1" if "[" in address else "127.0.0.1"
    here, there = (host, str(phone.port)), (host, str(peer.port))
    assert tshark.fields(path, *fields) == [here + there + ("MESSAGE", ""), there + here + ("", "202")]


def test_a_file_that_cannot_be_written_is_an_error_and_the_port_is_free_again(tmpdir):
    with sipbridge.Endpoint() as phone:
        address = phone.address
    with pytest.raises(sipbridge.InputError) as caught:
        sipbridge.Endpoint(address, record=str(tmpdir.join("no", "such", "folder.pcap")))
    assert "folder.pcap" in str(caught.value)
    with sipbridge.Endpoint(address):
        pass
