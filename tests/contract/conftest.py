"""Engines and peers for the contract tests. One engine at a time: libeXosip2 allows no more."""

from __future__ import absolute_import, division, print_function

import pytest

from contract.raw import Raw


@pytest.fixture(scope="session")
def raw():
    """The extension module under test."""
    return Raw()


@pytest.fixture(autouse=True)
def _closed(raw):
    yield
    raw.close_all()


@pytest.fixture
def engine(raw):
    """An open engine on a free port of 127.0.0.1."""
    opened = raw.open()
    assert opened > 0, raw.error_text(opened)
    return opened


@pytest.fixture
def port(raw, engine):
    return raw.lib.sb_port(engine)


@pytest.fixture
def peer(by_hand):
    """Who is at the other end of the wire."""
    return by_hand


@pytest.fixture
def up(raw, engine, peer):
    """A call that the engine placed and that is up: its handle."""
    lib = raw.lib
    call = raw.call(engine, peer.uri)
    assert call > 0
    peer.reply(peer.next("INVITE"), 200)
    assert raw.wait(engine).type == lib.SB_EV_CALL_ANSWERED
    assert lib.sb_call_ack(engine, call, raw.ffi.NULL) == 0
    peer.next("ACK")
    return call


@pytest.fixture
def ringing(raw, engine, port, peer):
    """A call that the peer placed and nobody answered yet: its handle."""
    peer.request(port, "INVITE")
    event = raw.wait(engine)
    assert event.type == raw.lib.SB_EV_CALL_INCOMING
    return event.call
