"""What a capture server of Homer makes of what it is sent: Kamailio's module sipcapture, which stores it."""

from __future__ import absolute_import, division, print_function

import socket
from contextlib import closing

import pytest

import sipbridge
from conformance.conftest import USERS
from conformance.sdp import ANSWER, OFFER
from peers.homer import CaptureServer
from peers.samples import Samples
from peers.scenario import Callee
from peers.waiting import wait_until
from sipbridge import metrics
from sipbridge.hep import CaptureAgent

#: The columns of whence and whither.
ENDS = "source_ip, source_port, destination_ip, destination_port"
UDP, TCP = 1, 2  # Kamailio's numbers


@pytest.fixture
def homer(starter):
    return starter.keep("kamailio", CaptureServer())


def ends(host_port):
    host, _, port = host_port.rpartition(":")
    return (host.strip("[]"), int(port))


def place_call(phone, sipp):
    """A call that its caller hangs up: its Call-ID, and the callee's host and port."""
    peer = sipp(Callee().recv("INVITE").reply(180).reply(200, ANSWER).recv("ACK").recv("BYE").reply(200))
    call = phone.call(peer.uri, OFFER)
    call.hangup()
    call.wait_ended()
    peer.wait()
    return call.headers["Call-ID"], ends(peer.uri.rpartition("@")[2])


@pytest.mark.parametrize("in_worker", [False, True])
def test_a_call_is_stored_as_it_passed(sipp, homer, in_worker):
    traced = []
    with sipbridge.Endpoint(
        engine=sipbridge.Worker() if in_worker else None,
        trace=traced.append,
        hep=CaptureAgent(homer.address, capture_id=2001, key="open sesame"),
    ) as phone:
        call_id, there = place_call(phone, sipp)
        here = ("127.0.0.1", phone.port)
    rows = homer.messages(6, "micro_ts, method, callid, correlation_id, node, proto, family, msg, " + ENDS)
    assert [row[1] for row in rows] == ["INVITE", "180", "200", "ACK", "BYE", "200"]
    assert [row[0] for row in rows] == [int(round(message.time * 1000000)) for message in traced]
    assert set(row[2:7] for row in rows) == set([(call_id, call_id, "homer:2001", UDP, socket.AF_INET)])
    assert [bytes(row[7]) for row in rows] == [message.data for message in traced]
    assert [row[8:] for row in rows] == [here + there if message.outgoing else there + here for message in traced]
    assert (phone.hep.sent, phone.hep.dropped) == (6, 0)


def test_credentials_are_masked(make_phone, kamailio, homer):
    phone = make_phone(identity="sip:alice@" + kamailio.domain, hep=homer.address)
    phone.endpoint.add_credentials("alice", USERS["alice"])
    phone.endpoint.register(kamailio.uri).unregister()
    phone.close()
    answers = [bytes(row[0]) for row in homer.messages(6, "msg") if b"Authorization: Digest" in bytes(row[0])]
    assert len(answers) >= 2
    assert all(b'response="***"' in answer and b'username="alice"' in answer for answer in answers)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "udp://[::1]:0", "tcp://[::1]:0"])
def test_a_message_over_other_transports_is_stored(homer, address):
    phone = sipbridge.Endpoint(address, hep=homer.address)
    # libeXosip2 allows one in each process.
    with phone, sipbridge.Endpoint(address, engine=sipbridge.Worker()) as peer:
        peer.on(sipbridge.MessageReceived, lambda event: event.answer(202))
        phone.message(peer.uri, "hello")
        host = "::1" if "[" in address else "127.0.0.1"
        here, there = (host, phone.port), (host, peer.port)
    rows = homer.messages(2, "method, proto, family, " + ENDS)
    of = (TCP if address.startswith("tcp") else UDP, socket.AF_INET6 if "[" in address else socket.AF_INET)
    assert rows == [("MESSAGE",) + of + here + there, ("202",) + of + there + here]


def test_a_server_that_is_down_costs_a_call_nothing(sipp):
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = "udp://127.0.0.1:%d" % unused.getsockname()[1]
    with sipbridge.Endpoint(hep=nobody) as phone:
        place_call(phone, sipp)
        wait_until(lambda: phone.hep.dropped > 0)
    counted = Samples(metrics.Collector(phone))  # also of one that is closed, where nothing moves any more
    assert counted.get("hep_dropped_total") == phone.hep.dropped
    assert counted.get("hep_sent_total") == phone.hep.sent
