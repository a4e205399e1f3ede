"""Overload control: what is held back, and what never is."""

from __future__ import absolute_import, division, print_function

import pytest

from shield.messages import request

pytestmark = pytest.mark.usefixtures("needs_shield")

#: Two at once, and the next after a thousand seconds.
TWO = "0.001/2"


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "SUBSCRIBE"])
def test_requests_above_the_limit_get_503(make_victim, make_sender, method):
    victim = make_victim(**{"SIPBRIDGE_SHIELD_" + method: TWO})
    sender = make_sender(victim)
    replies = [sender.exchange(request(method, "n%d" % number, sender.port)) for number in range(5)]
    assert [each.rule for each in replies] == [None] * 2 + ["overload-" + method.lower()] * 3
    for reply in replies[2:]:
        assert reply.octets.startswith(b"SIP/2.0 503 Service Unavailable\r\n")
        assert 1 <= int(reply["Retry-After"]) <= 60
    assert victim.counters()["overload-" + method.lower()] == (0, 3, 0)


@pytest.fixture
def full(make_victim):
    """One whose limits are used up."""
    limits = dict(("SIPBRIDGE_SHIELD_" + each, TWO) for each in ("INVITE", "REGISTER", "SUBSCRIBE"))
    return make_victim(**limits)


@pytest.fixture
def caller(full, make_sender):
    sender = make_sender(full)
    for method in ("INVITE", "REGISTER", "SUBSCRIBE"):
        for number in range(3):
            sender.exchange(request(method, "fill-%s-%d" % (method, number), sender.port))
    return sender


@pytest.mark.parametrize("method", ["ACK", "BYE", "CANCEL", "OPTIONS", "MESSAGE", "INFO"])
def test_requests_that_begin_nothing_are_never_held_back(full, caller, method):
    before = full.counters()[""][0]
    assert all(each.rule is None for each in caller.replies_before(request(method, "x", caller.port)))
    assert full.counters()[""][0] == before + 2  # and the OPTIONS behind it


@pytest.mark.parametrize("method", ["INVITE", "SUBSCRIBE"])
def test_requests_within_a_dialog_are_never_held_back(full, caller, method):
    to = "<sip:service@example.com>;tag=dialog"
    assert caller.exchange(request(method, "in", caller.port, To=to)).rule is None


def test_a_retransmission_of_a_passed_request_passes(full, caller):
    first = request("INVITE", "fill-INVITE-0", caller.port)
    refused = request("INVITE", "fill-INVITE-2", caller.port)
    assert all(each.rule is None for each in caller.replies_before(first))
    assert caller.exchange(refused).status == 503


def test_a_call_that_was_let_in_goes_to_its_end(make_victim, make_sender):
    victim = make_victim(SIPBRIDGE_SHIELD_INVITE="0.001/1")
    sender = make_sender(victim)
    answer = sender.exchange(request("INVITE", "call", sender.port))
    assert answer.status == 200
    assert sender.exchange(request("INVITE", "late", sender.port)).status == 503
    sender.send(request("ACK", "call-ack", sender.port, Call_ID="call@example.com", To=answer["To"],
                        From='"A. Tester" <sip:tester@example.com>;tag=from-call'))
    bye = request("BYE", "call-bye", sender.port, Call_ID="call@example.com", To=answer["To"], CSeq="2 BYE",
                  From='"A. Tester" <sip:tester@example.com>;tag=from-call')
    assert sender.exchange(bye).status == 200


def test_there_is_no_limit_by_default(victim, sender):
    """The limit "auto" begins as none, since nothing waits here."""
    for number in range(100):
        assert sender.exchange(request("INVITE", "n%d" % number, sender.port)).status == 200
    assert victim.ask("limits") == {"INVITE": 0, "REGISTER": 0, "SUBSCRIBE": 0}


@pytest.mark.parametrize(
    "setting, rate", [("off", 0), ("auto", 0), ("200", 200), ("7.5/3", 7.5), ("nonsense", 0), ("nan", 0)]
)
def test_settings_of_the_limit_are_read(make_victim, setting, rate):
    victim = make_victim(SIPBRIDGE_SHIELD_INVITE=setting)
    assert victim.ask("limits")["INVITE"] == rate
