"""Handles: stale ones, those that never were, and that none is given out twice."""

from __future__ import absolute_import, division, print_function

import pytest

#: Every function that takes an engine and something of it, and the arguments that stand behind these two.
OF_A_CALL = {
    "sb_call_ring": (180, None),
    "sb_call_answer": (None,),
    "sb_call_reject": (486, None, None),
    "sb_call_redirect": (302, b"sip:bob@127.0.0.1"),
    "sb_call_ack": (None,),
    "sb_call_hangup": (None,),
    "sb_call_reinvite": (None,),
}
OF_OTHERS = {
    "sb_answer": (200, None, None),
    "sb_register_refresh": (60,),
    "sb_unregister": (),
}
OF_A_SUBSCRIPTION = {
    "sb_subscribe_refresh": (60,),
    "sb_unsubscribe": (),
    "sb_subscription_accept": (200, 60),
    "sb_subscription_reject": (403, None, None),
    "sb_notify": (b"active", None),
}
EVERY = dict(OF_A_CALL, **dict(OF_OTHERS, **OF_A_SUBSCRIPTION))


def invoke(raw, function, engine, handle):
    """Call a function of EVERY."""
    arguments = [raw.ffi.NULL if each is None else each for each in EVERY[function]]
    arguments = [raw.text(each) if isinstance(each, bytes) else each for each in arguments]
    return getattr(raw.lib, function)(engine, handle, *arguments)


def unknown(raw, function):
    """What a function says to a handle that is none."""
    offered = function not in OF_A_SUBSCRIPTION
    return (raw.lib.SB_ENOENT,) if offered else (raw.lib.SB_ENOENT, raw.lib.SB_ENOTSUP)


@pytest.mark.parametrize("handle", [0, -1, 1, 2 ** 31, 2 ** 63 - 1, -(2 ** 63)])
@pytest.mark.parametrize("function", sorted(EVERY))
def test_an_unknown_handle_is_an_error(raw, engine, function, handle):
    assert invoke(raw, function, engine, handle) in unknown(raw, function)


@pytest.mark.parametrize("function", sorted(EVERY))
def test_a_handle_of_another_kind_is_an_error(raw, engine, peer, function):
    call, transaction = raw.call(engine, peer.uri), raw.request(engine, "MESSAGE", peer.uri)
    registration = raw.register(engine, peer.uri, peer.uri)
    assert min(call, transaction, registration) > 0
    others = {"sb_answer": (call, registration), "sb_unregister": (call, transaction)}
    others["sb_register_refresh"] = others["sb_unregister"]
    if function in OF_A_CALL:
        others[function] = (transaction, registration)
    for handle in others.get(function, (call, transaction, registration)):
        assert invoke(raw, function, engine, handle) in unknown(raw, function)


@pytest.mark.parametrize("function", sorted(OF_A_CALL))
def test_a_handle_of_an_ended_call_is_an_error(raw, engine, peer, function):
    call = raw.call(engine, peer.uri)
    peer.reply(peer.next("INVITE"), 486)
    assert raw.wait(engine).type == raw.lib.SB_EV_CALL_ENDED
    assert invoke(raw, function, engine, call) == raw.lib.SB_ENOENT


@pytest.mark.parametrize("function", sorted(EVERY))
@pytest.mark.parametrize("number", [0, -1, 10 ** 6])
def test_an_unknown_engine_is_an_error(raw, engine, function, number):
    assert invoke(raw, function, number, 1) in (raw.lib.SB_ECLOSED, raw.lib.SB_ENOTSUP)


def test_a_transaction_is_answered_once(raw, engine, port, peer):
    peer.request(port, "MESSAGE", [("Content-Type", "text/plain")], b"hello")
    event = raw.wait(engine)
    assert (event.type, event.method, event.body) == (raw.lib.SB_EV_REQUEST, b"MESSAGE", b"hello")
    answers = [invoke(raw, "sb_answer", engine, event.transaction) for _ in range(2)]
    assert answers == [0, raw.lib.SB_ENOENT]
    assert peer.next("200")["CSeq"] == "1 MESSAGE"


def test_a_transaction_of_ours_cannot_be_answered(raw, engine, peer):
    transaction = raw.request(engine, "MESSAGE", peer.uri)
    assert invoke(raw, "sb_answer", engine, transaction) == raw.lib.SB_ESTATE


def test_handles_are_never_given_out_again(raw, engine, port, peer):
    """Of an engine, in the order in which they came, whatever has ended since."""
    lib, handles = raw.lib, []
    for _ in range(3):
        handles.append(raw.call(engine, peer.uri))
        peer.reply(peer.next("INVITE"), 486)
        assert raw.wait(engine).type == lib.SB_EV_CALL_ENDED
        handles.append(raw.request(engine, "MESSAGE", peer.uri))
        peer.reply(peer.next("MESSAGE"), 200)
        assert raw.wait(engine).type == lib.SB_EV_RESPONSE
        peer.request(port, "MESSAGE")
        handles.append(raw.wait(engine).transaction)
        assert lib.sb_answer(engine, handles[-1], 200, raw.ffi.NULL, raw.ffi.NULL) == 0
    assert handles == sorted(set(handles)) and handles[0] > 0


def test_engines_are_never_given_out_again(raw):
    numbers = []
    for _ in range(3):
        numbers.append(raw.open())
        assert raw.lib.sb_close(numbers[-1], 0) == 0
    assert numbers == sorted(set(numbers)) and numbers[0] > 0


def test_states_of_an_outgoing_call(raw, engine, peer, up):
    """What an answered call of ours no longer allows, and the end of it."""
    lib = raw.lib
    for function in ("sb_call_ring", "sb_call_answer", "sb_call_reject", "sb_call_redirect", "sb_call_ack"):
        assert invoke(raw, function, engine, up) == lib.SB_ESTATE, function
    assert invoke(raw, "sb_call_hangup", engine, up) == 0
    for function in sorted(OF_A_CALL):
        assert invoke(raw, function, engine, up) == lib.SB_ESTATE, function
    peer.reply(peer.next("BYE"), 200)
    event = raw.wait(engine)
    assert (event.type, event.cause, event.status) == (lib.SB_EV_CALL_ENDED, lib.SB_CAUSE_LOCAL_BYE, 200)


def test_states_of_an_incoming_call(raw, engine, peer, ringing):
    lib = raw.lib
    assert invoke(raw, "sb_call_ack", engine, ringing) == lib.SB_ESTATE
    assert invoke(raw, "sb_call_reinvite", engine, ringing) == lib.SB_ESTATE
    assert lib.sb_call_request(engine, ringing, raw.text("INFO"), raw.ffi.NULL) == lib.SB_ESTATE
    assert invoke(raw, "sb_call_ring", engine, ringing) == 0
    assert peer.next("180")["CSeq"] == "1 INVITE"
    assert invoke(raw, "sb_call_answer", engine, ringing) == 0
    assert peer.next("200")["CSeq"] == "1 INVITE"
    assert invoke(raw, "sb_call_answer", engine, ringing) == lib.SB_ESTATE
