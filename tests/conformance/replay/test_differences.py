"""What differs from the record is told, and the endpoint is not left in the middle of a call."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from conformance.conftest import USERS
from conformance.replay import flows
from conformance.replay.stage import Beside, Played, load
from conformance.sdp import ANSWER, OFFER
from peers.ports import free_port
from peers.scenario import Caller
from peers.waiting import wait_until
from sipbridge._replay import scenario
from sipbridge._replay.fitting import Settings
from sipbridge._replay.player import Pace
from sipbridge.access import Authenticator
from sipbridge.errors import InputError, TimeoutError


def _record(make_phone, other, path, name):
    react, drive = flows.CALLED[name]
    phone = make_phone(record=path)
    react(phone)
    drive(other, phone)
    wait_until(lambda: flows.is_recorded(name, path))
    phone.close()
    return phone


def test_a_call_that_is_refused_today(make_phone, other, path):
    _record(make_phone, other, path, "call")
    phone = make_phone()
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(486)
    played = Played(load(path, "caller"), phone.uri)
    assert played.wait().different == 2
    text = "\n".join(played.lines)
    assert "<- nothing, but recorded: 180 Ringing INVITE" in text
    assert "-SIP/2.0 200 OK" in text and "+SIP/2.0 486 Busy Here" in text and "-> ACK" in played.lines[-1]
    phone.expect("incoming sdp", "ended rejected 486")


def test_a_call_that_is_taken_today_is_hung_up(make_phone, other, path):
    _record(make_phone, other, path, "reject")
    phone = make_phone()
    phone.take_calls(ANSWER)
    played = Played(load(path, "caller"), phone.uri)
    assert played.wait().different == 1
    phone.wait("ended remote-bye 200")
    phone.expect("incoming sdp", "confirmed", "ended remote-bye 200")


def test_a_call_that_nobody_answers_today_is_cancelled(make_phone, other, path):
    _record(make_phone, other, path, "reject")
    phone = make_phone()
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.ring()
    played = Played(load(path, "caller"), phone.uri, Pace(0, 0.5))
    assert played.wait().different == 1
    phone.expect("incoming sdp", "ended cancelled 487")
    assert "-> ACK" in played.lines[-1]


def test_an_endpoint_that_hangs_up_today(make_phone, other, path):
    _record(make_phone, other, path, "call")
    phone = make_phone()
    phone.take_calls(ANSWER)
    phone.reactions[sipbridge.CallConfirmed] = lambda event: event.call.hangup()
    played = Played(load(path, "caller"), phone.uri, Pace(0.05, 5.0))  # slowly: its BYE comes later than the endpoint's
    assert played.wait().different >= 1
    assert any("BYE" in line and "not recorded" in line for line in played.lines), played.lines
    phone.wait("ended local-bye 200")


def test_headers_and_bodies_are_compared_but_for_those_that_are_ignored(make_phone, other, path):
    _record(make_phone, other, path, "call")
    for ignored, different in ((), 1), (("x-answered",), 0):
        phone = make_phone()

        def take(event):
            event.call.ring()
            event.call.answer(ANSWER, headers=[("X-Answered", "yes")])

        phone.reactions[sipbridge.IncomingCall] = take
        played = Played(load(path, "caller"), phone.uri, ignored=ignored)
        assert played.wait().different == different, "\n".join(played.lines)
        assert ("     +X-Answered: yes" in played.lines) == bool(different)
        phone.close()
    phone = make_phone()
    phone.reactions[sipbridge.IncomingCall] = lambda event: (
        event.call.ring(), event.call.answer(ANSWER.replace(b"telephone-event", b"CN"))
    )  # fmt: skip
    played = Played(load(path, "caller"), phone.uri)
    assert played.wait().different == 1
    assert "     +a=rtpmap:101 CN/8000" in played.lines


def test_nothing_at_all_is_a_timeout(make_phone, other, path):
    _record(make_phone, other, path, "call")
    played = Played(load(path, "caller"), "sip:127.0.0.1:%d" % free_port(), Pace(0, 0.2))
    with pytest.raises(TimeoutError):
        played.wait()


# -- what fits -----------------------------------------------------------------------------------------------


@pytest.mark.tcp
@pytest.mark.parametrize("name", ["call", "hold", "cancel"])
def test_over_tcp(make_phone, other, path, name):
    """What was recorded over UDP, over TCP."""
    recorded = _record(make_phone, other, path, name)
    phone = make_phone(address="tcp://127.0.0.1:%d" % free_port())
    flows.CALLED[name][0](phone)
    played = Played(load(path, "caller"), phone.uri, transport="tcp")
    assert played.wait().different == 0, "\n".join(played.lines)
    phone.expect(*recorded.labels)


@pytest.mark.tcp
def test_a_callee_over_tcp(make_phone, other, path):
    drive, answer = flows.CALLING["hung-up"]
    phone = make_phone(identity="sip:alice@sipbridge.test", record=path)
    with Beside(answer, other):
        drive(phone, other.uri)
    phone.close()
    again = make_phone(address="tcp://127.0.0.1:%d" % free_port(), identity="sip:alice@sipbridge.test")
    played = Played(load(path, "callee"), transport="tcp")
    drive(again, played.uri)
    assert played.wait().different == 0, "\n".join(played.lines)
    again.expect(*phone.labels)


def test_a_challenge_is_answered_with_the_password(make_phone, sipp, path):
    """The endpoint asks its caller for a digest; today's nonce is another."""

    def asking(**options):
        lookup = {"alice": USERS["alice"]}.get
        authenticator = Authenticator("sipbridge.test", lambda user, realm: lookup(user))
        phone = make_phone(authenticator=authenticator, **options)
        phone.take_calls(ANSWER)
        return phone

    phone = asking(record=path)
    credentials = ("alice", USERS["alice"])
    called = Caller().initial("INVITE", OFFER).expect(401, auth=True).ack_refusal()
    called = called.initial("INVITE", OFFER, credentials=credentials).expect(200).ack().request("BYE").expect(200)
    sipp(called, phone.host_port).wait()
    phone.close()
    again = asking()
    played = Played(load(path, "caller"), again.uri, settings=Settings(password=USERS["alice"]))
    assert played.wait().different == 0, "\n".join(played.lines)
    again.expect(*phone.labels)
    with pytest.raises(InputError) as caught:
        Played(load(path, "caller"), again.uri).wait()
    assert "--user" in str(caught.value)


@pytest.mark.parametrize("name", ["call", "cancel", "reject", "keys"])
def test_sipp_plays_the_scenario_of_a_caller(make_phone, other, sipp, path, name):
    recorded = _record(make_phone, other, path, name)
    phone = make_phone()
    flows.CALLED[name][0](phone)
    sipp(_Written(scenario.write(load(path, "caller"), name)), phone.host_port).wait()
    phone.expect(*recorded.labels)


@pytest.mark.parametrize("name", ["call", "cancel", "reject", "hung-up"])
def test_sipp_plays_the_scenario_of_a_callee(make_phone, other, sipp, path, name):
    drive, answer = flows.CALLING[name]
    phone = make_phone(record=path)
    with Beside(answer, other):
        drive(phone, other.uri)
    phone.close()
    again = make_phone()
    peer = sipp(_Written(scenario.write(load(path, "callee"), name)))
    drive(again, peer.uri)
    peer.wait()
    again.expect(*phone.labels)


class _Written(object):
    def __init__(self, octets):
        self._octets = octets

    def xml(self):
        return self._octets.decode("utf-8")
