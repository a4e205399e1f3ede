"""examples/migration: the programs on libeXosip2 and the program on sipbridge say the same to the same callers."""

from __future__ import absolute_import, division, print_function

import os
import re
import signal
import sys

import pytest

from conformance.sdp import OFFER
from peers import abilities
from peers.ports import free_port, wait_until_bound
from peers.process import Process
from peers.scenario import Caller
from peers.sipp import Sipp
from peers.waiting import wait_until

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 3 + ["examples", "migration"])

#: The warnings are errors: a reader compiles it, too.
COMPILE = ["cc", "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-DOSIP_MT"]
LIBRARIES = ["-leXosip2", "-losip2", "-losipparser2"]


def _key(key):
    return ("Signal=%s\r\nDuration=160\r\n" % key).encode("ascii")


def _caller(keys):
    """A caller to the point where the keys are sent."""
    scenario = Caller().initial("INVITE", OFFER).expect(100, optional=True).expect(180).expect(200).ack()
    for key in keys:
        scenario = scenario.request("INFO", _key(key), "application/dtmf-relay").expect(200)
    return scenario


def _compile(folder):
    """The C program on the library that the engine is built on."""
    double = os.environ.get("SIPBRIDGE_DOUBLE")
    places = ["-I%s/include" % double, "-L%s/lib" % double, "-Wl,-rpath,%s/lib" % double] if double else []
    program = os.path.join(folder, "before")
    command = COMPILE + places + [os.path.join(EXAMPLES, "before.c"), "-o", program]
    compiler = Process(command + os.environ.get("LDFLAGS", "").split() + LIBRARIES, folder, "cc")
    assert compiler.wait(60) == 0, compiler.output()
    return [program]


def _libraries():
    """The environment in which ctypes finds the library that the engine is built on."""
    double = os.environ.get("SIPBRIDGE_DOUBLE")
    places = [double + "/lib"] if double else os.environ.get("LIBRARY_PATH", "").split(os.pathsep)
    return {"LD_LIBRARY_PATH": os.pathsep.join(places + [os.environ.get("LD_LIBRARY_PATH", "")]).strip(os.pathsep)}


@pytest.fixture(params=["before.c", "before.py", "after.py"])
def program(request, starter):
    """The program as a process, and its port."""
    folder = starter.folder()
    if request.param != "after.py" and os.environ.get("SIPBRIDGE_ENGINE") != "exosip":
        pytest.skip("the programs of before need libeXosip2, or its double")
    if request.param != "after.py" and abilities.is_exosip("5.3"):
        pytest.skip("the programs of before are for libeXosip2 3.x")
    if request.param == "before.c":
        command = _compile(folder)
    else:
        command = [sys.executable, os.path.join(EXAMPLES, request.param)]
    port = free_port()
    process = starter.keep(request.param, Process(command + [str(port)], folder, "program", _libraries()))
    assert wait_until_bound(port, process.is_alive), process.output()
    return process, port


def _call(starter, port, scenario):
    peer = starter.keep("caller", Sipp(scenario, starter.folder(), "127.0.0.1:%d" % port))
    peer.wait()


def test_both_programs_do_the_same(program, starter):
    process, port = program
    _call(starter, port, _caller("42#").recv("BYE").reply(200))
    _call(starter, port, _caller("7").request("BYE").expect(200))
    _call(starter, port, _caller("").request("BYE").expect(200))
    # The library answers a BYE before the program hears of it.
    wait_until(lambda: process.output().count("keyed in") == 3)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(30) == 0, process.output()
    told = re.findall(r"(?m)^sip:.* (keyed in \w+)$", process.output())
    assert sorted(told) == ["keyed in 42", "keyed in 7", "keyed in nothing"], process.output()
