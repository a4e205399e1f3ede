"""A signal that comes at the worst moment of a wait (sipbridge._agent.dispatch)."""

from __future__ import absolute_import, division, print_function

import signal
import sys
import threading
import time

import pytest

from sipbridge._agent.dispatch import Dispatcher


@pytest.mark.skipif(sys.version_info[0] < 3, reason="Python 2.7 does not keep what an exception came in the midst of")
def test_an_interrupt_while_the_lock_is_taken_back():
    dispatcher = Dispatcher(None, None, None)

    def interrupted(timeout):  # as Condition.wait() between giving its lock up and having it again
        dispatcher.lock.release()
        raise KeyboardInterrupt

    dispatcher._changed.wait = interrupted
    with pytest.raises(KeyboardInterrupt):
        dispatcher.wait(lambda: False, 5.0)
    assert dispatcher.lock.acquire(False)


@pytest.mark.skipif(sys.version_info[0] < 3, reason="Python 2.7 cannot send a signal to one of its threads")
def test_a_signal_that_does_not_reach_the_main_thread_is_heeded():
    """A signal just before the wait would otherwise be handled only when the wait ends."""
    dispatcher = Dispatcher(None, None, None)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    def other():
        time.sleep(0.3)  # until the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    thread = threading.Thread(target=other)
    started = time.time()
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            dispatcher.wait(lambda: False, 60.0)
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    assert time.time() - started < 30.0
