"""Trunks: accounts at a registrar, and numbers that are called over them."""

import pytest

from peers.ports import HOST
from peers.waiting import wait_until
from service.running import LIMIT, Running
from sipbridge._command.demo_registrar import Registrar

PASSWORD = "trunk-password-8231"


@pytest.fixture(scope="module")
def registrar():
    """It knows the user 4930."""
    with Registrar({"4930": PASSWORD}) as registrar:
        yield registrar


def trunk(registrar, telephone, **changes):
    """What makes a trunk whose calls go to the telephone."""
    address = "sip:4930@%s:%d" % (HOST, telephone.endpoint.port)
    return dict(
        {"address": address, "registrar": registrar.uri, "user": "4930", "password": PASSWORD}, **changes
    )


def test_a_trunk_is_registered_used_and_taken_back(service, registrar, telephone):
    assert service.api.put("/trunks/one", json=trunk(registrar, telephone)).json()["state"] == "none"
    answer = service.api.post("/trunks/one/registration")
    assert (answer.status_code, answer.json()["state"]) == (200, "active"), answer.text
    assert "4930" in registrar.bindings
    answer = service.api.post("/calls", json={"to": "+4940123", "trunk": "one"})
    assert answer.status_code == 202, answer.text
    record = service.wait_call(answer.json()["id"], state="answered")
    assert record["callee"] == telephone.uri("+4940123") and record["caller"] == telephone.uri("4930")
    service.api.delete("/calls/" + answer.json()["id"])
    assert service.api.delete("/trunks/one/registration").json()["state"] == "ended"
    assert "4930" not in registrar.bindings
    assert service.api.delete("/trunks/one").status_code == 204
    assert service.api.get("/trunks").json() == []
    assert service.api.post("/calls", json={"to": "+4940123"}).json()["title"] == "No such trunk"


def test_a_wrong_password_is_a_problem_and_shows_in_no_place(service, registrar, telephone):
    body = trunk(registrar, telephone, password="not-the-word-4711")
    assert service.api.put("/trunks/wrong", json=body).status_code == 200
    answer = service.api.post("/trunks/wrong/registration")
    assert (answer.status_code, answer.json()["title"]) == (502, "The peer refused, or was not reached")
    kept = b"".join(each.read_bytes() for each in service.folder.rglob("*") if each.is_file())
    assert kept and b"not-the-word-4711" not in kept and PASSWORD.encode() not in kept
    service.api.delete("/trunks/wrong")


def test_a_trunk_is_registered_again_after_a_restart(registrar, telephone, tmp_path):
    first = Running(tmp_path)
    first.api.headers.update(first.token())
    first.start()
    try:
        first.api.put("/trunks/again", json=trunk(registrar, telephone))
        assert first.stop() == 0
        first.start()
        wait_until(lambda: first.api.get("/trunks").json()[0]["state"] == "active", LIMIT)
    finally:
        assert first.stop() == 0
    assert "4930" not in registrar.bindings


def test_with_another_key_a_trunk_is_a_problem_until_it_is_put_again(registrar, telephone, tmp_path):
    running = Running(tmp_path)
    running.api.headers.update(running.token())
    running.start()
    try:
        body = trunk(registrar, telephone, register=False)
        assert running.api.put("/trunks/kept", json=body).status_code == 200
        assert running.stop() == 0
        running.environment["SECRET_KEY"] = "another" * 6
        running.start()
        answer = running.api.post("/trunks/kept/registration")
        assert (answer.status_code, answer.json()["title"]) == (503, "Another SECRET_KEY"), answer.text
        assert "Traceback" not in running.log()
        assert running.api.put("/trunks/kept", json=body).status_code == 200
        assert running.api.post("/trunks/kept/registration").json()["state"] == "active"
    finally:
        assert running.stop() == 0
