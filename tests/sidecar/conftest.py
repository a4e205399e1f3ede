"""``sipbridge engine``, and endpoints whose engine it runs."""

from __future__ import absolute_import, division, print_function

import pytest

import sipbridge
from peers.sidecar import EngineCommand


@pytest.fixture
def start_engine():  # before make_phone: so it outlives the phones
    """Starts ``sipbridge engine`` with options; each at a socket of its own."""
    started = []

    def start(*options, **more):
        started.append(EngineCommand(*options, **more))
        return started[-1]

    yield start
    for command in started:
        command.stop()


@pytest.fixture
def engine(start_engine):
    return start_engine()


@pytest.fixture
def make_phone(start_engine, make_phone):
    """Makes a Phone whose engine is at a socket, with options of Sidecar; at that of ``engine``, or one of its own.

    ``endpoint`` has options of the endpoint.
    """

    def make(engine=None, identity="sip:alice@sipbridge.test", endpoint=None, **options):
        address = (engine or start_engine()).address
        options.setdefault("connect_timeout", 40.0)  # a process that starts beside fifteen tests
        return make_phone(identity=identity, engine=sipbridge.Sidecar(address, **options), **(endpoint or {}))

    return make


@pytest.fixture
def phone(make_phone, engine):
    return make_phone(engine)
