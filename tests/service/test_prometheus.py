"""Prometheus, with the configuration and the rules of deploy/prometheus, scrapes the service."""

import pytest
import yaml

from peers.prometheus import Prometheus
from peers.waiting import wait_until
from service.running import EXAMPLE, HOST, LIMIT

DEPLOY = EXAMPLE / "deploy" / "prometheus"
RULES = DEPLOY / "telephony.rules.yml"


@pytest.fixture
def prometheus(service, tmp_path):
    """It scrapes the service."""
    target = "%s:%d" % (HOST, service.http_port)
    running = Prometheus(str(tmp_path), target, str(DEPLOY / "prometheus.yml"), [str(RULES)])
    yield running
    running.stop()


def test_it_has_the_series_of_the_service_and_of_sipbridge_and_evaluates_the_rules(
    service, telephone, prometheus
):
    wait_until(lambda: prometheus.query('up{job="sipbridge"}') == [1.0], LIMIT)
    answer = service.api.post("/calls", json={"to": telephone.uri("busy")})
    service.wait_call(answer.json()["id"], state="ended")
    failed = service.api.post("/calls", json={})
    assert (answer.status_code, failed.status_code) == (202, 422)
    wait_until(lambda: prometheus.query("telephony_records_written_total > 0") == [1.0], LIMIT)
    outcome = 'sipbridge_calls_ended_total{sip_endpoint="telephony",direction="outgoing"} > 0'
    wait_until(lambda: prometheus.query(outcome) == [1.0], LIMIT)
    seconds = 'telephony_http_request_seconds_count{method="POST",route="/calls",status="%d"}'
    assert [prometheus.query(seconds % status) for status in (202, 422)] == [[1.0], [1.0]]

    def has_quick_requests():
        service.api.get("/calls")
        return prometheus.query('route:telephony_http_request_seconds:p95_5m{route="/calls"} > 0')

    wait_until(has_quick_requests, LIMIT)
    rules = prometheus.rules()
    shipped = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    assert {rule.get("record") or rule["alert"] for rule in shipped} < set(rules)
    assert set(rules.values()) == {""}, rules
    assert prometheus.firing() == []
