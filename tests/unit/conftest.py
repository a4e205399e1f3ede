"""Endpoints in memory, for the tests of what needs no network."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge import testing


@pytest.fixture
def network():
    with testing.Network() as network:
        yield network


@pytest.fixture
def bob(network):
    return network.endpoint("sip:bob@example.com")


@pytest.fixture
def alice(network):
    return network.endpoint("sip:alice@example.com")
