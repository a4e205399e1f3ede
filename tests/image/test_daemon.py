"""A Docker daemon that starts anew while a service has an engine in a container of it: a daemon of this test's own."""

import os
import shutil
import subprocess
import sys
import threading
import time

import engine
import pytest
import standin
from fixtures import CACHE

SERVICE = """
import sys, sipbridge
container = sipbridge.Container(sys.argv[1], network="host", max_restarts=1)
with sipbridge.Endpoint("udp://127.0.0.1:0", engine=container) as phone:
    phone.on(sipbridge.EngineRestarted, lambda event: print("restarted", phone.port, flush=True))
    phone.on(sipbridge.EngineFailed, lambda event: print(event.reason, flush=True))
    print("ready", phone.port, flush=True)
    sys.stdin.read()
"""

#: Seconds to another engine once the daemon answers. It should be 5; the machine is shared with other tests.
LIMIT = 20.0


@pytest.fixture(scope="module")
def daemon(images):
    """A second daemon, which has the image of the runtime stage.

    It has a network of its own: with --bridge=none, a daemon removes the bridge of the other one.
    """
    folder = CACHE / "second"
    shutil.rmtree(folder, ignore_errors=True)
    apart = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "dockerd"]
    daemon = engine.Daemon(folder, "--bridge=none", "--iptables=false", before=apart)
    try:
        saved = subprocess.Popen(["docker", "save", standin.IMAGE + ":runtime"], stdout=subprocess.PIPE)
        subprocess.run(["docker", "--host", daemon.host, "load", "--quiet"], stdin=saved.stdout, check=True)
        saved.stdout.close()
        assert saved.wait() == 0
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Service:
    """A service whose engine is in a container of a daemon."""

    def __init__(self, daemon):
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVICE, standin.IMAGE + ":runtime"],
            env=dict(os.environ, DOCKER_HOST=daemon.host, PYTHONPATH=str(standin.TOP)),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._limit = threading.Timer(120.0, self.process.kill)
        self._limit.start()

    def says(self):
        """The next line, in words; none when it has ended."""
        return self.process.stdout.readline().split()

    def stop(self):
        """Let it end. Returns its exit code."""
        self.process.stdin.close()
        code = self.process.wait(60)
        self._limit.cancel()
        self.process.stdout.close()
        return code


@pytest.fixture
def service(daemon):
    service = Service(daemon)
    yield service
    if service.process.poll() is None:
        service.process.kill()
        service.stop()


def test_a_daemon_that_starts_anew_is_waited_for(daemon, service):
    """That counts as one loss, and the engine is there again on the same port."""
    said, port = service.says()
    assert said == "ready"
    daemon.stop()
    daemon.start()
    began = time.monotonic()
    assert service.says() == ["restarted", port]
    seconds = time.monotonic() - began
    print("another engine %.2f s after the daemon was back" % seconds)
    assert seconds < LIMIT
    assert service.stop() == 0
    listed = ["docker", "--host", daemon.host, "ps", "--all", "--quiet"]
    deadline = time.monotonic() + LIMIT
    while subprocess.check_output(listed):
        assert time.monotonic() < deadline, "a container is left"
        time.sleep(0.1)
