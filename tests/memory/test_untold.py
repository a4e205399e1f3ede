"""A request that there is no memory to tell of: it is refused with 500, and nothing of it stays.

Of the engine's own allocations a large one fails: the first, the second and so on. On the double libosip2 fails to
write the message, too.
"""

from __future__ import absolute_import, division, print_function

import itertools
import os
import time

import pytest

from memory.driver import build, tools
from peers.byhand import ByHand

#: Octets from which on an allocation is large: no more than one that holds the headers is.
LARGE = 2900

VALUE = "x" * 1500
HEADERS = [("X-Large-1", VALUE), ("X-Large-2", VALUE)]
PRESENCE = [("Event", "presence"), ("Expires", "60")]

#: Programs in which the engine's calls of malloc() and realloc() can fail.
WRAPPED = ("malloc", "realloc", "exo_near_alloc", "exo_near_resize")
FLAGS = ["-DWITH_FAILING_MEMORY"] + ["-Wl,--wrap=" + name for name in WRAPPED]
TOOLS = tools()


@pytest.fixture(scope="module", params=sorted(TOOLS))
def program(request):
    flags, start = TOOLS[request.param]
    built = build(FLAGS + flags)
    return lambda log: start(built, log)


@pytest.fixture
def scene(program, tmpdir):
    driver = program(str(tmpdir.join("complaints")))
    scene = Scene(driver)
    yield scene
    scene.close()
    driver.finish()


class Scene(object):
    """An engine in the driver, and a peer of it."""

    def __init__(self, driver):
        self.driver, self.lib = driver, driver.lib
        self.engine = driver.open()
        self.port = driver.lib.sb_port(self.engine)
        self.peer = ByHand()
        self.numbers = itertools.count(2)  # for CSeq
        self._answers = []  # to what was told of, for the next outcome()

    def close(self):
        assert self.lib.sb_close(self.engine, 0) == 0
        self.peer.stop()

    def event(self, kind):
        """The next event, which has to be of this type."""
        event = self.driver.wait(self.engine)
        assert event != 0 and event.type == kind, event
        return event

    def outcome(self):
        """The next event, or the next final response to the peer: the other one is None.

        An engine tells of a request before it answers it. So of the two the event counts as the first.
        """
        if self._answers:
            return None, self._answers.pop()
        deadline = time.time() + 10.0
        while time.time() < deadline:
            event = self.driver.wait(self.engine, 20)
            if event != 0:
                return event, None
            response = self.peer.take(0.02)
            if response is None or response.is_request or response.status < 200:
                continue
            event = self.driver.wait(self.engine, 0)
            if event == 0:
                return None, response
            self._answers.append(response)
            return event, None
        raise AssertionError("neither an event nor an answer")

    def attempt(self, send):
        """Send a request. Returns it, with its outcome; a refusal is acknowledged."""
        request = send()
        event, response = self.outcome()
        if event is None and request.method == "INVITE":
            self.peer.acknowledge(self.port, request, response)
        return request, event, response

    def attempt_later(self, send):
        """The same until it is told of: after one refusal, libeXosip2 3.3 refuses re-INVITEs for some seconds."""
        deadline = time.time() + 40.0
        while time.time() < deadline:
            time.sleep(0.5)
            request, event, _ = self.attempt(send)
            if event is not None:
                return request, event
        raise AssertionError("it refuses for good")

    def answer(self):
        event, response = self.outcome()
        assert event is None, event
        return response

    def call(self):
        """A call from the peer that is up. Returns (its INVITE, the To of the answer)."""
        invite = self.peer.request(self.port, "INVITE")
        call = self.event(self.lib.SB_EV_CALL_INCOMING).call
        assert self.lib.sb_call_answer(self.engine, call, None) == 0
        to = self.peer.next("200")["To"]
        self.peer.within(self.port, invite, to, "ACK", 1)
        self.event(self.lib.SB_EV_CALL_CONFIRMED)
        return invite, to

    def settle(self, transaction, status):
        """Answer a request of the peer's, which gets the answer."""
        assert self.lib.sb_answer(self.engine, transaction, status, None, None) == 0
        return self.answer()

    def fail(self, function, nth):
        """Let a call fail: an allocation where the function is None. nth: 0 for none."""
        name, last = ("fail_memory", LARGE) if function is None else ("fail", 0)
        arguments = (nth, last) if function is None else (function, nth, last)
        self.driver.perform(name, *arguments)

    def failed(self, function):
        return self.driver.perform("memory_failed" if function is None else "failed")


def functions():
    """What fails: an allocation of the engine's, and what the double can let fail."""
    return (None, "osip_message_to_str") if "SIPBRIDGE_DOUBLE" in os.environ else (None,)


def refusals(scene, send, told):
    """Send a request with each allocation failing in turn: it is answered 500, until none is left to fail.

    Args:
        send: sends one, and returns it.
        told: a function of the request and the event that came of the one that was told.
    """
    for function in functions():
        for nth in range(1, 9):
            scene.fail(function, nth)
            request, event, response = scene.attempt(send)
            if not scene.failed(function):
                break
            assert event is None and response.status == 500, (function, nth, event)
            assert scene.driver.wait(scene.engine, 0) == 0
        assert nth > 1, "nothing failed"
        scene.fail(function, 0)
        if event is None:
            request, event = scene.attempt_later(send)
        assert event.headers.count(VALUE.encode("ascii")) == len(HEADERS)
        told(request, event)


def test_a_call_whose_event_cannot_be_told(scene):
    def told(invite, event):
        assert event.type == scene.lib.SB_EV_CALL_INCOMING
        assert scene.lib.sb_call_reject(scene.engine, event.call, 486, None, None) == 0
        scene.peer.acknowledge(scene.port, invite, scene.peer.next("486"))
        scene.event(scene.lib.SB_EV_CALL_ENDED)

    refusals(scene, lambda: scene.peer.request(scene.port, "INVITE", HEADERS), told)


def test_a_request_whose_event_cannot_be_told(scene):
    def told(request, event):
        assert event.type == scene.lib.SB_EV_REQUEST
        assert scene.settle(event.transaction, 202).status == 202

    refusals(scene, lambda: scene.peer.request(scene.port, "MESSAGE", HEADERS), told)


@pytest.mark.parametrize("method", ["INFO", "INVITE"])
def test_a_request_in_a_call_whose_event_cannot_be_told(scene, method):
    invite, to = scene.call()

    def send():
        return scene.peer.within(scene.port, invite, to, method, next(scene.numbers), HEADERS)

    def told(request, event):
        assert event.type in (scene.lib.SB_EV_CALL_REQUEST, scene.lib.SB_EV_CALL_REINVITE)
        response = scene.settle(event.transaction, 488)
        assert response.status == 488
        if method == "INVITE":
            scene.peer.acknowledge(scene.port, request, response)

    refusals(scene, send, told)


def test_a_subscription_whose_event_cannot_be_told(scene):
    def told(request, event):
        assert event.type == scene.lib.SB_EV_SUBSCRIBE
        assert scene.lib.sb_subscription_reject(scene.engine, event.subscription, 403, None, None) == 0
        assert scene.answer().status == 403

    refusals(scene, lambda: scene.peer.request(scene.port, "SUBSCRIBE", HEADERS + PRESENCE), told)


def test_a_refresh_whose_event_cannot_be_told(scene):
    """It stands as it was: the next refresh is taken."""
    subscribe = scene.peer.request(scene.port, "SUBSCRIBE", PRESENCE)
    subscription = scene.event(scene.lib.SB_EV_SUBSCRIBE).subscription
    assert scene.lib.sb_subscription_accept(scene.engine, subscription, 200, 60) == 0
    to = scene.answer()["To"]

    def send():
        number = next(scene.numbers)
        return scene.peer.within(scene.port, subscribe, to, "SUBSCRIBE", number, HEADERS + PRESENCE)

    def told(request, event):
        assert (event.type, event.state) == (scene.lib.SB_EV_SUBSCRIBE, scene.lib.SB_STATE_ACTIVE)
        assert scene.answer().status == 200

    refusals(scene, send, told)


def test_a_notify_whose_event_cannot_be_told(scene):
    """It stands as it was: the next NOTIFY is taken."""
    assert scene.driver.subscribe(scene.engine, scene.peer.uri) > 0
    subscribe = scene.peer.next("SUBSCRIBE")
    scene.peer.reply(subscribe, 200, [("Expires", "600")])
    assert scene.event(scene.lib.SB_EV_SUBSCRIPTION).state == scene.lib.SB_STATE_ACTIVE
    dialog = {"From": subscribe["To"] + ";tag=byhand%d" % scene.peer.port, "Call-ID": subscribe["Call-ID"]}
    headers = HEADERS + [("Event", "presence"), ("Subscription-State", "active;expires=600")]

    def send():
        return scene.peer.within(scene.port, dialog, subscribe["From"], "NOTIFY", next(scene.numbers), headers)

    def told(request, event):
        assert event.type == scene.lib.SB_EV_NOTIFY
        assert scene.answer().status == 200

    refusals(scene, send, told)
