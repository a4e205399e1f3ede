"""The Dockerfile, built on the stand-ins by `make build`."""

import json
import os
import re
import subprocess
import uuid

import pytest
import standin
from fixtures import BUILD_LIMIT

STAGES = ("runtime", "test", "debug")

#: Another name than that of the images that other tests use meanwhile.
LOCKED = {"IMAGE": "sipbridge-standin-locked"}


def docker_build(*options, client="docker", environment=None, **settings):
    """docker build of the Dockerfile in the source tree; the CompletedProcess with both outputs in stdout."""
    words = [client, "build", "--file", "Dockerfile.ubuntu1204", *options]
    for variable, value in settings.items():
        if variable not in ("IMAGE", "STANDIN"):
            words += ["--build-arg", "%s=%s" % (variable, value)]
    return subprocess.run(
        words + ["."],
        cwd=standin.TOP,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_LIMIT,
    )


def build(archive, name, **settings):
    """Build up to the check of versions with another archive, as `make build` does; the CompletedProcess."""
    settings = dict(standin.settings(archive, name), **settings)
    result = docker_build("--target", "fetched", **settings)
    if result.returncode == 0:
        result = docker_build("--target", "build", "--network", "none", **settings)
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
    options = {"client": client, "environment": environment, **standin.settings(archive)}
    fetched = "sipbridge-standin-buildkit:fetched"
    result = docker_build("--progress", "plain", "--target", "fetched", "--tag", fetched, **options)
    assert result.returncode == 0, result.stdout[-8000:]
    options["FETCHED"] = fetched
    result = docker_build("--progress", "plain", "--target", "runtime", "--network", "none", **options)
    assert result.returncode == 0, result.stdout[-8000:]
    assert "load build definition from Dockerfile.ubuntu1204" in result.stdout  # BuildKit's words


def test_another_version_stops_the_build(images, archive):
    result = build(archive, "other")
    assert result.returncode != 0
    assert "libexosip2 is 5.1.0, but this image needs 3.x" in result.stdout
    assert "libosip2 3.6.0: as expected" in result.stdout
    assert "APT_MIRROR=" in result.stdout


def test_what_ubuntu_1204_has_is_expected_by_default(images, archive):
    """Without the settings for the stand-in, the stand-in itself is refused."""
    settings = standin.settings(archive)
    del settings["EXPECT_LIBC"], settings["EXPECT_PYTHON"]
    result = docker_build("--target", "build", "--network", "none", **settings)
    output = result.stdout
    assert result.returncode != 0
    assert "libc is 2.31, but this image needs 2.15" in output
    assert "Python is 2.7.18, but this image needs 2.7.3" in output
    assert "a STAND-IN (Debian GNU/Linux 11 (bullseye)), not Ubuntu 12.04" in output


def test_wrong_signature_stops_the_build(images, archive):
    result = build(archive, "wrong-key")
    assert result.returncode != 0
    assert "are not signed with the one key that is trusted" in result.stdout
    assert "Unpacking" not in result.stdout


def test_the_key_that_is_trusted_is_ubuntu_s_by_default(images, archive):
    """Without the setting for the stand-in, its archive is refused, though its base has the key."""
    settings = standin.settings(archive)
    del settings["APT_KEY"]
    result = docker_build("--target", "fetched", **settings)
    assert result.returncode != 0
    assert "are not signed with the one key that is trusted" in result.stdout
    assert "630239CC130E1A7FD81A27B140976EAF437D05B5" in result.stdout


def test_another_package_than_the_index_says_stops_the_build(images, archive):
    result = build(archive, "tampered")
    assert result.returncode != 0
    assert "cannot provide all of: libexosip2-dev" in result.stdout


def test_signed_as_in_2012_with_sha1(images, archive, client):
    """The stand-in is signed as 12.04 was: today's apt takes that in this one stage, and says so."""
    refresh = "REFRESH=%s" % uuid.uuid4()  # so that it is not in the cache
    result = docker_build("--target", "fetched", "--build-arg", refresh, **standin.settings(archive))
    assert result.returncode == 0, result.stdout[-4000:]
    assert "uses weak algorithm (SHA1)" in result.stdout or "uses weak digest algorithm (SHA1)" in result.stdout


def test_without_a_network_nothing_can_be_fetched(images, archive):
    """What --network none is good for: were a stage to open a connection, its build would end like this."""
    refresh = "REFRESH=%s" % uuid.uuid4()  # so that it is not in the cache
    result = docker_build(
        "--target", "fetched", "--network", "none", "--build-arg", refresh, **standin.settings(archive)
    )
    assert result.returncode != 0
    assert "cannot get the package lists of: standin (main)" in result.stdout


def test_no_source_but_what_was_fetched_is_left(images, client):
    script = "cat /etc/apt/sources.list; ls -A /etc/apt/sources.list.d /var/lib/apt/lists /opt/sipbridge/packages"
    for stage in STAGES:
        output = client.containers.run(
            "%s:%s" % (standin.IMAGE, stage), ["sh", "-c", script], entrypoint=[], remove=True, stderr=True
        ).decode()
        assert [line for line in output.split() if not line.endswith(":")] == [], output


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


def test_sbom_lists_what_each_stage_is_made_of(images, checkout, archive):
    """CycloneDX: dpkg's packages with the hash of the file they came in, and the Python packages."""
    for stage, has, has_not in (("runtime", "sentry-sdk", "pytest"), ("debug", "debugpy", None)):
        result = checkout.make("-s", "sbom", STAGE=stage)
        assert result.returncode == 0, result.stdout[-4000:]
        bom = json.loads(result.stdout)
        assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
        assert bom["metadata"]["component"]["name"] == "%s-%s" % (standin.IMAGE, stage)
        binaries = (each for each in bom["components"] if "arch=source" not in each["purl"])
        components = {each["purl"].split("?")[0]: each for each in binaries}
        package = components["pkg:deb/debian/libexosip2-7@3.6.0-1standin"]
        assert len(package["hashes"][0]["content"]) == 64 and package["hashes"][0]["alg"] == "SHA-256"
        names = {purl.split("/")[-1].split("@")[0] for purl in components if purl.startswith("pkg:pypi/")}
        assert {"sipbridge", "cffi", has} <= names and has_not not in names
        manifest = checkout.make("manifest", STAGE=stage).stdout
        listed = {line.split()[0] for line in manifest.splitlines() if not line.startswith("#")}
        found = {purl.split("/")[-1].split("@")[0] for purl in components if purl.startswith("pkg:deb/")}
        assert {name.replace("+", "%2B") for name in listed} == found


def test_lock_is_refused_for_a_stand_in(images, checkout):
    result = checkout.make("lock", STANDIN="")
    assert result.returncode != 0
    assert "STAND-IN" in result.stdout
    assert not (checkout.folder / "docker" / "packages.lock").exists()


@pytest.fixture
def lock(images, checkout):
    """The lock of what the images are built from."""
    result = checkout.make("lock", limit=BUILD_LIMIT, **LOCKED)
    assert result.returncode == 0, result.stdout[-4000:]
    path = checkout.folder / "docker" / "packages.lock"
    yield path
    path.unlink()
    checkout.make("clean-image", **LOCKED)


def test_with_a_lock_a_build_takes_exactly_that(checkout, lock, archive):
    """Also from an archive that has something newer; and the images are those that were built without it."""
    assert " libexosip2-7 3.6.0-1standin amd64 " in lock.read_text()
    result = checkout.make("build", limit=BUILD_LIMIT, APT_MIRROR=archive.url + "/newer", **LOCKED)
    assert result.returncode == 0, result.stdout[-4000:]
    assert "all packages are as locked" in result.stdout
    installed = set(re.findall("installing for the stage ([a-z]+)", result.stdout))
    assert installed <= {"debug"}  # all else was in the cache; debug stands on the source tree, which has a lock now
    assert "libexosip2-7 3.6.0-1standin amd64" in checkout.make("manifest", **LOCKED).stdout


def test_with_a_lock_a_build_refuses_anything_else(checkout, lock):
    text = lock.read_text()
    lock.write_text(text.replace("libexosip2-7 3.6.0-1standin", "libexosip2-7 3.6.0-2standin"))
    result = checkout.make("build", limit=BUILD_LIMIT, **LOCKED)
    assert result.returncode != 0
    assert "fetched, not in the lock: libexosip2-7 3.6.0-1standin amd64" in result.stdout
    lock.write_text(text.replace(re.search(" libexosip2-7 .* ([0-9a-f]{64})", text).group(1), "0" * 64))
    result = checkout.make("build", limit=BUILD_LIMIT, **LOCKED)
    assert result.returncode != 0
    assert "in the lock, not fetched: libexosip2-7 3.6.0-1standin amd64 0000" in result.stdout
    lock.write_text(re.sub("(wheel-base .*) .*", "\\1 sha256:" + "0" * 64, text))
    result = checkout.make("build", limit=BUILD_LIMIT, **LOCKED)
    assert result.returncode != 0
    assert "@sha256:%s is not on this machine" % ("0" * 64) in result.stdout


def test_lock_says_what_changed(checkout, lock, archive):
    result = checkout.make("lock", limit=BUILD_LIMIT, APT_MIRROR=archive.url + "/newer", **LOCKED)
    assert result.returncode == 0, result.stdout[-4000:]
    assert "changed: libexosip2-7 (amd64) 3.6.0-1standin -> 3.6.0-2standin" in result.stdout
    assert result.stdout.count("changed:") == 1 and "new:" not in result.stdout and "gone:" not in result.stdout
    assert " libexosip2-7 3.6.0-2standin amd64 " in lock.read_text()
