"""docker/fetch_packages.py with this machine's apt, on small archives made here: what it takes, and what it refuses."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("apt-get", "dpkg-deb", "gpg", "gpgv")

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)), reason="needs " + ", ".join(PROGRAMS) + ", as Debian has them"
)

STAGES = """\
# what each stage asks for
base  language
build libsip-dev compiler   # and no more
test  tester
"""

#: name, version, Depends
PACKAGES = [
    ("language", "2.7.3-1", ""),
    ("libsip-dev", "3.6.0-1", "libsip7 (= 3.6.0-1), libparser-dev"),
    ("libsip7", "3.6.0-1", "libparser4, libc6"),
    ("libparser-dev", "3.6.0-1", "libparser4"),
    ("libparser4", "1:3.6.0-1", "libc6"),
    ("libc6", "2.15-2", ""),
    ("compiler", "4:4.6-1", "libc6 (>= 2.15-2)"),
    ("tester", "3.2-1", "language, libparser4"),
    ("unasked", "1-1", ""),
]

#: What the base image has already: libc6, older than the build stage needs it.
STATUS = """\
Package: libc6
Status: install ok installed
Priority: required
Section: libs
Maintainer: Nobody <nobody@example.invalid>
Architecture: amd64
Version: 2.15-1
Description: the C library
 of the base image

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def run(*words, **options):
    result = subprocess.run(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
    )
    assert result.returncode == 0, result.stdout.decode()
    return result.stdout.decode()


class Keys:
    """Keys in a folder of their own; the agent that gpg starts for them is stopped with stop()."""

    def __init__(self, folder):
        self.home = folder
        self.home.mkdir(mode=0o700)

    def gpg(self, *words):
        return run("gpg", "--homedir", self.home, "--batch", "--quiet", "--no-permission-warning", *words)

    def make(self, name, algorithm):
        """A new key pair; its fingerprint."""
        words = ["--passphrase", "", "--quick-generate-key", name + " <%s@example.invalid>" % name]
        self.gpg("--cert-digest-algo", "SHA1", *words, algorithm, "sign", "never")
        lines = self.gpg("--with-colons", "--list-keys", name).splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def export(self, path, *names):
        self.gpg("--export", "--output", path, *names)

    def stop(self):
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"])


@pytest.fixture(scope="module")
def keys():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="k"))  # the path of gpg's socket has to be short
    made = Keys(folder / "g")
    # As 12.04's: of 2004, with a hash of those days. And two others.
    made.old, made.new = made.make("old", "dsa1024"), made.make("new", "rsa2048")
    made.stranger = made.make("stranger", "rsa2048")
    yield made
    made.stop()
    shutil.rmtree(str(folder))


class Site:
    """A base image's files and an archive, in a folder that apt's own user can read."""

    def __init__(self, folder, keys):
        self.folder = folder
        self.keys = keys
        self.archive = folder / "archive"
        self.base = folder / "base"
        self.out = folder / "out"
        self.lock = folder / "packages.lock"
        for name in ("var/lib/dpkg", "etc/apt/trusted.gpg.d", "usr/share/keyrings"):
            (self.base / name).mkdir(parents=True)
        (self.base / "var/lib/dpkg/status").write_text(STATUS)
        (self.base / "etc/apt/trusted.gpg").write_bytes(b"")  # there, and empty, in some
        (self.base / "etc/apt/trustdb.gpg").write_bytes(b"no keyring")
        keys.export(self.base / "usr/share/keyrings/archive.gpg", "old", "new")
        (folder / "packages.in").write_text(STAGES)

    def add(self, name, version, depends):
        """Build a package into the archive's pool."""
        tree = self.folder / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        fields = (
            "Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.invalid>\n"
        )
        text = fields % (name, version) + ("Depends: %s\n" % depends if depends else "")
        (tree / "DEBIAN" / "control").write_text(text + "Description: a package\n of two lines\n")
        pool = self.archive / "pool"
        pool.mkdir(parents=True, exist_ok=True)
        path = pool / ("%s_%s_amd64.deb" % (name, version.split(":")[-1]))
        run("dpkg-deb", "--build", "--root-owner-group", tree, path)
        shutil.rmtree(str(tree))
        return path

    def publish(self, *signers, digest="SHA1"):
        """Write the index of what is in the pool, and sign it with each key."""
        index = self.archive / "dists/old/main/binary-amd64"
        index.mkdir(parents=True, exist_ok=True)
        entries = []
        for path in sorted((self.archive / "pool").glob("*.deb")):
            control = run("dpkg-deb", "--field", path)
            where, found = path.relative_to(self.archive), hashlib.sha256(path.read_bytes()).hexdigest()
            entries.append(
                "%sFilename: %s\nSize: %d\nSHA256: %s\n" % (control, where, path.stat().st_size, found)
            )
        (index / "Packages").write_text("\n".join(entries))
        content = (index / "Packages").read_bytes()
        release = self.archive / "dists/old/Release"
        release.write_text(
            "Origin: test\nSuite: old\nCodename: old\nArchitectures: amd64\nComponents: main\n"
            "Date: Thu, 26 Apr 2012 12:00:00 UTC\nValid-Until: Mon, 01 May 2017 00:00:00 UTC\n"
            "SHA256:\n %s %d main/binary-amd64/Packages\n"
            % (hashlib.sha256(content).hexdigest(), len(content))
        )
        signature = self.archive / "dists/old/Release.gpg"
        if signature.exists():
            signature.unlink()
        if signers:
            words = ["--digest-algo", digest] + [word for name in signers for word in ("--local-user", name)]
            self.keys.gpg(*words, "--armor", "--detach-sign", "--output", signature, release)

    def fetch(self, key, **settings):
        """Run the fetcher; exit code and output."""
        shutil.rmtree(str(self.out), ignore_errors=True)
        environment = dict(
            os.environ,
            APT_MIRROR="copy:%s" % self.archive, APT_SUITES="old", APT_COMPONENTS="main", APT_KEY=key, **settings
        )  # fmt: skip
        result = subprocess.run(
            [sys.executable, str(ROOT / "docker/fetch_packages.py")]
            + [str(path) for path in (self.base, self.folder / "packages.in", self.lock, self.out)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            timeout=120,
        )
        return result.returncode, result.stdout

    def fetched(self, stage):
        """name -> version of what is in a stage's folder, by its index, whose files have to be as it says."""
        found = {}
        for stanza in (self.out / stage / "Packages").read_text().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
            if fields:
                path = self.out / stage / fields["Filename"]
                assert hashlib.sha256(path.read_bytes()).hexdigest() == fields["SHA256"]
                assert (
                    path.stat().st_size == int(fields["Size"])
                    and ":" not in path.name
                    and "%" not in path.name
                )
                found[fields["Package"]] = fields["Version"]
        return found

    def write_lock(self):
        """The lock that `make lock` makes of what was fetched."""
        lines = (self.out / "list").read_text().splitlines()
        packages = "".join("package %s\n" % line for line in lines)
        self.lock.write_text("# a lock\nwheel-base python sha256:1\n" + packages)


def make_site(keys):
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    return Site(folder, keys)


@pytest.fixture(scope="module")
def archive(keys):
    """The archive as it is at first: each test has a copy."""
    made = make_site(keys)
    for package in PACKAGES:
        made.add(*package)
    made.publish("old")
    yield made.archive
    shutil.rmtree(str(made.folder))


@pytest.fixture
def site(keys, archive):
    made = make_site(keys)
    shutil.copytree(str(archive), str(made.archive))
    yield made
    shutil.rmtree(str(made.folder))


def test_each_stage_gets_what_it_needs_beyond_those_before(site, keys):
    code, output = site.fetch(keys.old)
    assert code == 0, output
    assert site.fetched("base") == {"language": "2.7.3-1"}
    assert site.fetched("build") == {
        "libsip-dev": "3.6.0-1", "libsip7": "3.6.0-1", "libparser-dev": "3.6.0-1", "libparser4": "1:3.6.0-1",
        "libc6": "2.15-2", "compiler": "4:4.6-1",
    }  # fmt: skip
    assert site.fetched("test") == {"tester": "3.2-1"}
    assert (site.out / "build/names").read_text().split() == ["libsip-dev", "compiler"]


def test_the_runtime_stage_gets_the_libraries_as_build_has_them_and_no_more(site, keys):
    """libc6 too, which the build stage has renewed: what was linked with it may need it."""
    assert site.fetch(keys.old)[0] == 0
    assert site.fetched("runtime") == {"libsip7": "3.6.0-1", "libparser4": "1:3.6.0-1", "libc6": "2.15-2"}


def test_the_list_names_each_package_once_with_its_hash(site, keys):
    assert site.fetch(keys.old)[0] == 0
    lines = [line.split() for line in (site.out / "list").read_text().splitlines()]
    names = [line[0] for line in lines]
    assert names == sorted(set(names)) and "unasked" not in names and len(names) == 8
    parser = site.archive / "pool/libparser4_3.6.0-1_amd64.deb"
    digest = hashlib.sha256(parser.read_bytes()).hexdigest()
    assert ["libparser4", "1:3.6.0-1", "amd64", digest] in lines


# -- whom it trusts ----------------------------------------------------------------------------------------


def test_sha1_of_those_days_is_taken_and_said(site, keys):
    code, output = site.fetch(keys.old)
    assert code == 0 and "weak" in output and "SHA1" in output, output


@pytest.mark.parametrize("signer", ["stranger", "new"])
def test_another_key_is_refused_also_where_the_base_has_it(site, keys, signer):
    site.publish(signer, digest="SHA256")
    code, output = site.fetch(keys.old)
    assert code == 1 and "are not signed with the one key that is trusted" in output and keys.old in output
    assert not (site.out / "list").exists() and not list(site.folder.glob("out/**/*.deb"))


def test_a_second_signature_beside_the_right_one_does_no_harm(site, keys):
    site.publish("stranger", "old")
    assert site.fetch(keys.old)[0] == 0


def test_a_key_that_the_base_does_not_have_is_refused(site, keys):
    """The pinned fingerprint alone is no key, and the archive cannot bring its own."""
    site.publish("stranger", digest="SHA256")
    code, output = site.fetch(keys.stranger)
    assert code == 1 and "are not signed with the one key that is trusted" in output


def test_a_withdrawn_key_is_not_trusted(site, keys):
    site.publish("stranger", digest="SHA256")
    keys.export(site.base / "usr/share/keyrings/archive-removed-keys.gpg", "stranger")
    code, output = site.fetch(keys.stranger)
    assert code == 1 and "are not signed with the one key that is trusted" in output


def test_an_archive_without_a_signature_is_refused(site, keys):
    site.publish()
    code, output = site.fetch(keys.old)
    assert code == 1 and "are not signed with the one key that is trusted" in output


def test_a_release_file_changed_after_it_was_signed_is_refused(site, keys):
    release = site.archive / "dists/old/Release"
    release.write_text(release.read_text().replace("Origin: test", "Origin: evil"))
    code, output = site.fetch(keys.old)
    assert code == 1 and "are not signed with the one key that is trusted" in output


def test_a_package_that_is_not_what_the_index_says_is_refused(site, keys):
    path = site.archive / "pool/tester_3.2-1_amd64.deb"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    code, output = site.fetch(keys.old)
    assert code == 1 and "cannot provide all of: tester" in output
    assert not (site.out / "list").exists()


@pytest.mark.parametrize("key", ["", "437D05B5", "z" * 40])
def test_a_key_is_named_by_its_whole_fingerprint(site, key):
    code, output = site.fetch(key)
    assert code == 1 and "APT_KEY has to be the fingerprint" in output


# -- the lock ----------------------------------------------------------------------------------------------


def test_what_is_locked_is_taken_also_where_the_archive_has_newer(site, keys):
    assert site.fetch(keys.old)[0] == 0
    site.write_lock()
    site.add("libparser4", "1:3.6.0-2", "libc6")
    site.add("tester", "3.3-1", "unasked")
    site.publish("old")
    code, output = site.fetch(keys.old)
    assert code == 0 and "all packages are as locked (8)" in output, output
    assert site.fetched("test") == {"tester": "3.2-1"}
    assert site.fetch(keys.old, LOCKED="no")[0] == 0  # as `make lock` asks for it
    assert site.fetched("test") == {"tester": "3.3-1", "unasked": "1-1"}


def test_the_same_version_with_another_content_is_refused(site, keys):
    """The lock does not even believe the archive's own key."""
    assert site.fetch(keys.old)[0] == 0
    site.write_lock()
    site.add("tester", "3.2-1", "language, libparser4, libc6")
    site.publish("old")
    code, output = site.fetch(keys.old)
    assert code == 1 and "the packages are not those of docker/packages.lock" in output
    assert (
        "fetched, not in the lock: tester 3.2-1" in output
        and "in the lock, not fetched: tester 3.2-1" in output
    )
    assert "make lock" in output and not (site.out / "list").exists()


def test_a_package_that_the_lock_does_not_have_is_refused(site, keys):
    assert site.fetch(keys.old)[0] == 0
    site.write_lock()
    (site.folder / "packages.in").write_text(STAGES + "debug unasked\n")
    code, output = site.fetch(keys.old)
    assert code == 1 and "fetched, not in the lock: unasked 1-1" in output


def test_a_package_that_the_lock_has_too_much_is_refused(site, keys):
    assert site.fetch(keys.old)[0] == 0
    site.write_lock()
    (site.folder / "packages.in").write_text(STAGES.replace("test  tester\n", ""))
    code, output = site.fetch(keys.old)
    assert code == 1 and "in the lock, not fetched: tester 3.2-1" in output


# -- the mirror --------------------------------------------------------------------------------------------


def test_a_mirror_without_the_suite_is_named(site, keys):
    shutil.rmtree(str(site.archive / "dists"))
    code, output = site.fetch(keys.old)
    assert code == 1 and "cannot get the package lists of: old (main)" in output
    assert "dists/old/Release" in output and "make build APT_MIRROR=" in output


def test_a_package_that_the_archive_does_not_have_is_named(site, keys):
    (site.folder / "packages.in").write_text("base language nonesuch\n")
    code, output = site.fetch(keys.old)
    assert code == 1 and "cannot provide all of: language nonesuch" in output


class _Answer:
    def close(self):
        pass


def test_https_is_taken_where_the_mirror_has_it(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docker"))
    import fetch_packages

    asked = []

    def has_it(url, timeout):
        asked.append(url)
        return _Answer()

    def has_not(url, timeout):
        raise OSError("refused")

    archive = fetch_packages.Archive("http://mirror.example/ubuntu", ["precise"], ["main"], ["0" * 40])
    monkeypatch.setattr(fetch_packages.urllib.request, "urlopen", has_it)
    assert archive.over_https().mirror == "https://mirror.example/ubuntu"
    assert asked == ["https://mirror.example/ubuntu/dists/precise/Release"]
    monkeypatch.setattr(fetch_packages.urllib.request, "urlopen", has_not)
    assert archive.over_https().mirror == "http://mirror.example/ubuntu"
    secure = archive._replace(mirror="https://mirror.example/ubuntu")
    assert secure.over_https().mirror == "https://mirror.example/ubuntu"  # and never the other way round
