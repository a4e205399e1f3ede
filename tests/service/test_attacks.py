"""What attackers and unlucky operators send, and what becomes of it."""

import socket

import pytest

from peers.ports import HOST
from peers.waiting import wait_until
from service.running import EXAMPLE, LIMIT, Running
from service.test_calls import place


def raw(service, octets):
    """Send octets by TCP; what came back."""
    with socket.create_connection((HOST, service.http_port), LIMIT) as connection:
        connection.sendall(octets)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_invented_methods_make_no_new_metrics(service):
    for number in range(20):
        raw(service, b"INVENTED%d / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % number)
    assert "INVENTED" not in service.api.get("/metrics").text


def test_a_body_in_chunks_has_the_same_limit(service):
    answer = service.api.post("/calls", content=(b"x" * 10_000 for _ in range(100)))
    assert answer.status_code == 413


def test_a_path_makes_one_log_line(tmp_path):
    running = Running(tmp_path, LOG_JSON="false")
    running.start()
    try:
        running.api.get("/here%0aFORGED%1b[31m")
        wait_until(lambda: "FORGED" in running.log(), LIMIT)
        assert "\nFORGED" not in running.log() and "\x1b" not in running.log()
    finally:
        assert running.stop() == 0


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_utc_does_not_have_is_not_valid(service, moment):
    assert service.api.get("/calls", params={"before": moment}).status_code == 422


def test_text_in_records_is_cut_by_octets(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from telephony.sip.book import LONGEST, clean

    assert len(clean("\U0001f600" * LONGEST).encode()) <= LONGEST
    assert clean("a\0b\ud800") == "a\ufffdb?"
