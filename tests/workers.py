"""Runs the tests in several processes, which are forked when all tests are collected. A pytest plugin: ``--workers=4``.

A worker of pytest-xdist collects all tests itself, and sends five messages for each; here both is done once, which
takes a fifth less processor time. A worker takes the next test when it is free.
"""

from __future__ import absolute_import, division, print_function

import gc
import multiprocessing
import os
import pickle
import random
import select
import signal
import struct
import sys
import traceback
import warnings

import pytest
from _pytest.reports import TestReport
from _pytest.runner import runtestprotocol

from distribution import has_workers, together

#: Seconds after which a worker is looked at that says nothing: a process that it left behind may have its pipe.
_LOOK = 1.0

_LENGTH = struct.Struct("<I")


def pytest_addoption(parser):
    parser.getgroup("workers").addoption("--workers", type=int, default=0, help="processes that run the tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Instead of pytest's own, where there are workers; what was wrong with the collection is left to that."""
    if session.testsfailed or session.config.option.collectonly or not has_workers(session.config):
        return None
    _Tests(session).run()
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


def _units(items):
    """Lists of indices: what one worker keeps together."""
    found, order = {}, []
    for index, item in enumerate(items):
        name = together(item.nodeid)
        if name not in found:
            order.append(name)
        found.setdefault(name, []).append(index)
    return [found[name] for name in order]


def _send(pipe, *message):
    data = pickle.dumps(message, 2)
    data = _LENGTH.pack(len(data)) + data
    while data:
        data = data[os.write(pipe, data) :]


def _receive(pipe):
    """A message, or None at the end."""
    header = _exactly(pipe, _LENGTH.size)
    data = header and _exactly(pipe, _LENGTH.unpack(header)[0])
    return pickle.loads(data) if data else None


def _exactly(pipe, size):
    """So many octets, or None when there are no more."""
    parts = []
    while size:
        part = os.read(pipe, min(size, 65536))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Worker(object):
    """A process that runs tests. ``left`` is what a worker that died had before it; ``take`` gives more, or []."""

    def __init__(self, session, number, pipe, take, left):
        self._items = session.items
        self._pipe = pipe
        self._take = take
        self._left = list(left)
        self._become_own(session.config, number)
        session.config.pluginmanager.register(self)

    @staticmethod
    def _become_own(config, number):
        """Share no file with the others, and no random numbers."""
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture()
        temporary = config._tmp_path_factory
        temporary._basetemp = temporary.getbasetemp() / ("worker-%d" % number)
        temporary._basetemp.mkdir(mode=0o700)
        random.seed()

    def run(self):
        while self._next() is not None:
            item = self._items[self._left.pop(0)]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=self)
        _send(self._pipe, "end", None)

    def _next(self):
        if not self._left:
            self._left += self._take()
        return self._items[self._left[0]] if self._left else None

    def listchain(self):
        """As of the test that comes next, which a test is given to tear down what that has no use for.

        It is taken only then. If it was taken before, it would wait for the end of a long test.
        """
        following = self._next()
        return [] if following is None else following.listchain()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        _send(self._pipe, "begun", item.nodeid)
        hook = item.config.hook
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        told = [hook.pytest_report_to_serializable(config=item.config, report=each) for each in reports]
        _send(self._pipe, "ran", told)
        return True

    @pytest.hookimpl(optionalhook=True)  # pytest has it on Python 3
    def pytest_warning_recorded(self, warning_message, when, nodeid, location):
        if when == "runtest":  # it is told of those of the collection, too, which were told before
            kind = warning_message.category.__name__
            facts = (str(warning_message.message), kind, warning_message.filename, warning_message.lineno)
            _send(self._pipe, "warned", (facts, nodeid, location))


class _Tests(object):
    """The tests of a session, its workers, and what they tell."""

    def __init__(self, session):
        self._session = session
        self._items = dict((item.nodeid, index) for index, item in enumerate(session.items))
        self._units = _units(session.items)
        self._taken = multiprocessing.Value("i", 0)
        self._started = 0
        self._workers = {}  # pid by pipe
        self._running = {}  # name of the test by pipe

    def run(self):
        self._session.config._tmp_path_factory.getbasetemp()  # where the workers have theirs
        gc.collect()
        if hasattr(gc, "freeze"):
            gc.freeze()  # a collection need not look at all tests again and again
        try:
            for _ in range(min(self._session.config.option.workers, len(self._units))):
                self._start([])
            while self._workers:
                self._listen()
                if self._session.shouldfail or self._session.shouldstop:
                    self._taken.value = len(self._units)
        finally:
            for pid in self._workers.values():
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)

    def _take(self):
        """The next unit; [] when there is none."""
        with self._taken.get_lock():
            index = self._taken.value
            self._taken.value = index + 1
        return self._units[index] if index < len(self._units) else []

    def _start(self, left):
        """Fork a worker, which first does what is left of another's work."""
        pipe, its_end = os.pipe()
        self._started += 1
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            os.close(its_end)
            self._workers[pipe] = pid
            return
        code = 1
        try:
            os.close(pipe)
            _Worker(self._session, self._started, its_end, self._take, left).run()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _listen(self):
        """Hear what the workers say, and notice those that died."""
        ready = select.select(list(self._workers), [], [], _LOOK)[0]
        for pipe in ready:
            kind, content = _receive(pipe) or ("end", None)
            if kind == "begun":
                self._running[pipe] = content
            elif kind == "ran":
                self._report(self._running.pop(pipe), content)
            elif kind == "warned":
                self._warn(*content)
            else:
                self._end(pipe, os.waitpid(self._workers[pipe], 0)[1])
        for pipe, pid in () if ready else list(self._workers.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._end(pipe, status)

    def _report(self, nodeid, reports):
        """Have pytest told of a test as if it had run here."""
        config, location = self._session.config, self._session.items[self._items[nodeid]].location
        config.hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
        for each in reports:
            report = config.hook.pytest_report_from_serializable(config=config, data=each)
            config.hook.pytest_runtest_logreport(report=report)
        config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)

    def _warn(self, facts, nodeid, location):
        text, name, filename, line = facts
        kinds = [each for each in Warning.__subclasses__() if each.__name__ == name]
        message = warnings.WarningMessage(text, (kinds + [Warning])[0], filename, line)
        known = {"warning_message": message, "when": "runtest", "nodeid": nodeid, "location": location}
        self._session.config.hook.pytest_warning_recorded.call_historic(kwargs=known)

    def _end(self, pipe, status):
        """A worker ended. If it died, its test has failed, and another goes on with what it kept together with that."""
        os.close(pipe)
        del self._workers[pipe]
        nodeid = self._running.pop(pipe, None)
        if status == 0 and nodeid is None:
            return
        if nodeid is None:
            raise RuntimeError("a worker ended between two tests, with status %d" % status)
        index = self._items[nodeid]
        text = "the worker that ran it ended with status %d" % status
        report = TestReport(nodeid, self._session.items[index].location, {}, "failed", text, "call")
        hook = self._session.config.hook
        self._report(nodeid, [hook.pytest_report_to_serializable(config=self._session.config, report=report)])
        self._start([each for unit in self._units if index in unit for each in unit if each > index])
