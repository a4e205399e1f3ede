"""``sipbridge listen`` with --health and --metrics."""

from __future__ import absolute_import, division, print_function

import json
import signal

import pytest

from peers.http import fetch
from peers.ports import free_port
from sipbridge import metrics
from sipbridge._command import cli
from unit.command.process import Listening, one_line, run


def test_the_pages_that_the_options_ask_for():
    health, scrapes = free_port(), free_port()
    with Listening("--health", str(health), "--metrics", "127.0.0.1:%d" % scrapes) as listening:
        assert run("call", listening.uri, "--duration", "0").process.returncode == 0
        ready = fetch("http://127.0.0.1:%d/ready" % health)
        assert ready.status == 200 and json.loads(ready.body)["problems"] == []
        text = fetch("http://127.0.0.1:%d/metrics" % scrapes).body
        assert 'sipbridge_calls_answered_total{direction="incoming",sip_endpoint="udp://127.0.0.1:' in text
        assert "process_open_fds" in text
        listening.process.send_signal(signal.SIGINT)
        assert listening.finish() == 0


def test_a_port_in_use():
    port = free_port()
    with Listening("--health", str(port)):
        second = run("listen", "udp://127.0.0.1:0", "--health", str(port))
        assert second.process.returncode == 3
        assert str(port) in one_line(second.errors)


@pytest.mark.parametrize("option", ["--health", "--metrics"])
@pytest.mark.parametrize("value", ["", "x", "65536", "127.0.0.1:"])
def test_what_is_no_port(capsys, option, value):
    with pytest.raises(SystemExit) as ended:
        cli.main(["listen", option, value])
    assert ended.value.code == 2
    assert "HOST:PORT" in one_line(capsys.readouterr().err)


def test_without_prometheus_client(monkeypatch, capsys):
    monkeypatch.setattr(metrics, "prometheus_client", None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["listen", "--metrics", "9160"])
    assert ended.value.code == 2
    assert "sipbridge[metrics]" in one_line(capsys.readouterr().err)
