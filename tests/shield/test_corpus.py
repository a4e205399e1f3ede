"""The crash corpus: what kills libeXosip2 3.6.0 does not come through the shield."""

from __future__ import absolute_import, division, print_function

import signal

import pytest

from peers import abilities
from shield.messages import crash_corpus, request
from sipbridge import shield

CORPUS = list(crash_corpus())

#: Those that issue reports told of first; the other deadly ones die in the same line of the library.
DEADLY = [each for each in CORPUS if each[2] and each[0].split("-")[0] in ("INVITE", "OPTIONS", "BYE")]


def test_the_corpus_is_complete():
    assert len(CORPUS) == 70
    assert sum(deadly for _, _, deadly in CORPUS) == 48
    assert len(DEADLY) == 24


@pytest.mark.parametrize("name, octets", [each[:2] for each in CORPUS], ids=[each[0] for each in CORPUS])
def test_each_message_has_its_verdict(name, octets):
    method, header, _ = name.rsplit("-", 2) if "Call-ID" not in name else (name.split("-")[0], "Call-ID", "")
    action, status = ("drop", 0) if header == "Via" or method == "ACK" else ("answer", 400)
    assert shield.check(octets) == (action, status, header.lower())


@pytest.mark.parametrize("octets", [each[1] for each in DEADLY], ids=[each[0] for each in DEADLY])
def test_the_deadly_messages_kill_an_unshielded_engine(needs_shield, make_victim, make_sender, octets):
    """Without this the tests below would prove nothing. Only 5.3 survives."""
    victim = make_victim(shielded=False)
    sender = make_sender(victim)
    sender.send(octets)
    if abilities.is_exosip("5.3"):
        assert sender.exchange(request("INVITE", "call", sender.port)).status == 200
    else:
        assert victim.exit_code(10.0) == -signal.SIGSEGV


def test_an_engine_survives_each_message(victim, sender):
    """With the shield where the engine takes one; Sofia-SIP has answers of its own."""
    own_answers = victim.ask("engine") == "sofia"
    for name, octets, _ in CORPUS:
        own = ("127.0.0.1:%d;" % sender.port).encode("ascii")
        replies = sender.replies_before(octets.replace(b"127.0.0.1:9;", own))
        assert own_answers or all(each.status == 400 for each in replies), name
    assert sender.exchange(request("INVITE", "call", sender.port)).status == 200
    assert own_answers or victim.ask("calls") == 1


def test_each_message_is_counted(needs_shield, victim, sender):
    for _, octets, _ in CORPUS:
        sender.replies_before(octets)
    counters = victim.counters()
    assert counters.pop("remembered") == (70, 0, 0)
    assert counters.pop("") == (70, 0, 0)  # the OPTIONS in between
    assert counters == {
        "via": (0, 0, 14),
        "from": (0, 12, 2),
        "to": (0, 12, 2),
        "call-id": (0, 12, 2),
        "cseq": (0, 12, 2),
    }


def test_names_in_a_datagram_do_not_stop_the_engine(victim, sender):
    """Sofia-SIP would look each of them up, and do nothing else until DNS gives up."""
    for number in range(10):
        via = "SIP/7.0/UDP host%d.example.com;branch=z9hG4bKn%d" % (number, number)
        octets = request("OPTIONS", "n%d" % number, Via=via).replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1)
        sender.send(octets)
    assert sender.replies_before(request("OPTIONS", "after", sender.port))[-1].status == 200
