"""Who waits for a call may come to look late (sipbridge._call.call)."""

from __future__ import absolute_import, division, print_function

import pytest

from sipbridge._call.call import Call
from sipbridge.errors import CallStateError
from sipbridge.events import CallEnded
from sipbridge.headers import Headers


class _Agent(object):
    """An agent without an engine, whose waits look once."""

    engine = None
    told = (1700000000.0, None)

    @staticmethod
    def wait(predicate, timeout):
        return predicate()


def _ended(call):
    call.state = "ended"
    call.ended = CallEnded(call, "remote-bye", 200, "OK", Headers())
    return call


def test_wait_established_returns_for_a_call_that_is_over_again():
    call = Call(_Agent(), True, u"sip:bob@example.com", Headers())
    call._establish()
    assert _ended(call).wait_established(1.0) is None


def test_wait_established_raises_for_a_call_that_was_never_established():
    with pytest.raises(CallStateError):
        _ended(Call(_Agent(), True, u"sip:bob@example.com", Headers())).wait_established(1.0)
