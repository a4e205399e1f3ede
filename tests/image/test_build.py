"""The Dockerfile, built on the stand-ins by `make build`."""

import os
import subprocess
import uuid

import pytest
import standin
from fixtures import BUILD_LIMIT, LIMIT

STAGES = ("runtime", "test", "debug")


def build(archive, name, **settings):
    """Build up to the check of versions with another archive; the CompletedProcess."""
    arguments = standin.settings(archive.url, name)
    arguments.update(settings)
    words = ["docker", "build", "--file", "Dockerfile.ubuntu1204", "--target", "build"]
    for variable, value in arguments.items():
        if variable not in ("IMAGE", "STANDIN"):
            words += ["--build-arg", "%s=%s" % (variable, value)]
    result = subprocess.run(
        words + ["."],
        cwd=standin.TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_LIMIT,
    )
    return result


def test_builds_and_calls_the_stand_in_a_stand_in(images):
    for stage in STAGES:
        line = next(
            line for line in images.splitlines() if line.startswith("%s:%s stands" % (standin.IMAGE, stage))
        )
        assert "STAND-IN" in line and "not Ubuntu 12.04" in line and "3.6.0" in line


def test_version_check_passes_on_what_is_expected(images, client):
    """The build has run it, or found that in its cache; here once more."""
    expected = {"EXPECT_EXOSIP": "3.", "EXPECT_OSIP": "3.", "EXPECT_LIBC": "2.31", "EXPECT_PYTHON": "2.7.18"}
    command = ["sh", "/opt/sipbridge/docker/check-versions"]
    output = client.containers.run(
        standin.IMAGE + ":test", command, entrypoint=[], environment=expected, remove=True, stderr=True
    ).decode()
    for line in ("libexosip2 3.6.0: as", "libosip2 3.6.0: as", "libc 2.31: as", "Python 2.7.18: as"):
        assert "sipbridge image: %s expected" % line in output


@pytest.fixture
def buildkit():
    """A client that can ask the daemon for BuildKit, and the environment in which it does."""
    environment = dict(os.environ, DOCKER_BUILDKIT="1")
    for client in ("docker", "/usr/bin/docker"):  # Debian's has it built in, others need their buildx
        if not subprocess.run([client, "build", "--help"], env=environment, capture_output=True).returncode:
            return client, environment
    pytest.skip("no client here can ask for BuildKit")


def test_builds_with_buildkit(archive, buildkit):
    """All that the runtime stage is made of; `make build` above took the builder that the client prefers."""
    client, environment = buildkit
    settings = standin.settings(archive.url)
    words = [
        w for k, v in settings.items() if k not in ("IMAGE", "STANDIN") for w in ("--build-arg", k + "=" + v)
    ]
    result = subprocess.run(
        [client, "build", "--progress", "plain", "--file", "Dockerfile.ubuntu1204", "--target", "runtime"]
        + words
        + ["."],
        cwd=standin.TOP,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_LIMIT,
    )
    assert result.returncode == 0, result.stdout[-8000:]
    assert "load build definition from Dockerfile.ubuntu1204" in result.stdout  # BuildKit's words


def test_another_version_stops_the_build(images, archive):
    result = build(archive, "other")
    assert result.returncode != 0
    assert "libexosip2 is 5.1.0, but this image needs 3.x" in result.stdout
    assert "libosip2 3.6.0: as expected" in result.stdout
    assert archive.url + "/other" in result.stdout and "APT_MIRROR=" in result.stdout


def test_what_ubuntu_1204_has_is_expected_by_default(images, archive):
    """Without the settings for the stand-in, the stand-in itself is refused."""
    settings = standin.settings(archive.url)
    del settings["EXPECT_LIBC"], settings["EXPECT_PYTHON"]
    words = [
        w for k, v in settings.items() if k not in ("IMAGE", "STANDIN") for w in ("--build-arg", k + "=" + v)
    ]
    result = subprocess.run(
        ["docker", "build", "--file", "Dockerfile.ubuntu1204", "--target", "build", *words, "."],
        cwd=standin.TOP,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    output = result.stdout + result.stderr
    assert result.returncode != 0
    assert "libc is 2.31, but this image needs 2.15" in output
    assert "Python is 2.7.18, but this image needs 2.7.3" in output
    assert "a STAND-IN (Debian GNU/Linux 11 (bullseye)), not Ubuntu 12.04" in output


def test_wrong_signature_stops_the_build(images, archive):
    result = build(archive, "wrong-key")
    assert result.returncode != 0
    assert "are not signed with a key that the base image trusts" in result.stdout
    assert "Unpacking" not in result.stdout


def test_mirror_without_the_suite_is_named(images, archive):
    result = build(archive, "good", APT_SUITES="precise precise-updates")
    assert result.returncode != 0
    assert "cannot get the package lists of: precise precise-updates (main)" in result.stdout
    assert "%s/good/dists/precise/Release" % archive.url in result.stdout
    assert "make build APT_MIRROR=" in result.stdout


def test_index_past_its_date_is_used(images, archive, client):
    """As 12.04's: the stand-in's index was valid until 2017."""
    release = client.containers.run(
        standin.REPOSITORY, ["cat", "/repository/good/dists/standin/Release"], remove=True
    )
    assert b"Valid-Until: Mon, 01 May 2017" in release


def test_labels(images, client, checkout):
    version = (checkout.folder / "sipbridge" / "_version.py").read_text().split('"')[1]
    for stage in STAGES:
        labels = client.images.get("%s:%s" % (standin.IMAGE, stage)).labels
        assert labels["org.opencontainers.image.title"] == "sipbridge"
        assert labels["org.opencontainers.image.licenses"] == "GPL-2.0-or-later"
        assert labels["org.opencontainers.image.version"] == version
        assert labels["org.opencontainers.image.base.name"] == standin.BASE
        assert labels["org.sipbridge.libexosip2"].startswith("3.6.0")
        assert labels["org.sipbridge.libosip2"].startswith("3.6.0")
        assert "STAND-IN" in labels["org.sipbridge.base"]


def test_no_build_argument_or_environment_of_the_builder_stays(images, client):
    """Nothing but what the image needs is in its environment, and no proxy or index is in its history."""
    for stage in STAGES:
        image = client.images.get("%s:%s" % (standin.IMAGE, stage))
        names = {entry.split("=")[0] for entry in image.attrs["Config"]["Env"]}
        assert names <= {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SIPBRIDGE_ENGINES"}
        assert not [layer for layer in image.history() if "PIP_INDEX_URL" in layer["CreatedBy"]]


def test_manifest_lists_the_packages_of_each_stage(images, checkout):
    result = checkout.make("manifest", STAGE="runtime")
    assert result.returncode == 0, result.stdout
    assert "# base: a STAND-IN" in result.stdout
    assert "libexosip2-7 3.6.0-1standin amd64" in result.stdout
    assert "libc-ares2 " in result.stdout and "libc-ares-dev " not in result.stdout
    assert "\ngcc " not in result.stdout and "\nmake " not in result.stdout
    result = checkout.make("manifest", STAGE="debug")
    assert "\ngdb " in result.stdout and "\npython2.7-dbg " in result.stdout


def test_lock_is_refused_for_a_stand_in(images, checkout):
    result = checkout.make("lock", STANDIN="")
    assert result.returncode != 0
    assert "STAND-IN" in result.stdout
    assert not (checkout.folder / "docker" / "packages.lock").exists()


def test_lock_is_compared(images, checkout):
    lock = checkout.folder / "docker" / "packages.lock"
    try:
        assert checkout.make("lock").returncode == 0
        with lock.open("a") as stream:
            stream.write("# %s\n" % uuid.uuid4())  # so that no earlier build of the same is in the cache
        result = checkout.make("build", limit=BUILD_LIMIT)
        assert result.returncode == 0, result.stdout[-4000:]
        assert result.stdout.count("all packages are as locked") == len(STAGES)
        text = lock.read_text()
        lock.write_text(text.replace("libexosip2-7 3.6.0-1standin", "libexosip2-7 3.6.0-2standin"))
        result = checkout.make("build", limit=BUILD_LIMIT)
        assert result.returncode != 0
        assert "installed, not in the lock: libexosip2-7 3.6.0-1standin amd64" in result.stdout
    finally:
        lock.unlink()
    assert checkout.make("build", limit=BUILD_LIMIT).returncode == 0
