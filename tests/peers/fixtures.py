"""Fixtures that several folders of the tests need; tests/conftest.py offers them to all."""

from __future__ import absolute_import, division, print_function

import pytest

from peers.byhand import ByHand
from peers.phone import Phone
from peers.silent import Silent


@pytest.fixture
def by_hand():
    """A peer that sends what the test tells it to."""
    peer = ByHand()
    yield peer
    peer.stop()


@pytest.fixture
def elsewhere():
    """The same peer's other address, or somebody else."""
    peer = ByHand()
    yield peer
    peer.stop()


@pytest.fixture
def silent():
    """A peer that never answers."""
    peer = Silent()
    yield peer
    peer.stop()


@pytest.fixture
def make_phone():
    """Makes endpoints in this process, with options of Endpoint; libeXosip2 has one at a time."""
    phones = []

    def make(**options):
        phones.append(Phone(**options))
        return phones[-1]

    yield make
    for phone in phones:
        phone.close()


@pytest.fixture
def phone(make_phone):
    """An endpoint as the folder's make_phone makes them, unless the folder has another."""
    return make_phone()
