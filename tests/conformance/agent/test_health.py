"""endpoint.health() on an engine, in process or elsewhere: the way of a sign of life, and what stops it."""

from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys
import threading

import pytest

import sipbridge
from conformance.dialog import SDP
from conformance.sdp import OFFER
from peers.lost import engine_to_lose, go_on, kill, pause
from peers.waiting import wait_until
from sipbridge import health

LIMIT = 10.0  # seconds: only a test that fails waits that long


def kinds(found):
    return sorted(set(each.kind for each in found.problems))


def test_a_sign_of_life_goes_all_the_way(phone):
    for _ in range(3):
        found = phone.endpoint.health(LIMIT)
        assert (found.live, found.ready, found.problems) == (True, True, ())
        assert 0.0 <= found.engine < LIMIT and 0.0 <= found.handlers < LIMIT
    assert phone.labels == []


def test_many_ask_while_calls_come(phone, by_hand):
    found = []
    asking = [threading.Thread(target=lambda: found.append(phone.endpoint.health(LIMIT))) for _ in range(16)]
    for thread in asking:
        thread.start()
    for _ in range(20):
        by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
    for thread in asking:
        thread.join(LIMIT)
    assert [each.ready for each in found] == [True] * 16
    phone.wait("request MESSAGE", 20)


def test_the_event_thread_hangs(phone):
    """As in a handler of logging that does not return."""
    released, hung = threading.Event(), threading.Event()
    phone.endpoint._dispatcher._asked.append((0.0, 0, _Timer(lambda: (hung.set(), released.wait(60.0)))))
    phone.endpoint.health(0.3)  # has it look at its timers
    assert hung.wait(LIMIT)
    found = phone.endpoint.health(0.3)
    assert (found.live, found.engine) == (False, None) and kinds(found) == ["engine"]
    released.set()
    wait_until(lambda: phone.endpoint.health(LIMIT).ready)


class _Timer(object):
    def __init__(self, function):
        self._function = function

    def _fire(self):
        self._function()

    def __lt__(self, other):
        return True


def test_no_room_for_a_call(make_phone, by_hand):
    phone = make_phone(handlers=1)
    released = threading.Event()
    phone.reactions[sipbridge.MessageReceived] = lambda event: released.wait(60.0)
    try:
        for _ in range(2):
            by_hand.request(phone.endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        wait_until(lambda: phone.endpoint.handler_statistics[2:4] == (1, 1))
        found = phone.endpoint.health(0.2)
        assert (found.live, found.ready) == (True, False) and kinds(found) == ["handlers"]
        invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)  # so it is
        by_hand.acknowledge(phone.endpoint.port, invite, by_hand.next("503"))
    finally:
        released.set()
    wait_until(lambda: phone.endpoint.health(LIMIT).ready)


def test_a_registration_that_was_refused_later(phone, by_hand):
    registering = threading.Thread(target=phone.endpoint.register, args=(by_hand.uri,))
    registering.start()
    request = by_hand.next("REGISTER")
    assert phone.endpoint.health(LIMIT).ready  # it is not asked for any more when it fails
    by_hand.reply(request, 200, [("Contact", request["Contact"]), ("Expires", "600")])
    registering.join(LIMIT)
    assert phone.endpoint.health(LIMIT).ready
    (registration,) = phone.endpoint._agent.registrations.values()
    refreshing = threading.Thread(target=_refresh, args=(registration,))
    refreshing.start()
    by_hand.reply(by_hand.next("REGISTER"), 403)
    refreshing.join(LIMIT)
    phone.wait("registration failed 403")
    found = phone.endpoint.health(LIMIT)
    assert (found.live, found.ready) == (True, False) and kinds(found) == ["registration"]
    assert "403" in found.problems[0].text
    registration.unregister()
    assert phone.endpoint.health(LIMIT).ready


def _refresh(registration):
    try:
        registration.refresh()
    except sipbridge.ResponseError:
        pass


def test_after_the_close():
    with sipbridge.Endpoint(engine=engine_to_lose()) as endpoint:
        assert endpoint.health(LIMIT).ready
    found = endpoint.health()
    assert (found.live, found.ready) == (False, False) and kinds(found) == ["closed"]


@pytest.mark.parametrize("restarts", [None, 0])
def test_an_engine_that_dies(restarts):
    engine = engine_to_lose(max_restarts=restarts)
    with sipbridge.Endpoint(engine=engine) as endpoint:
        kill(engine)
        if restarts is None:
            wait_until(lambda: endpoint.health().problems == () and endpoint.health().ready)
        else:
            wait_until(lambda: kinds(endpoint.health()) == ["engine-failed"])
            assert not endpoint.health().live


def test_an_engine_that_hangs():
    """The check does not hang with it. It is going to be killed for that, and replaced: nobody else has to do it."""
    engine = engine_to_lose(hang_timeout=60.0)
    with sipbridge.Endpoint(engine=engine) as endpoint:
        pause(engine)
        found = endpoint.health(0.3)
        assert (found.live, found.ready) == (True, False) and kinds(found) == ["engine-lost"]
        go_on(engine)
        wait_until(lambda: endpoint.health(LIMIT).ready)


# -- the image's health check, which may ask a page -------------------------------------------------------------

_CHECK = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "docker", "healthcheck.py"
)


def _checked(whom):
    """The exit code of the check, and what it prints."""
    environment = dict(os.environ, SIPBRIDGE_HEALTH=whom)
    process = subprocess.Popen([sys.executable, _CHECK], stdout=subprocess.PIPE, env=environment)
    said = process.communicate()[0].decode("utf-8")
    return process.returncode, said


def test_the_check_asks_a_page(phone):
    with health.serve(phone.endpoint, 0) as server:
        url = "http://127.0.0.1:%d/ready" % server.port
        code, said = _checked(url)
        assert code == 0 and said.startswith(url + ": {") and '"ready": true' in said
        phone.endpoint.close()
        code, said = _checked(url)
        assert code == 1 and '"problems": ["closed"]' in said
    code, said = _checked(url)
    assert code == 1 and said.startswith(url + ": ")
