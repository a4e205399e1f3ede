"""The fleet in the telephony service's compose file: its parts fit together, and Kamailio reads its configuration."""

import pathlib
import re
import shutil
import subprocess

import yaml

from fleet.running import SHIPPED
from peers.process import require

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples/telephony"
OURS = EXAMPLE / "deploy/kamailio"


def services():
    return yaml.safe_load((EXAMPLE / "compose.yaml").read_text())["services"]


def settings(text):
    """What a configuration defines, and what is behind it; without where Kamailio listens."""
    lines = [line for line in text.splitlines() if re.match(r"(?!#)\w|#!define", line)]
    return [line for line in lines if not line.startswith("listen=")]


def test_each_service_has_an_engine_of_its_own():
    found = services()
    for engine, service in (("engine", "service"), ("engine2", "service2")):
        assert found[engine]["volumes"][0] in found[service]["volumes"] and engine in found[service]["depends_on"]
    assert not set(found["service"]["volumes"]) & set(found["service2"]["volumes"])
    assert found["service2"]["environment"]["SIP_ADVERTISED"] == "engine2:5060"
    assert found["engine2"]["profiles"] == found["service2"]["profiles"] == found["kamailio"]["profiles"] == ["fleet"]


def test_kamailio_has_the_engines_in_its_list():
    listed = re.findall(r"^1 sip:(\w+):5060$", (OURS / "dispatcher.list").read_text(), re.MULTILINE)
    assert listed == [name for name in services() if name.startswith("engine")]


def test_kamailio_reads_its_configuration(tmp_path):
    for source in pathlib.Path(SHIPPED).iterdir():
        shutil.copy(str(source), str(tmp_path))
    for source in OURS.iterdir():
        text = source.read_text().replace("udp:eth0", "udp:lo").replace("/etc/kamailio/", "%s/" % tmp_path)
        (tmp_path / source.name).write_text(text)
    words = [re.sub(r"\$\{.*\}", "192.0.2.1:5060", word) for word in services()["kamailio"]["command"]]
    command = [require("kamailio"), "-c", "-f", str(tmp_path / "kamailio.cfg"), *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_only_the_addresses_differ_from_what_is_shipped():
    shipped = pathlib.Path(SHIPPED, "local.cfg").read_text()
    assert settings((OURS / "local.cfg").read_text()) == settings(shipped)
