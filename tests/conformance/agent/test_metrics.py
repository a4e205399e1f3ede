"""Metrics of endpoints on an engine, in process or elsewhere: messages of the network, and engines that are lost."""

from __future__ import absolute_import, division, print_function

import os
import sys
import time

import pytest

import sipbridge
from conformance.dialog import SDP, Dialog
from conformance.sdp import ANSWER, OFFER
from peers.http import fetch
from peers.lost import engine_to_lose, kill, pause
from peers.samples import Samples
from peers.waiting import wait_until
from sipbridge import metrics

LIMIT = 10.0  # seconds: only a test that fails waits that long


@pytest.mark.parametrize("placed", [False, True])
def test_a_call_and_what_passes_in_it(phone, by_hand, placed):
    collector = metrics.Collector(phone.endpoint)
    dialog = Dialog(phone, by_hand, placed)
    direction = "outgoing" if placed else "incoming"
    assert Samples(collector).those("calls_live") == {(direction, "established"): 1}
    dialog.within("INFO", 7)
    by_hand.next("200")
    dialog.within("BYE", 8)
    by_hand.next("200")
    phone.wait("ended remote-bye 200")
    wait_until(lambda: Samples(collector).those("calls_ended_total"))
    found = Samples(collector)
    assert found.those("calls_started_total") == found.those("calls_answered_total") == {(direction,): 1}
    assert found.those("calls_ended_total") == {(direction, "remote-bye"): 1}
    for name in ("call_setup_seconds", "call_answer_seconds", "call_duration_seconds"):
        assert found.get(name + "_count", direction=direction) == 1
    ours, theirs = ("sent", "received") if placed else ("received", "sent")
    assert found.those("requests_total") == {
        (ours, "INVITE"): 1, (ours, "ACK"): 1, ("received", "INFO"): 1, ("received", "BYE"): 1,
    }  # fmt: skip
    assert found.those("responses_total") == {(theirs, "INVITE", "2xx"): 1, ("sent", "INFO", "2xx"): 1}


def test_a_call_that_is_refused_and_one_that_nobody_hears_of(phone, by_hand):
    collector = metrics.Collector(phone.endpoint)
    phone.reactions[sipbridge.IncomingCall] = lambda event: event.call.reject(486)
    invite = by_hand.request(phone.endpoint.port, "INVITE", SDP, OFFER)
    by_hand.acknowledge(phone.endpoint.port, invite, by_hand.next("486"))
    call = phone.endpoint.invite(by_hand.uri, OFFER)
    by_hand.reply(by_hand.next("INVITE"), 404)
    call.wait_ended(LIMIT)
    wait_until(lambda: len(Samples(collector).those("calls_ended_total")) == 2)
    found = Samples(collector)
    assert found.those("calls_ended_total") == {("incoming", "rejected"): 1, ("outgoing", "rejected"): 1}
    assert found.those("responses_total") == {("sent", "INVITE", "4xx"): 1, ("received", "INVITE", "4xx"): 1}


def test_the_health_check_is_no_request(phone, by_hand):
    collector = metrics.Collector(phone.endpoint)
    by_hand.request(phone.endpoint.port, "SIPBRIDGE-HEALTH")
    by_hand.next("200")
    assert Samples(collector).those("requests_total") == Samples(collector).those("responses_total") == {}


def test_an_engine_that_dies_and_comes_again(by_hand):
    engine = engine_to_lose(backoff=0.0)
    with sipbridge.Endpoint(engine=engine) as endpoint:
        endpoint.on(sipbridge.IncomingCall, lambda event: event.call.answer(ANSWER))
        collector = metrics.Collector(endpoint)
        by_hand.request(endpoint.port, "INVITE", SDP, OFFER)
        by_hand.next("200")
        kill(engine)
        wait_until(lambda: Samples(collector).get("worker_restarts_total") == 1)
        found = Samples(collector)
        assert (found.get("engine_up"), found.get("engine_losses_total")) == (1, 1)
        assert found.those("calls_ended_total") == {("incoming", "engine-lost"): 1}


def test_a_scrape_while_the_engine_hangs_and_when_it_is_lost_for_good():
    engine = engine_to_lose(max_restarts=0, hang_timeout=60.0)
    with sipbridge.Endpoint(engine=engine) as endpoint, metrics.serve(endpoint, 0) as server:
        pause(engine)
        began = time.time()
        page = fetch("http://127.0.0.1:%d/metrics" % server.port)
        assert page.status == 200 and time.time() - began < LIMIT
        assert 'queue="engine"' not in page.body and 'queue="handler"' in page.body
        kill(engine)
        up = 'sipbridge_engine_up{sip_endpoint="%s"} ' % endpoint.address
        wait_until(lambda: up + "0.0" in fetch("http://127.0.0.1:%d/metrics" % server.port).body)


@pytest.mark.skipif(
    os.environ.get("SIPBRIDGE_ENGINE") != "exosip" or not sys.platform.startswith("linux"),
    reason="the shield is for libeXosip2, on Linux",
)
def test_what_the_shield_counts(by_hand):
    with sipbridge.Endpoint(engine=engine_to_lose()) as endpoint:
        collector = metrics.Collector(endpoint)
        before = Samples(collector)
        by_hand.send(endpoint.port, b"MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n")
        wait_until(lambda: Samples(collector).those("shield_dropped_total") == {("from",): 1})
        by_hand.request(endpoint.port, "MESSAGE", [("Content-Type", "text/plain")], b"x")
        by_hand.next("480")
        wait_until(lambda: Samples(collector).get("shield_responses_remembered") == 1)
        assert Samples(collector).get("shield_passed_total") > before.get("shield_passed_total")
