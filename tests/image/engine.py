"""A Docker daemon for the tests: the one that answers, or one of their own."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

START_LIMIT = 60  # seconds in which dockerd must answer
NOT_RUN = 3  # exit code


def answers():
    """True when a daemon answers the client's question."""
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


def not_run(reason, log=""):
    """End the run: nothing was tested, and tests/image/run says so in its last lines."""
    pytest.exit("%s\n%s" % (reason, log[-3000:]), NOT_RUN)


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
        not_run("no Docker daemon answers and dockerd cannot be started", (self.folder / "dockerd.log").read_text())

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
        not_run("no Docker daemon answers, and there is no dockerd to start")
    print("image-selftest: no Docker daemon answers, starting one in", folder)
    return Daemon(folder)
