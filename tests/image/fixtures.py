"""What the tests share: a daemon, the stand-ins, a copy of the source tree that belongs to an ordinary user, and the
images built from it with the real Dockerfile and the real `make build`."""

import ipaddress
import os
import pathlib
import shutil
import subprocess
import sys
import time

import engine
import pexpect
import pytest
import standin

import docker

#: The user that runs `make`: neither root nor known to any system.
USER = 4321
CACHE = pathlib.Path(os.environ.get("STANDIN_CACHE", "/var/tmp/sipbridge-image-selftest"))
BUILD_LIMIT = 1800  # seconds for `make build`
LIMIT = 120  # seconds for anything else, so that nothing waits for ever


@pytest.fixture(scope="session")
def daemon():
    """A Docker daemon that answers; one that was started here is stopped again."""
    own = engine.start(CACHE / "docker")
    yield
    if own:
        own.stop()


@pytest.fixture(scope="session")
def client(daemon):
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def archive(client, tmp_path_factory):
    """The package archives, served on the gateway of Docker's default network."""
    folder = tmp_path_factory.mktemp("archive") / "repository"
    standin.repository(standin.TOP, folder)
    standin.bases(folder)
    with standin.Archive(folder, _gateway(client)) as served:
        yield served


def _gateway(client):
    """This machine's address on Docker's default network: the first of it, where the daemon does not say."""
    (config,) = client.networks.get("bridge").attrs["IPAM"]["Config"]
    return config.get("Gateway") or str(next(ipaddress.ip_network(config["Subnet"]).hosts()))


class Checkout:
    """A copy of the source tree, and `make` in it as an ordinary user.

    ``groups`` are those of the user; by default the one that may use the daemon's socket.
    """

    def __init__(self, folder, settings, groups=None):
        self.folder = pathlib.Path(folder)
        self.settings = settings
        self.environment = dict(os.environ, HOME=str(self.folder), **settings)
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):  # of the make that runs these tests
            self.environment.pop(name, None)
        self.user = USER
        self.groups = [os.stat(self._socket()).st_gid] if groups is None else groups

    def _as_user(self, words):
        who = ["--reuid", str(USER), "--regid", str(USER)]
        who += ["--groups", ",".join(map(str, self.groups))] if self.groups else ["--clear-groups"]
        return ["setpriv"] + who + [str(word) for word in words]

    def _socket(self):
        return self.environment.get("DOCKER_HOST", "unix:///var/run/docker.sock")[len("unix://") :]

    def make(self, *words, limit=LIMIT, **settings):
        """Run make; the CompletedProcess with both outputs in stdout."""
        return self.run("make", *words, limit=limit, **settings)

    def run(self, *words, limit=LIMIT, **settings):
        """As make(), for any command."""
        return subprocess.run(
            self._as_user(words),
            cwd=self.folder,
            env=dict(self.environment, **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=limit,
        )

    def terminal(self, *words, **settings):
        """Run make in a pseudo-terminal: a pexpect.spawn. TERM is dumb, so that the text has no colours."""
        command = self._as_user(["make", *words])
        return pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(self.folder),
            env=dict(self.environment, TERM="dumb", **settings),
            encoding="utf-8",
            timeout=LIMIT / 2,
            dimensions=(50, 200),
            logfile=sys.stdout,
        )

    def start(self, *words, **settings):
        """Run make without a terminal: a Popen with both outputs in stdout."""
        return subprocess.Popen(
            self._as_user(["make", *words]),
            cwd=self.folder,
            env=dict(self.environment, **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="session")
def checkout(archive):
    folder = CACHE / "checkout"  # pytest's own folders are for root alone
    shutil.rmtree(folder, ignore_errors=True)
    standin.checkout(folder)
    for path in [folder, *folder.rglob("*")]:
        shutil.chown(path, USER, USER)
    return Checkout(folder, standin.settings(archive.url))


@pytest.fixture(scope="session")
def images(checkout):
    """The images of all stages; the output of the build."""
    result = checkout.make("build", limit=BUILD_LIMIT)
    assert result.returncode == 0, result.stdout[-8000:]
    return result.stdout


def wait_for(condition, what, limit=30):
    """Wait until condition() is true and return what it returned."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    pytest.fail("%s: not in %d s" % (what, limit))


class Service:
    """examples/service.py, or another command, in a container on a network of its own."""

    def __init__(self, client, network, command, stage="test", **options):
        self.container = client.containers.run(
            "%s:%s" % (standin.IMAGE, stage), command, detach=True, network=network.name, **options
        )

    @property
    def address(self):
        self.container.reload()
        (network,) = self.container.attrs["NetworkSettings"]["Networks"].values()
        return network["IPAddress"]

    def says(self, text, limit=30):
        """Wait until the log has the text."""
        wait_for(lambda: text in self.log, "%r in the log" % text, limit)

    @property
    def log(self):
        return self.container.logs().decode()


@pytest.fixture
def network(client):
    network = client.networks.create("sipbridge-standin-%d" % os.getpid())
    yield network
    network.remove()


@pytest.fixture
def service(client, images, network):
    """Start services: service(command, ...) gives a Service; all are removed afterwards."""
    started = []

    def start(command, **options):
        started.append(Service(client, network, command, **options))
        return started[-1]

    yield start
    for one in started:
        one.container.remove(force=True)


@pytest.fixture
def source_of_caller():
    """The command that runs caller.py in a container, with arguments."""
    source = (standin.HERE / "caller.py").read_text()
    return lambda *arguments: ["python2.7", "-u", "-c", source, *arguments]
