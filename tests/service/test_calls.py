"""Calls by HTTP."""

import threading

import pytest

from peers.waiting import wait_until
from service.running import LIMIT


def place(service, to, **more):
    answer = service.api.post("/calls", json={"to": to, **more})
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == "/calls/" + answer.json()["id"]
    return answer.json()["id"]


def test_a_call_is_placed_followed_and_hung_up(service, telephone):
    id = place(service, telephone.uri("alice"), **{"from": "sip:service@example.com"})
    record = service.wait_call(id, state="answered")
    assert record["direction"] == "outbound" and record["callee"] == telephone.uri("alice")
    assert record["caller"] == "sip:service@example.com" and record["token"] == "tests"
    assert service.api.delete("/calls/" + id).status_code == 202
    record = service.wait_call(id, state="ended")
    assert (record["cause"], record["status"]) == ("local-bye", 200)
    assert [each[2] for each in record["messages"]][:2] == ["INVITE", "200 INVITE"]
    wait_until(lambda: (id, "ended", "local-bye") in service.rows(), LIMIT)
    assert service.api.get("/calls/" + id).json()["ended_at"] == record["ended_at"]  # now the database's


@pytest.mark.parametrize(
    "user, cause, status", [("busy", "rejected", 486), ("rings", "cancelled", 487)], ids=["busy", "rings"]
)
def test_the_record_says_how_a_call_ended(service, telephone, user, cause, status):
    id = place(service, telephone.uri(user))
    if user == "rings":
        service.wait_call(id, state="ringing")
        service.api.delete("/calls/" + id)
    record = service.wait_call(id, state="ended")
    assert (record["cause"], record["status"], record["answered_at"]) == (cause, status, None)


def test_calls_are_listed_by_party_and_page(service, telephone):
    ids = [place(service, telephone.uri("lister")) for _ in range(3)]
    for id in ids:
        service.wait_call(id, state="answered")

    def found():
        page = service.api.get("/calls", params={"party": "lister", "state": "answered", "limit": 2}).json()
        if page["next"] is None:
            return None
        rest = service.api.get(
            "/calls", params={"party": "lister", "limit": 2, "before": page["next"]}
        ).json()
        return [each["id"] for each in page["calls"] + rest["calls"]]

    wait_until(lambda: found() == ids[::-1], LIMIT)
    for id in ids:
        service.api.delete("/calls/" + id)


def test_a_repeated_request_makes_no_second_call(service, telephone):
    body, key = {"to": telephone.uri("once")}, {"Idempotency-Key": "order-4711"}
    first = service.api.post("/calls", json=body, headers=key)
    again = service.api.post("/calls", json=body, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = service.api.post("/calls", json={"to": telephone.uri("other")}, headers=key)
    assert other.status_code == 422 and other.json()["title"] == "Idempotency-Key used"
    wait_until(lambda: len(service.api.get("/calls", params={"party": "once"}).json()["calls"]) == 1, LIMIT)
    service.api.delete("/calls/" + first.json()["id"])


def test_a_key_is_free_again_if_no_call_was_made(service, telephone):
    key = {"Idempotency-Key": "wrong-first"}
    assert service.api.post("/calls", json={"to": "nonsense"}, headers=key).status_code == 422
    assert service.api.post("/calls", json={"to": telephone.uri("busy")}, headers=key).status_code == 202


@pytest.mark.parametrize(
    "body, title",
    [
        ({"to": "nonsense"}, "Not possible in SIP"),
        ({"to": "sip:bob@example.com?Subject=x"}, "Not possible in SIP"),
        ({"to": "+4930123456"}, "No such trunk"),
        ({"to": ""}, "The request is not valid"),
        ({"two": "sip:bob@example.com"}, "The request is not valid"),
    ],
    ids=["nonsense", "headers", "number", "empty", "unknown"],
)
def test_bad_requests_get_a_problem(service, body, title):
    answer = service.api.post("/calls", json=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["title"] == title
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_large_body_is_refused_before_anybody_asks_for_a_token(service):
    answer = service.api.post("/calls", content=b"x" * 1_000_000, headers={"Authorization": ""})
    assert answer.status_code == 413


def test_what_is_not_there_gets_a_problem(service):
    for answer in (service.api.get("/calls/none"), service.api.get("/nowhere")):
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert service.api.delete("/calls/none").status_code == 409


def test_two_numbers_are_connected(service, telephone):
    body = {"first": telephone.uri("alice"), "second": telephone.uri("bob")}
    answer = service.api.post("/click-to-call", json=body)
    assert answer.status_code == 202, answer.text
    first = answer.json()["id"]

    def connected():
        calls = service.api.get("/calls", params={"state": "answered"}).json()["calls"]
        return sorted(each["callee"] for each in calls if each["bridge"] == first or each["id"] == first)

    wait_until(lambda: connected() == sorted(body.values()), LIMIT)
    service.api.delete("/calls/" + first)
    assert service.wait_call(first, state="ended")["cause"] == "local-bye"
    wait_until(lambda: connected() == [], LIMIT)


def test_a_call_is_transferred(service, telephone):
    for attended in (False, True):
        id = place(service, telephone.uri("alice"))
        service.wait_call(id, state="answered")
        body = {"to": telephone.uri("carol"), "attended": attended}
        answer = service.api.post("/calls/%s/transfer" % id, json=body)
        assert answer.status_code == 200, answer.text
        service.wait_call(id, state="ended")


def test_a_transfer_to_somebody_busy_leaves_the_call(service, telephone):
    id = place(service, telephone.uri("alice"))
    service.wait_call(id, state="answered")
    answer = service.api.post("/calls/%s/transfer" % id, json={"to": telephone.uri("busy")})
    assert (answer.status_code, answer.json()["title"]) == (502, "The peer refused, or was not reached")
    assert service.wait_call(id, state="answered")
    service.api.delete("/calls/" + id)


def test_a_message_is_sent(service, telephone):
    answer = service.api.post("/messages", json={"to": telephone.uri("alice"), "text": "lunch?"})
    assert answer.json() == {"status": 200, "reason": "OK"}
    assert telephone.messages == ["lunch?"]


def test_events_are_told_as_they_happen_and_again_to_who_missed_them(service, telephone):
    seen = []

    def listen():
        for number, kind, facts in service.listen():
            seen.append((number, kind, facts))
            if kind == "call.ended" and any(facts["id"] == told["id"] for _, _, told in seen[:-1]):
                return

    thread = threading.Thread(target=listen)
    thread.start()
    place(service, telephone.uri("busy"))  # until somebody listens
    while thread.is_alive():
        id = place(service, telephone.uri("busy"))
        service.wait_call(id, state="ended")
        thread.join(0.5)
    ended = seen[-1][2]
    assert ended["cause"] == "rejected"
    assert ("call.started", ended["id"]) in [(kind, facts["id"]) for _, kind, facts in seen]
    numbers = [number for number, _, _ in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    again = service.listen(numbers[0])
    assert [next(again) for _ in numbers[1:]] == seen[1:]


def test_a_token_has_scopes_destinations_and_limits(service, telephone):
    words = "--scope", "calls:write", "--destination", "sip:b", "--calls", "2"
    limited = service.token("limited", *words)
    wait_until(lambda: service.api.get("/trunks", headers=limited).status_code == 403, LIMIT)
    answer = service.api.get("/calls", headers=limited)
    assert answer.status_code == 403 and "calls:read" in answer.json()["detail"]
    answer = service.api.post("/calls", json={"to": telephone.uri("alice")}, headers=limited)
    assert (answer.status_code, answer.json()["title"]) == (403, "Destination not allowed")
    busy = {"to": telephone.uri("busy")}
    statuses = [service.api.post("/calls", json=busy, headers=limited).status_code for _ in range(3)]
    assert statuses == [202, 202, 429]


@pytest.mark.parametrize(
    "headers", [{"Authorization": ""}, {"Authorization": "Bearer nonsense"}], ids=["none", "wrong"]
)
def test_nobody_gets_in_without_a_token(service, headers):
    answer = service.api.get("/calls", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert service.api.get("/health/live", headers=headers).status_code == 200
