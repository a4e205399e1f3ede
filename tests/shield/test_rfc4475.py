"""The 49 messages of RFC 4475, section 3, as they are in its appendix A, and what the shield does with each."""

from __future__ import absolute_import, division, print_function

import os
import re

import pytest

from shield.messages import request
from sipbridge import shield

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "rfc4475")


def _outcomes():
    """(file, octets, action, status, rule) of each."""
    with open(os.path.join(_FOLDER, "outcomes.txt")) as table:
        lines = [line.split(None, 4) for line in table if not line.startswith("#")]
    for name, _, outcome, rule, _ in lines:
        with open(os.path.join(_FOLDER, name + ".dat"), "rb") as stream:
            octets = stream.read()
        action = outcome if outcome in ("pass", "drop") else "answer"
        yield name, octets, action, int(outcome) if action == "answer" else 0, "" if rule == "-" else rule


OUTCOMES = list(_outcomes())


def _here(octets, port):
    """The message as if it came from a port of this machine, so that its answer comes back."""
    via = ("\\g<1>127.0.0.1:%d" % port).encode("ascii")
    pattern = br"((?:^|\n)(?:via|v)\s*:\s*SIP\s*/\s*\d\.0\s*/\s*\w+\s+)[\w.-]+(?:\s*:\s*\d+)?"
    return re.sub(pattern, via, octets, count=1, flags=re.IGNORECASE)


def test_all_messages_of_rfc_4475_are_there():
    assert len(OUTCOMES) == 49
    files = [name for name in os.listdir(_FOLDER) if name.endswith(".dat")]
    assert sorted(files) == sorted(name + ".dat" for name, _, _, _, _ in OUTCOMES)


@pytest.mark.parametrize("case", OUTCOMES, ids=[case[0] for case in OUTCOMES])
def test_each_message_has_its_verdict(case):
    _, octets, action, status, rule = case
    assert shield.check(octets) == (action, status, rule)


def test_each_message_has_its_answer_on_the_wire(needs_shield, victim, sender):
    """Each of them once: the answers come from the shield or from the library, as they should, and it lives on."""
    for name, octets, action, status, rule in OUTCOMES:
        replies = sender.replies_before(_here(octets, sender.port))
        ours = [(each.status, each.rule) for each in replies if each.rule is not None]
        assert ours == ([(status, rule)] if action == "answer" else []), name
    assert sender.exchange(request("INVITE", "call", sender.port)).status == 200


def test_the_messages_harm_no_engine(victim, sender):
    for _, octets, _, _, _ in OUTCOMES:
        sender.replies_before(octets)
    assert sender.exchange(request("INVITE", "call", sender.port)).status == 200
