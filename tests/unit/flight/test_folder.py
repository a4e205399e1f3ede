"""The folder of incidents: what is in one, what is masked, what stays."""

from __future__ import absolute_import, division, print_function

import io
import json
import os
import time

import pytest

import sipbridge
from sipbridge import record
from sipbridge._flight import folder as module
from sipbridge._flight.folder import IncidentFolder
from sipbridge._flight.incident import Incident

INVITE = (
    b"INVITE sip:+4930123456@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
    b'From: "Alice 4711" <sip:alice@example.com>;tag=1\r\nTo: <sip:+4930123456@example.com>\r\n'
    b"%s: %s\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
if str is bytes:
    CALL, COMPACT, OTHER = INVITE % (b"Call-ID", b"one"), INVITE % (b"i", b"one"), INVITE % (b"Call-ID", b"two")
else:
    CALL, COMPACT, OTHER = [
        INVITE.replace(b"%s: %s", field) for field in (b"Call-ID: one", b"i: one", b"Call-ID: two")
    ]


def passed(data, transport="udp", at=1e9):
    return record.Passed(at, "192.0.2.1:5060", "192.0.2.2:5070", data, transport, False)


def make_incident(**values):
    facts = dict(reason="dump", time=1e9, call_id="one", text="odd", traceback="", facts={})
    return Incident(**dict(facts, **values))


def read(path, name):
    with io.open(os.path.join(path, name), "rb") as stream:
        return list(record.read(stream))


def text_of(path, name):
    with io.open(os.path.join(path, name), encoding="utf-8") as stream:
        return stream.read()


def test_the_messages_of_the_call_are_apart(tmpdir):
    messages = [passed(CALL), passed(OTHER, at=1e9 + 0.25), passed(COMPACT, at=1e9 + 0.5)]
    path = IncidentFolder(str(tmpdir)).write(make_incident(), messages)
    assert read(path, "window.pcapng") == messages
    assert read(path, "call.pcapng") == [messages[0], messages[2]]
    assert os.path.basename(path).startswith("20010909T014640Z-dump-")
    assert json.loads(text_of(path, "incident.json"))["messages"] == {"window": 3, "call": 2}


def test_messages_of_tcp(tmpdir):
    messages = [passed(CALL, "tcp"), passed(OTHER, "tcp")]
    path = IncidentFolder(str(tmpdir)).write(make_incident(), messages)
    assert [each.data for each in read(path, "window.pcapng")] == [CALL, OTHER]


def test_an_incident_of_no_call(tmpdir):
    path = IncidentFolder(str(tmpdir)).write(make_incident(call_id="", traceback="Traceback"), [passed(CALL)])
    assert sorted(os.listdir(path)) == ["incident.json", "traceback.txt", "window.pcapng"]


def test_users_are_masked_everywhere_when_asked_for(tmpdir):
    incident = make_incident(traceback="no sip:+4930123456@example.com", facts={"to": "sip:+4930123456@example.com"})
    path = IncidentFolder(str(tmpdir), mask_numbers=True).write(incident, [passed(CALL)])
    for name in os.listdir(path):
        with io.open(os.path.join(path, name), "rb") as stream:
            octets = stream.read()
        assert b"4930123456" not in octets and b"4711" not in octets, name
    (message,) = read(path, "call.pcapng")
    assert len(message.data) == len(CALL)
    user = message.data[len(b"INVITE sip:") :].partition(b"@")[0].decode("ascii")
    assert user[0] == "+" and message.data.count(user.encode("ascii")) == 2
    assert user in text_of(path, "traceback.txt") and user in text_of(path, "incident.json")


@pytest.mark.parametrize(
    "text",
    [u'Digest username="a", response="abc"', u"response=abc\nmore", u'response="abc', u"Authorization: Basic abc"],
    ids=["digest", "lines", "open", "basic"],
)
def test_texts_are_masked_within_the_json(tmpdir, text):
    path = IncidentFolder(str(tmpdir)).write(make_incident(text=text, facts={"line": [text, None, 5]}), [])
    told = json.loads(text_of(path, "incident.json"))
    assert u"abc" not in told["text"] and told["line"] == [told["text"], None, 5]


def test_only_the_last_ones_stay(tmpdir):
    kept = IncidentFolder(str(tmpdir), count=2)
    paths = [kept.write(make_incident(time=1e9 + second), []) for second in range(4)]
    assert sorted(os.listdir(str(tmpdir))) == [os.path.basename(path) for path in paths[2:]]


def test_only_as_much_stays_as_there_may_be(tmpdir):
    kept = IncidentFolder(str(tmpdir), megabytes=1)
    paths = [kept.write(make_incident(time=1e9 + second), [passed(CALL + b"x" * 60000)] * 10) for second in range(3)]
    assert [os.path.exists(path) for path in paths] == [False, False, True]


def test_old_ones_go(tmpdir):
    kept = IncidentFolder(str(tmpdir), days=1)
    old = kept.write(make_incident(), [])
    os.utime(old, (time.time() - 90000,) * 2)
    kept.write(make_incident(), [])
    assert not os.path.exists(old)


def test_what_is_no_incident_stays(tmpdir):
    tmpdir.join("20010909T014640Z-dump-000000").ensure(dir=True).join("mine").write("")
    tmpdir.join("notes").write("")
    kept = IncidentFolder(str(tmpdir), count=1)
    for second in range(3):
        kept.write(make_incident(time=1e9 + second), [])
    assert tmpdir.join("notes").exists() and tmpdir.join("20010909T014640Z-dump-000000", "mine").exists()


def test_what_a_killed_process_has_left_goes(tmpdir):
    left = tmpdir.join(".20010909T014640Z-dump-000000.new").ensure(dir=True)
    fresh = tmpdir.join(".20010909T014641Z-dump-000000.new").ensure(dir=True)
    os.utime(str(left), (time.time() - 7200,) * 2)
    IncidentFolder(str(tmpdir)).write(make_incident(), [])
    assert not left.exists() and fresh.exists()


def test_an_incident_that_cannot_be_written_leaves_nothing(tmpdir, monkeypatch):
    kept = IncidentFolder(str(tmpdir))

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(module, "pieces", fail)
    with pytest.raises(OSError):
        kept.write(make_incident(), [passed(CALL)])
    assert os.listdir(str(tmpdir)) == []


def test_a_folder_that_cannot_be_made(tmpdir):
    tmpdir.join("file").write("")
    with pytest.raises(sipbridge.InputError) as caught:
        IncidentFolder(str(tmpdir.join("file", "incidents")))
    assert "cannot write to" in str(caught.value)
