"""An endpoint in a process that was forked off: it says so at once, and leaves the one it was made in alone."""

from __future__ import absolute_import, division, print_function

import os
import signal
import subprocess
import sys
import time
import traceback

import pytest

import sipbridge
from conformance.dialog import Dialog
from conformance.sdp import OFFER
from peers.phone import engine_under_test

TO = u"sip:bob@127.0.0.1:9"


@pytest.fixture(params=["", "worker"])
def forked(request, make_phone):
    """A phone, on either kind of engine."""
    engine = sipbridge.Worker() if request.param else engine_under_test()
    return make_phone(engine=engine, identity="sip:alice@sipbridge.test")


def in_child(action):
    """Run that in a fork of this process, where it must not take long; True when it raised nothing."""
    child = os.fork()
    if not child:
        code = 1
        try:
            signal.alarm(10)
            action()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def raises(action, *arguments, **options):
    """It raises what it should, at once."""
    began = time.time()
    try:
        action(*arguments, **options)
    except sipbridge.EngineError as error:
        assert "before a fork" in str(error), error
        assert time.time() - began < 1.0, action
        return
    raise AssertionError("%r did not raise" % (action,))


def check_all(endpoint, call, stream):
    raises(endpoint.invite, TO, OFFER)
    raises(endpoint.call, TO, OFFER)
    raises(endpoint.message, TO, u"x")
    raises(endpoint.options, TO)
    raises(endpoint.register, TO)
    raises(endpoint.subscribe, TO, u"presence")
    raises(endpoint.watch, TO)
    raises(endpoint.add_credentials, u"alice", u"secret")
    raises(endpoint.clear_credentials)
    raises(endpoint.events)
    raises(endpoint.on, sipbridge.IncomingCall, len)
    raises(endpoint.wait_closed)
    raises(lambda: endpoint.handler_statistics)
    raises(lambda: endpoint.calls)
    raises(call.hangup)
    raises(call.reinvite, OFFER)
    raises(call.info, b"x", u"a/b")
    raises(call.wait_ended)
    raises(next, stream)
    began = time.time()
    stream.close()
    endpoint.close()
    assert time.time() - began < 1.0


def test_each_method_raises_at_once_in_the_child(forked, by_hand):
    dialog = Dialog(forked, by_hand, False)
    stream = forked.endpoint.events()
    assert in_child(lambda: check_all(forked.endpoint, dialog.call, stream))
    stream.close()
    dialog.is_alive()


def test_a_fork_while_another_thread_holds_the_lock(forked):
    """No thread of the child ever releases that lock."""
    endpoint = forked.endpoint
    locks = [endpoint._dispatcher.lock, getattr(endpoint._engine, "_condition", None)]
    for lock in locks:
        if lock is None:
            continue
        lock.acquire()
        try:
            assert in_child(lambda: (raises(endpoint.invite, TO, OFFER), endpoint.close()))
        finally:
            lock.release()
    assert endpoint.calls == ()


def test_closing_in_the_child_ends_nothing_in_the_parent(forked, by_hand):
    """The parent keeps the call and the worker, though the child has a copy of the worker's socket."""
    dialog = Dialog(forked, by_hand, False)
    stream = forked.endpoint.events()

    def leave():
        with forked.endpoint, stream:
            pass
        sipbridge._agent.endpoint._close_all()  # what is done at exit

    assert in_child(leave)
    stream.close()
    assert not [message for message in iter(lambda: by_hand.take(0.3), None) if message.is_request]
    dialog.is_alive()


_PROGRAM = """
import os, sys, time
import sipbridge
worker = sys.argv[1] == "worker"
endpoint = sipbridge.Endpoint(engine=sipbridge.Worker() if worker else None)
stream = endpoint.events()
pid = endpoint._engine.pid if worker else None
began = time.time()
child = os.fork()
if not child:
    with endpoint, stream:
        sys.exit(7)  # through both, and what is done at exit
code = os.waitpid(child, 0)[1] >> 8
took = time.time() - began
endpoint.invite(u"sip:bob@127.0.0.1:9", b"v=0")  # raises where its worker was told to close
same = pid is None or pid == endpoint._engine.pid
endpoint.close()
print("%d %s %s" % (code, took < 5.0, same))
"""


@pytest.mark.parametrize("kind", ["here", "worker"])
def test_the_exit_of_the_child_ends_nothing_in_the_parent(kind):
    said = subprocess.check_output([sys.executable, "-c", _PROGRAM, kind]).decode("ascii")
    assert said.split() == ["7", "True", "True"]


def test_a_child_opens_an_endpoint_of_its_own(forked):
    """A child opens what it needs."""

    def open_one():
        with sipbridge.Endpoint(engine=sipbridge.Worker()) as own:
            assert own.port != forked.endpoint.port
            own.add_credentials(u"alice", u"secret")

    assert in_child(open_one)


def test_a_worker_that_was_made_before_the_fork_and_is_opened_after_it():
    worker = sipbridge.Worker()

    def open_it():
        with sipbridge.Endpoint(engine=worker) as own:
            own.add_credentials(u"alice", u"secret")

    assert in_child(open_it)
