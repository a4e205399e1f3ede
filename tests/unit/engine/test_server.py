"""When an engine's process writes what it has to say."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from sipbridge._engine import server


@pytest.fixture
def pauses(monkeypatch):
    """The seconds of each pause, which takes no time."""
    found = []
    monkeypatch.setattr(server.time, "sleep", found.append)
    return found


@pytest.fixture
def make_server():
    """Makes a Server without an engine, which answers each command with a failure."""
    descriptors = []

    def make(**settings):
        descriptors.extend(os.pipe())
        reader, writer = descriptors[-2:]
        settings = dict({"parent": os.getppid(), "beat": 0.5, "hang": 5.0}, **settings)
        return server.Server(None, reader, writer, None, settings)

    yield make
    for each in descriptors:
        os.close(each)


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
