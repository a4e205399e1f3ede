"""The handler that writes many log lines at a time: in time, in order, each once, whoever is interrupted or forks."""

from __future__ import absolute_import, division, print_function

import errno
import io
import logging
import os
import subprocess
import sys
import threading

import pytest

from peers.pieces import Pieces
from peers.waiting import wait_until
from sipbridge import logs

LIMIT = 10.0  # seconds: only a test that fails waits that long

THREADING = threading.__file__.replace(".pyc", ".py")


def finished(target):
    """Run it in a thread, which a deadlock keeps."""
    thread = threading.Thread(target=target)
    thread.daemon = True
    thread.start()
    thread.join(LIMIT)
    return not thread.is_alive()


@pytest.fixture
def buffered(request):
    """A logger of its own, and the stream that a BufferedHandler writes its lines to: within an hour."""
    logger, stream = logging.getLogger("buffered.%s" % request.node.name), Pieces()
    handler = logs.BufferedHandler(stream, 3600)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger, stream, handler
    logger.removeHandler(handler)
    assert finished(handler.close)


def test_lines_wait_for_each_other(buffered):
    logger, stream, handler = buffered
    logger.info("one")
    logger.info("two")
    assert stream.pieces == []
    handler.flush()
    assert stream.pieces == ["one\ntwo\n"]


def test_an_error_waits_for_nothing(buffered):
    logger, stream, _ = buffered
    logger.info("one")
    logger.error("two")
    assert stream.pieces == ["one\ntwo\n"]


def test_many_lines_wait_for_nothing(buffered):
    logger, stream, _ = buffered
    for _ in range(1001):
        logger.info("line")
    assert stream.pieces == ["line\n" * 1000]


def test_lines_are_written_in_time(buffered):
    logger, stream, _ = buffered
    logger.handlers[0]._seconds = 0.01
    logger.info("one")
    wait_until(lambda: "".join(stream.pieces) == "one\n", LIMIT)
    logger.info("two")
    wait_until(lambda: "".join(stream.pieces) == "one\ntwo\n", LIMIT)


class Slow(Pieces):
    """A stream whose first write takes until somebody lets it go on."""

    def __init__(self):
        Pieces.__init__(self)
        self.began, self.go_on = threading.Event(), threading.Event()

    def write(self, text):
        self.began.set()
        assert self.go_on.wait(LIMIT)
        Pieces.write(self, text)


@pytest.fixture
def writing():
    """A logger whose first line is being written, slowly; the stream, and the thread that writes."""
    logger, stream = logging.getLogger("buffered.slow"), Slow()
    handler = logs.BufferedHandler(stream, 3600)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.info("one")
    thread = threading.Thread(target=handler.flush)
    thread.start()
    assert stream.began.wait(LIMIT)
    yield logger, stream, thread
    stream.go_on.set()
    thread.join(LIMIT)
    logger.removeHandler(handler)
    handler.close()


def test_nobody_who_logs_waits_for_a_slow_stream(writing):
    logger, stream, thread = writing
    logger.info("two")  # would wait for ever
    assert stream.pieces == []
    stream.go_on.set()
    thread.join(LIMIT)
    logger.handlers[0].flush()
    assert stream.pieces == ["one\n", "two\n"]


def test_lines_are_written_while_the_handler_is_locked(writing):
    """As logging.shutdown() does it."""
    logger, stream, thread = writing
    handler = logger.handlers[0]
    logger.info("two")
    handler.acquire()
    try:
        stream.go_on.set()
        handler.flush()
    finally:
        handler.release()
    assert stream.pieces == ["one\n", "two\n"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork() is missing")
def test_a_process_that_forks_while_lines_are_written(writing):
    logger, stream, _ = writing
    logger.handlers[0]._seconds = 0.01
    logger.info("two")  # starts the thread, which a fork does not take along
    pid = os.fork()
    if pid == 0:
        try:
            stream.go_on.set()
            logger.info("three")
            wait_until(lambda: "three\n" in "".join(stream.pieces), LIMIT)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


class Telling(Pieces):
    """A stream that logs an error each time that it is written, so often."""

    def __init__(self, logger, times):
        Pieces.__init__(self)
        self._logger, self._times = logger, times

    def write(self, text):
        if self._times:
            self._times -= 1
            self._logger.error("slow disk")
        Pieces.write(self, text)


def test_an_error_that_is_logged_while_lines_are_written(buffered):
    """It follows at once, whole, after the lines that it interrupted."""
    logger, _, handler = buffered
    handler.stream = Telling(logger, 1)
    logger.info("one")
    assert finished(handler.flush)
    assert handler.stream.pieces == ["one\n", "slow disk\n"]


def test_a_stream_that_logs_an_error_with_each_write(buffered):
    logger, _, handler = buffered
    handler.stream = Telling(logger, 100)
    assert finished(lambda: logger.error("one"))
    assert handler.stream.pieces == ["one\n", "slow disk\n"]
    handler.flush()
    assert handler.stream.pieces[2:] == ["slow disk\n"] * 2


def test_a_signal_handler_may_log_anywhere(buffered):
    """Between any two lines of the handler, and of the Event that it might use."""
    logger, stream, handler = buffered
    logged = ["first"]

    def interrupt(frame, what, _):
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        if os.path.basename(path).startswith("logs.") or (path == THREADING and name == "set"):
            for level in (logging.INFO, logging.ERROR):
                logged.append("%d" % len(logged))
                logger.log(level, logged[-1])
            return interrupt
        return None

    def log():
        sys.settrace(interrupt)
        try:
            logger.info("first")
        finally:
            sys.settrace(None)

    assert finished(log)
    handler.flush()
    assert sorted("".join(stream.pieces).splitlines()) == sorted(logged) and len(logged) > 20


def test_threads_that_log_at_the_same_time_start_one_thread_alone(buffered, monkeypatch):
    logger, _, _ = buffered
    started, usual = [], threading.Thread

    class Started(usual):
        def start(self):
            started.append(self)
            if len(started) < 5:
                other = usual(target=logger.info, args=("two",))
                other.start()
                other.join(LIMIT)
            usual.start(self)

    monkeypatch.setattr(threading, "Thread", Started)
    logger.info("one")
    assert len(started) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork() is missing")
def test_the_lines_that_wait_are_the_parents(buffered):
    logger, stream, handler = buffered
    logger.info("one")
    pid = os.fork()
    if pid == 0:
        try:
            logger.info("two")
            handler.flush()
            handler.close()
            os._exit(stream.pieces != ["two\n"])
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    handler.flush()
    assert stream.pieces == ["one\n"]


def test_a_record_of_another_process_is_no_sign_of_a_fork(buffered):
    """As those of a QueueListener."""
    logger, stream, handler = buffered
    logger.info("one")
    handler.handle(logging.makeLogRecord({"msg": "two", "levelno": logging.INFO, "process": 1}))
    handler.flush()
    assert stream.pieces == ["one\ntwo\n"]


MULTIPROCESSING = """
import logging, sys, threading
from sipbridge import logs
assert "multiprocessing" not in sys.modules
inherited = logs.BufferedHandler(sys.stdout, 3600)

def log(handler):
    handler = handler or logs.BufferedHandler(sys.stdout, 3600)
    logging.getLogger().addHandler(handler)
    logging.getLogger().warning("child")

import multiprocessing
context = getattr(multiprocessing, "get_context", lambda _: multiprocessing)("fork")
process = context.Process(target=log, args=(%s,))
process.start()
process.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork() is missing")
@pytest.mark.parametrize("handler", ["inherited", "None"])
def test_a_process_of_multiprocessing_writes_what_waits(handler):
    """It ends with os._exit()."""
    assert subprocess.check_output([sys.executable, "-c", MULTIPROCESSING % handler]) == b"child\n"


def test_lines_after_the_end_wait_for_nothing(buffered):
    """As those of functions that atexit calls after logging.shutdown()."""
    logger, stream, handler = buffered
    handler.close()
    logger.info("one")
    assert stream.pieces == ["one\n"]


def test_lines_that_wait_are_written_at_the_end(buffered):
    logger, stream, handler = buffered
    logger.info("one")
    handler.close()
    assert stream.pieces == ["one\n"]


def test_a_line_that_cannot_be_formatted_loses_no_other(buffered, capsys):
    logger, stream, handler = buffered
    logger.info("one")
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("two",)}))
    handler.flush()
    assert stream.pieces == ["one\n"]
    assert "TypeError" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork() is missing")
def test_lines_of_a_forked_process_are_written_too(tmpdir):
    path = tmpdir.join("lines")
    logger = logging.getLogger("buffered.forked")
    logger.propagate = False
    with io.open(str(path), "a", encoding="utf-8") as stream:
        handler = logs.BufferedHandler(stream, 0.01)
        logger.addHandler(handler)
        try:
            logger.warning(u"parent")
            wait_until(lambda: path.read() == "parent\n", LIMIT)
            pid = os.fork()
            if pid == 0:
                logger.warning(u"child")
                wait_until(lambda: path.read() == "parent\nchild\n", LIMIT)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        finally:
            logger.removeHandler(handler)
            handler.close()


class Full(Pieces):
    """A stream without room for what it gets, until it has some. It counts what it did not take."""

    def __init__(self):
        Pieces.__init__(self)
        self.has_room, self.failed = False, 0

    def write(self, text):
        if not self.has_room:
            self.failed += 1
            raise IOError(errno.ENOSPC, "No space left on device")
        Pieces.write(self, text)


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stderr", [Full(), closed(), None], ids=["full", "closed", "none"])
def test_lines_are_written_again_after_neither_the_stream_nor_stderr_could_be(buffered, monkeypatch, stderr):
    logger, _, handler = buffered
    handler.stream, handler._seconds = Full(), 0.01
    monkeypatch.setattr(sys, "stderr", stderr)
    logger.info("one")
    wait_until(lambda: handler.stream.failed, LIMIT)
    handler.stream.has_room = True
    logger.info("two")
    wait_until(lambda: "".join(handler.stream.pieces) == "two\n", LIMIT)


def test_a_stream_that_fails_is_told_of(buffered, capsys):
    logger, _, handler = buffered
    handler.stream = Full()
    logger.info("one")
    handler.flush()
    assert "cannot write log lines: [Errno %d]" % errno.ENOSPC in capsys.readouterr().err


def test_a_handler_is_closed_when_its_stream_fails(buffered, capsys, monkeypatch):
    """And whoever closes it goes on, as logging.shutdown() does."""
    logger, _, handler = buffered
    handler.stream = Full()
    ended = []
    monkeypatch.setattr(logging.Handler, "close", ended.append)
    logger.info("one")
    handler.close()
    assert ended == [handler]
    assert "cannot write log lines" in capsys.readouterr().err


@pytest.mark.parametrize(
    "encoding, name, written",
    [
        ("ascii", u"M\xfcller", b"M\\xfcller"),
        ("latin-1", u"M\xfcller \u0141", b"M\xfcller \\u0141"),
        pytest.param(
            "utf-8", u"M\xfcller \udcff", b"M\xc3\xbcller \\udcff",
            marks=pytest.mark.skipif(sys.version_info < (3,), reason="Python 2 encodes a lone surrogate"),
        ),
    ],
    ids=["ascii", "latin-1", "lone surrogate"],
)  # fmt: skip
def test_a_line_that_the_stream_cannot_encode_loses_no_other(buffered, encoding, name, written):
    _, _, handler = buffered
    written_to = io.BytesIO()
    handler.stream = io.TextIOWrapper(written_to, encoding=encoding, newline="\n")
    for line in (u"one", name, u"three"):
        handler.handle(logging.makeLogRecord({"msg": line}))  # pytest-xdist takes no lone surrogate that it captures
    handler.flush()
    assert written_to.getvalue() == b"one\n" + written + b"\nthree\n"


def test_lines_of_bytes_and_of_text(buffered):
    """Python 2 has both."""
    logger, _, handler = buffered
    handler.stream = io.StringIO()
    logger.info(u"M\xfcller")
    logger.info("M\xc3\xbcller" if sys.version_info < (3,) else u"M\xfcller")
    handler.flush()
    assert handler.stream.getvalue() == u"M\xfcller\nM\xfcller\n"
