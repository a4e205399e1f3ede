"""A Docker daemon for the tests: the one that answers, or one of their own."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

START_LIMIT = 60  # seconds in which dockerd must answer


def answers():
    """True when a daemon answers the client's question."""
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


class Daemon:
    """A dockerd with its own socket, images and process folder below ``folder``; stopped with stop()."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "docker.sock"
        self.log = open(self.folder / "dockerd.log", "w")
        command = [
            "dockerd",
            "--host=unix://%s" % self.socket,
            "--data-root=%s" % (self.folder / "data"),
            "--exec-root=%s" % (self.folder / "exec"),
            "--pidfile=%s" % (self.folder / "docker.pid"),
        ]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        os.environ["DOCKER_HOST"] = "unix://%s" % self.socket
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self.process.poll() is None:
            if answers():
                return
            time.sleep(0.5)
        self.stop()
        log = (self.folder / "dockerd.log").read_text()
        pytest.exit("image-selftest: no Docker daemon answers and dockerd cannot be started:\n" + log[-3000:], 1)

    def stop(self):
        """End the daemon; its images stay for the next run."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        os.environ.pop("DOCKER_HOST", None)


def start(folder):
    """The Daemon that was started, or None when one was there already."""
    if shutil.which("docker") and answers():
        return None
    if not shutil.which("dockerd"):
        pytest.exit("image-selftest: no Docker daemon answers, and there is no dockerd to start", 1)
    print("image-selftest: no Docker daemon answers, starting one in", folder)
    return Daemon(folder)
