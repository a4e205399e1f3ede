"""The socket: who may use it, what is sent to it, and what is in its place."""

from __future__ import absolute_import, division, print_function

import os
import signal
import socket
import stat
import struct
import traceback

import pytest

import sipbridge
from peers.sidecar import pid_of
from peers.waiting import wait_until
from sipbridge._engine import protocol
from worker.processes import is_alive

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs another user than this one: root alone can be one")

#: A user and a group that no system has.
STRANGER = 54321


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def is_there(engine):
    return wait_until(lambda: os.path.exists(engine.path) and "waiting" in engine.log(), 40.0)  # a process starts


def as_stranger():
    os.setgroups([])
    os.setgid(STRANGER)
    os.setuid(STRANGER)


def answer_to(engine, first):
    """What the engine answers to the first octets that it gets, as (kind, value) of a frame; None: it closes."""
    connection = engine.connect(first)
    try:
        octets = connection.recv(65536)
    finally:
        connection.close()
    if not octets:
        return None
    ((kind, payload),) = protocol.Decoder().feed(octets)
    return kind, protocol.parse_failure(payload)[1] if kind == protocol.FAILURE else payload


def test_the_mode_is_for_the_user_alone(engine):
    assert is_there(engine)
    assert mode_of(engine.path) == 0o600


@only_root
def test_the_mode_is_for_a_group_that_is_named(start_engine):
    engine = start_engine("--socket-group", str(STRANGER))
    assert is_there(engine)
    assert mode_of(engine.path) == 0o660 and os.stat(engine.path).st_gid == STRANGER


def connect_as_stranger(engine):
    """The exit code of a process of another user that uses the engine: 0, or 9 where it is refused."""
    os.chmod(engine.path, 0o666)
    pid = os.fork()
    if not pid:
        code = 8
        try:
            as_stranger()
            connection = engine.connect()
            kind = protocol.Decoder().feed(connection.recv(65536))[0][0]
            code = 9 if kind == protocol.FAILURE else 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.WEXITSTATUS(os.waitpid(pid, 0)[1])


@only_root
def test_another_user_is_refused_even_if_the_mode_lets_it_in(engine):
    assert is_there(engine)
    assert connect_as_stranger(engine) == 9
    assert "user %d may not use the engine" % STRANGER in engine.log()


@only_root
def test_a_user_that_is_allowed(start_engine):
    engine = start_engine("--allow-uid", str(STRANGER))
    assert is_there(engine)
    assert connect_as_stranger(engine) == 0


@pytest.mark.parametrize("first", [
    b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 5, struct.pack("!IB", 1, protocol.HELLO), protocol.credit(5),
    protocol.command(1, u"open", ()),
])  # fmt: skip
def test_what_is_no_service_is_refused(engine, make_phone, first):
    assert is_there(engine)
    kind, error = answer_to(engine, first)
    assert kind == protocol.FAILURE and "no service of this release" in str(error)
    make_phone(engine)


def test_who_says_nothing_does_not_hold_up_others(engine, make_phone):
    assert is_there(engine)
    silent = [engine.connect(b"") for _ in range(3)]
    make_phone(engine, hang_timeout=20.0)  # which counts from here, and each of them is heard out for a second
    for connection in silent:
        connection.close()


def test_noise_from_a_service_ends_its_engine_alone(engine, make_phone):
    assert is_there(engine)
    connection = engine.connect(protocol.SIGN_OF_LIFE + b"\xff" * 100)
    try:
        while connection.recv(65536):
            pass
    except socket.error:  # it closed with octets unread
        pass
    connection.close()
    make_phone(engine)


def test_a_socket_that_was_left_is_replaced(engine, start_engine, make_phone):
    assert is_there(engine)
    os.kill(engine.process.pid, signal.SIGKILL)
    engine.process.wait()
    assert os.path.exists(engine.path)
    start_engine(words=[engine.address])
    make_phone(engine)


def test_a_socket_that_is_in_use_is_not_taken(engine, start_engine, make_phone):
    phone = make_phone(engine)
    second = start_engine(words=[engine.address])
    assert second.process.wait() == 3
    assert "another engine listens there" in second.log()
    assert is_alive(pid_of(phone)) and os.path.exists(engine.path)


def test_a_file_that_is_no_socket_stays(start_engine, tmpdir):
    tmpdir.join("engine.sock").write("mine")
    engine = start_engine(words=["unix://%s/engine.sock" % tmpdir])
    assert engine.process.wait() == 3 and "is no socket" in engine.log()
    assert tmpdir.join("engine.sock").read() == "mine"


def test_a_folder_that_is_missing(start_engine):
    engine = start_engine(words=["unix:///nonexistent/engine.sock"])
    assert engine.process.wait() == 3 and "/nonexistent/engine.sock" in engine.log()


@pytest.mark.parametrize("address", [
    "/run/engine.sock", "unix:run/engine.sock", "unix://run", "tcp://127.0.0.1:1", "unix:///" + "x" * 107,
    "unix:///a\0b", 5, None, b"\xff",
])  # fmt: skip
def test_an_address_that_is_none(address):
    with pytest.raises(sipbridge.InputError):
        sipbridge.Sidecar(address)


def test_a_system_without_unix_sockets(monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(sipbridge.NotSupportedError) as caught:
        sipbridge.Sidecar("unix:///run/engine.sock")
    assert "Container" in str(caught.value)


def test_more_silence_than_a_sign_of_life_late_is_needed_for_a_hang():
    with pytest.raises(sipbridge.InputError):
        sipbridge.Sidecar("unix:///run/engine.sock", hang_timeout=1.0)
