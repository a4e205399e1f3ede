"""Container without a daemon: what is missing is said, and what comes over the attached streams is taken apart."""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import types

import pytest

import sipbridge
from sipbridge._engine import container_client, container_owner, container_stream, flight, protocol
from sipbridge._engine.container_process import ContainerProcess

MARK = bytes(range(100, 116))


class DockerException(Exception):
    pass


def fake_sdk(version="7.1.0", about=None):
    """The package ``docker`` as far as it takes to find a daemon: none answers, or one that says ``about`` itself."""
    docker = types.ModuleType("docker")
    docker.__version__ = version
    docker.errors = types.SimpleNamespace(DockerException=DockerException)
    docker.utils = types.SimpleNamespace(kwargs_from_env=lambda: {})

    class APIClient:
        def __init__(self, **settings):
            self.headers = {}
            if about is None:
                raise DockerException("Error while fetching") from FileNotFoundError(2, "No such file or directory")

        def version(self):
            return about

        def close(self):
            pass

    docker.APIClient = APIClient
    return docker


@pytest.fixture
def install(monkeypatch):
    """Puts something in the place of the package ``docker``."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    return lambda module: monkeypatch.setitem(sys.modules, "docker", module)


def refused():
    """The error of an endpoint in a container."""
    with pytest.raises(sipbridge.EngineError) as caught:
        sipbridge.Endpoint(engine=sipbridge.Container())
    return caught.value


def test_without_the_sdk(install):
    install(None)
    error = refused()
    assert isinstance(error, sipbridge.NotSupportedError) and "pip install 'sipbridge[docker]'" in str(error)


def test_an_sdk_that_is_too_old(install):
    install(fake_sdk("6.1.3"))
    assert "is 6.1.3, and has to be 7 or newer" in str(refused())


def test_without_a_daemon_there_is_one_clear_error(install):
    install(fake_sdk())
    error = refused()
    assert str(error).startswith("no Docker daemon answers: [Errno 2] No such file or directory. Linux: sudo systemctl")
    assert error.__suppress_context__


def test_podman_is_refused(install):
    install(fake_sdk(about={"Components": [{"Name": "Podman Engine"}]}))
    assert "this is Podman" in str(refused())


@pytest.mark.parametrize("base_url, expected", [
    ("http+docker://localhost", True), ("http+docker://localnpipe", True), ("http://127.0.0.1:2375", True),
    ("https://docker.example.com:2376", False), ("http+docker://ssh", False),
])  # fmt: skip
def test_where_the_daemon_publishes_ports(base_url, expected):
    assert container_client.is_local(types.SimpleNamespace(base_url=base_url)) is expected


# -- the attached streams ----------------------------------------------------------------------------------------


class Attached:
    """A stream of a kind, and the daemon's end of its connection."""

    def __init__(self, is_polled):
        ours, self.daemon = socket.socketpair()
        connection = container_stream.Connection(
            ours.recv, ours.send, lambda: ours.shutdown(socket.SHUT_RDWR), ours.close
        )
        self.last = []
        parts = container_stream.Parts(MARK, "box", self.last.append)
        self.stream = container_stream.attached(connection, parts, ours if is_polled else None)

    def sends(self, octets, kind=1):
        self.daemon.sendall(struct.pack(">BxxxI", kind, len(octets)) + octets)

    def received(self, length):
        octets = b""
        while len(octets) < length:
            octets += self.stream.receive(10.0) or b""
        return octets


@pytest.fixture(params=["polled", "pumped"])
def attached(request):
    attached = Attached(request.param == "polled")
    yield attached
    attached.stream.close()
    attached.daemon.close()


def test_frames_come_in_pieces_of_any_size(attached):
    octets = bytes(range(99)) * 104  # the mark is not in it
    packed = b"".join(struct.pack(">BxxxI", 1, 100) + octets[start : start + 100] for start in range(0, 10200, 100))
    for start in range(0, len(packed), 379):
        attached.daemon.sendall(packed[start : start + 379])
    assert attached.received(10200) == octets[:10200]
    assert attached.stream.receive(0.0) is None


def test_standard_error_is_logged_line_by_line(attached, caplog):
    with caplog.at_level(logging.WARNING, "sipbridge.engine"):
        attached.sends(b"one\nt", 2)
        attached.sends(b"wo \x1b[31m\n\n", 2)
        attached.sends(b"x" * 5000, 2)
        attached.sends(b"frames")
        attached.received(6)
    assert caplog.messages[:2] == ["box: one", "box: two \\x1b[31m"] and caplog.messages[2].startswith("box: xxxx")


@pytest.mark.parametrize("cut", range(0, 17))
def test_the_mark_ends_the_frames_wherever_it_is_cut(attached, cut):
    """The engine may have died within a frame: what follows the mark is none of it."""
    attached.sends(b"part of a frame" + MARK[:cut])
    attached.sends(MARK[cut:] + protocol.last_words("it died"))
    attached.sends(b"more")
    assert attached.received(15)[:15] == b"part of a frame"
    while attached.stream.receive(10.0):
        pass
    attached.daemon.close()
    assert attached.stream.join(10.0)
    assert attached.stream.receive(0.0) == b""
    assert b"".join(attached.last) == protocol.last_words("it died") + b"more"


@pytest.mark.parametrize("way", [socket.SHUT_WR, socket.SHUT_RDWR])
def test_the_end_of_the_connection_is_the_end_of_the_frames(attached, way):
    """Docker shuts down its half alone, while standard input is open."""
    attached.sends(b"last")
    attached.daemon.shutdown(way)
    assert attached.stream.ends_within(10.0) and attached.stream.join(10.0)
    assert attached.stream.ends_within(0.0)
    assert attached.stream.receive(None) == b"last" and attached.stream.receive(None) == b""


def test_shutting_wakes_whoever_waits(attached):
    attached.stream.shut()
    assert attached.stream.receive(None) == b"" and attached.stream.join(10.0)


def test_what_nobody_reads_waits_at_the_daemon(attached, monkeypatch):
    monkeypatch.setattr(container_stream, "_MOST", 100000)
    attached.daemon.setblocking(False)
    sent = 0
    try:
        while sent < 10000000:
            attached.sends(b"x" * 50000)
            sent += 50000
    except BlockingIOError:
        pass
    assert sent < 2000000


# -- last words ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ended(tmpdir):
    """A process that has no container, and keeps crash files."""
    process = ContainerProcess.__new__(ContainerProcess)
    process._decoder, process._reason, process._kept, process._taken = protocol.Decoder(), None, [], 0
    process._folder, process._id = str(tmpdir), "0123456789abcdef"
    return process


def test_crash_files_are_kept_for_this_user_alone(ended, tmpdir):
    ended._take_last_words(protocol.last_words("died of SIGSEGV"))
    for part in (b"a", b"b"):
        ended._take_last_words(protocol.file_part("core", part))
    (path,) = tmpdir.listdir()
    assert path.basename == "container-0123456789ab.core" and path.read() == "ab"
    assert ended._reason == "died of SIGSEGV" and os.stat(str(path)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("octets", [
    protocol.file_part("../../x", b"a"), protocol.file_part("profile", b"a"), b"\xff" * 40,
    protocol.frame(protocol.LAST_WORDS, b"{}"), protocol.frame(protocol.FILE, b"\xff" * 20),
    protocol.frame(protocol.FLIGHT, b"\xff" * 20),
])  # fmt: skip
def test_a_container_that_lies_writes_nothing_else(ended, tmpdir, octets):
    ended._take_last_words(octets)
    assert tmpdir.listdir() == [] and ended.received == b""


def test_what_the_engine_received_last_is_among_its_last_words(ended):
    records = flight.packed(flight.Record(1.0, False, "192.0.2.1:5060", b"INVITE"))
    ended._take_last_words(protocol.last_words("died of SIGSEGV") + protocol.frame(protocol.FLIGHT, records))
    assert ended.received == records


# -- whose it is -----------------------------------------------------------------------------------------------------


def test_a_service_is_gone_when_its_process_is():
    here = socket.gethostname()
    mine = container_owner.Owner().labels()[container_owner.SERVICE]
    assert not container_owner._is_gone(mine)
    assert container_owner._is_gone("%s/%d/%s" % (here, os.getpid(), "1"))  # another process had the number
    assert container_owner._is_gone("%s/99999999/1" % here)
    for unknown in ("elsewhere/99999999/1", "", "x", "%s/x/1" % here):
        assert not container_owner._is_gone(unknown)
