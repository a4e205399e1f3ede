"""Peers of the command's tests."""

from __future__ import absolute_import, division, print_function

import socket

import pytest

from sipbridge._command.demo_registrar import Registrar


@pytest.fixture
def silent():
    """The URI of a peer that never answers."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    yield "sip:bob@127.0.0.1:%d" % peer.getsockname()[1]
    peer.close()


@pytest.fixture
def registrar():
    with Registrar({"alice": "secret"}) as running:
        yield running
