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


@pytest.mark.parametrize(
    "to",
    [
        "sip:busy@%s1:%d",
        "sip:busy@%s.example.com:%d",
        "sip:busy@%s:%d;maddr=192.0.2.1",
        "sip:busy@%s:%d;M%%41DDR=192.0.2.1",
        "SIP:busy@%s:%d",
        "sips:busy@%s:%d",
        "sip:b%%75sy@%s:%d",
    ],
)
def test_a_destination_cannot_be_got_round(service, telephone, to):
    words = "--scope", "calls:write", "--destination", "sip:busy@" + HOST
    token = service.taken_token("narrow", *words)
    good = {"to": telephone.uri("busy")}
    wait_until(lambda: service.api.post("/calls", json=good, headers=token).status_code == 202, LIMIT)
    body = {"to": to % (HOST, telephone.endpoint.port)}
    answer = service.api.post("/calls", json=body, headers=token)
    assert (answer.status_code, answer.json()["title"]) == (403, "Destination not allowed")


def test_calls_that_are_up_together_share_the_minutes(service, telephone):
    token = service.taken_token("shared", "--minutes", "1")
    body = {"to": telephone.uri("alice")}
    ids = [service.api.post("/calls", json=body, headers=token).json()["id"] for _ in range(20)]
    for id in ids:  # 20 calls use up a minute in three seconds
        record = service.wait_call(id, state="ended")
        assert record["cause"] == "local-bye" and record["seconds"] < 30


def test_a_transfer_counts_as_a_call(service, telephone):
    token = service.taken_token("mover", "--calls", "2")
    id = place(service, telephone.uri("alice"))
    service.wait_call(id, state="answered")
    body = {"to": telephone.uri("busy")}
    answers = [service.api.post("/calls/%s/transfer" % id, json=body, headers=token) for _ in range(3)]
    assert [each.status_code for each in answers] == [502, 502, 429]
    service.api.delete("/calls/" + id)


def test_a_call_of_others_is_not_touched(service, telephone):
    words = "--scope", "calls:write", "--scope", "calls:read"
    token = service.taken_token("stranger", *words)
    id = place(service, telephone.uri("alice"))
    service.wait_call(id, state="answered")
    answers = (
        service.api.delete("/calls/" + id, headers=token),
        service.api.post("/calls/%s/transfer" % id, json={"to": telephone.uri("bob")}, headers=token),
    )
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"]) == (403, "This token lacks: operate")
    assert service.wait_call(id)["state"] == "answered"
    service.api.delete("/calls/" + id)
    own = service.api.post("/calls", json={"to": telephone.uri("alice")}, headers=token).json()["id"]
    assert service.api.delete("/calls/" + own, headers=token).status_code == 202


@pytest.mark.parametrize("path, body", [("/calls", {}), ("/messages", {"text": "hello"})])
def test_whom_it_is_from_is_not_for_every_token_to_say(service, telephone, path, body):
    token = service.taken_token(
        "honest", "--scope", "calls:write", "--scope", "messages:write", "--scope", "calls:read"
    )
    body = body | {"to": telephone.uri("busy"), "from": "sip:chief@example.com"}
    answer = service.api.post(path, json=body, headers=token)
    assert (answer.status_code, answer.json()["detail"]) == (403, "This token lacks: calls:from")


def test_a_request_that_makes_no_call_uses_up_none(service, telephone):
    token = service.taken_token("clumsy", "--calls", "1")
    assert service.api.post("/calls", json={"to": "sip:no one@"}, headers=token).status_code == 422
    assert service.api.post("/calls", json={"to": telephone.uri("busy")}, headers=token).status_code == 202


def test_a_connection_of_two_counts_as_two_calls_while_it_is_up(service, telephone):
    token = service.taken_token("connector", "--calls", "2")
    body = {"first": telephone.uri("alice"), "second": telephone.uri("bob")}
    id = service.api.post("/click-to-call", json=body, headers=token).json()["id"]
    wait_until(lambda: [each for each in service.rows("SELECT bridge FROM calls") if each == (id,)], LIMIT)
    answer = service.api.post("/calls", json={"to": telephone.uri("busy")}, headers=token)
    assert (answer.status_code, answer.json()["title"]) == (429, "Limit of calls reached")
    service.api.delete("/calls/" + id, headers=token)


def test_who_listens_hears_nothing_once_the_token_is_replaced(service, telephone):
    token = service.taken_token("replaced")
    place(service, telephone.uri("busy"))
    listener = service.listen(0, **token)
    next(listener)
    service.token("replaced")
    wait_until(lambda: service.api.get("/trunks", headers=token).status_code == 401, LIMIT)
    id = place(service, telephone.uri("busy"))
    assert id not in [facts["id"] for _, _, facts in listener]  # which ends


def test_a_menu_with_nonsense_is_refused_at_once(service):
    answer = service.api.put("/numbers/400", json={"menu": {"1": "nonsense"}})
    assert (answer.status_code, answer.json()["title"]) == (422, "Not possible in SIP")
    assert "400" not in service.api.get("/numbers").json()


def test_a_wrong_change_leaves_the_trunk_as_it_is(service, telephone):
    good = {"address": telephone.uri("me"), "registrar": telephone.uri("me")}
    assert service.api.put("/trunks/kept", json=good).status_code == 200
    for wrong in ({"address": "nonsense"}, {"registrar": "nonsense"}):
        assert service.api.put("/trunks/kept", json=good | wrong).status_code == 422
    id = place(service, "+4940", trunk="kept")
    assert service.wait_call(id, state="answered")["callee"] == telephone.uri("+4940")
    service.api.delete("/calls/" + id)
    service.api.delete("/trunks/kept")


def test_no_password_is_kept_where_nothing_encrypts_it(tmp_path):
    running = Running(tmp_path, SECRET_KEY="")
    running.api.headers.update(running.token())
    running.start()
    try:
        body = {"address": "sip:1@127.0.0.1", "registrar": "sip:127.0.0.1", "password": "in the clear"}
        assert running.api.put("/trunks/one", json=body).json()["title"] == "No SECRET_KEY"
        assert running.api.get("/trunks").json() == []
    finally:
        assert running.stop() == 0


def test_settings_are_printed_without_the_secrets_in_urls(tmp_path):
    running = Running(
        tmp_path,
        DATABASE_URL="postgresql://me:hidden1@db/calls",
        SENTRY_DSN="https://hidden2@sentry.example/1",
    )
    printed = running.command("settings")
    assert "hidden" not in printed and "postgresql://me:***@db/calls" in printed


def test_sigterm_while_it_starts_ends_it(tmp_path):
    running = Running(tmp_path)
    running.command("settings")
    running.process = running.begin("log", "serve")
    wait_until(lambda: "the SIP engine runs in" in running.log(), LIMIT)  # HTTP is not up yet
    assert running.stop() == 0


def test_the_erasure_of_a_short_number_keeps_incidents_of_others(service):
    incidents = service.folder / "incidents"
    for name, text in (("a-1", "sip:4711@example.com"), ("a-2", "sip:11@example.com")):
        (incidents / name).mkdir(parents=True)
        (incidents / name / "incident.json").write_text(text)
    service.api.delete("/records", params={"number": "11"})
    assert (incidents / "a-1").exists() and not (incidents / "a-2").exists()


def test_what_it_keeps_is_for_its_user_alone(service):
    kept = [path for path in service.folder.rglob("*") if "sqlite3" in path.name]
    assert len(kept) >= 2 and not [path for path in kept if path.stat().st_mode & 0o077]


def test_behind_a_proxy_limits_go_by_the_caller(tmp_path):
    running = Running(
        tmp_path,
        SIP_ALLOW='["192.0.2.0/24"]',
        SIP_TRUSTED_PROXIES='["127.0.0.1"]',
        SIP_SOURCE_HEADER="X-Source-Address",
    )
    running.start()
    try:
        lines = [
            "OPTIONS sip:x@{0}:{1} SIP/2.0",
            "Via: SIP/2.0/UDP {0}:{2};rport;branch=z9hG4bK{3}",
            "From: <sip:a@{0}>;tag=1",
            "To: <sip:x@{0}>",
            "Call-ID: {3}",
            "CSeq: 1 OPTIONS",
            "X-Source-Address: {3}",
            "Content-Length: 0\r\n\r\n",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as proxy:
            proxy.bind((HOST, 0))
            proxy.settimeout(LIMIT)
            answers = []
            for source in ("192.0.2.7", "198.51.100.7"):
                text = "\r\n".join(lines).format(HOST, running.sip_port, proxy.getsockname()[1], source)
                proxy.sendto(text.encode(), (HOST, running.sip_port))
                answers.append(proxy.recv(65536).split(b" ")[1])
        assert answers == [b"200", b"403"]
    finally:
        assert running.stop() == 0


def test_text_in_records_is_cut_by_octets(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from telephony.sip.book import LONGEST, clean

    assert len(clean("\U0001f600" * LONGEST).encode()) <= LONGEST
    assert clean("a\0b\ud800") == "a\ufffdb?"
