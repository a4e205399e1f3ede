"""examples/answering_service.py, as its author tests it: in memory."""

from __future__ import absolute_import, division, print_function

import csv
import importlib
import os
import sys

import pytest

import sipbridge
from sipbridge import testing

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples")
sys.path.insert(0, EXAMPLES)

answering_service = importlib.import_module("answering_service")

OPERATOR = "sip:operator@example.com"


@pytest.fixture
def records(sip_endpoint, tmpdir):
    """Serves the endpoint; gives what was recorded, when the calls are over."""
    path = tmpdir.join("calls.csv")
    answering_service.serve(sip_endpoint, OPERATOR, str(path))

    def read():
        sip_endpoint.close()
        with open(str(path)) as stream:
            return [row[:2] for row in csv.reader(stream)]

    return read


@pytest.fixture
def caller(sip_network):
    caller = sip_network.endpoint("sip:alice@example.com")
    caller.on(sipbridge.TransferRequested, lambda event: event.accept(testing.SDP))
    return caller


@pytest.fixture
def call(records, caller, sip_endpoint):
    return caller.call(sip_endpoint.uri, testing.SDP)


def test_a_caller_wants_to_be_called_back(call, records):
    call.send_dtmf("1")
    call.send_dtmf("4711#")
    call.hangup()
    call.wait_ended()
    assert records() == [["sip:alice@example.com", "call back 4711"]]


def test_a_caller_wants_the_operator(call, records, caller, sip_network):
    operator = sip_network.endpoint(OPERATOR)
    operator.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    call.send_dtmf("0")
    assert call.wait_ended().cause == "remote-bye"
    assert [each.remote_uri for each in caller.calls] == [OPERATOR]
    assert records() == [["sip:alice@example.com", "transferred"]]


def test_the_operator_is_busy(call, records, sip_network):
    operator = sip_network.endpoint(OPERATOR)
    operator.on(sipbridge.IncomingCall, lambda event: event.call.reject(486))
    call.send_dtmf("0")
    assert call.wait_ended().cause == "remote-bye"
    assert records() == [["sip:alice@example.com", "no operator: 486 Busy Here"]]


def test_a_caller_says_nothing(call, records, sip_network):
    sip_network.advance(21)
    assert call.wait_ended().cause == "remote-bye"
    assert records() == [["sip:alice@example.com", "nothing"]]


def test_a_caller_hangs_up_in_the_middle_of_the_number(call, records):
    call.send_dtmf("147")
    call.hangup()
    call.wait_ended()
    assert records() == [["sip:alice@example.com", "nothing"]]


def test_the_engine_is_lost_in_the_middle_of_a_call(call, records, sip_network, sip_endpoint):
    sip_network.lose(sip_endpoint)
    assert records() == [["sip:alice@example.com", "nothing"]]


def test_two_callers_at_once(call, records, sip_network, sip_endpoint):
    other = sip_network.endpoint("sip:bob@example.com").call(sip_endpoint.uri, testing.SDP)
    for each, number in ((call, "1111#"), (other, "1222#")):
        each.send_dtmf(number)
    for each in (call, other):
        each.hangup()
        each.wait_ended()
    assert sorted(records()) == [["sip:alice@example.com", "call back 111"], ["sip:bob@example.com", "call back 222"]]


def test_it_has_forty_lines_at_most():
    with open(answering_service.__file__.replace(".pyc", ".py")) as source:
        assert len(source.readlines()) <= 40
