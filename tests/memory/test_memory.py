"""Flows, faults and hostile datagrams under valgrind's memcheck and under AddressSanitizer and UBSan."""

from __future__ import absolute_import, division, print_function

import os

import pytest

from contract.raw import Raw
from double.flows import Answering, Flow
from double.test_faults import FLOWS, MOST_CALLS, SHORT, nulls
from memory.driver import SANITIZERS, build, under_sanitizers, under_valgrind
from memory.malformed import datagrams

#: The sanitizers want to be compiled in; valgrind takes the program as it is.
TOOLS = {"valgrind": ([], under_valgrind), "sanitizers": (SANITIZERS, under_sanitizers)}

IS_DOUBLE = "SIPBRIDGE_DOUBLE" in os.environ

pytestmark = pytest.mark.skipif(
    Raw().name == "exosip" and not IS_DOUBLE,
    reason="libeXosip2 leaks by itself: the memory of its engine is looked at on the checking double",
)


@pytest.fixture(scope="module", params=sorted(TOOLS))
def tool(request, tmpdir_factory):
    """A function that starts the driver under a tool."""
    flags, start = TOOLS[request.param]
    folder = tmpdir_factory.mktemp(request.param)
    program = build(folder, flags)
    return lambda: start(program, str(folder.join("complaints")))


@pytest.fixture
def driver(tool):
    driven = tool()
    yield driven
    driven.finish()


def run(driver, name, patience):
    flow = Flow(driver, patience)
    if flow.engine < 0:
        return flow
    with Answering(**{method: list(each) for method, each in FLOWS[name][0].items()}) as peer:
        getattr(flow, name)(peer)
        flow.close()
    return flow


def test_flows(driver):
    """All of them in one process, so that one finds what the one before left."""
    for name in sorted(FLOWS):
        assert run(driver, name, 20.0).failures == [], name


def test_closed_in_the_middle(driver):
    """Calls in every state, a registration and unread events, and not a moment to end them."""
    flow = Flow(driver, 20.0)
    with Answering(INVITE=[180]) as ringing, Answering() as taking:
        for peer in (ringing, taking):
            assert driver.call(flow.engine, peer.uri) > 0
            peer.request(flow.port, "INVITE")
            peer.request(flow.port, "MESSAGE")
            assert driver.request(flow.engine, "MESSAGE", peer.uri) > 0
            assert driver.register(flow.engine, peer.uri, peer.uri) > 0
        for _ in range(6):
            driver.wait(flow.engine, 200)
        assert driver.perform("sb_close", flow.engine, 0) == 0


def test_malformed_datagrams(driver):
    """It takes them all and still answers OPTIONS."""
    flow = Flow(driver, 20.0)
    with Answering() as peer:
        for octets in datagrams():
            peer.hand.send(flow.port, octets)
        peer.request(flow.port, "MESSAGE")
        while driver.wait(flow.engine, 300) != 0:
            pass
        flow.outside(peer)
        assert flow.failures == []
        flow.close()


def test_wrong_arguments(driver):
    """Errors of every function leave nothing behind."""
    lib, engine = driver.lib, driver.open()
    uri, long = "sip:a@127.0.0.1:9", "x" * 5000
    for text in (None, "sip:", "nonsense", "sip:a b@c", "sip:" + long):
        assert driver.call(engine, text) < 0
        assert driver.call(engine, uri, text or "nonsense") < 0
        assert driver.request(engine, "MESSAGE", text) < 0
        assert driver.request(engine, "MESS AGE", uri) < 0
        assert driver.register(engine, text, uri) < 0
        assert driver.register(engine, uri, text) < 0
    for handle in (0, -1, 1, 2 ** 40):
        assert lib.sb_call_hangup(engine, handle, "+") == lib.SB_ENOENT
        assert lib.sb_answer(engine, handle, 200, "OK", "+") == lib.SB_ENOENT
    assert [lib.sb_close(engine, 0) for _ in range(2)] == [0, lib.SB_ECLOSED]


@pytest.mark.skipif(not IS_DOUBLE, reason="only the double of libeXosip2 can be made to fail")
@pytest.mark.parametrize("name", sorted(FLOWS))
def test_faults(tool, name):
    """Every call of the library failing in turn: what was under way is given back."""
    driver = tool()
    for function in FLOWS[name][1].split():
        for null in nulls(function):
            for nth in range(1, MOST_CALLS):
                driver.perform("fail", function, nth, int(null))
                run(driver, name, SHORT)
                if not driver.perform("failed"):
                    break
    driver.finish()
