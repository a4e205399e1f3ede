"""Endpoints in memory: what a test of a service can have its peers, its engine and the time do."""

from __future__ import absolute_import, division, print_function

import threading
import time

import pytest

import sipbridge
from sipbridge import testing

LIMIT = 10.0  # seconds: only a test that fails waits that long


def answering(endpoint):
    endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    return endpoint


def up(alice, bob):
    """A call between these: both sides of it. Whoever answered has heard of the last event of that."""
    confirmed = threading.Event()
    bob.on(sipbridge.CallConfirmed, lambda event: confirmed.set())
    call = alice.call(answering(bob).uri, testing.SDP)
    theirs = bob.calls[0]
    theirs.wait_established(LIMIT)
    assert confirmed.wait(LIMIT)
    return call, theirs


def test_an_endpoint_is_reached_by_its_address_its_identity_and_what_it_registers(alice, bob):
    answering(bob).register("sip:example.org", aor="sip:robert@example.org")
    for target in (bob.uri, "sip:bob@example.com", '"Bob" <sip:robert@example.org>'):
        assert alice.call(target, testing.SDP).state == "established"
    assert alice.bindings("sip:example.org", aor="sip:robert@example.org")
    assert (alice.engine_name, alice.address) != (bob.engine_name, bob.address)


def test_who_is_not_there_cannot_be_reached(alice, bob):
    bob.close()
    for target in (bob.uri, "sip:bob@example.com", "sip:nobody@example.com"):
        with pytest.raises(sipbridge.PeerUnreachable):
            alice.call(target, testing.SDP)
        with pytest.raises(sipbridge.PeerUnreachable):
            alice.message(target, "hello")


def test_messages_and_options(alice, bob):
    bob.on(sipbridge.MessageReceived, lambda event: event.answer(202, body=event.body, content_type="text/plain"))
    response = alice.message(bob.uri, "hello")
    assert (response.status, response.body, response.content_type) == (202, b"hello", "text/plain")
    assert alice.options(bob.uri).ok


def test_keys_and_requests_within_a_call(alice, bob):
    call, theirs = up(alice, bob)
    call.send_dtmf("42#")
    assert theirs.collect(terminator="#") == "42"
    theirs.send_dtmf("7", content_type="application/dtmf")
    assert call.collect(count=1) == "7"
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.request("FROB")
    assert caught.value.status == 501


def test_hold_and_resume(alice, bob):
    call, theirs = up(alice, bob)
    call.hold()
    assert (call.on_hold, theirs.held_by_peer) == (True, True)
    theirs.reinvite(testing.SDP)
    call.resume()
    assert (call.on_hold, theirs.held_by_peer) == (False, False)


@pytest.mark.parametrize("by_caller", [True, False])
def test_either_side_hangs_up(alice, bob, by_caller):
    sides = up(alice, bob)
    leaving, left = sides if by_caller else sides[::-1]
    leaving.hangup(why=sipbridge.Reason("Q.850", 16))
    assert leaving.wait_ended(LIMIT).cause == "local-bye"
    ended = left.wait_ended(LIMIT)
    assert (ended.cause, ended.status, ended.reasons[0].cause) == ("remote-bye", 200, 16)
    with pytest.raises(sipbridge.CallHungUp):
        left.hold()
    assert (alice.calls, bob.calls) == ((), ())


@pytest.mark.parametrize("refuse, status", [
    (lambda call: call.reject(486), 486),
    (lambda call: call.reject(488, "No codec"), 488),
    (lambda call: call.redirect("sip:carol@example.com"), 302),
    (lambda call: call.hangup(), 603),
    (lambda call: None, 480),
])
def test_a_call_is_refused(alice, bob, refuse, status):
    bob.serve(refuse)
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.call(bob.uri, testing.SDP)
    assert caught.value.status == status


def test_a_redirection_is_followed(network, alice, bob):
    answering(network.endpoint("sip:carol@example.com"))
    bob.on(sipbridge.IncomingCall, lambda event: event.call.redirect("sip:carol@example.com"))
    assert alice.call(bob.uri, testing.SDP, follow_redirects=1).request_uri == "sip:carol@example.com"


def test_the_caller_cancels(alice, bob):
    ended = []
    bob.on(sipbridge.IncomingCall, lambda event: event.call.ring())
    bob.on(sipbridge.CallEnded, ended.append)
    with alice.events(LIMIT) as events:
        call = alice.invite(bob.uri, testing.SDP)
        assert next(events).status == 180
        call.hangup()
        assert next(events).cause == "cancelled"
    bob.close()
    assert [event.cause for event in ended] == ["cancelled"]


def test_transfers(network, alice, bob):
    carol = answering(network.endpoint("sip:carol@example.com"))
    alice.on(sipbridge.TransferRequested, lambda event: event.accept(testing.SDP))
    call, theirs = up(alice, bob)
    assert theirs.transfer("sip:carol@example.com").succeeded
    assert call.wait_ended(LIMIT).cause == "remote-bye"
    alice.calls[0].hangup()
    call, theirs = up(alice, bob)
    consulted = bob.call(carol.uri, testing.SDP)
    assert theirs.transfer_to(consulted).succeeded
    assert consulted.wait_ended(LIMIT).cause == "remote-bye"


# -- time -----------------------------------------------------------------------------------------------------


def test_the_test_moves_the_time(network, alice, bob):
    """Ten minutes pass in no time, each when the service has come to where it waits."""
    told, began = [], time.time()

    @bob.serve
    def take(call):
        call.answer(testing.SDP)
        told.append(call.collect(count=2, timeout=300.0))
        told.append(call.collect(count=2, timeout=300.0).ended_by)

    call = alice.call(bob.uri, testing.SDP)
    call.send_dtmf("1")
    network.advance(299)
    call.send_dtmf("2")
    network.advance(301)
    assert call.wait_ended(LIMIT).cause == "remote-bye"
    assert told == ["12", "timeout"]
    assert time.time() - began < 60.0


def test_so_do_timers_and_who_waits_for_an_answer(network, alice, bob):
    errors = []
    bob.on(sipbridge.IncomingCall, lambda event: event.defer(seconds=100))
    bob.on(sipbridge.MessageReceived, lambda event: event.defer(seconds=20))

    def call(timeout):
        try:
            alice.call(bob.uri, testing.SDP, timeout=timeout)
        except sipbridge.SipbridgeError as error:
            errors.append(type(error))

    for timeout, seconds in ((60.0, 61), (None, 101)):
        calling = threading.Thread(target=call, args=(timeout,))
        calling.start()
        while not bob.calls:
            time.sleep(0.001)
        network.advance(seconds)
        calling.join(LIMIT)
        while bob.calls:
            time.sleep(0.001)
    assert errors == [sipbridge.TimeoutError, sipbridge.ResponseError]


# -- the engine -----------------------------------------------------------------------------------------------


def test_an_engine_is_lost_and_comes_again(network, alice, bob):
    call, theirs = up(alice, bob)
    with bob.events(LIMIT) as events:
        network.lose(bob)
        assert [type(next(events)) for _ in range(2)] == [sipbridge.CallEnded, sipbridge.EngineRestarted]
    assert theirs.ended.cause == "engine-lost"
    with pytest.raises(sipbridge.EngineLost):
        theirs.collect(count=1)
    assert call.state == "established"  # nobody has told the peer
    with pytest.raises(sipbridge.ResponseError) as caught:
        call.info(b"x", "text/plain")
    assert caught.value.status == 481
    call.hangup()
    assert call.wait_ended(LIMIT).cause == "local-bye"
    assert up(alice, bob)[0].state == "established"


def test_an_engine_is_lost_for_good(network, alice, bob):
    with bob.events(LIMIT) as events:
        network.lose(bob, restart=False)
        assert isinstance(next(events), sipbridge.EngineFailed)
    with pytest.raises(sipbridge.EngineLost):
        bob.message(alice.uri, "hello")
    with pytest.raises(sipbridge.PeerUnreachable):
        alice.message(bob.uri, "hello")


def test_a_request_to_an_engine_that_is_lost_gets_no_answer(network, alice, bob):
    asked = threading.Event()
    bob.on(sipbridge.MessageReceived, lambda event: (asked.set(), event.defer()))
    threading.Thread(target=lambda: (asked.wait(LIMIT), network.lose(bob))).start()
    with pytest.raises(sipbridge.TimeoutError):
        alice.message(bob.uri, "hello")


def test_what_a_service_makes_itself(network, alice):
    """By an engine that it is given."""
    with sipbridge.Endpoint("udp://192.0.2.1:5070", engine=network.engine("sip:dave@example.com")) as dave:
        assert (dave.port, dave.uri) == (5070, "sip:192.0.2.1:5070")
        assert alice.call("sip:dave@example.com", testing.SDP, timeout=LIMIT) if answering(dave) else None
        with pytest.raises(sipbridge.TransportError):
            sipbridge.Endpoint("udp://192.0.2.1:5070", engine=network.engine())
        dave.clear_credentials()
        dave.add_credentials("dave", "secret")
        with pytest.raises(sipbridge.NotSupportedError):
            dave.subscribe(alice.uri, "presence")
    with pytest.raises(sipbridge.EngineError):
        dave.message(alice.uri, "hello")


def test_only_an_engine_in_memory_can_be_lost(network):
    with pytest.raises(sipbridge.InputError):
        network.lose("bob")
    with pytest.raises(sipbridge.InputError):
        network.advance(-1)


def test_a_service_drains(alice, bob):
    call, _ = up(alice, bob)
    draining = threading.Thread(target=bob.drain, kwargs=dict(timeout=LIMIT, retry_after=7))
    draining.start()
    while not _refuses(alice, bob.uri):
        time.sleep(0.001)
    with pytest.raises(sipbridge.ResponseError) as caught:
        alice.call(bob.uri, testing.SDP)
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "7")
    call.hangup()
    draining.join(LIMIT)
    assert not draining.is_alive()


def _refuses(alice, uri):
    """Whether OPTIONS are answered 503."""
    try:
        return not alice.options(uri).ok
    except sipbridge.ResponseError as error:
        return error.status == 503
