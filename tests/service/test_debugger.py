"""The copy for debugging stops where a debugger says, and the running one goes on serving."""

import ast
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import sipbridge
from image import dap
from peers.ports import free_port
from peers.process import Process
from peers.waiting import wait_until
from service.running import EXAMPLE, HOST, LIMIT, SECRET, Running
from sipbridge.testing import SDP


class Copy(Process):
    """What `make debug-service` runs."""

    def __init__(self, service, folder, debugger="debugpy"):
        self.debug_port = free_port()
        self.url = "http://%s:%d" % (HOST, service.http_port + 1)
        self.uri = "sip:100@%s:%d" % (HOST, service.sip_port + 1)
        command = [sys.executable, "-m", "telephony", "debug", "--debugger", debugger]
        command += ["--debug-port", str(self.debug_port)]
        super().__init__(command, folder, "debug", service.environment)

    def attach(self, file, function):
        """Set a breakpoint at the first statement of a function of `telephony`; the client."""
        path = EXAMPLE / "telephony" / file
        debugger = dap.Client(self.debug_port, LIMIT)
        debugger.attach(str(EXAMPLE), str(EXAMPLE), str(path), [_first_line(path, function)])
        wait_until(self.is_live, LIMIT)
        return debugger

    def is_live(self):
        assert self.is_alive(), self.report()
        try:
            return httpx.get(self.url + "/health/live", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


def _first_line(path, name):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node.body[ast.get_docstring(node) is not None].lineno
    raise AssertionError("%s has no %s" % (path, name))


@pytest.fixture(scope="module")
def copy(service, tmp_path_factory):
    """It is debugged by one client after the other."""
    running = Copy(service, str(tmp_path_factory.mktemp("debug")))
    yield running
    running.stop()


@pytest.fixture
def elsewhere():
    """What waits for its answer."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def test_a_request_stops_at_a_breakpoint(service, telephone, copy, elsewhere):
    debugger = copy.attach("api/calls.py", "place")
    assert "the copy waits for it" in copy.output()
    asked = elsewhere(service.api.post, copy.url + "/calls", json={"to": telephone.uri("busy")})
    thread, frame, variables = debugger.stopped()
    assert frame["name"] == "place" and "token" in variables
    assert debugger.evaluate("body.to", frame) == repr(telephone.uri("busy"))

    assert service.api.get("/health/live").status_code == 200
    placed = service.api.post("/calls", json={"to": telephone.uri("busy")}).json()
    service.wait_call(placed["id"], state="ended", cause="rejected")
    assert not asked.done()

    debugger.go_on(thread)
    assert asked.result(LIMIT).status_code == 202
    debugger.leave()


def test_a_call_that_comes_in_stops_at_a_breakpoint(service, telephone, copy, elsewhere):
    debugger = copy.attach("sip/menu.py", "take")
    called = elsewhere(telephone.endpoint.call, copy.uri, SDP)
    thread, frame, _ = debugger.stopped()
    assert debugger.evaluate("call.request_uri", frame) == repr(copy.uri)

    with pytest.raises(sipbridge.ResponseError) as raised:
        telephone.endpoint.call("sip:100@%s:%d" % (HOST, service.sip_port), SDP)
    assert raised.value.status == 404 and not called.done()

    debugger.go_on(thread)
    with pytest.raises(sipbridge.ResponseError):
        called.result(LIMIT)
    debugger.leave()


def test_the_call_of_an_incident_is_replayed_to_it(service, telephone, copy, elsewhere):
    debugger = copy.attach("sip/menu.py", "take")
    for url in ("", copy.url):
        menu = {"menu": {"1": telephone.uri("sales")}}
        assert service.api.put(url + "/numbers/200", json=menu).status_code == 200
    call = telephone.endpoint.call("sip:200@%s:%d" % (HOST, service.sip_port), SDP)
    call.send_dtmf("1")
    call.wait_ended(LIMIT)
    service.process.send_signal(signal.SIGUSR1)
    incidents = service.folder / "incidents"
    wait_until(lambda: list(incidents.glob("2*-signal-*")), LIMIT)
    [window] = incidents.glob("2*-signal-*/window.pcapng")

    command = [sys.executable, "-m", "sipbridge", "replay", str(window), "--call", call.call_id]
    command += ["--to", "sip:%s:%d" % (HOST, service.sip_port + 1)]
    replayed = elsewhere(subprocess.run, command, env=service.environment, capture_output=True, text=True)
    thread, frame, _ = debugger.stopped()
    assert "sip:200@" in debugger.evaluate("call.request_uri", frame)
    debugger.go_on(thread)
    done = replayed.result(LIMIT)
    assert done.returncode == 0 and "as recorded" in done.stdout, done
    debugger.leave()


def test_it_has_the_secrets_that_make_service_made(tmp_path):
    """They are in no setting."""
    running = Running(tmp_path)
    running.api.headers.update(running.token())
    running.start()
    trunk = {"address": "sip:a@127.0.0.1", "registrar": "sip:127.0.0.1:9", "user": "a", "password": "hushed"}
    assert running.api.put("/trunks/home", json=trunk).status_code == 200
    (tmp_path / "secret-key").write_text(SECRET)
    running.environment.update(SECRET_KEY="")
    copy = Copy(running, str(tmp_path), "none")
    try:
        wait_until(copy.is_live, LIMIT)
        answer = running.api.post(copy.url + "/trunks/home/registration")
        assert answer.status_code == 200, copy.report()
        assert SECRET not in copy.output()
    finally:
        copy.stop()
        assert running.stop() == 0
