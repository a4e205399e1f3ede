"""The stand-ins: what the Dockerfile is built on where Ubuntu 12.04 cannot be had.

Bases are made with debootstrap: bullseye, the last Debian with Python 2.7, for ubuntu:12.04, and bookworm for the
Python image of the first stage. The package archive is served over HTTP to the containers.

Environment:
    STANDIN_DEBIAN_MIRROR: where debootstrap fetches from; default: its own choice.
"""

import collections
import concurrent.futures
import contextlib
import functools
import http.server
import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
PORT = 8712  # of the archive; a fixed one, since it is part of a layer's key in Docker's build cache

BASE = "sipbridge-standin-base:ubuntu1204"
WHEEL_BASE = "sipbridge-standin-base:python"
REPOSITORY = "sipbridge-standin-base:repository"
IMAGE = "sipbridge-standin"

#: Where a system keeps the certificates it trusts: a stand-in on a network whose proxy has its own needs them.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PIP_SETTINGS = "[global]\ncert = %s\n" % CERTIFICATES


def run(*command, **options):
    """Run a command; its output comes along with the error when it fails."""
    result = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    if result.returncode:
        raise RuntimeError("%s: exit %d\n%s" % (command[0], result.returncode, result.stdout[-6000:]))
    return result.stdout


def have(image):
    """True when the daemon has the image."""
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0


@contextlib.contextmanager
def in_memory():
    """A folder in memory, where that can be had: dpkg waits for the disk after each file."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = not subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True).returncode
        try:
            yield folder
        finally:
            if mounted:
                run("umount", "--lazy", folder)


def debian(suite, packages):
    """The name of an image with a minimal Debian, made with debootstrap unless it is there."""
    image = "sipbridge-standin-debian:%s" % suite
    if have(image):
        return image
    print("stand-in: debootstrap", suite, flush=True)
    with in_memory() as folder:
        mirror = os.environ.get("STANDIN_DEBIAN_MIRROR")
        words = ["debootstrap", "--variant=minbase", "--include=" + ",".join(packages), suite, folder]
        run(*words, *([mirror] if mirror else []))
        # As Docker's own images of Debian and Ubuntu: whatever breaks off in a build is thrown away.
        pathlib.Path(folder, "etc/dpkg/dpkg.cfg.d/docker-apt-speedup").write_text("force-unsafe-io\n")
        archive = subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE)
        run("docker", "import", "--change", "CMD /bin/bash", "-", image, stdin=archive.stdout)
        archive.stdout.close()
        if archive.wait():
            raise RuntimeError("tar of %s failed" % folder)
    return image


def build(dockerfile, tag, context, **arguments):
    """docker build, with the arguments as --build-arg."""
    words = [word for item in arguments.items() for word in ("--build-arg", "%s=%s" % item)]
    run("docker", "build", "--file", dockerfile, "--tag", tag, *words, context)


def prepare(source, folder):
    """Build the archives from the source tree, copy them to folder, and build the two stand-in bases."""
    with concurrent.futures.ThreadPoolExecutor() as together:
        old = together.submit(debian, "bullseye", ["python2.7", "ca-certificates"])
        current = together.submit(debian, "bookworm", ["python3-venv", "ca-certificates"])
        wheels = together.submit(lambda: wheel_base(current.result()))
        repository(source, folder, old.result())
        base(folder, old.result())
        wheels.result()


def repository(source, folder, image):
    """Build the archives from the source tree on a Debian image and copy them to folder."""
    build(HERE / "standin" / "Dockerfile.repository", REPOSITORY, source, DEBIAN=image)
    container = run("docker", "create", REPOSITORY).strip()
    try:
        run("docker", "cp", container + ":/repository", folder)
    finally:
        run("docker", "rm", container)


def base(folder, image):
    """Build the stand-in for ubuntu:12.04 on a Debian image; the archives are in folder."""
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(pathlib.Path(folder) / "key.gpg", context)
        build(HERE / "standin" / "Dockerfile.base", BASE, context, DEBIAN=image)


def wheel_base(image):
    """Build the stand-in for the current Python on a Debian image."""
    with tempfile.TemporaryDirectory() as context:
        context = pathlib.Path(context)
        shutil.copy(CERTIFICATES, context / "certificates")
        (context / "pip.conf").write_text(PIP_SETTINGS)
        (context / "Dockerfile").write_text(
            "FROM %s\nCOPY certificates %s\nCOPY pip.conf /etc/pip.conf\n" % (image, CERTIFICATES)
        )
        build(context / "Dockerfile", WHEEL_BASE, context)


class Served(collections.namedtuple("Served", "url key")):
    """Where the archives are, and the fingerprint of the key that they are signed with."""

    @classmethod
    def here(cls):
        return cls(os.environ["SELFTEST_ARCHIVE"], os.environ["SELFTEST_KEY"])


class Archive:
    """The archives in a folder, served to containers of Docker's default network; also a context manager."""

    def __init__(self, folder, address):
        handler = functools.partial(_Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer((address, PORT), handler)
        self.key = (pathlib.Path(folder) / "key").read_text().strip()
        self.url = "http://%s:%d" % (address, PORT)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc_info):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def settings(served, archive="good"):
    """What `make build` needs to be told so that the Dockerfile builds on the stand-ins. Nothing else differs."""
    return {
        "IMAGE": IMAGE,
        "BASE_IMAGE": BASE,
        "WHEEL_BASE_IMAGE": WHEEL_BASE,
        "APT_MIRROR": "%s/%s" % (served.url, archive),
        "APT_KEY": served.key,
        "APT_SUITES": "standin",
        "APT_COMPONENTS": "main",
        "EXPECT_LIBC": "2.31",
        "EXPECT_PYTHON": "2.7.18",
        "STANDIN": "allow",
    }


def checkout(folder):
    """Copy what git knows, or would add, to folder: the tree that the tests may change."""
    names = run("git", "-C", TOP, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, names):
        source = TOP / name
        if source.is_file():
            target = pathlib.Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def tarball(files):
    """An uncompressed tar of {name: octets}, as the Docker SDK takes it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()
