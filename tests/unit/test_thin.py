"""How much of the package a program loads: what it uses, and when."""

from __future__ import absolute_import, division, print_function

import json
import os
import subprocess
import sys

import pytest

import sipbridge

#: A call of two endpoints, and the modules of the package that there are afterwards, with their lines, but for those
#: that are types alone.
_CALL = """
import json, sys
import sipbridge
before = [name for name in sys.modules if name.startswith("sipbridge.")]
SDP = b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n"
with sipbridge.Endpoint(engine=%(caller)s) as caller:
    with sipbridge.Endpoint(engine=%(callee)s) as callee:
        callee.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
        call = caller.call(callee.uri, SDP)
        call.wait_established()
        call.hangup()
        call.wait_ended()
found = {}
for name, module in list(sys.modules.items()):
    path = getattr(module, "__file__", None) or ""
    if name.partition(".")[0] == "sipbridge" and path.endswith((".py", ".pyc")):
        with open(path[: path.rindex(".")] + ".py", "rb") as source:
            found[name] = len([line for line in source if not line.lstrip().startswith(b"# type:")])
print(json.dumps([before, found]))
"""

#: The packages that are layers: they hold no code.
_FOLDERS = ("agent", "call", "engine", "text")

#: A service that runs inside an import, and whose peer does what few do: all that the event thread needs is there.
_SERVICE = """
import sipbridge
with sipbridge.Endpoint(engine="sofia", session_expires=1800) as asked:
    with sipbridge.Endpoint(engine="sofia") as asking:
        def answer(event):
            event.notifier.accept()
            event.notifier.notify(b"on", "text/plain")
        asked.on(sipbridge.SubscriptionRequested, answer)
        subscription = asking.subscribe(asked.uri, "presence", timeout=20.0)
        subscription.unsubscribe(timeout=20.0)
print("done")
"""

only_sofia = pytest.mark.skipif(
    os.environ.get("SIPBRIDGE_ENGINE") == "exosip", reason="two endpoints in one process: Sofia-SIP alone can"
)


def _run(code, *path):
    command = [sys.executable, "-c", code]
    package = os.path.dirname(os.path.dirname(os.path.abspath(sipbridge.__file__)))
    settings = dict(os.environ, PYTHONPATH=os.pathsep.join(path + (package,)))
    return subprocess.check_output(command, env=settings)


@only_sofia
def test_a_call_loads_a_third_of_the_package():
    before, found = json.loads(_run(_CALL % {"caller": '"sofia"', "callee": '"sofia"'}).decode("ascii"))
    assert before == []
    folders = [name for name in found if name.count(".") == 1 and name.partition("._")[2] in _FOLDERS]
    assert len(found) - len(folders) <= 36, sorted(found)
    assert sum(found.values()) <= 7000
    assert not [name for name in found if "_command" in name or "worker" in name or "_kept" in name]


def test_the_command_loads_no_extra_before_it_is_used():
    """Nor what is slow to load in Python's own library."""
    found = _run("import sys; from sipbridge._command import cli; print(' '.join(sys.modules))").decode("ascii").split()
    assert not set(found).intersection(["dpkt", "docker", "ecs_logging", "prometheus_client", "ssl", "xml"])


@only_sofia
def test_a_program_that_waits_inside_an_import(tmpdir):
    """Python 2 has one lock for all imports: the event thread makes none while the program is in the middle of one."""
    tmpdir.join("service.py").write(_SERVICE)
    assert _run("import service", str(tmpdir)).decode("ascii").splitlines() == ["done"]
