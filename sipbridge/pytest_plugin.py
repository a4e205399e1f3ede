"""Fixtures for the tests of services. In your conftest.py: ``pytest_plugins = ["sipbridge.pytest_plugin"]``.

It is no entry point of the package, so that pytest loads nothing of sipbridge in tests that have nothing to do with it.
"""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._agent.endpoint import Endpoint
from sipbridge._agent.network import Network
from sipbridge._compat import NamedTuple
from sipbridge._engine.worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


class Loopback(NamedTuple("Loopback", [("endpoint", "Endpoint"), ("peer", "Endpoint")])):
    """Two endpoints that really send to each other, over UDP on 127.0.0.1."""

    __slots__ = ()


@pytest.fixture
def sip_network():
    # type: () -> Iterator[Network]
    """A :class:`sipbridge.testing.Network`: endpoints in memory."""
    with Network() as network:
        yield network


@pytest.fixture
def sip_endpoint(sip_network):
    # type: (Network) -> Endpoint
    """An endpoint on ``sip_network``, for the service that is tested: sip:service@example.com."""
    return sip_network.endpoint("sip:service@example.com")


@pytest.fixture
def sip_loopback():
    # type: () -> Iterator[Loopback]
    """An endpoint for the service, and a peer to call it, each with an engine in a process of its own (a Worker).

    The engine is the one that SIPBRIDGE_ENGINE names, or else the first that was built.
    """
    with Endpoint(identity="sip:service@example.com", engine=Worker()) as endpoint:
        with Endpoint(identity="sip:peer@example.com", engine=Worker()) as peer:
            yield Loopback(endpoint, peer)
