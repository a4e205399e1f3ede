"""What endpoint.health() says of each state, and the pages of sipbridge.health over HTTP."""

from __future__ import absolute_import, division, print_function

import errno
import json
import socket
import threading
from contextlib import closing

import pytest

import sipbridge
from peers.http import fetch
from peers.waiting import wait_until
from sipbridge import health, testing
from sipbridge._agent import web
from sipbridge._compat import monotonic

LIMIT = 10.0  # seconds: only a test that fails waits that long


@pytest.fixture
def phone(network):
    return network.endpoint("sip:phone@example.com", handlers=1)


@pytest.fixture
def server(phone):
    with health.serve(phone, 0) as server:
        yield server


def kinds(found):
    return [each.kind for each in found.problems]


def pages(server):
    """The statuses of both pages, and what the second one tells."""
    live, ready = [fetch("http://127.0.0.1:%d%s" % (server.port, path)) for path in ("/live", "/ready")]
    return live.status, ready.status, json.loads(ready.body)


def test_all_is_well(phone, server):
    found = phone.health()
    assert (found.live, found.ready, found.problems) == (True, True, ())
    assert 0.0 <= found.engine < LIMIT and 0.0 <= found.handlers < LIMIT
    live, ready, told = pages(server)
    assert (live, ready) == (200, 200)
    assert (told["live"], told["ready"], told["problems"]) == (True, True, [])
    assert set(told) == set(sipbridge.Health._fields)


def test_a_registration_that_should_be_there(network, phone, server):
    registration = phone.register("sip:example.com", aor="sip:private@example.com")
    assert phone.health().ready
    registration.state = "failed"
    (problem,) = phone.health().problems
    assert problem == ("registration", "sip:private@example.com at sip:example.com is failed")
    assert pages(server)[:2] == (200, 503)
    assert "private" not in fetch("http://127.0.0.1:%d/ready" % server.port).body
    again = phone.register("sip:example.com", aor="sip:private@example.com")  # it takes the place of that one
    assert phone.health().ready
    again.unregister()
    again.state = "ended"
    assert phone.health().ready


def test_no_thread_for_handlers_is_free(network, phone):
    go_on, begun = threading.Event(), threading.Event()
    phone.on(sipbridge.MessageReceived, lambda event: (begun.set(), go_on.wait(LIMIT)))
    other = network.endpoint("sip:other@example.com")
    sending = [threading.Thread(target=other.message, args=("sip:phone@example.com", "x")) for _ in range(2)]
    for thread in sending:
        thread.start()
    assert begun.wait(LIMIT)
    wait_until(lambda: phone.handler_statistics.waiting == 1)
    found = phone.health(2.0)
    assert (found.live, found.ready, found.handlers) == (True, False, None) and found.engine is not None
    assert set(kinds(found)) == {"handlers"}
    with health.serve(phone, 0, timeout=2.0) as hasty:
        assert pages(hasty)[:2] == (200, 503)
    go_on.set()
    for thread in sending:
        thread.join(LIMIT)
    wait_until(lambda: phone.health().ready)


def test_in_a_handler_that_has_the_only_thread(network, phone):
    found = []
    phone.on(sipbridge.MessageReceived, lambda event: found.append(phone.health()))
    network.endpoint("sip:other@example.com").message("sip:phone@example.com", "x")
    assert [each.ready for each in found] == [True]


def test_many_ask_at_the_same_time(phone):
    found = []
    asking = [threading.Thread(target=lambda: found.append(phone.health(LIMIT))) for _ in range(40)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(LIMIT)
    assert [each.ready for each in found] == [True] * 40


def test_the_engine_does_not_answer(phone, server, monkeypatch):
    monkeypatch.setattr(phone._engine, "ping", lambda within: 10 ** 9)
    found = phone.health(0.1)
    assert (found.live, found.ready, found.engine, found.handlers) == (False, False, None, None)
    assert kinds(found) == ["engine"] and "0.1 s" in found.problems[0].text
    with health.serve(phone, 0, timeout=2.0) as hasty:
        assert pages(hasty)[:2] == (503, 503)


def test_an_engine_that_is_lost_comes_again_or_not(network, phone, server, monkeypatch):
    network.lose(phone)
    wait_until(lambda: phone.health().ready)
    network.lose(phone, restart=False)
    wait_until(lambda: kinds(phone.health()) == ["engine-failed"])
    assert pages(server)[:2] == (503, 503)


def test_draining_and_closed(network, phone, server):
    phone.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    call = network.endpoint("sip:other@example.com").call("sip:phone@example.com", testing.SDP)
    draining = threading.Thread(target=phone.drain, args=(LIMIT,))
    draining.start()
    wait_until(lambda: kinds(phone.health()) == ["draining"])
    live, ready, told = pages(server)
    assert (live, ready, told["problems"]) == (200, 503, ["draining"])
    call.hangup()
    draining.join(LIMIT)
    assert phone.wait_closed(LIMIT)
    assert kinds(phone.health()) == ["closed"]
    assert pages(server) == (503, 503, {
        "live": False, "ready": False, "engine": None, "handlers": None, "problems": ["closed"],
    })  # fmt: skip


# -- the server -----------------------------------------------------------------------------------------------


def test_other_pages_methods_and_heads(server):
    where = "http://127.0.0.1:%d" % server.port
    assert fetch(where + "/").status == fetch(where + "/live/x").status == 404
    assert fetch(where + "/live?x=y").status == 200
    head = fetch(where + "/live", method="HEAD")
    assert (head.status, head.body) == (200, "") and int(head.headers["Content-Length"]) > 0
    assert fetch(where + "/live", method="POST").status == 501


def test_who_connects_and_says_nothing_holds_nobody_up_for_long(phone, monkeypatch):
    monkeypatch.setattr(web, "SECONDS", 0.5)
    with health.serve(phone, 0) as server:
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2 * web.MOST)]
        assert fetch("http://127.0.0.1:%d/live" % server.port).status == 200
        for each in silent:
            each.close()


def test_without_descriptors_it_does_not_spin(server):
    """Who has connected waits in the queue of the system, so poll() says at once that there is somebody."""
    real, tries = server._socket, []

    class Starved(object):
        def accept(self):
            tries.append(monotonic())
            if len(tries) < 3:
                raise socket.error(errno.EMFILE, "Too many open files")
            return real.accept()

        def __getattr__(self, name):
            return getattr(real, name)

    server._socket = Starved()
    assert pages(server)[:2] == (200, 200)
    assert all(later - sooner >= 0.05 for sooner, later in zip(tries[:2], tries[1:3]))


def test_a_request_that_does_not_end_is_read_to_a_limit(server):
    with closing(socket.create_connection(("127.0.0.1", server.port), LIMIT)) as peer:
        peer.sendall(b"GET /live HTTP/1.0\r\n" + b"X: x\r\n" * (web.OCTETS // 6 + 1))
        assert peer.recv(8) == b"HTTP/1.0"  # what is beyond is left unread


def test_the_port_is_free_after_the_close_and_in_use_before(phone, server):
    with pytest.raises(sipbridge.TransportError) as caught:
        health.serve(phone, server.port)
    assert str(server.port) in str(caught.value)
    server.close()
    server.close()
    with health.serve(phone, server.port) as again:
        assert fetch("http://127.0.0.1:%d/live" % again.port).status == 200


def test_a_name_that_is_no_address_of_this_machine(phone):
    with pytest.raises(sipbridge.TransportError):
        health.serve(phone, 0, host="nowhere.invalid")


@pytest.mark.ipv6
def test_over_ipv6(phone):
    with health.serve(phone, 0, host="::1") as server:
        assert fetch("http://[::1]:%d/live" % server.port).status == 200
