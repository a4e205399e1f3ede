"""Endpoints in memory tell of the same as endpoints on the network: each flow runs with both."""

from __future__ import absolute_import, division, print_function

import threading
import time

import pytest

import sipbridge
from conformance.sdp import ANSWER, HOLD, OFFER
from peers.phone import label
from sipbridge import testing

LIMIT = 10.0  # seconds: only a test that fails waits that long


class Party(object):
    """An endpoint, and what it was told of.

    Attributes:
        told: labels of the events, and which of the headers they have that any message has.
    """

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.told = []
        endpoint.on(sipbridge.IncomingCall, self._note)
        for kind in (sipbridge.CallProgress, sipbridge.CallAnswered, sipbridge.CallConfirmed, sipbridge.CallEnded,
                     sipbridge.CallReinvited, sipbridge.RequestReceived, sipbridge.TransferProgress):
            endpoint.on(kind, self._note)

    def _note(self, event):
        headers = getattr(event, "headers", None)
        request = isinstance(event, (sipbridge.IncomingCall, sipbridge.RequestReceived))
        names = ("From", "To", "Call-ID", "CSeq") if request else ()
        self.told.append((label(event), [name for name in names if name in headers]))

    def wait(self, last):
        deadline = time.time() + LIMIT
        while not self.told or self.told[-1][0] != last:
            assert time.time() < deadline, self.told
            time.sleep(0.002)

    def answer(self, sdp=ANSWER):
        self.endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(sdp))


def up(alice, bob):
    bob.answer()
    call = alice.endpoint.call(bob.endpoint.uri, OFFER)
    bob.wait("confirmed")
    return call, bob.endpoint.calls[0]


def _keys(alice, bob):
    call, theirs = up(alice, bob)
    call.send_dtmf("4#")
    assert theirs.collect(count=2) == "4#"
    call.hangup()


def _callee_hangs_up(alice, bob):
    _, theirs = up(alice, bob)
    theirs.hangup()


def _hold(alice, bob):
    call, theirs = up(alice, bob)
    call.reinvite(HOLD)
    bob.wait("confirmed")
    assert theirs.held_by_peer and call.remote_sdp
    call.hangup()


def _requests(alice, bob):
    call, _ = up(alice, bob)
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.request("FROB")
    assert caught.value.status == 501
    call.request("MESSAGE", b"x", "text/plain")
    assert alice.endpoint.message(bob.endpoint.uri, b"y").status == 200
    call.hangup()


def _early(alice, bob):
    bob.endpoint.on(sipbridge.IncomingCall, lambda event: (event.call.ring(), event.call.ring(183, ANSWER)))
    call = alice.endpoint.invite(bob.endpoint.uri, OFFER)
    alice.wait("progress 183 sdp")
    bob.endpoint.calls[0].answer()
    call.wait_established(LIMIT)
    bob.wait("confirmed")
    call.hangup()


def _no_offer(alice, bob):
    bob.answer(OFFER)
    call = alice.endpoint.call(bob.endpoint.uri)
    call.ack(ANSWER)
    bob.wait("confirmed sdp")
    call.hangup()


def _rejected(alice, bob):
    bob.endpoint.on(sipbridge.IncomingCall, lambda event: event.call.reject(486, headers={"X-Why": "busy"}))
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.endpoint.call(bob.endpoint.uri, OFFER)
    assert (caught.value.status, caught.value.reason) == (486, "Busy Here")
    assert caught.value.headers["X-Why"] == "busy"


def _redirected(alice, bob):
    bob.endpoint.on(sipbridge.IncomingCall, lambda event: event.call.redirect("sip:carol@192.0.2.1"))
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.endpoint.call(bob.endpoint.uri, OFFER)
    assert caught.value.contacts == ["<sip:carol@192.0.2.1>"]


def _cancelled(alice, bob):
    bob.endpoint.on(sipbridge.IncomingCall, lambda event: event.call.ring())
    call = alice.endpoint.invite(bob.endpoint.uri, OFFER)
    alice.wait("progress 180")
    call.hangup()


def _hung_up_before_the_answer(alice, bob):
    bob.endpoint.on(sipbridge.IncomingCall, lambda event: event.call.hangup())
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.endpoint.call(bob.endpoint.uri, OFFER)
    assert caught.value.status == 603


def _transfer_refused(alice, bob):
    call, theirs = up(alice, bob)
    with pytest.raises(sipbridge.ResponseError) as caught:
        theirs.transfer("sip:carol@192.0.2.1")
    assert caught.value.status == 603
    call.hangup()


def _a_request_when_the_call_ends(alice, bob):
    call, theirs = up(alice, bob)
    theirs.on(sipbridge.InfoReceived, lambda event: event.defer())
    bob.endpoint.on(sipbridge.InfoReceived, lambda event: threading.Timer(0.1, theirs.hangup).start())
    try:
        call.info(b"x", "text/plain")
    except sipbridge.CallHungUp:
        pass


FLOWS = (
    _keys, _callee_hangs_up, _hold, _requests, _early, _no_offer, _rejected, _redirected, _cancelled,
    _hung_up_before_the_answer, _transfer_refused, _a_request_when_the_call_ends,
)  # fmt: skip


def run(flow, alice, bob):
    """What both were told of."""
    parties = Party(alice), Party(bob)
    flow(*parties)
    deadline = time.time() + LIMIT
    while not all(party.told and party.told[-1][0].startswith("ended") for party in parties):
        assert time.time() < deadline, [party.told for party in parties]
        time.sleep(0.002)
    return [party.told for party in parties]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__.strip("_"))
def test_each_side_is_told_the_same_as_on_the_network(flow, sip_loopback):
    with testing.Network() as network:
        in_memory = run(flow, network.endpoint("sip:alice@example.com"), network.endpoint("sip:bob@example.com"))
    assert run(flow, sip_loopback.peer, sip_loopback.endpoint) == in_memory
