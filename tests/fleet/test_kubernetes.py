"""The manifests for Kubernetes fit together, the service and the engine. (`make lint` checks them by schema.)"""

import os
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

import sipbridge
from peers.sidecar import EngineCommand
from sipbridge._command.options import build_parser

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICE = ROOT / "examples/telephony/telephony"
SOCKET = "unix:///run/sipbridge/engine.sock"

#: Seconds that the service has for connections and its last records when all calls have ended.
LINGER = 5


def manifests():
    return list(yaml.safe_load_all((ROOT / "deploy/kubernetes/fleet.yaml").read_text()))


def of(kind, name="telephony"):
    (found,) = [each for each in manifests() if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found["spec"]


def pod():
    return of("StatefulSet")["template"]["spec"]


def engine():
    return pod()["initContainers"][0]


def service():
    return pod()["containers"][0]


def variables():
    return {each["name"]: each.get("value") for each in service()["env"]}


def test_all_select_the_same_pods():
    labels = of("StatefulSet")["template"]["metadata"]["labels"]
    assert of("StatefulSet")["selector"]["matchLabels"] == labels
    assert of("PodDisruptionBudget")["selector"]["matchLabels"] == labels
    assert of("Service")["selector"] == of("Service", "engines")["selector"] == labels


def test_kamailio_finds_each_pod_by_a_name_of_its_own():
    governing = of("Service", of("StatefulSet")["serviceName"])
    assert governing["clusterIP"] == "None" and governing["publishNotReadyAddresses"] is True
    (sip,) = engine()["ports"]
    assert (sip["containerPort"], sip["protocol"]) == (governing["ports"][0]["port"], governing["ports"][0]["protocol"])
    assert variables()["SIP_ADDRESS"].endswith(":%d" % sip["containerPort"])
    assert variables()["SIP_ADVERTISED"].endswith(":%d" % sip["containerPort"])


def test_the_engine_serves_the_service():
    options = build_parser().parse_args(engine()["args"])
    assert options.address == SOCKET == variables()["SIP_SOCKET"]
    assert options.allow_uid == [service()["securityContext"]["runAsUser"]]
    assert options.socket_group == pod()["securityContext"]["fsGroup"]
    for probe in (engine()["startupProbe"], engine()["livenessProbe"]):
        checking = build_parser().parse_args(probe["exec"]["command"][1:])
        assert checking.check and checking.address == SOCKET
    mounts = [{each["name"]: each["mountPath"] for each in one["volumeMounts"]} for one in (engine(), service())]
    assert mounts[0]["socket"] == mounts[1]["socket"] == "/run/sipbridge"


def test_the_service_has_such_settings_and_such_pages():
    known = re.findall(r"^    (\w+): ", (SERVICE / "settings.py").read_text(), re.MULTILINE)
    assert {name.lower() for name in variables()} - set(known) == {"pod_ip"}
    pages = (SERVICE / "api/operations.py").read_text()
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert '@router.get("%s"' % service()[name]["httpGet"]["path"] in pages


def test_calls_have_the_time_to_end():
    sleep, seconds = service()["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    needed = int(seconds) + int(variables()["DRAIN_SECONDS"]) + LINGER
    assert needed <= pod()["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("container", [engine, service])
def test_a_container_can_do_little(container):
    granted = container()["securityContext"]
    assert granted["readOnlyRootFilesystem"] is True and granted["allowPrivilegeEscalation"] is False
    assert granted["capabilities"] == {"drop": ["ALL"]} and granted["runAsUser"] > 0


def test_the_engine_is_not_ended_before_the_service_has_let_go(tmp_path):
    """Its preStop, for real: it waits while a service is connected, and ends when that is gone."""
    command = tmp_path / "sipbridge"
    command.write_text('#!/bin/sh\nexec "%s" -m sipbridge "$@"\n' % sys.executable)
    command.chmod(0o755)
    running = EngineCommand()
    words = [each.replace(SOCKET, running.address) for each in engine()["lifecycle"]["preStop"]["exec"]["command"]]
    path = "%s:%s" % (tmp_path, os.environ["PATH"])
    try:
        with sipbridge.Endpoint(engine=sipbridge.Sidecar(running.address, connect_timeout=40.0)):
            waiting = subprocess.Popen(words, env=dict(os.environ, PATH=path))
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(3.0)
        assert waiting.wait(20.0) == 0
        assert running.process.poll() is None
    finally:
        running.stop()
