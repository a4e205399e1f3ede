"""Prometheus reads the metrics of an endpoint, and alerts by the example's rules."""

from __future__ import absolute_import, division, print_function

import os
import signal

import pytest

import sipbridge
from conformance.dialog import Dialog
from peers.http import fetch
from peers.prometheus import EXAMPLE, Prometheus, promtool
from peers.waiting import wait_until
from sipbridge import metrics

LIMIT = 30.0  # seconds: only a test that fails waits that long

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "data", "prometheus")


def test_the_rules_of_the_example_fire_when_they_should_and_not_else():
    code, said = promtool("test", "rules", os.path.join(DATA, "rules_test.yml"))
    assert code == 0 and "SUCCESS" in said, said
    code, said = promtool("check", "config", os.path.join(EXAMPLE, "prometheus.yml"))
    assert code == 0, said


def test_promtool_finds_nothing_wrong_with_the_metrics(phone, by_hand):
    phone.reactions[sipbridge.InfoReceived] = lambda event: event.nonsense()
    with metrics.serve(phone.endpoint, 0) as server:
        dialog, port = Dialog(phone, by_hand, False), phone.endpoint.port
        dialog.within("INFO", 2)
        by_hand.next("500")
        dialog.within("BYE", 3)
        by_hand.next("200")
        phone.wait("ended remote-bye 200")
        by_hand.request(port, "FROB")
        by_hand.next("501")
        text = fetch("http://127.0.0.1:%d/metrics" % server.port).body
    code, said = promtool("check", "metrics", text=text)
    assert (code, said) == (0, "")
    assert 'method="other"' in text and "FROB" not in text


def test_it_alerts_when_a_worker_is_replaced(starter):
    engine = sipbridge.Worker(backoff=0.0)
    with sipbridge.Endpoint(engine=engine) as endpoint, metrics.serve(endpoint, 0) as server:
        prometheus = starter.keep("prometheus", Prometheus(starter.folder(), "127.0.0.1:%d" % server.port))
        wait_until(lambda: prometheus.query("sipbridge_engine_up") == [1.0], LIMIT)
        wait_until(lambda: prometheus.query("count_over_time(sipbridge_worker_restarts_total[5m])>1"), LIMIT)
        assert prometheus.firing() == []
        os.kill(engine.pid, signal.SIGKILL)
        wait_until(lambda: prometheus.firing() == ["SipbridgeWorkerRestarted"], LIMIT)
        assert prometheus.query("sipbridge_worker_restarts_total") == [1.0]
        rules = prometheus.rules()
        assert len(rules) == 15 and set(rules.values()) == {""}


@pytest.mark.parametrize("kind", ["text/plain", "application/openmetrics-text"])
def test_both_formats(phone, kind):
    with metrics.serve(phone.endpoint, 0) as server:
        page = fetch("http://127.0.0.1:%d/metrics" % server.port, headers={"Accept": kind + ";version=1.0.0"})
    assert page.status == 200 and page.headers["Content-Type"].startswith(kind)
    assert page.body.endswith("# EOF\n") == (kind != "text/plain")
