"""What the tests share: a daemon, the stand-ins, a copy of the source tree that belongs to an ordinary user, and the
images built from it with the real Dockerfile and the real `make build`."""

import contextlib
import ipaddress
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
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
LIMIT = 300  # seconds for anything else, so that nothing waits for ever


class Common:
    """What all tests share, made by the first process: a daemon, the archives of the stand-ins, and the images."""

    def __init__(self):
        self.undo = contextlib.ExitStack()

    def start(self):
        try:
            self._start()
        except BaseException:
            self.undo.close()
            raise

    def _start(self):
        began = time.monotonic()

        def tell(what):
            print("image-selftest: %s after %d s" % (what, time.monotonic() - began), flush=True)

        own = engine.start(CACHE / "docker")  # one that was started here is stopped again
        if own:
            self.undo.callback(os.environ.pop, "DOCKER_HOST")
            self.undo.callback(own.stop)
        folder = pathlib.Path(self.undo.enter_context(tempfile.TemporaryDirectory())) / "repository"
        with contextlib.closing(docker.from_env()) as client:
            address = _gateway(client)
        standin.prepare(standin.TOP, folder)
        served = self.undo.enter_context(standin.Archive(folder, address))
        os.environ.update(SELFTEST_ARCHIVE=served.url, SELFTEST_KEY=served.key)
        tell("the stand-ins are there")
        result = make_checkout(standin.Served.here()).make("build", limit=BUILD_LIMIT)
        (CACHE / "build.log").write_text(result.stdout)
        if result.returncode:
            pytest.exit(result.stdout[-8000:] + "\nimage-selftest: the images do not build", 1)
        tell("the images are built")

    def stop(self):
        self.undo.close()


@pytest.fixture(scope="session")
def client():
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def archive():
    """The package archives, served on the gateway of Docker's default network."""
    return standin.Served.here()


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


def make_checkout(archive):
    """A Checkout for this process alone."""
    name = "checkout-" + os.environ.get("PYTEST_XDIST_WORKER", "first")
    folder = CACHE / name  # pytest's own folders are for root alone
    shutil.rmtree(folder, ignore_errors=True)
    standin.checkout(folder)
    for path in [folder, *folder.rglob("*")]:
        shutil.chown(path, USER, USER)
    return Checkout(folder, standin.settings(archive))


@pytest.fixture(scope="session")
def checkout(archive):
    return make_checkout(archive)


@pytest.fixture(scope="session")
def images():
    """The images of all stages; the output of the build."""
    return (CACHE / "build.log").read_text()


def wait_for(condition, what, limit=120):
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

    def says(self, text, limit=120):
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
