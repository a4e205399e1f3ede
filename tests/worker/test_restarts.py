"""Restarts: how many, how soon, what they leave behind, and what stands in their way."""

from __future__ import absolute_import, division, print_function

import os
import resource
import signal
import socket
import threading
import time

import pytest

import sipbridge
from conformance.sdp import OFFER
from peers.process import freeze
from peers.waiting import wait_until
from sipbridge._engine import supervisor, worker
from sipbridge._engine.records import Parties
from worker.processes import (
    Background,
    descriptors,
    is_alive,
    lose,
    resident_kb,
    threads,
    worker_of,
)


class Taken(object):
    """Takes the port of a worker that has died, before the next one can."""

    def __init__(self, monkeypatch):
        self.attempts = 0
        self._socket = None
        self._port = None
        self._process = worker.WorkerProcess
        monkeypatch.setattr(worker, "WorkerProcess", self._start)

    def _start(self, *arguments):
        self.attempts += 1
        if self._port is not None and self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.1", self._port))
        return self._process(*arguments)

    def take(self, port):
        self._port = port

    def release(self):
        self._port = None
        self._socket.close()


@pytest.fixture
def taken(monkeypatch):
    return Taken(monkeypatch)


def restarts(make_phone, count):
    """That many in a row; what there is of descriptors, threads and memory after the first and the last."""
    phone = make_phone(max_restarts=None, backoff=0.0)
    found = []
    for number in range(count):
        phone.endpoint.invite("sip:bob@127.0.0.1:9", OFFER)
        lose(phone, signal.SIGKILL)
        if number in (2, count - 1):
            found.append((descriptors(), threads(), resident_kb()))
    assert phone.labels.count("restarted") == count
    ends = [label for label in phone.labels if label.startswith("ended ")]
    assert len(ends) == count and set(ends) <= {"ended engine-lost 503", "ended unreachable 503"}  # nobody is there
    return found


def check_leaks(found):
    (before, after) = found
    assert after[:2] == before[:2]
    assert after[2] < before[2] + 4096


def test_restarts_leave_nothing_behind(make_phone):
    check_leaks(restarts(make_phone, 12))


@pytest.mark.soak
def test_a_hundred_restarts_leave_nothing_behind(make_phone):
    check_leaks(restarts(make_phone, 100))


def test_closing_leaves_nothing_behind(make_phone):
    make_phone().close()  # what is made once
    before = descriptors(), threads()
    phone = make_phone()
    pid = worker_of(phone)
    phone.close()
    assert (descriptors(), threads()) == before
    assert not is_alive(pid)


def test_what_the_end_of_a_worker_tells_has_a_time_and_no_source(make_phone):
    phone = make_phone(backoff=0.0)
    before = time.time()
    phone.endpoint.invite("sip:bob@127.0.0.1:9", OFFER)
    restarted = lose(phone, signal.SIGKILL)
    ended = [event for event in phone.events if isinstance(event, sipbridge.CallEnded)]
    assert len(ended) == 1 and 0.0 <= restarted.seconds < 60.0
    for event in ended + [restarted]:
        assert event.source is None and before - 0.1 <= event.time <= time.time() + 0.1


def test_the_pause_before_a_restart_grows(make_phone):
    phone = make_phone(backoff=0.2)
    seconds = [lose(phone, signal.SIGKILL).seconds for _ in range(4)]
    for found, wait in zip(seconds, (0.0, 0.2, 0.4, 0.8)):
        assert found >= wait


def test_a_worker_is_given_up_after_the_limit(make_phone, by_hand):
    phone = make_phone(max_restarts=2, backoff=0.0)
    for _ in range(2):
        lose(phone, signal.SIGKILL)
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    waiting = Background(phone.endpoint.message, by_hand.uri, u"text")
    by_hand.next("INVITE"), by_hand.next("MESSAGE")
    os.kill(worker_of(phone), signal.SIGKILL)
    failed = phone.wait("failed")
    assert "for good, after 3 deaths in a row" in failed.reason and "SIGKILL" in failed.reason
    assert call.wait_ended(1.0).cause == "engine-lost"
    assert isinstance(waiting.error(), sipbridge.EngineLost)
    for command in (
        lambda: phone.endpoint.invite(by_hand.uri, OFFER),
        lambda: phone.endpoint.options(by_hand.uri),
        lambda: phone.endpoint.register(by_hand.uri, "sip:alice@sipbridge.test"),
        lambda: phone.endpoint.add_credentials("alice", "secret"),
    ):
        with pytest.raises(sipbridge.EngineLost) as caught:
            command()
        assert "for good" in str(caught.value)
    errors = []
    for _ in range(3):
        with pytest.raises(sipbridge.EngineLost) as caught:
            phone.endpoint.invite(by_hand.uri, OFFER)
        errors.append(caught.value)
    assert len(set(map(id, errors))) == 3  # one that is raised again collects tracebacks
    phone.close()
    assert phone.labels[-2:] == ["ended engine-lost 503", "failed"]


def test_closing_may_take_longer_than_a_hang(silent):
    """Nobody answers the CANCEL or BYE."""
    engine = sipbridge.Worker(hang_timeout=1.0)
    engine.open("udp", "127.0.0.1", 0)
    engine.call(Parties(u"" + silent.uri, None, None), None)
    assert wait_until(silent.received)
    engine.close(2.0)
    assert "exit code 0" in str(engine._lost)


def test_closing_a_worker_that_hangs_and_that_nothing_more_can_be_sent_to(make_phone):
    phone = make_phone(hang_timeout=60.0)
    pid = worker_of(phone)
    freeze(pid)
    asking = [Background(phone.endpoint._engine._command, "x" * 50000) for _ in range(20)]
    assert wait_until(lambda: phone.endpoint._engine._channel._sending.locked())
    closing = Background(phone.endpoint.close, 0.5)
    assert closing.error(20.0) is None
    assert not is_alive(pid)
    for each in asking:
        assert isinstance(each.error(), sipbridge.EngineError)


def test_closing_while_it_waits_for_the_next_start(make_phone):
    phone = make_phone(backoff=30.0)
    lose(phone, signal.SIGKILL)
    os.kill(worker_of(phone), signal.SIGKILL)
    assert wait_until(lambda: worker_of(phone) is None)
    began = time.time()
    phone.close()
    assert time.time() - began < 20.0  # not the 30 s of the pause


def test_closing_just_when_the_next_one_is_ready(make_phone, monkeypatch):
    """close() finds no process, and one is put in place right after."""
    phone = make_phone()
    closing = []
    supervisor = phone.endpoint._engine._supervisor
    place = supervisor._place

    def late(*arguments):
        closing.append(Background(phone.endpoint.close))
        assert wait_until(place.closing.is_set)
        time.sleep(0.1)  # for close() to go as far as it can
        place.install(*arguments)

    monkeypatch.setattr(supervisor, "_place", place._replace(install=late))
    os.kill(worker_of(phone), signal.SIGKILL)
    assert wait_until(lambda: closing)
    assert closing[0].error() is None


def test_a_restart_waits_for_its_port(make_phone, by_hand, taken):
    phone = make_phone(backoff=0.1)
    port = phone.endpoint.port
    taken.take(port)
    os.kill(worker_of(phone), signal.SIGKILL)
    assert wait_until(lambda: taken.attempts >= 4)
    with pytest.raises(sipbridge.EngineLost):
        phone.endpoint.invite(by_hand.uri, OFFER)
    taken.release()
    phone.wait("restarted")
    assert phone.endpoint.port == port
    phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.next("INVITE")


def test_a_restart_gives_up_when_its_port_stays_taken(make_phone, taken):
    phone = make_phone(max_restarts=2, backoff=0.0)
    taken.take(phone.endpoint.port)
    os.kill(worker_of(phone), signal.SIGKILL)
    assert "in use" in phone.wait("failed").reason
    assert phone.labels == ["failed"]
    taken.release()


def test_no_descriptor_is_left(make_phone, by_hand):
    phone = make_phone(max_restarts=None, backoff=0.1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        os.kill(worker_of(phone), signal.SIGKILL)
        assert wait_until(lambda: phone.endpoint._engine._supervisor.deaths >= 3)
        with pytest.raises(sipbridge.EngineLost) as caught:
            phone.endpoint.invite(by_hand.uri, OFFER)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "cannot be started" in str(caught.value)
    phone.wait("restarted")
    phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.next("INVITE")


def test_an_error_in_the_watching_thread_wakes_whoever_waits(make_phone, monkeypatch):
    """After an error in our own thread nobody waits for ever."""
    listening = threading.Event()
    monkeypatch.setattr(supervisor.Supervisor, "_watch", lambda self, channel: listening.wait(10.0) and {}["x"])
    phone = make_phone()
    listening.set()
    assert "KeyError" in phone.wait("failed").reason
    with pytest.raises(sipbridge.EngineLost):
        phone.endpoint.invite("sip:bob@127.0.0.1:9", OFFER)


# -- what a service hands on to it ---------------------------------------------------------------------------


def test_what_the_current_folder_holds_is_not_imported(make_phone, by_hand, tmpdir, monkeypatch):
    for name in ("json", "select", "sipbridge", "cffi"):
        tmpdir.join(name + ".py").write("raise SystemExit(7)")
    monkeypatch.chdir(str(tmpdir))
    lose(make_phone(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Python 2 blocks no signals")
def test_signals_that_a_thread_of_the_service_blocks_end_it(make_phone):
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGABRT])
    try:
        pid = worker_of(make_phone())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    with open("/proc/%d/status" % pid) as status:
        (line,) = [line for line in status if line.startswith("SigBlk:")]
    assert int(line.split()[1], 16) == 0


def test_a_service_that_ignores_sigchld(make_phone):
    """Nobody can tell how the worker ended; the next one starts all the same."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        phone = make_phone()
        lose(phone, signal.SIGKILL)
        phone.close()
    finally:
        signal.signal(signal.SIGCHLD, before)


# -- what a crash leaves -----------------------------------------------------------------------------------------


def core_dumps_are_files():
    try:
        with open("/proc/sys/kernel/core_pattern") as pattern:
            return pattern.read().startswith("core")
    except IOError:
        return False


needs_core_dumps = pytest.mark.skipif(
    not core_dumps_are_files() or not resource.getrlimit(resource.RLIMIT_CORE)[1],
    reason="the kernel of this machine hands core dumps to a program, or allows none",
)


@needs_core_dumps
def test_a_core_dump_is_kept(make_phone, tmpdir):
    phone = make_phone(crash_folder=str(tmpdir))
    pid = worker_of(phone)
    reason = lose(phone, signal.SIGSEGV).reason
    core = tmpdir.join("worker-%d.core" % pid)
    assert core.size() > 100000
    assert str(core) in reason


@needs_core_dumps
def test_a_core_dump_of_a_hang_is_kept(make_phone, tmpdir):
    phone = make_phone(crash_folder=str(tmpdir), hang_timeout=1.0)
    pid = worker_of(phone)
    freeze(pid)
    reason = phone.wait("restarted").reason
    assert "no sign of life" in reason and "worker-%d.core" % pid in reason


def test_no_crash_files_of_an_orderly_end(make_phone, tmpdir):
    make_phone(crash_folder=str(tmpdir)).close()
    assert tmpdir.listdir() == []


def test_no_more_crash_files_are_kept_than_asked_for(make_phone, tmpdir):
    phone = make_phone(crash_folder=str(tmpdir), max_restarts=None, backoff=0.0)
    for _ in range(7):
        lose(phone, signal.SIGSEGV)
    for kind in ("core", "traceback"):
        assert len([path for path in tmpdir.listdir() if path.ext == "." + kind and path.size()]) <= 5


def test_a_missing_crash_folder_harms_no_restart(make_phone, tmpdir):
    folder = tmpdir.mkdir("crashes")
    phone = make_phone(crash_folder=str(folder))
    folder.remove()
    for _ in range(2):  # of one that runs in it, and of one that could not
        lose(phone, signal.SIGSEGV)


def test_a_crash_file_that_another_service_removes(make_phone, tmpdir, monkeypatch):
    """The file is gone between reading its name and its size."""
    phone = make_phone(crash_folder=str(tmpdir))
    (tmpdir.join("worker-1.core")).mksymlinkto(tmpdir.join("nothing"))
    assert "not kept" in lose(phone, signal.SIGKILL).reason


def test_a_full_disk_harms_no_restart(make_phone, tmpdir):
    """What the kernel may write is limited to less than a core dump: the restart does not depend on it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # the worker inherits it
    try:
        phone = make_phone(crash_folder=str(tmpdir))
        lose(phone, signal.SIGSEGV)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert all(path.size() <= 4096 for path in tmpdir.listdir())
