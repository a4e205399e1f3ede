"""When an engine's process writes what it has to say, and when it ends."""

from __future__ import absolute_import, division, print_function

import os
import socket

import pytest

from sipbridge._engine import protocol, server


@pytest.fixture
def pauses(monkeypatch):
    """The seconds of each pause, which takes no time."""
    found = []
    monkeypatch.setattr(server.time, "sleep", found.append)
    return found


@pytest.fixture
def make_server():
    """Makes a Server, with its service's end of the socket as ``service``. Without an engine each command fails."""
    ends = []

    def make(engine=None, **settings):
        ends.extend(socket.socketpair())
        service, own = ends[-2:]
        settings = dict({"parent": os.getppid(), "beat": 0.5, "hang": 5.0}, **settings)
        made = server.Server(engine, own.fileno(), own.fileno(), None, settings)
        made.service = service
        return made

    yield make
    for each in ends:
        each.close()


def answer(made, count):
    """Have it answer so many commands, and write. Returns whether it has waited for more to say."""
    for number in range(count):
        made._execute(number, "nonesuch", [])
    waited = made._gather()
    assert not made._gather()  # never twice
    made._send()
    return waited


def test_a_container_with_much_to_say_waits_for_more(make_server, pauses):
    made = make_server(two=True)
    assert [answer(made, count) for count in (2, 1, 1, 3, 2, 1)] == [False, True, False, False, True, True]
    assert pauses == [server._PAUSE] * 3


def test_who_asks_one_thing_after_the_other_gets_each_answer_at_once(make_server, pauses):
    made = make_server(two=True)
    assert not any(answer(made, 1) for _ in range(5)) and pauses == []


def test_a_worker_writes_at_once(make_server, pauses):
    made = make_server()
    assert not any(answer(made, 5) for _ in range(3)) and pauses == []


class Engine(object):
    """One that was not opened."""

    name = version = ""

    def vocabulary(self):
        return {}


def test_it_ends_once_the_answer_to_close_is_written(make_server, monkeypatch):
    """It waits for nothing any more, also not for the time of the next sign of life."""
    monkeypatch.setattr(server.signal, "setitimer", lambda *_: None)
    made, waits = make_server(Engine()), []
    wait = made._wait
    made._wait = lambda limit: (waits.append(limit), wait(0.0))[1]
    made.service.sendall(protocol.command(7, "close", [0.0]))
    made.run()
    assert len(waits) == 1
    kinds = [kind for kind, _ in protocol.Decoder().feed(made.service.recv(65536))]
    assert (kinds[0], kinds[-1]) == (protocol.HELLO, protocol.RESULT)
