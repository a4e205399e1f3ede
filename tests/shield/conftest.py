"""Victims for the tests of the shield."""

from __future__ import absolute_import, division, print_function

import os
import sys

import pytest

import sipbridge
from shield.victim import Sender, Victim
from sipbridge import shield

#: hypothesis is for Python 3.
collect_ignore = ["test_generated.py"] if sys.version_info[0] < 3 else []


def engine_name():
    """The engine that the tests run with."""
    return os.environ.get("SIPBRIDGE_ENGINE") or sorted(sipbridge.engines())[-1]


@pytest.fixture
def needs_shield():
    """For what only an engine shows that the shield is made for."""
    if engine_name() != "exosip":
        pytest.skip("Sofia-SIP needs no shield")
    if shield.library() is None:
        pytest.skip("the shield is for Linux alone")


@pytest.fixture
def make_victim(tmpdir):
    """Starts processes with an endpoint; arguments as for Victim, without the folder."""
    victims = []

    def make(shielded=True, **settings):
        victims.append(Victim(str(tmpdir.mkdir("victim%d" % len(victims))), shielded, **settings))
        return victims[-1]

    yield make
    for victim in victims:
        victim.stop()


@pytest.fixture
def make_sender():
    senders = []

    def make(victim, *host):
        senders.append(Sender(victim, *host))
        return senders[-1]

    yield make
    for sender in senders:
        sender.stop()


@pytest.fixture
def victim(make_victim):
    """An endpoint with the shield, where its engine takes one."""
    return make_victim()


@pytest.fixture
def sender(make_sender, victim):
    return make_sender(victim)
