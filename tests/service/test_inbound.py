"""Calls that come in: a menu by keys for each number."""

import socket

import pytest

import sipbridge
from peers.ports import HOST
from peers.waiting import wait_until
from service.running import LIMIT
from sipbridge.testing import SDP

#: What no library sends, with %00 in the Request-URI.
INVITE = (
    "INVITE %(to)s SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:%(port)d;branch=z9hG4bKnone\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:a@127.0.0.1>;tag=1\r\n"
    "To: <sip:a@127.0.0.1>\r\n"
    "Call-ID: none\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:a@127.0.0.1:%(port)d>\r\n"
    "Content-Length: 0\r\n\r\n"
)


@pytest.fixture(scope="module")
def caller():
    """Who calls."""
    with sipbridge.Endpoint(identity="sip:caller@example.com") as endpoint:
        endpoint.on(sipbridge.TransferRequested, lambda event: event.accept(SDP))
        yield endpoint


def dial(service, caller, number):
    host = service.uri.partition(":")[2]
    return caller.call("sip:%s@%s" % (number, host), SDP)


def ended(service, outcome):
    """Wait for the record of a call that came in, with this outcome in the end."""

    def found():
        calls = service.api.get("/calls", params={"direction": "inbound", "state": "ended"}).json()["calls"]
        return [each for each in calls if each["outcome"] == outcome]

    wait_until(found, LIMIT)
    return found()[0]


@pytest.mark.parametrize("attended", [False, True], ids=["blind", "attended"])
def test_a_key_transfers_the_caller(service, telephone, caller, attended):
    number, target = "10%d" % attended, telephone.uri("sales")
    body = {"menu": {"1": target}, "attended": attended}
    assert service.api.put("/numbers/" + number, json=body).status_code == 200
    call = dial(service, caller, number)
    call.send_dtmf("71")  # there is no choice 7
    call.wait_ended(LIMIT)
    record = ended(service, "1: transferred to " + target)
    assert record["caller"] == "sip:caller@example.com"
    assert any(each.remote_uri.startswith("sip:caller@") for each in telephone.endpoint.calls)


def test_who_is_busy_leaves_the_caller_the_choice(service, telephone, caller):
    menu = {"menu": {"1": telephone.uri("busy"), "2": telephone.uri("sales")}, "attended": True}
    service.api.put("/numbers/200", json=menu)
    call = dial(service, caller, "200")
    call.send_dtmf("1")
    call.send_dtmf("2")
    call.wait_ended(LIMIT)
    ended(service, "2: transferred to " + telephone.uri("sales"))


def test_a_key_may_have_a_number_which_goes_over_a_trunk(service, telephone, caller):
    service.api.put("/numbers/250", json={"menu": {"1": "+4940123"}})
    call = dial(service, caller, "250")
    call.send_dtmf("1")  # there is no trunk yet: the caller stays
    trunk = {"address": telephone.uri("me"), "registrar": telephone.uri("me")}
    assert service.api.put("/trunks/one", json=trunk).status_code == 200
    call.send_dtmf("1")
    call.wait_ended(LIMIT)
    ended(service, "1: transferred to +4940123")
    service.api.delete("/trunks/one")


def test_a_number_that_nobody_has_is_not_found(service, caller):
    with pytest.raises(sipbridge.ResponseError) as raised:
        dial(service, caller, "999")
    assert raised.value.status == 404


def test_a_uri_that_is_none_is_not_found_and_no_incident(service):
    before = service.log().count("failed for IncomingCall")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((HOST, 0))
        peer.settimeout(LIMIT)
        invite = INVITE % {"to": service.uri.replace("sip:", "sip:%00@"), "port": peer.getsockname()[1]}
        peer.sendto(invite.encode(), (HOST, service.sip_port))
        answer = peer.recv(65536)
        while answer.startswith(b"SIP/2.0 1"):
            answer = peer.recv(65536)
    assert answer.startswith(b"SIP/2.0 404")
    assert service.log().count("failed for IncomingCall") == before


def test_a_number_can_be_taken_back(service, caller):
    service.api.put("/numbers/300", json={"menu": {}})
    dial(service, caller, "300").hangup()
    assert service.api.delete("/numbers/300").status_code == 204
    with pytest.raises(sipbridge.ResponseError):
        dial(service, caller, "300")
    assert service.api.delete("/numbers/300").status_code == 404
