"""Every function of the library that the engine calls, failing at its first call, its second and so on: the engine
says so or copes, breaks no rule, leaves nothing behind, and works again afterwards.
"""

from __future__ import absolute_import, division, print_function

import glob
import os
import re

import pytest

from contract.leftovers import Leftovers
from double.flows import FLOWS, Answering, Flow
from peers import abilities

#: Functions whose failure the double cannot stage (they return nothing, or give back), or that 3.6 never fails.
UNFAILING = set(
    "eXosip_quit eXosip_get_version eXosip_lock eXosip_unlock eXosip_event_free eXosip_masquerade_contact"
    " eXosip_set_user_agent eXosip_set_cbsip_message eXosip_event_geteventsocket eXosip_read_message".split()
)

#: Calls whose failure need not show in what a step returns: the engine goes on without, or the library's thread
#: of events comes to them, where an event or the peer tells.
TOLERATED = set(
    "eXosip_set_option eXosip_guess_localip eXosip_event_wait eXosip_register_remove eXosip_subscribe_remove"
    " eXosip_insubscription_remove osip_message_to_str eXosip_call_send_ack".split()
)

#: From which call on the library goes at once, and with it what the call was about.
LAST_OF_ALL = {"eXosip_clear_authentication_info": 3}

#: What is called to listen on TCP, and not in FLOWS.
OF_TCP = "eXosip_set_socket"

MOST_CALLS = 12

EVERY = [(flow, function) for flow, (_, functions) in sorted(FLOWS.items()) for function in functions.split()]

#: What is called with 5.3 alone, and with 3.x alone, to learn the port.
OF_5_3, OF_3 = ("nothing", "eXosip_malloc"), ("nothing", "eXosip_message_build_request")

CASES = [case for case in EVERY if case != (OF_3 if abilities.is_exosip("5.3") else OF_5_3)]


#: Seconds that a flow waits for each event, which does not come where a call fails.
LONG, SHORT = 10.0, 0.3


def run(raw, name, patience=LONG):
    """One flow from open to close. Returns the steps that failed, and what came: events, and answers to the peer."""
    flow = Flow(raw, patience, user_agent="faults", advertised_host="127.0.0.1")
    if flow.engine < 0:
        return flow.failures, None
    with Answering(**{method: list(each) for method, each in FLOWS[name][0].items()}) as peer:
        try:
            getattr(flow, name)(peer)
        finally:
            flow.close()
    return flow.failures, (flow.events, sorted(peer.answers))


def nulls(function):
    """A function that builds a message can also give none and say that all went well."""
    return (False, True) if "_build_" in function else (False,)


@pytest.fixture(scope="module")
def usual(raw):
    """What comes of each flow in which nothing fails."""
    return {name: run(raw, name)[1] for name in FLOWS}


@pytest.mark.parametrize("name", sorted(FLOWS))
def test_each_flow_passes_without_a_fault(raw, library, usual, name):
    assert run(raw, name) == ([], usual[name])
    assert (library.complaints(), library.first_complaint()) == (0, "")


@pytest.mark.parametrize("name, function", CASES)
def test_each_flow_survives_each_fault(raw, library, usual, name, function):
    came = 0
    for null in nulls(function):
        for nth in range(1, MOST_CALLS):
            left = Leftovers()
            library.fail(function, nth, null)
            failures, outcome = run(raw, name, SHORT)
            if not library.failed():
                break
            came += 1
            what = "%s failed at call %d%s" % (function, nth, ", giving NULL" if null else "")
            assert library.complaints() == 0, "%s: %s" % (what, library.first_complaint())
            left.check(what)
            tolerated = function in TOLERATED or nth >= LAST_OF_ALL.get(function, MOST_CALLS)
            assert failures or tolerated or outcome != usual[name], what
    assert came, "%s was not called" % function
    library.fail(None)
    assert run(raw, name) == ([], usual[name])


@pytest.mark.skipif(not abilities.has_tcp(), reason=abilities.NO_TCP)
def test_each_flow_over_tcp_survives_each_fault(raw, library):
    left = Leftovers()
    library.fail(OF_TCP, 1, False)
    assert raw.open(transport=raw.lib.SB_TCP) == raw.lib.SB_ELIBRARY
    assert (library.failed(), library.complaints()) == (1, 0)
    left.check()
    library.fail(None)
    engine = raw.open(transport=raw.lib.SB_TCP)
    assert engine > 0 and raw.lib.sb_close(engine, 0) == 0
    left.check()


def test_every_function_is_covered():
    """What the engine calls of the library's is in the table, or known not to fail."""
    sources = os.path.join(os.path.dirname(__file__), "..", "..", "csrc")
    called = set()
    for path in glob.glob(os.path.join(sources, "exosip", "*.c")):
        with open(path) as source:
            code = re.sub(r"/\*.*?\*/", "", source.read(), flags=re.DOTALL)
        called.update(re.findall(r"\b(eXosip_\w+)\s*\(", code))
    covered = {function for _, function in EVERY} | {OF_TCP}
    assert called - covered - UNFAILING == set()
    assert {name for name in covered if name.startswith("eXosip_")} - called == set()
