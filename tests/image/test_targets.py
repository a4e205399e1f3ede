"""Every target of the Makefile as a new user tries it: with Docker, without it, and without a network."""

import shutil

import pytest
import standin
from fixtures import BUILD_LIMIT, Checkout

IN_IMAGE = ("build", "shell", "debug", "replay", "run", "manifest", "lock", "clean-image")
APP = {"APP": "examples/service.py", "FILE": "examples/service-bug.pcapng"}

NO_CLIENT = {"DOCKER": "/nonexistent"}
NO_DAEMON = {"DOCKER_HOST": "unix:///nonexistent"}
NOBODY = "127.0.0.1:9"  # nothing listens on the port of "discard"
NO_NETWORK = {"IMAGE": "sipbridge-standin-none", "BASE_IMAGE": NOBODY + "/ubuntu:12.04"}


def first_line(result):
    return result.stdout.splitlines()[0]


# -- with Docker -------------------------------------------------------------------------------------------


def test_make_alone_lists_the_targets(checkout):
    result = checkout.make()
    assert result.returncode == 0
    listed = [line.split()[0] for line in result.stdout.splitlines()]
    for target in IN_IMAGE + ("test", "demo", "doctor", "clean", "image-selftest"):
        assert listed.count(target) == 1, target
    assert all(len(line.split()) > 3 for line in result.stdout.splitlines())


@pytest.mark.parametrize("sandbox", ["auto", "docker"])
def test_demo_runs_in_the_image_and_says_so(images, checkout, sandbox):
    result = checkout.make("demo", SANDBOX=sandbox)
    assert result.returncode == 0, result.stdout
    where = "demo: in the image %s:test, on a STAND-IN" % standin.IMAGE
    assert first_line(result).startswith(where) and "libexosip2 3.6.0" in first_line(result)
    assert result.stdout.rstrip().endswith("demo: ok")
    assert "engine: exosip" in result.stdout


def test_files_belong_to_the_caller(images, checkout):
    """What the containers of all targets wrote into the mounted tree is owned by the user who ran make."""
    result = checkout.make("test", ARGS="-q tests/unit/test_uri.py --junitxml build/here.xml")
    assert (checkout.folder / "build" / "here.xml").exists(), result.stdout
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in checkout.folder.rglob("*")}
    assert owners == {(checkout.user, checkout.user)}
    assert not list(checkout.folder.rglob("*.pyc"))


def test_run_takes_a_command(images, checkout):
    result = checkout.make("run", CMD="version", PORT="25160")
    assert result.returncode == 0 and "exosip 3.6.0" in result.stdout
    result = checkout.make("run", CMD="call nonsense", PORT="25160")
    assert result.returncode != 0 and "sipbridge" in result.stdout
    result = checkout.make("run", CMD="python2.7 -c 'import dpkt; print(40 + 2)'", PORT="25160")
    assert result.returncode == 0 and result.stdout.splitlines()[-1] == "42"
    result = checkout.make("run", CMD="doctor")
    assert result.returncode == 0 and "this runs in it, on a STAND-IN" in result.stdout


def test_a_library_of_the_host_is_not_taken_for_the_image_s(images, checkout):
    """make develop on the host puts a _shield.so there that wants the host's glibc; it would be preloaded."""
    checkout.make("test", ARGS="-q tests/unit/test_uri.py")
    shield = checkout.folder / "sipbridge" / "_shield.so"
    shield.write_bytes(b"of another system")
    result = checkout.make("test", ARGS="-q tests/unit/test_uri.py")
    assert result.returncode == 0 and "preload" not in result.stdout, result.stdout
    assert shield.read_bytes().startswith(b"\x7fELF")


def test_doctor_finds_nothing_wrong(images, checkout):
    result = checkout.make("doctor")
    assert result.returncode == 0, result.stdout
    for name in ("client", "daemon", "architecture", "vsyscall", "image", "UDP port", "engines"):
        assert "\n%-8s %s" % ("", name) in result.stdout.replace("\nok  ", "\n    ").replace(
            "\nnote", "\n    "
        ), name
    assert "runtime, test, debug on a STAND-IN" in result.stdout


def test_clean_removes_what_was_made_and_clean_image_the_image(images, checkout, client):
    for stage in ("runtime", "test"):
        client.images.get("%s:%s" % (standin.IMAGE, stage)).tag("sipbridge-standin-clean", stage)
    result = checkout.make("clean-image", IMAGE="sipbridge-standin-clean")
    assert result.returncode == 0, result.stdout
    assert not client.images.list("sipbridge-standin-clean")
    assert client.images.list(standin.IMAGE)
    assert checkout.make("clean").returncode == 0
    assert not (checkout.folder / "build").exists()
    assert not list((checkout.folder / "sipbridge").glob("*.so"))


# -- without -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", IN_IMAGE)
def test_without_a_client_it_says_what_to_install(checkout, target):
    result = checkout.make(target, **APP, **NO_CLIENT)
    assert result.returncode != 0
    assert "no container client: no '/nonexistent'" in first_line(result)
    assert "apt-get install docker.io" in result.stdout and "make doctor" in result.stdout


@pytest.mark.parametrize("target", IN_IMAGE)
def test_without_a_daemon_it_says_how_to_start_it(checkout, target):
    result = checkout.make(target, **APP, **NO_DAEMON)
    assert result.returncode != 0
    assert "does not answer at unix:///nonexistent" in first_line(result)
    assert "systemctl start docker" in result.stdout


def test_without_permission_it_says_whom_to_join(checkout):
    stranger = Checkout(checkout.folder, checkout.settings, groups=())
    result = stranger.make("shell")
    assert result.returncode != 0
    assert "you may not use its socket" in first_line(result) and "usermod -aG docker" in result.stdout
    result = stranger.make("doctor")
    assert result.returncode != 0 and "you may not use its socket" in result.stdout


@pytest.mark.parametrize("target", ["build", "shell", "run"])
def test_without_image_and_network_it_says_what_to_do(checkout, target):
    result = checkout.make(target, **NO_NETWORK)
    assert result.returncode != 0
    assert (
        "No image: %s/ubuntu:12.04 is not on this machine and could not be fetched" % NOBODY in result.stdout
    )
    assert "docker load" in result.stdout and "make build BASE_IMAGE=" in result.stdout


def test_with_a_mirror_that_does_not_answer_it_names_it(archive, checkout):
    result = checkout.make("build", APT_MIRROR="http://%s/ubuntu" % NOBODY, IMAGE="sipbridge-standin-none")
    assert result.returncode != 0
    assert "from the mirror: http://%s/ubuntu" % NOBODY in result.stdout
    assert "make build APT_MIRROR=" in result.stdout
    assert "was not built" in result.stdout


def test_a_built_image_needs_no_network(images, checkout):
    """What is built is used as it is: no registry and no mirror is asked."""
    settings = {"BASE_IMAGE": NOBODY + "/ubuntu:12.04", "APT_MIRROR": "http://%s/ubuntu" % NOBODY}
    result = checkout.make("run", CMD="version", PORT="25160", **settings)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "settings, reason",
    [
        (NO_CLIENT, "no '/nonexistent' on this machine"),
        (NO_DAEMON, "does not answer at unix:///nonexistent"),
        (NO_NETWORK, NOBODY + "/ubuntu:12.04, which it is built on, can not be fetched"),
    ],
)
@pytest.mark.parametrize("target", ["demo", "test"])
def test_auto_runs_on_the_host_and_says_why(on_host, target, settings, reason):
    result = on_host.make(target, SANDBOX="auto", **settings)
    assert result.returncode == 0, result.stdout
    assert first_line(result).startswith("%s: on this host, with Sofia-SIP" % target)
    assert first_line(result).endswith(reason)
    assert result.stdout.splitlines()[-1] == "the host runs " + target
    result = on_host.make(target, SANDBOX="docker", **settings)
    assert result.returncode != 0
    assert "SANDBOX=docker wants the image, and" in result.stdout and reason in result.stdout
    assert "the host runs" not in result.stdout


def test_auto_runs_on_the_host_when_the_image_does_not_build(on_host, archive):
    settings = dict(APT_MIRROR="http://%s/ubuntu" % NOBODY, IMAGE="sipbridge-standin-none")
    result = on_host.make("demo", SANDBOX="auto", limit=BUILD_LIMIT, **settings)
    assert result.returncode == 0, result.stdout
    assert first_line(result).startswith("demo: in the image, which has to be built first")
    assert "not in the image: the image could not be built (above)" in result.stdout
    assert result.stdout.splitlines()[-1] == "the host runs demo"


def test_host_never_asks_docker(on_host):
    result = on_host.make("demo", SANDBOX="host")
    assert first_line(result).endswith("not in the image: SANDBOX=host")
    result = on_host.make("demo", SANDBOX="nowhere")
    assert result.returncode != 0 and "auto, docker or host" in result.stdout


@pytest.fixture
def on_host(checkout, tmp_path_factory):
    """A checkout whose tools/host only says that it was called: what it does is tested elsewhere."""
    folder = checkout.folder.parent / "checkout-host"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(checkout.folder, folder, symlinks=True)
    host = folder / "tools" / "host"
    host.write_text('#!/bin/sh\necho "the host runs $1"\n')
    for path in [folder, *folder.rglob("*")]:
        shutil.chown(path, checkout.user, checkout.user)
    yield Checkout(folder, checkout.settings)
    shutil.rmtree(folder)
