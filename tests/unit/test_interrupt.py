"""A signal that comes at the worst moment of a wait (sipbridge.dispatch)."""

from __future__ import absolute_import, division, print_function

import sys

import pytest

from sipbridge.dispatch import Dispatcher


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
