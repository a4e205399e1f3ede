"""The process of a worker, as its service has it: signals, exit codes, what it leaves."""

from __future__ import absolute_import, division, print_function

import os
import signal
import stat
import threading
import warnings

import pytest

import sipbridge
from peers.waiting import wait_until
from sipbridge._engine import child
from sipbridge._engine.worker_process import WorkerProcess
from worker.processes import is_alive, worker_of

SETTINGS = {"beat": 0.1, "hang": 5.0, "crash_folder": None}


@pytest.fixture
def signals(monkeypatch):
    """The signals that are sent, which reach nobody."""
    sent = []
    monkeypatch.setattr(child.os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


@pytest.fixture
def ended(interpreter):
    """A process that has ended by itself, and that nobody has seen out yet."""
    process = WorkerProcess(interpreter("fake_worker.py", "exit"), SETTINGS)
    assert wait_until(lambda: not is_alive(process.pid))
    yield process
    process.stream.close()


def test_no_signal_after_its_exit_code_was_taken(ended, signals):
    """The process id may be another's by then."""
    assert ended.reap(5.0) == "worker process %d ended with exit code 3" % ended.pid
    ended.kill()
    assert signals == []


def test_no_signal_after_another_has_taken_its_exit_code(ended, signals):
    """As a service does that waits for every child of its own."""
    os.waitpid(ended.pid, 0)
    ended.kill()
    assert signals == []
    assert "another part of this program took its exit code" in ended.reap(5.0)


def test_no_signal_while_its_exit_code_is_being_taken(ended, signals, monkeypatch):
    """One thread waits for its exit, another kills it."""
    taken, going_on = threading.Event(), threading.Event()
    waitpid = os.waitpid

    def slow(*arguments):
        result = waitpid(*arguments)
        taken.set()
        going_on.wait(10.0)
        return result

    monkeypatch.setattr(child.os, "waitpid", slow)
    reaping = threading.Thread(target=ended.reap, args=(5.0,))
    reaping.start()
    assert taken.wait(10.0)
    killing = threading.Thread(target=ended.kill)
    killing.start()
    killing.join(0.2)  # it has to wait, or knows already
    going_on.set()
    killing.join(10.0)
    reaping.join(10.0)
    assert signals == []


def test_a_process_that_lives_is_killed(interpreter):
    process = WorkerProcess(interpreter("fake_worker.py", "no-version"), SETTINGS)
    process.kill()
    assert "died of SIGKILL" in process.reap(5.0)
    process.stream.close()


# -- where crashes are kept ------------------------------------------------------------------------------------


def test_of_the_names_of_a_signal_it_has_the_one_that_is_known():
    assert child.SIGNALS[signal.SIGABRT] == "SIGABRT" and child.SIGNALS[signal.SIGCHLD] == "SIGCHLD"


def test_crash_folder_is_made_for_its_user_alone(make_phone, tmpdir):
    folder = tmpdir.join("made", "for")
    phone = make_phone(crash_folder=str(folder))
    assert stat.S_IMODE(os.stat(str(folder)).st_mode) == 0o700
    assert os.readlink("/proc/%d/cwd" % worker_of(phone)) == str(folder)


def test_crash_folder_that_is_there_stays_as_it_is(make_phone, tmpdir):
    tmpdir.chmod(0o750)
    make_phone(crash_folder=str(tmpdir)).close()
    assert stat.S_IMODE(os.stat(str(tmpdir)).st_mode) == 0o750


def test_crash_files_are_readable_by_their_user_alone(make_phone, tmpdir):
    make_phone(crash_folder=str(tmpdir))
    for path in tmpdir.listdir():
        assert stat.S_IMODE(os.stat(str(path)).st_mode) == 0o600, path


# -- a warning that is made an error ------------------------------------------------------------------------------


def test_a_warning_as_an_error_leaves_no_process(interpreter, monkeypatch):
    started = []

    def start(*arguments):
        started.append(WorkerProcess(*arguments))
        return started[-1]

    monkeypatch.setattr("sipbridge._engine.worker.WorkerProcess", start)
    worker = sipbridge.Worker(python=interpreter("fake_worker.py", "unshielded"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(sipbridge.UnshieldedEngineWarning):
            sipbridge.Endpoint(engine=worker)
    assert [is_alive(process.pid) for process in started] == [False]


def test_a_warning_as_an_error_costs_no_restart(interpreter, make_phone, caplog):
    """The warning came when it was opened; nobody would catch an error later."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        phone = make_phone(python=interpreter("fake_worker.py", "unshielded"), backoff=0.0)
    assert [each.category for each in caught] == [sipbridge.UnshieldedEngineWarning]
    assert os.path.basename(caught[0].filename) == "phone.py"  # who made the endpoint
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        os.kill(worker_of(phone), signal.SIGKILL)
        phone.wait("restarted")
    assert "no shield" in caplog.text
