"""examples/watched_service.py: what goes wrong is to be seen in its log, in its metrics and in Sentry."""

from __future__ import absolute_import, division, print_function

import json
import os
import signal
import socket
import sys

import pytest

import sipbridge
from peers import certificates
from peers.http import fetch
from peers.ports import free_port
from peers.process import Process, children
from peers.sentry_server import SentryServer
from peers.waiting import wait_until
from sipbridge import testing
from sipbridge.sentry import CALL, ENGINE, REFUSAL

PROGRAM = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, os.pardir, "examples", "watched_service.py"
)

LIMIT = 20.0  # seconds: only a test that fails waits that long


def flat(record, prefix=""):
    """A line of the log, its names with dots."""
    found = {}
    for name, value in record.items():
        found.update(flat(value, prefix + name + ".") if isinstance(value, dict) else {prefix + name: value})
    return found


class Service(object):
    """The program, and all that it tells of itself."""

    def __init__(self, folder, pem):
        # On 2.7 sentry-sdk reads the certificates of certifi alone, unless the program says otherwise.
        self.sentry = SentryServer(None if sys.version_info[0] == 2 else pem)
        self.homer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.homer.bind(("127.0.0.1", 0))
        self.homer.settimeout(LIMIT)
        port, self._metrics, self._health = free_port(), free_port(), free_port()
        self.uri = "sip:127.0.0.1:%d" % port
        environment = dict(
            HOMER="udp://127.0.0.1:%d" % self.homer.getsockname()[1], METRICS_PORT=str(self._metrics),
            HEALTH_PORT=str(self._health), SENTRY_DSN=self.sentry.dsn, SSL_CERT_FILE=pem.ca,
        )  # fmt: skip
        # Its file for the records of calls is a folder, so that it cannot write any.
        command = [sys.executable, PROGRAM, "udp://127.0.0.1:%d" % port, "sip:nobody@127.0.0.1", folder]
        self._process = Process(command, folder, "service", environment)
        wait_until(lambda: self.is_ready() or not self._process.is_alive(), LIMIT)

    def is_ready(self):
        """Whether its health says that calls may come."""
        try:
            return fetch("http://127.0.0.1:%d/ready" % self._health).status == 200
        except EnvironmentError:  # it has not begun
            return False

    def lines(self, logger, **facts):
        """The lines of a logger with these facts, in whose names _ stands for a dot, once there are any."""
        wanted = dict(((name.replace("_", "."), value) for name, value in facts.items()), **{"log.logger": logger})
        found = []

        def look():
            whole = [line for line in self.report().splitlines(True) if line[:1] == "{" and line[-1:] == "\n"]
            told = [flat(json.loads(line)) for line in whole]
            found[:] = [each for each in told if all(each.get(name) == wanted[name] for name in wanted)]
            return found

        wait_until(look, LIMIT)
        return found

    def metric(self, name, **labels):
        """The value of the sample that has these labels among its own; 0 where there is none."""
        pairs = ['%s="%s"' % pair for pair in labels.items()]
        for line in fetch("http://127.0.0.1:%d/metrics" % self._metrics).body.splitlines():
            head, _, value = line.rpartition(" ")
            if head.partition("{")[0] == "sipbridge_" + name and all(pair in head for pair in pairs):
                return float(value)
        return 0.0

    def until_metric(self, value, name, **labels):
        wait_until(lambda: self.metric(name, **labels) == value, LIMIT)

    def kill_worker(self):
        """The process id of the one that was killed."""
        (pid,) = children(self._process.pid)
        os.kill(pid, signal.SIGKILL)
        return pid

    def report(self):
        return self._process.output()

    def stop(self):
        self._process.stop()
        self.sentry.close()
        self.homer.close()


@pytest.fixture
def service(starter, tmpdir):
    return starter.keep("service", Service(starter.folder(), certificates.make(str(tmpdir.mkdir("pem")))))


@pytest.fixture
def make_caller():
    """Makes endpoints that call the service: alice, with a password, from an address."""
    made = []

    def make(password, host="127.0.0.1"):
        caller = sipbridge.Endpoint("udp://%s:0" % host, identity="sip:alice@example.com", engine=sipbridge.Worker())
        made.append(caller)
        caller.add_credentials("alice", password)
        return caller

    yield make
    for caller in made:
        caller.close()


def is_refused(rule):
    return lambda event: event.get("contexts", {}).get(REFUSAL, {}).get("rule") == rule


def is_raised(*kinds):
    return lambda event: [each for each in (event.get("exception") or {}).get("values") or () if each["type"] in kinds]


def test_what_goes_wrong_is_seen_in_log_metric_and_sentry(service, make_caller):
    # A wrong password.
    with pytest.raises(sipbridge.AuthenticationError):
        make_caller("looking-glass").call(service.uri, testing.SDP)
    service.lines("sipbridge.shield", rule_name="wrong-credentials", source_ip="127.0.0.1")
    service.until_metric(1, "refused_total", method="INVITE", rule="wrong-credentials")
    service.sentry.until(is_refused("wrong-credentials"))

    # A failing handler.
    call = make_caller("wonder-land").call(service.uri, testing.SDP)
    call.hangup()
    (failed,) = service.lines("sipbridge", log_level="error")
    assert "Is a directory" in failed["error.message"] and failed["sip.call_id"] == call.call_id
    service.until_metric(1, "handler_failures_total", event="IncomingCall")
    event = service.sentry.until(is_raised("IOError", "IsADirectoryError"))
    assert event["contexts"][CALL]["call_id"] == call.call_id
    (ended,) = service.lines("sipbridge.call", event_action="call-ended")
    assert (ended["sip.call_id"], ended["event.reason"]) == (call.call_id, "remote-bye")

    # A killed worker.
    killed = service.kill_worker()
    (lost,) = service.lines("sipbridge.engine", log_level="error")
    assert lost["sipbridge.worker.pid"] == killed and "SIGKILL" in lost["event.reason"]
    service.until_metric(1, "engine_losses_total")
    event = service.sentry.until(is_raised("SIGKILL"))
    assert event["contexts"][ENGINE]["pid"] == killed
    wait_until(service.is_ready, LIMIT)

    # A flood from one address, and not from another.
    flooding = make_caller("wonder-land", "127.0.0.2")

    def is_too_much():
        for _ in range(10):
            flooding.invite(service.uri, testing.SDP)
        return service.metric("refused_total", method="INVITE", rule="source-rate") > 0

    wait_until(is_too_much, LIMIT)
    service.lines("sipbridge.shield", rule_name="source-rate", source_ip="127.0.0.2")
    service.sentry.until(is_refused("source-rate"))
    make_caller("wonder-land").call(service.uri, testing.SDP).hangup()

    # And Homer has had all of it.
    messages = [service.homer.recv(65536) for _ in range(10)]
    assert b"INVITE sip:" in messages[0] and not any(b"looking-glass" in message for message in messages)
    assert service.metric("hep_dropped_total") == 0
