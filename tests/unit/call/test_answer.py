"""The state of a call while it is being answered (sipbridge._call.call)."""

from __future__ import absolute_import, division, print_function

import threading

import pytest

from sipbridge._agent.telling import Observers
from sipbridge._call.call import Call
from sipbridge.errors import CallStateError, InputError
from sipbridge.headers import Headers

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class _Agent(object):
    """An agent whose engine does what ``answering`` does."""

    told = (0.0, None)  # when and from where the latest message came

    def __init__(self, answering):
        self.lock = threading.Lock()
        self.engine = self
        self.observers = Observers()
        self._answering = answering
        self.call = Call(self, True, u"sip:bob@example.com", Headers())

    def answer_call(self, number, content):
        assert self.lock.acquire(False)  # others go on while a worker takes its time
        self.lock.release()
        self._answering(self.call)


def test_the_state_is_accepted_before_the_ack_can_be_here():
    seen = []
    call = _Agent(lambda call: seen.append((call.state, call.local_sdp))).call
    call.answer(SDP)
    assert seen == [("accepted", SDP)] and call.state == "accepted"


def test_an_ack_that_is_faster_than_the_engine():
    call = _Agent(lambda call: call._establish()).call
    call.answer(SDP)
    assert call.state == "established"


@pytest.mark.parametrize("kind", [InputError, CallStateError])
def test_an_answer_that_cannot_be_sent_leaves_the_call_as_it_was(kind):
    def refuse(call):
        raise kind("no")

    call = _Agent(refuse).call
    with pytest.raises(kind):
        call.answer(SDP)
    assert (call.state, call.local_sdp) == ("incoming", None)


def test_a_call_that_has_ended_meanwhile():
    def end(call):
        call.state = "ended"
        raise CallStateError("over")

    call = _Agent(end).call
    with pytest.raises(CallStateError):
        call.answer(SDP)
    assert call.state == "ended"
