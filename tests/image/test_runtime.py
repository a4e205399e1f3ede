"""The runtime stage: what the server runs."""

import json
import socket
import time

import standin
from fixtures import wait_for

RUNTIME = standin.IMAGE + ":runtime"
LOCKED_DOWN = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "tmpfs": {"/tmp": ""},
}


def shell(client, script, image=RUNTIME, **options):
    """Run a shell script in the image; its output."""
    return client.containers.run(image, ["sh", "-c", script], remove=True, stderr=True, **options).decode()


def test_has_no_compiler_and_no_headers(images, client):
    script = "for c in gcc cc g++ make ld as gdb; do command -v $c; done; ls /usr/include/eXosip2 2>/dev/null; true"
    assert shell(client, script) == ""


def test_runs_as_an_ordinary_user(images, client):
    assert shell(client, "id -u; id -g").split() == ["10001", "10001"]
    assert shell(client, "touch /opt/sipbridge/x /usr/x 2>&1; true").count("Permission denied") == 2


def test_is_small(images, client):
    base = client.images.get(standin.BASE).attrs["Size"]
    runtime = client.images.get(RUNTIME).attrs["Size"]
    build = client.images.get(standin.IMAGE + ":test").attrs["Size"]
    assert (runtime - base) < (build - base) / 4


def test_works_locked_down_and_as_any_user(images, client):
    for user in ("10001", "54321:54321"):
        output = shell(client, "sipbridge version && grep CapEff /proc/self/status", user=user, **LOCKED_DOWN)
        assert "exosip" in output
        assert "CapEff:\t0000000000000000" in output
        assert "NoNewPrivs" not in output


def test_version_names_the_library(images, client):
    assert "3.6.0" in client.containers.run(RUNTIME, ["version"], remove=True).decode()


def test_entry_point_execs(images, service):
    """PID 1 is the program itself, so it gets the stop signal."""
    one = service(["listen", "udp://0.0.0.0:5060"], stage="runtime", **LOCKED_DOWN)
    wait_for(lambda: one.container.exec_run(["cat", "/proc/1/cmdline"]).output.startswith(b"python2.7\0"), "python2.7")


def test_entry_point_loads_the_shield(images, client):
    """A _shield*.so of the package is in every process; nothing else is preloaded. Here any library stands for it."""
    script = (
        "rm -f /opt/sipbridge/lib/sipbridge/_shield*.so; exec sh /opt/sipbridge/docker/entrypoint"
        " sh -c 'echo preloaded=${LD_PRELOAD:-none}'"
    )
    options = {"entrypoint": ["sh", "-c"], "user": "0", "remove": True, "stderr": True}
    assert b"preloaded=none" in client.containers.run(RUNTIME, [script], **options)
    script = (
        "cp /lib/x86_64-linux-gnu/libutil.so.1 /opt/sipbridge/lib/sipbridge/_shield_probe.so;"
        " exec sh /opt/sipbridge/docker/entrypoint cat /proc/self/maps"
    )
    assert b"/sipbridge/_shield_probe.so" in client.containers.run(RUNTIME, [script], **options)


def test_a_command_of_sipbridge_wins_over_a_program_of_the_system(images, client):
    """make run CMD='ping ...' is sipbridge's, also where the image has a ping; by its path it is the system's."""
    script = "printf '#!/bin/sh\\necho of the system' > /bin/ping; chmod 755 /bin/ping;"
    script += " exec sh /opt/sipbridge/docker/entrypoint %s --help"
    options = {"entrypoint": ["sh", "-c"], "user": "0", "remove": True, "stderr": True}
    assert b"usage: sipbridge ping" in client.containers.run(RUNTIME, [script % "ping"], **options)
    assert client.containers.run(RUNTIME, [script % "/bin/ping"], **options) == b"of the system\n"


def test_health_check_asks_the_endpoint(images, client, service):
    check = client.images.get(RUNTIME).attrs["Config"]["Healthcheck"]["Test"]
    assert check[0] == "CMD"
    one = service(["listen", "udp://0.0.0.0:5060"], stage="runtime", **LOCKED_DOWN)
    result = wait_for(lambda: _healthy(one.container, check[1:]), "a healthy service")
    assert b"SIPBRIDGE-HEALTH to 127.0.0.1:5060: SIP/2.0 200" in result.output
    deaf = service(["sleep", "60"], stage="runtime", **LOCKED_DOWN)
    result = deaf.container.exec_run(check[1:])
    assert result.exit_code == 1 and b"127.0.0.1:5060: " in result.output


def _healthy(container, command):
    result = container.exec_run(command)
    return result if result.exit_code == 0 else None


def test_health_check_takes_a_2xx_and_nothing_else(images, client, service):
    """Against a socket of our own in the container: an engine whose events nobody takes says 503."""
    script = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 5060))\n"
        "while True:\n    d, a = s.recvfrom(65535); s.sendto(%r, a)\n"
    )
    check = ["python2.7", "/opt/sipbridge/docker/healthcheck.py"]
    fine = service(["python2.7", "-c", script % "SIP/2.0 200 OK\r\n\r\n"], stage="runtime")
    assert b"SIP/2.0 200 OK" in wait_for(lambda: _healthy(fine.container, check), "an answer").output
    busy = service(["python2.7", "-c", script % "SIP/2.0 503 Busy\r\n\r\n"], stage="runtime")
    result = wait_for(lambda: _says(busy.container, check, b"SIP/2.0 503 Busy"), "a refusal")
    assert result.exit_code == 1
    noise = service(["python2.7", "-c", script % "hello"], stage="runtime")
    result = noise.container.exec_run(check)
    assert result.exit_code == 1 and b"no answer" in result.output


def _says(container, command, text):
    result = container.exec_run(command)
    return result if text in result.output else None


def test_sigterm_drains_and_another_hangs_up_and_ends_at_once(images, client, service, source_of_caller):
    """docker stop sends the first. After the second every call gets its BYE, and the container is gone in no time."""
    listener = service(["listen", "udp://0.0.0.0:5060"], stage="runtime", **LOCKED_DOWN)
    wait_for(lambda: _healthy(listener.container, ["python2.7", "/opt/sipbridge/docker/healthcheck.py"]), "listener")
    callers = [service(source_of_caller("sip:%s:5060" % listener.address, "hold")) for _ in range(3)]
    for caller in callers:
        caller.says("established")
    listener.container.kill("SIGTERM")
    listener.says("taking no more calls: 3 to finish, at most 8 s for that")
    began = time.monotonic()
    listener.container.kill("SIGTERM")
    listener.container.wait(timeout=10)
    took = time.monotonic() - began
    for caller in callers:
        caller.says("ended: remote-bye")
    state = client.api.inspect_container(listener.container.id)["State"]
    assert state["ExitCode"] == 0, json.dumps(state)
    assert took < 2.0


def test_two_containers_call_each_other(images, service, source_of_caller):
    one = service(["python2.7", "-u", "examples/service.py"])
    two = service(["python2.7", "-u", "examples/service.py"])
    for callee in (one, two):
        callee.says("listening on udp://0.0.0.0:5060 (exosip 3.6.0")
    for callee, keys in ((one, ["12", "345"]), (two, ["9"])):
        caller = service(source_of_caller("sip:%s:5060" % callee.address, *keys))
        assert caller.container.wait(timeout=120)["StatusCode"] == 0, caller.log
        assert caller.log.splitlines() == ["keyed in %s, service has %s" % (word, word) for word in keys]


def test_published_port_is_reached_from_outside(images, checkout):
    """make run: the service answers OPTIONS on this machine's own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = checkout.start("run", PORT=str(port))
    try:
        assert wait_for(lambda: _options("127.0.0.1", port), "an answer to OPTIONS").startswith(b"SIP/2.0 200")
    finally:
        running.terminate()
        output = running.communicate(timeout=120)[0]
    assert "Traceback" not in output


def _options(host, port):
    """The answer to one OPTIONS, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(1.0)
        peer.connect((host, port))
        own = "%s:%d" % peer.getsockname()
        request = (
            "OPTIONS sip:{0}:{1} SIP/2.0\r\nVia: SIP/2.0/UDP {2};rport;branch=z9hG4bK{3}\r\nMax-Forwards: 70\r\n"
            "From: <sip:t@{2}>;tag=1\r\nTo: <sip:{0}:{1}>\r\nCall-ID: {3}\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n"
        ).format(host, port, own, time.monotonic_ns())
        try:
            peer.send(request.encode("ascii"))
            return peer.recv(65535)
        except OSError:
            return None
