"""The metrics of endpoints in memory: each family, exact numbers, several endpoints, and the table in the docs."""

from __future__ import absolute_import, division, print_function

import io
import os
import re
import threading

import prometheus_client
import pytest

import sipbridge
import sipbridge.events
from peers.samples import Samples
from peers.waiting import wait_until
from sipbridge import metrics, testing
from sipbridge._agent import meter

LIMIT = 10.0  # seconds: only a test that fails waits that long


@pytest.fixture
def bob(bob):
    bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(testing.SDP))
    return bob


def test_calls_by_direction_and_outcome(network, alice, bob):
    ours, theirs = metrics.Collector(alice), metrics.Collector(bob)
    before = Samples(ours)
    assert before.get("calls_ended_total", direction="outgoing", outcome="timeout") == 0  # there from the beginning
    call = alice.call("sip:bob@example.com", testing.SDP)
    wait_until(lambda: Samples(theirs).those("calls_live") == {("incoming", "established"): 1})
    assert Samples(ours).those("calls_live") == {("outgoing", "established"): 1}
    network.advance(42.0)
    call.hangup()
    call.wait_ended(LIMIT)
    wait_until(lambda: Samples(theirs).those("calls_ended_total") == {("incoming", "remote-bye"): 1})
    with pytest.raises(sipbridge.PeerUnreachable):
        alice.call("sip:nobody@example.com", testing.SDP)
    found = Samples(ours)
    assert found.those("calls_started_total") == {("outgoing",): 2}
    assert found.those("calls_answered_total") == {("outgoing",): 1}
    assert found.those("calls_ended_total") == {("outgoing", "local-bye"): 1, ("outgoing", "unreachable"): 1}
    assert found.those("calls_live") == {}
    assert found.get("call_duration_seconds_bucket", direction="outgoing", le="30.0") == 0
    assert found.get("call_duration_seconds_bucket", direction="outgoing", le="60.0") == 1
    assert 42.0 <= found.get("call_duration_seconds_sum", direction="outgoing") < 60.0
    for name in ("call_setup_seconds_count", "call_answer_seconds_count"):
        assert found.get(name, direction="outgoing") == 1 and found.get(name, direction="incoming") == 0


def test_how_long_it_takes_to_ring_and_to_answer(network, alice):
    carol = network.endpoint("sip:carol@example.com")
    carol.on(sipbridge.IncomingCall, lambda event: None)  # it is answered below
    collectors = [metrics.Collector(alice), metrics.Collector(carol)]
    alice.invite("sip:carol@example.com", testing.SDP)
    wait_until(lambda: carol.calls)
    (call,) = carol.calls
    network.advance(3.0)
    call.ring()
    call.ring()
    network.advance(9.0)
    call.answer(testing.SDP)
    wait_until(lambda: Samples(collectors[0]).get("call_answer_seconds_count", direction="outgoing"))
    for collector, direction in zip(collectors, ("outgoing", "incoming")):
        found = Samples(collector)
        assert found.get("call_setup_seconds_count", direction=direction) == 1
        assert 3.0 <= found.get("call_setup_seconds_sum", direction=direction) < 5.0
        assert 12.0 <= found.get("call_answer_seconds_sum", direction=direction) < 15.0


def test_a_refusal_is_a_response_to_set_up(network, alice):
    carol = network.endpoint("sip:carol@example.com")
    carol.on(sipbridge.IncomingCall, lambda event: event.call.reject(486))
    collector = metrics.Collector(alice)
    with pytest.raises(sipbridge.ResponseError):
        alice.call("sip:carol@example.com", testing.SDP)
    wait_until(lambda: Samples(collector).those("calls_ended_total"))  # the caller knows it first
    found = Samples(collector)
    assert found.get("call_setup_seconds_count", direction="outgoing") == 1
    assert found.get("call_answer_seconds_count", direction="outgoing") == 0
    assert found.those("calls_ended_total") == {("outgoing", "rejected"): 1}


def test_requests_and_responses(alice, bob):
    collector = metrics.Collector(alice)
    bob.on(sipbridge.MessageReceived, lambda event: event.answer(202))
    bob.on(sipbridge.RequestReceived, lambda event: event.answer(404))
    alice.message("sip:bob@example.com", "x")
    for method in ("FROB", "x" * 100):
        with pytest.raises(sipbridge.ResponseError):
            alice.request(method, "sip:bob@example.com")
    found = Samples(collector)
    assert found.those("requests_total") == {("sent", "MESSAGE"): 1, ("sent", "other"): 2}
    assert found.those("responses_total") == {("received", "MESSAGE", "2xx"): 1, ("received", "other", "4xx"): 2}


def test_refusals_and_draining(network, alice, bob):
    collector = metrics.Collector(bob)
    call = alice.call("sip:bob@example.com", testing.SDP)
    draining = threading.Thread(target=bob.drain, args=(LIMIT,))
    draining.start()
    wait_until(lambda: Samples(collector).get("draining") == 1)
    for _ in range(3):
        with pytest.raises(sipbridge.ResponseError):
            alice.call("sip:bob@example.com", testing.SDP)
    wait_until(lambda: Samples(collector).those("refused_total") == {("INVITE", "draining"): 3})
    call.hangup()
    draining.join(LIMIT)
    assert Samples(collector).get("engine_up") == 0


def test_handlers_and_what_waits_for_them(network, alice):
    carol = network.endpoint("sip:carol@example.com", handlers=1)
    collector = metrics.Collector(carol)
    go_on = threading.Event()

    @carol.on(sipbridge.MessageReceived)
    def handle(event):
        if event.text == "wait":
            go_on.wait(LIMIT)
        elif event.text == "fail":
            raise ValueError(event.text)

    with pytest.raises(sipbridge.ResponseError):
        alice.message("sip:carol@example.com", "fail")
    sending = [threading.Thread(target=alice.message, args=("sip:carol@example.com", "wait")) for _ in range(2)]
    for thread in sending:
        thread.start()
    wait_until(lambda: Samples(collector).those("events_waiting") == {("handler",): 1})
    found = Samples(collector)
    assert found.those("handler_threads") == {("busy",): 1} and found.get("handler_threads_max") == 1
    go_on.set()
    for thread in sending:
        thread.join(LIMIT)
    wait_until(lambda: Samples(collector).get("handler_seconds_count", event="MessageReceived") == 3)
    found = Samples(collector)
    assert found.those("handler_failures_total") == {("MessageReceived",): 1}
    assert found.get("handler_failures_total", event="IncomingCall") == 0  # so that the first one is an increase
    assert found.those("events_waiting") == {}
    with carol.events():
        sending = threading.Thread(target=alice.message, args=("sip:carol@example.com", "x"))
        sending.start()
        wait_until(lambda: Samples(collector).get("events_waiting", queue="iterator") == 1)
    carol.close()
    sending.join(LIMIT)


def test_registrations_by_state(alice):
    collector = metrics.Collector(alice)
    registration = alice.register("sip:example.com")
    assert Samples(collector).those("registrations") == {("active",): 1}
    registration.state = "failed"
    del alice._agent.registrations[registration._id]
    assert Samples(collector).those("registrations") == {("failed",): 1}
    registration.unregister()
    assert Samples(collector).those("registrations") == {}


def test_an_engine_that_is_lost(network, alice, bob):
    collector = metrics.Collector(bob)
    alice.call("sip:bob@example.com", testing.SDP)
    network.lose(bob)
    wait_until(lambda: Samples(collector).get("worker_restarts_total") == 1)
    found = Samples(collector)
    assert (found.get("engine_up"), found.get("engine_losses_total")) == (1, 1)
    assert found.those("calls_ended_total") == {("incoming", "engine-lost"): 1}
    network.lose(bob, restart=False)
    wait_until(lambda: Samples(collector).get("engine_losses_total") == 2)
    found = Samples(collector)
    assert (found.get("engine_up"), found.get("worker_restarts_total")) == (0, 1)
    assert found.get("events_waiting", queue="engine") is None and found.get("events_waiting", queue="handler") == 0


def test_a_lock_that_is_held_for_ever_holds_up_no_scrape(alice):
    """As by an event thread that hangs."""
    collector, found = metrics.Collector(alice), []
    with alice._dispatcher.lock:
        scraping = threading.Thread(target=lambda: found.append(Samples(collector)))
        scraping.start()
        scraping.join(LIMIT)
        assert len(found) == 1


def test_numbers_are_exact_with_many_threads(alice, bob):
    """Handlers of different messages run at the same time, and each is counted."""
    collector, each, threads = metrics.Collector(bob), 50, 16
    meters = [meter.Meter() for _ in range(2)]
    bob.observe(meters[0])
    bob.on(sipbridge.MessageReceived, lambda event: event.answer())

    def send():
        for _ in range(each):
            alice.message("sip:bob@example.com", "x")
            meters[1].handler_ended(None, 0.001, True)

    sending = [threading.Thread(target=send) for _ in range(threads)]
    for thread in sending:
        thread.start()
    while any(thread.is_alive() for thread in sending):
        Samples(collector)
    wait_until(lambda: Samples(collector).get("handler_seconds_count", event="MessageReceived") == each * threads)
    found = Samples(collector)
    assert found.get("requests_total", direction="received", method="MESSAGE") == each * threads
    assert found.get("responses_total", direction="sent", method="MESSAGE", status_class="2xx") == each * threads
    told = meters[1].snapshot(alice._agent)
    assert dict(told["handler_failures_total"])["NoneType",] == each * threads
    assert dict(told["handler_seconds"])["NoneType",].counts[1] == each * threads


def test_nothing_is_kept_of_calls_that_are_over(alice, bob):
    watching = meter.Meter()
    alice.observe(watching)
    for _ in range(20):
        call = alice.call("sip:bob@example.com", testing.SDP)
        call.hangup()
        call.wait_ended(LIMIT)
    wait_until(lambda: not watching._set_up)


# -- collectors and registries ----------------------------------------------------------------------------------


def test_several_endpoints_in_one_registry(alice, bob):
    registry = prometheus_client.CollectorRegistry()
    collector = metrics.register(alice, registry=registry)
    assert metrics.register(bob, "bob", registry) is collector
    for taken in (alice.address, "bob"):
        with pytest.raises(sipbridge.InputError):
            metrics.register(bob, taken, registry)
    text = prometheus_client.generate_latest(registry).decode("utf-8")
    assert text.count("# TYPE sipbridge_engine_up gauge") == 1
    for label in (alice.address, "bob"):
        assert 'sipbridge_engine_up{sip_endpoint="%s"} 1.0' % label in text
    collector.remove("bob")
    assert 'endpoint="bob"' not in prometheus_client.generate_latest(registry).decode("utf-8")
    metrics.register(bob, "bob", registry)
    with pytest.raises(ValueError):  # prometheus_client's: the names are taken
        registry.register(metrics.Collector(bob))


def test_several_collectors_of_one_endpoint_count_once(alice, bob):
    registry, page = prometheus_client.CollectorRegistry(), metrics.Collector(bob)
    metrics.register(bob, "bob", registry).remove("bob")
    metrics.register(bob, "bob", registry)
    alice.call("sip:bob@example.com", testing.SDP)
    labels = {"sip_endpoint": "bob", "direction": "incoming"}
    assert registry.get_sample_value("sipbridge_calls_answered_total", labels) == 1
    assert Samples(page).those("calls_answered_total") == {("incoming",): 1}
    assert len(bob._dispatcher.observers.call_ended) == 1 + len(alice._dispatcher.observers.call_ended)


def test_without_prometheus_client(alice, monkeypatch):
    monkeypatch.setattr(metrics, "prometheus_client", None)
    for function, more in ((metrics.serve, (0,)), (metrics.register, ()), (metrics.Collector, ())):
        with pytest.raises(sipbridge.NotSupportedError) as caught:
            function(alice, *more)
        assert "sipbridge[metrics]" in str(caught.value)


def test_names_and_labels_are_those_of_the_table(alice, bob):
    """Every family but the shield's and Homer's has a sample, with the labels that the table names."""
    bob.on(sipbridge.MessageReceived, lambda event: event.answer())
    collector = metrics.Collector(bob)
    alice.message("sip:bob@example.com", "x")
    wait_until(lambda: Samples(collector).get("handler_seconds_count", event="MessageReceived") == 1)
    found = dict((family.name, family) for family in Samples(collector).families)
    for row in metrics.FAMILIES:
        name = row.name[: -len("_total")] if row.kind == "counter" else row.name
        assert row.kind != "counter" or row.name.endswith("_total")
        if "_shield_" in name or "_hep_" in name:
            continue
        family = found.pop(name)
        assert (family.type, family.documentation) == (row.kind, row.text)
        for sample in family.samples:
            assert set(sample[1]) - {"le"} == set(row.labels) | {"sip_endpoint"}
    assert found == {}


def test_the_outcomes_are_the_causes_of_an_end():
    with io.open(os.path.splitext(sipbridge.events.__file__)[0] + ".py", encoding="utf-8") as stream:
        causes = re.search(r"Cause = Literal\[(.*?)\]", stream.read(), re.DOTALL).group(1)
    assert sorted(meter.OUTCOMES) == sorted(re.findall(r'"([a-z-]+)"', causes))
