"""A Docker daemon for the tests: the one that answers, or one of their own."""

import os
import pathlib
import shutil
import subprocess
import time

import pytest

START_LIMIT = 60  # seconds in which dockerd must answer
NOT_RUN = 3  # exit code


def answers(host=None):
    """True when a daemon answers the client's question: the one at this address, or the client's own choice."""
    where = ["--host", host] if host else []
    return subprocess.run(["docker", *where, "info"], capture_output=True).returncode == 0


def not_run(reason, log=""):
    """End the run: nothing was tested, and tests/image/run says so in its last lines."""
    pytest.exit("%s\n%s" % (reason, log[-3000:]), NOT_RUN)


class DaemonFailed(Exception):
    """dockerd did not start; the text is its log."""


class Daemon:
    """A dockerd with its own socket, images and process folder below ``folder``, started; stopped with stop().

    Args:
        options: more of dockerd's.
        before: a command that runs the one behind it.

    Attributes:
        host: its address, as DOCKER_HOST takes it.
    """

    def __init__(self, folder, *options, before=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.host = "unix://%s" % (self.folder / "docker.sock")
        self._command = [
            *before,
            "dockerd",
            "--host=%s" % self.host,
            "--data-root=%s" % (self.folder / "data"),
            "--exec-root=%s" % (self.folder / "exec"),
            "--pidfile=%s" % (self.folder / "docker.pid"),
            *options,
        ]
        self.start()

    def start(self):
        """Start it (again), and wait until it answers."""
        self._log = open(self.folder / "dockerd.log", "a")
        self.process = subprocess.Popen(self._command, stdout=self._log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self.process.poll() is None:
            if answers(self.host):
                return
            time.sleep(0.1)
        self.stop()
        raise DaemonFailed((self.folder / "dockerd.log").read_text())

    def stop(self):
        """End the daemon; its images stay for the next run."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


def start(folder):
    """The Daemon that was started, or None when one was there already."""
    if shutil.which("docker") and answers():
        return None
    if not shutil.which("dockerd"):
        not_run("no Docker daemon answers, and there is no dockerd to start")
    print("image-selftest: no Docker daemon answers, starting one in", folder)
    try:
        daemon = Daemon(folder)
    except DaemonFailed as error:
        not_run("no Docker daemon answers and dockerd cannot be started", str(error))
    os.environ["DOCKER_HOST"] = daemon.host
    return daemon
