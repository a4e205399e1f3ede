"""The lines of the loggers, their facts, and the JSON that they become."""

from __future__ import absolute_import, division, print_function

import io
import json
import logging
import os

import pytest

import sipbridge
from peers.waiting import wait_until
from sipbridge import logs, testing
from sipbridge._agent import journal, pace
from sipbridge._agent.observers import Refusal
from sipbridge._engine.records import Source

LIMIT = 10.0  # seconds: only a test that fails waits that long

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs")

#: The fields of ECS 8 that may be in a line, and for some of them the values that ECS knows.
ECS = {
    "@timestamp": None, "message": None, "ecs.version": None,
    "log.level": None, "log.logger": None, "log.original": None,
    "log.origin.function": None, "log.origin.file.line": None, "log.origin.file.name": None,
    "process.pid": None, "process.name": None, "process.thread.id": None, "process.thread.name": None,
    "error.type": None, "error.message": None, "error.stack_trace": None,
    "event.action": None, "event.duration": None, "event.reason": None,
    "event.kind": ["event"],
    "event.category": ["network", "process"],
    "event.type": ["access", "allowed", "change", "connection", "denied", "end", "info", "protocol", "start"],
    "event.outcome": ["success", "failure", "unknown"],
    "network.direction": ["inbound", "outbound", "internal", "external", "unknown"],
    "network.transport": ["udp", "tcp"],
    "network.protocol": ["sip"],
    "source.ip": None, "source.port": None, "rule.name": None, "service.name": None, "tags": None,
}  # fmt: skip

#: Those of Packetbeat.
PACKETBEAT = {"sip.call_id", "sip.from.uri.original", "sip.to.uri.original", "sip.code", "sip.status", "sip.method"}


class Kept(logging.Handler):
    """Keeps the lines of sipbridge's loggers."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def of(self, event):
        return [record for record in self.records if getattr(record, "event", None) == event]

    def until(self, event, number=1):
        wait_until(lambda: len(self.of(event)) >= number)
        return self.of(event)[0]


@pytest.fixture
def kept():
    handler, logger = Kept(), logging.getLogger("sipbridge")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def facts(record):
    return {field.name: getattr(record, field.name) for field in logs.FIELDS if hasattr(record, field.name)}


def flat(value, prefix=""):
    """{"a.b": 1} of {"a": {"b": 1}}."""
    found = {}
    for name, each in value.items():
        found.update(flat(each, prefix + name + ".") if isinstance(each, dict) else {prefix + name: each})
    return found


def test_a_call_has_three_lines_on_each_side(network, kept):
    bob, alice = network.endpoint("sip:bob@example.com"), network.endpoint("sip:alice:secret@example.com")
    bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    call = alice.call("sip:bob@example.com", testing.SDP)
    call.hangup()
    call.wait_ended(LIMIT)
    kept.until("call-ended", 2)
    for direction, cause in (("outbound", "local-bye"), ("inbound", "remote-bye")):
        records = [record for record in kept.records if record.direction == direction]
        assert [record.event for record in records] == ["call-started", "call-answered", "call-ended"]
        for record in records:
            assert (record.name, record.levelname) == ("sipbridge.call", "INFO")
            said = facts(record)
            assert said["call_id"] == call.call_id
            assert said["from"] == "sip:alice:***@example.com" and said["to"] == "sip:bob@example.com"
        assert (records[-1].cause, records[-1].status) == (cause, 200)
        assert "call ended after %.3f s: %s" % (records[-1].seconds, cause) in records[-1].getMessage()
        assert 0.0 <= records[1].seconds < LIMIT


def test_registrations_have_a_line_for_each_change(network, kept):
    alice = network.endpoint("sip:alice@example.com")
    registration = alice.register("sip:example.org")
    registration.refresh()
    registration.unregister()
    kept.until("registration-changed", 3)
    changes = [(record.before, record.state) for record in kept.of("registration-changed")]
    assert changes == [(None, "pending"), ("pending", "active"), ("active", "ended")]
    assert kept.of("registration-refreshed") == []  # which is at DEBUG
    line = kept.of("registration-changed")[1]
    assert line.getMessage() == "registration of sip:alice@example.com at sip:example.org: active for 3600 s (200 OK)"


SOURCE = Source("192.0.2.7", 5062, "tls")


def refuse(journal, rule="congested", source=SOURCE):
    journal.refused(Refusal(rule, 503, u"INVITE", source, u"1@a"))


def test_a_challenge_is_nothing_to_tell_of(kept):
    lines = journal.Journal()
    refuse(lines, "unauthenticated")
    refuse(lines, "wrong-credentials")
    assert [record.levelname for record in kept.of("refused")][-1] == "INFO"
    assert [record.rule for record in kept.of("refused") if record.levelno >= logging.INFO] == ["wrong-credentials"]


def test_a_flood_of_refusals_has_few_lines_that_count_all(kept, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pace, "monotonic", lambda: now[0])
    lines = journal.Journal()
    for _ in range(3000):
        refuse(lines)
        refuse(lines, "handlers", None)
        now[0] += 0.01
    counted = [record.count for record in kept.of("refused") if record.rule == "congested"]
    assert counted[:5] == [1] * 5 and len(counted) == 7  # five at once, then one in ten seconds
    now[0] += 60.0
    refuse(lines)
    refuse(lines)
    counted = [record.count for record in kept.of("refused") if record.rule == "congested"]
    assert sum(counted) == 3002 and counted[-1] == 1
    line = kept.of("refused")[0]
    assert (line.name, line.levelname, line.source_address) == ("sipbridge.shield", "INFO", "192.0.2.7")


def test_what_a_peer_chooses_cannot_control_a_terminal_nor_fill_a_disk(network, kept):
    bob, alice = network.endpoint("sip:bob@example.com"), network.endpoint("sip:alice@example.com")
    long_one = u"sip:%s@example.com" % (u"x" * 5000)
    with pytest.raises(sipbridge.ResponseError):
        alice.call(bob.uri, testing.SDP, from_=long_one)
    kept.until("call-ended", 2)
    assert all(len(record.getMessage()) < 1000 for record in kept.records)
    assert journal._text(u"a\x1b[31m\n\u202eb") == u"a\\x1b[31m\\x0a\\u202eb"
    assert journal._uri(u"sips:a:b:c@h?Authorization=x") == u"sips:a:***@h"


def test_the_facts_are_those_of_ecs(network, kept):
    bob, alice = network.endpoint("sip:bob@example.com"), network.endpoint("sip:alice@example.com")
    bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    alice.register("sip:example.org").unregister()
    call = alice.call("sip:bob@example.com", testing.SDP)
    call.hangup()
    call.wait_ended(LIMIT)
    refuse(journal.Journal())
    kept.until("call-ended", 2)
    formatter = logs.EcsFormatter(service="phones")
    own = {field.ecs for field in logs.FIELDS if field.ecs.startswith("sipbridge.")}
    for record in kept.records:
        line = formatter.format(record)
        assert "\n" not in line
        for name, value in flat(json.loads(line)).items():
            assert name in ECS or name in PACKETBEAT or name in own, name
            if ECS.get(name) is not None:
                assert not set(value if isinstance(value, list) else [value]).difference(ECS[name]), (name, value)
    ended = flat(json.loads(formatter.format(kept.of("call-ended")[0])))
    assert ended["event.outcome"] == "success" and ended["sip.call_id"] == call.call_id
    assert isinstance(ended["event.duration"], int) and ended["service.name"] == "phones"
    refused = flat(json.loads(formatter.format(kept.of("refused")[0])))
    assert (refused["source.ip"], refused["network.transport"]) == ("192.0.2.7", "tcp")
    assert (refused["event.outcome"], refused["rule.name"]) == ("failure", "congested")


def test_the_names_of_fields_are_known_to_ecs_or_to_packetbeat():
    for field in logs.FIELDS:
        assert field.ecs in ECS or field.ecs in PACKETBEAT or field.ecs.startswith("sipbridge."), field
    assert set(logs._KINDS) >= {"call-started", "engine-lost", "refused"}


def test_other_loggers_lines_are_left_as_they_are():
    record = logging.makeLogRecord(dict(name="service", levelname="INFO", msg="hello", call_id="mine"))
    assert flat(json.loads(logs.EcsFormatter().format(record)))["call_id"] == "mine"


def test_an_exception_has_its_type_and_trace(network, kept):
    bob, alice = network.endpoint("sip:bob@example.com"), network.endpoint("sip:alice@example.com")

    @bob.on(sipbridge.MessageReceived)
    def fail(event):
        raise ValueError("too much")

    with pytest.raises(sipbridge.ResponseError):
        alice.message(bob.uri, "hello")
    line = flat(json.loads(logs.EcsFormatter().format(kept.until("handler-failed"))))
    assert (line["error.type"], line["error.message"]) == ("ValueError", "too much")
    assert "in fail" in line["error.stack_trace"] and line["sip.call_id"]


def test_all_lines_as_json(monkeypatch):
    root = logging.getLogger()
    level, stream = root.level, io.StringIO() if not isinstance("", bytes) else io.BytesIO()
    handler = logs.write_json(stream, logging.WARNING, "phones")
    try:
        logging.getLogger("service").warning("hello")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert json.loads(stream.getvalue())["message"] == "hello"


def test_what_to_install_is_said_where_ecs_logging_is_missing(monkeypatch):
    monkeypatch.setattr(logs, "_Base", None)
    with pytest.raises(sipbridge.NotSupportedError) as caught:
        logs.write_json()
    assert "sipbridge[logs]" in str(caught.value)


def test_the_table_in_the_docs_is_that_of_the_code():
    rows = ["| field | in JSON | |", "| --- | --- | --- |"]
    rows += ["| `%s` | `%s` | %s |" % (field.name, field.ecs, field.meaning) for field in logs.FIELDS]
    with io.open(os.path.join(DOCS, "watching.md"), encoding="utf-8") as page:
        assert "\n".join(rows) in page.read(), "\n" + "\n".join(rows)
