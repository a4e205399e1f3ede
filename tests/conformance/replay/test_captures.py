"""Captures that tshark made of sipp, Kamailio and baresip (tests/data/captures/make.py) are read, and played."""

from __future__ import absolute_import, division, print_function

import io
import os

import pytest

import sipbridge
from conformance.conftest import USERS
from conformance.replay.stage import Played, load
from conformance.sdp import ANSWER, OFFER
from sipbridge._replay import dialogue

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "captures")
CALLS = ["sipp-udp.pcapng", "sipp-tcp.pcap", "sipp-any.pcapng", "baresip.pcapng"]

#: Where tests that need Kamailio and baresip are left out by their names, these stay: they need no more than the file.
IDS = ["udp", "tcp", "any", "telephone"]


def _path(name):
    return os.path.join(FOLDER, name)


@pytest.mark.parametrize(
    "name, method, messages",
    [(name, "INVITE", 6) for name in CALLS] + [("kamailio.pcap", "REGISTER", 8)],
    ids=IDS + ["registrar"],
)
def test_the_calls_of_a_capture(name, method, messages):
    with io.open(_path(name), "rb") as stream:
        found = dialogue.calls(stream)
    assert [(each.number, each.method, each.messages, each.result) for each in found] == [
        (1, method, messages, "200 OK")
    ]  # fmt: skip


@pytest.mark.parametrize("name", CALLS, ids=IDS)
def test_a_caller_of_others_is_played(make_phone, name):
    """Over UDP, whatever it was; the endpoint differs from the recorded one in its header fields alone."""
    phone = make_phone()

    def take(event):
        event.call.ring()
        event.call.answer(ANSWER)

    phone.reactions[sipbridge.IncomingCall] = take
    chosen = load(_path(name), "caller")
    assert [each.ours for each in chosen.steps if each.message.status != 100] == [
        True, False, False, True, True, False
    ]  # fmt: skip
    played = Played(chosen, phone.uri + ";transport=udp")
    player = played.wait()
    assert player.played == 6, "\n".join(played.lines)
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


@pytest.mark.parametrize("name", CALLS[:3], ids=IDS[:3])
def test_a_callee_of_others_is_played(make_phone, name):
    phone = make_phone()
    played = Played(load(_path(name), "callee"))
    call = phone.endpoint.call(played.uri, OFFER)
    call.hangup()
    call.wait_ended()
    assert played.wait().played == 6, "\n".join(played.lines)
    phone.expect("progress 180", "answered 200 sdp", "ended local-bye 200")


def test_a_registrar_of_others_is_played(make_phone):
    phone = make_phone(identity="sip:bob@sipbridge.test")
    phone.endpoint.add_credentials("bob", USERS["bob"])
    played = Played(load(_path("kamailio.pcap"), "callee"))
    phone.endpoint.register(played.uri).unregister()
    assert played.wait().played == 8, "\n".join(played.lines)
    phone.expect("registration active 200", "registration ended 200")
