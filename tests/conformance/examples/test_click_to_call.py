"""examples/click_to_call.py: a service that calls two parties for who asks by HTTP."""

from __future__ import absolute_import, division, print_function

import json
import os
import sys
import time

import pytest

from conformance.call.legs import Leg, description, port_of
from peers.ports import free_port, wait_until_bound
from peers.process import Process

EXAMPLE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples", "click_to_call.py"
)

pytestmark = pytest.mark.skipif(sys.version_info[0] == 2, reason="the example is for Python 3")


class Service(object):
    """The example, and who asks it."""

    def __init__(self, starter):
        self.port, self._http = free_port(), free_port()
        command = [sys.executable, EXAMPLE, "udp://127.0.0.1:%d" % self.port, str(self._http)]
        process = starter.keep("click_to_call", Process(command, starter.folder(), "click_to_call"))
        process.report = process.output
        assert wait_until_bound(self._http, process.is_alive, transport="tcp"), process.output()

    def ask(self, method, path, form=""):
        """Status and JSON of the answer."""
        from http.client import HTTPConnection

        connection = HTTPConnection("127.0.0.1", self._http, timeout=10)
        connection.request(method, path, form)
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read().decode())
        connection.close()
        return found

    def wait(self, path, state):
        """Ask until that is the state. Returns the answer."""
        deadline = time.time() + 10.0
        while True:
            told = self.ask("GET", path)[1]
            if told["state"] == state:
                return told
            assert time.time() < deadline, told
            time.sleep(0.02)


@pytest.fixture
def service(starter):
    return Service(starter)


def test_two_parties_are_connected_for_who_asks(service, by_hand, elsewhere):
    first, second = Leg(by_hand, service.port), Leg(elsewhere, service.port)
    status, told = service.ask("POST", "/calls", "first=%s&second=%s" % (by_hand.uri, elsewhere.uri))
    assert status == 202
    assert service.ask("GET", told["path"])[1] == {"state": "connecting", "cause": "", "status": 0}
    first.answered(b"v=0\r\no=peer 5 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
    second.ringing()
    second.answer(description(6000))
    assert port_of(first.reinvited(description(5000)).body) == 6000
    service.wait(told["path"], "connected")
    assert service.ask("DELETE", told["path"])[0] == 200
    first.ended()
    second.ended()
    assert service.wait(told["path"], "ended")["cause"] == "local-bye"


def test_what_it_does_not_understand(service):
    assert service.ask("POST", "/calls", "first=sip:a@127.0.0.1")[0] == 400
    assert service.ask("POST", "/calls", "first=bob&second=sip:a@127.0.0.1")[0] == 400
    assert service.ask("GET", "/calls/1")[0] == 404


def test_it_has_at_most_forty_lines():
    with open(EXAMPLE) as source:
        assert len(source.readlines()) <= 40
