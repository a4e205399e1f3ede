"""What was recorded at an endpoint is played to it again: it says the same, and tells the same events, each time."""

from __future__ import absolute_import, division, print_function

import pytest

from conformance.conftest import USERS
from conformance.replay import flows
from conformance.replay.stage import Beside, Played, load
from peers.waiting import wait_until


@pytest.mark.parametrize("name", sorted(flows.CALLED))
def test_the_caller_is_played(make_phone, other, path, name):
    react, drive = flows.CALLED[name]
    phone = make_phone(record=path)
    react(phone)
    drive(other, phone)
    wait_until(lambda: flows.is_recorded(name, path))
    phone.close()
    labels = phone.labels
    for _ in range(2):
        again = make_phone()
        react(again)
        played = Played(load(path, "caller"), again.uri)
        player = played.wait()
        again.expect(*labels)
        again.close()
        assert player.different == 0 and player.played > 1, "\n".join(played.lines)


@pytest.mark.parametrize("name", sorted(flows.CALLING))
def test_the_callee_is_played(make_phone, other, path, name):
    drive, answer = flows.CALLING[name]
    phone = make_phone(identity="sip:alice@sipbridge.test", record=path)
    with Beside(answer, other):
        drive(phone, other.uri)
    phone.close()
    labels = phone.labels
    for _ in range(2):
        again = make_phone(identity="sip:alice@sipbridge.test")
        played = Played(load(path, "callee"))
        drive(again, played.uri)
        player = played.wait()
        again.expect(*labels)
        again.close()
        assert player.different == 0 and player.played > 1, "\n".join(played.lines)


def test_kamailio_is_played_with_its_challenge(make_phone, kamailio, path):
    def drive(phone, uri):
        phone.endpoint.add_credentials("alice", USERS["alice"])
        phone.endpoint.register(uri).unregister()

    identity = "sip:alice@" + kamailio.domain
    phone = make_phone(identity=identity, record=path)
    drive(phone, kamailio.uri)
    phone.close()
    again = make_phone(identity=identity)
    played = Played(load(path, "callee"))
    drive(again, played.uri)
    player = played.wait()
    assert again.labels == phone.labels and player.different == 0, "\n".join(played.lines)
