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

    @staticmethod
    def wait(predicate, timeout):
        return predicate()


def _ended(call):
    call.state = "ended"
    call.ended = CallEnded(call, "remote-bye", 200, "OK", Headers())
    return call


def test_established_and_over_before_anybody_looked():
    call = Call(_Agent(), True, u"sip:bob@example.com", Headers())
    call._establish()
    assert _ended(call).wait_established(1.0) is None


def test_over_before_it_was_established():
    with pytest.raises(CallStateError):
        _ended(Call(_Agent(), True, u"sip:bob@example.com", Headers())).wait_established(1.0)
