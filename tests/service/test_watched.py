"""What watches the service: one trace through HTTP, SIP and the database; metrics; rules; configuration files."""

import json
import os
import re
import signal
import subprocess

import yaml

from peers.process import children, require
from peers.prometheus import promtool
from peers.sentry_server import SentryServer
from peers.waiting import wait_until
from service.running import EXAMPLE, LIMIT, Running

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_one_search_finds_the_request_and_the_call(service, telephone):
    headers = {"traceparent": "00-%s-b7ad6b7169203331-01" % TRACE, "X-Request-Id": "mine-1"}
    answer = service.api.post("/calls", json={"to": telephone.uri("busy")}, headers=headers)
    assert answer.headers["x-request-id"] == "mine-1" and answer.json()["trace_id"] == TRACE
    record = service.wait_call(answer.json()["id"], state="ended")

    def found():
        lines = [line for line in service.lines() if line.get("trace", {}).get("id") == TRACE]
        return {line["log"]["logger"] for line in lines} >= {
            "telephony.http",
            "sipbridge.call",
            "telephony.outbox",
        } and lines

    wait_until(found, LIMIT)
    for line in found():
        assert line["sip"]["call_id"] == record["call_id"], line
        assert line["service"]["name"] == "telephony" and line["ecs.version"]
    [request] = [line for line in found() if line["log"]["logger"] == "telephony.http"]
    assert request["http"] == {
        "request": {"method": "POST", "id": "mine-1"},
        "response": {"status_code": 202},
    }


def test_promtool_finds_nothing_wrong_with_the_metrics(service, telephone):
    service.api.post("/calls", json={"to": telephone.uri("busy")})
    service.api.get("/nowhere")
    text = service.api.get("/metrics").text
    assert promtool("check", "metrics", text=text) == (0, "")
    assert 'route="/calls"' in text and 'route="other"' in text and "/nowhere" not in text
    assert 'sipbridge_calls_started_total{direction="outgoing",sip_endpoint="telephony"}' in text


def test_the_rules_and_the_dashboard_ask_for_metrics_that_there_are(service):
    rules = EXAMPLE / "deploy" / "prometheus" / "telephony.rules.yml"
    code, said = promtool("check", "rules", str(rules))
    assert code == 0, said
    dashboard = json.loads((EXAMPLE / "deploy" / "grafana" / "telephony.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [
        rule["expr"] for group in yaml.safe_load(rules.read_text())["groups"] for rule in group["rules"]
    ]
    known = set(re.findall(r"^# TYPE (\w+)", service.api.get("/metrics").text, re.MULTILINE))
    for name in re.findall(
        r"\b(?:sipbridge|telephony)_\w+", " ".join(re.sub(r"\w+:\w+:\w+", "", each) for each in asked)
    ):
        base = re.sub(r"_(bucket|count|sum)\Z", "", name)
        assert {name, base, re.sub(r"_total\Z", "", name)} & known or name.startswith("sipbridge_shield"), (
            name
        )


def test_the_compose_file_and_the_elastic_files_parse(service):
    settings = {
        "SIP_ADVERTISED": "192.0.2.1:5060",
        "POSTGRES_PASSWORD": "p",
        "SECRET_KEY": "k" * 32,
        "PATH": "/usr/bin:/bin",
        "SIP_IDENTITY": "sip:me@example.com",
    }
    command = [
        require("docker-compose"),
        "-f",
        str(EXAMPLE / "compose.yaml"),
        "--profile",
        "elk",
        "--profile",
        "grafana",
    ]
    done = subprocess.run([*command, "config"], env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert {
        "engine",
        "service",
        "engine2",
        "service2",
        "kamailio",
        "database",
        "prometheus",
        "grafana",
        "kibana",
        "elasticsearch",
        "filebeat",
    } == set(services)
    passed = services["service"]["environment"]
    assert passed["SIP_IDENTITY"] == settings["SIP_IDENTITY"] and passed["LONGEST_CALL"] is None
    assert set(passed) <= {line.split()[0] for line in service.command("settings").splitlines()}
    without = dict(settings)
    del without["SECRET_KEY"]
    done = subprocess.run([*command, "config"], env=without, capture_output=True, text=True)
    assert done.returncode != 0 and "openssl rand -hex 32" in done.stderr
    template = json.loads((EXAMPLE / "deploy" / "elk" / "index-template.json").read_text())
    assert template["template"]["mappings"]["properties"]["trace"]["properties"]["id"]["type"] == "keyword"
    beat = yaml.safe_load((EXAMPLE / "deploy" / "elk" / "filebeat.yml").read_text())
    assert beat["output.elasticsearch"]["index"].startswith("telephony-")


def test_sentry_hears_of_a_lost_engine(tmp_path, telephone):
    server = SentryServer()
    copy = Running(tmp_path, SIP_ENGINE="worker", SENTRY_DSN=server.dsn, SENTRY_ENVIRONMENT="staging")
    copy.api.headers.update(copy.token())
    copy.start()
    try:
        id = copy.api.post("/calls", json={"to": telephone.uri("alice")}).json()["id"]
        copy.wait_call(id, state="answered")
        for pid in children(copy.process.pid):
            os.kill(pid, signal.SIGKILL)
        event = server.until(lambda event: "SIGKILL" in json.dumps(event))
        assert event["environment"] == "staging" and telephone.uri("alice") not in json.dumps(event)
        assert copy.stop() == 0
    finally:
        copy.stop(signal.SIGKILL)
        server.close()


def test_the_openapi_document_names_scopes_and_problems(service):
    document = service.api.get("/openapi.json").json()
    assert document["paths"]["/calls"]["post"]["security"] == [{"HTTPBearer": ["calls:write"]}]
    assert json.loads(service.command("openapi")) == document
