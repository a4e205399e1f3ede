"""An interrupt of ``sipbridge engine`` at a moment that a test of the whole command seldom meets."""

from __future__ import absolute_import, division, print_function

import socket

import pytest

from sipbridge._command.console import Interrupted
from sipbridge._engine.listener import SERVICE, Listener
from sipbridge._engine.process import BEAT


def test_an_interrupt_when_an_engine_has_just_been_seen_out(tmpdir):
    """Its service has gone a moment before. What is closed already is not closed once more."""
    path = str(tmpdir.join("engine.sock"))
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen(1)
    settings = {"engine": None, "beat": BEAT, "hang": 5.0, "silence": None, "crash_folder": None, "beats": True}
    listener = Listener(listening, path, settings, None)
    service = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    service.connect(path)
    service.sendall(SERVICE)
    while listener._served is None:
        listener.turn(1.0)
    served = listener._served

    def interrupted(end=served.end):
        end()
        raise Interrupted(15)

    served.end = interrupted
    service.close()
    with pytest.raises(Interrupted):
        while True:
            listener.turn(1.0)
    listener.close()
