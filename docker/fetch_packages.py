"""Fetch the packages of Ubuntu 12.04 that the image installs, with the apt of this system: the base of the first stage.

    python3 fetch_packages.py BASE PACKAGES-IN LOCK OUT

BASE holds what the 12.04 base image brings: var/lib/dpkg/status, etc/apt and usr/share/keyrings. The apt of 2012 has
holes in the very check of signatures (CVE-2016-1252, CVE-2019-3462), so it never sees the network: today's apt works
in its place, with a root of its own and the package state of the base. It trusts one key alone, APT_KEY, and takes it
from the base's keyrings; the base is pinned by its digest.

Below OUT there is then a folder for each stage, with its packages, an index of them, and `names`, what to install;
and `list`, a line for each package: name, version, architecture, SHA-256. Where LOCK is a file, the list has to be
what it says.

Environment: APT_MIRROR, APT_SUITES, APT_COMPONENTS, APT_KEY (one fingerprint, or several); LOCKED=no to leave LOCK
aside.
"""

import collections
import gzip
import hashlib
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ARCHITECTURE = "amd64"
PROBE_LIMIT = 10  # seconds that a mirror has to answer over HTTPS
UNSIGNED = re.compile(
    "NO_PUBKEY|BADSIG|EXPKEYSIG|GPG error|not signed|cannot be authenticated|signatures were invalid"
)

# The index files of a release long past its end of life are past their date, too, so dates are not checked. Signatures
# are, always. Those of 12.04 are of 2012 to 2017 and may be over SHA-1, which today's apt refuses: here it takes them,
# with a warning, and nowhere else. What that leaves: whoever can make a second Release file with the SHA-1 of a signed
# one, a preimage that nobody has found. The packages themselves are checked by SHA-256. GPGVCommand: newer apts prefer
# another program, which has a policy of its own about SHA-1.
CONFIGURATION = """\
Dir "{root}";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
APT::Hashes::SHA1::Weak "true";
APT::Key::GPGVCommand "gpgv";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dpkg::Use-Pty "false";
"""

Package = collections.namedtuple("Package", "name version architecture sha256")


class Refused(Exception):
    """Why there will be no image: lines for who builds it."""

    def __init__(self, *lines):
        super().__init__("\n".join(lines))


class Archive(collections.namedtuple("Archive", "mirror suites components keys")):
    """Where packages come from, and whose signature they must have."""

    @classmethod
    def of(cls, environment):
        keys = environment.get("APT_KEY", "").replace(",", " ").upper().split()
        if not keys or not all(re.fullmatch("[0-9A-F]{40}", key) for key in keys):
            raise Refused("APT_KEY has to be the fingerprint of the archive's key, 40 hexadecimal digits.")
        return cls(
            environment["APT_MIRROR"].rstrip("/"),
            environment["APT_SUITES"].split(),
            environment["APT_COMPONENTS"].split(),
            keys,
        )

    def over_https(self):
        """The same archive over HTTPS, where its mirror has that."""
        if not self.mirror.startswith("http://"):
            return self
        secure = self._replace(mirror="https://" + self.mirror[len("http://") :])
        try:
            urllib.request.urlopen(secure.release, timeout=PROBE_LIMIT).close()
        except (OSError, ssl.SSLError, urllib.error.URLError, ValueError) as error:
            print("%s is not there over HTTPS (%s): its signature has to do" % (self.mirror, error))
            return self
        return secure

    @property
    def release(self):
        return "%s/dists/%s/Release" % (self.mirror, self.suites[0])

    def sources(self, keyrings):
        """The lines of sources.list."""
        trusted = ",".join([str(path) for path in keyrings] + self.keys)
        for suite in self.suites:
            yield "deb [arch=%s signed-by=%s] %s %s %s\n" % (
                ARCHITECTURE, trusted, self.mirror, suite, " ".join(self.components)
            )  # fmt: skip

    def wrong_signature(self):
        return Refused(
            "the packages of %s are not signed with the one key that is trusted:" % self.mirror,
            "    %s" % " ".join(self.keys),
            "out of the keyrings that the base image brings. Nothing is fetched without its valid signature. Use a",
            "mirror that serves the archive unchanged; where the archive is one of your own, name the fingerprint of",
            "its key (make build APT_KEY=...) and a BASE_IMAGE whose /etc/apt/trusted.gpg.d holds that key.",
        )

    def not_served(self):
        return Refused(
            "cannot get the package lists of: %s (%s)" % (" ".join(self.suites), " ".join(self.components)),
            "from the mirror: %s" % self.mirror,
            "It must serve %s. Ubuntu 12.04 is on old-releases.ubuntu.com and on mirrors" % self.release,
            "of it. Name another one: make build APT_MIRROR=http://your.mirror/ubuntu",
            "(docker build --build-arg APT_MIRROR=...). Behind a proxy, set http_proxy as well.",
        )


def keyrings(base):
    """The keyrings of the base, without that of keys withdrawn."""
    found = {base / "etc/apt/trusted.gpg", *(base / "etc/apt/trusted.gpg.d").glob("*.gpg")}
    found.update((base / "usr/share/keyrings").glob("*.gpg"))
    return sorted(path for path in found if path.is_file() and path.stat().st_size and "removed" not in path.name)


class Apt:
    """Today's apt with a root of its own: the package state and the keyrings of the base, and one archive."""

    def __init__(self, root, base, archive):
        self.root = root
        self.archive = archive
        self.status = root / "var/lib/dpkg/status"
        for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/lib/dpkg"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "var/cache/apt/archives/partial").mkdir(parents=True)
        self.status.write_bytes((base / "var/lib/dpkg/status").read_bytes())
        (root / "etc/apt/sources.list").write_text("".join(archive.sources(keyrings(base))))
        configuration = root / "apt.conf"
        configuration.write_text(CONFIGURATION.format(root=root, architecture=ARCHITECTURE))
        self.environment = dict(os.environ, APT_CONFIG=str(configuration), LC_ALL="C")

    def run(self, *words):
        """Run apt-get; exit code and output, which is printed as well."""
        result = subprocess.run(
            ["apt-get", *map(str, words)],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        print(result.stdout, end="", flush=True)
        return result.returncode, result.stdout

    def update(self):
        code, output = self.run("update")
        if UNSIGNED.search(output):
            raise self.archive.wrong_signature()
        if code or re.search("^[WE]: Failed to fetch", output, re.MULTILINE):
            raise self.archive.not_served()

    def prefer(self, packages):
        """Take these versions and no others of these packages."""
        pin = "Package: {0.name}\nPin: version {0.version}\nPin-Priority: 1001\n\n"
        (self.root / "etc/apt/preferences").write_text("".join(map(pin.format, packages)))

    def fetch(self, names, folder):
        """Download what these packages need beyond the package state into folder, and count it as installed."""
        (folder / "partial").mkdir(parents=True)
        where = "Dir::Cache::archives=%s/" % folder
        code, output = self.run("install", "--yes", "--download-only", "--option", where, *names)
        if code:
            if UNSIGNED.search(output):
                raise self.archive.wrong_signature()
            raise Refused("%s cannot provide all of: %s" % (self.archive.mirror, " ".join(names)))
        for path in (folder / "lock", folder / "partial"):
            if path.is_dir():
                path.rmdir()
            elif path.exists():
                path.unlink()
        return [Deb(path) for path in sorted(folder.glob("*.deb"))]

    def state(self):
        """{package: its stanza} of all that the package state has."""
        stanzas = (text.strip("\n") for text in self.status.read_text().split("\n\n"))
        return {field(text, "Package"): text for text in stanzas if text}

    def count_as_installed(self, debs):
        """Change the package state as their installation will."""
        state = self.state()
        state.update((deb.name, deb.control + "\nStatus: install ok installed") for deb in debs)
        self.status.write_text("\n\n".join(state.values()) + "\n")


def field(stanza, name):
    """A field of a stanza that has one line, or ""."""
    found = re.search("^%s: *(.*)$" % name, stanza, re.MULTILINE | re.IGNORECASE)
    return found.group(1).strip() if found else ""


class Deb:
    """A package file, under a name that no apt takes apart: the colon of a version is "%3a" in that of apt."""

    def __init__(self, path):
        shown = subprocess.run(["dpkg-deb", "--field", path], stdout=subprocess.PIPE, check=True).stdout
        self.control = shown.decode("utf-8", "replace").rstrip("\n")
        self.name = field(self.control, "Package")
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.path = path.rename(path.with_name("%s_%s.deb" % (self.name, self.sha256[:16])))

    @property
    def version(self):
        return field(self.control, "Version")

    @property
    def package(self):
        return Package(self.name, self.version, field(self.control, "Architecture"), self.sha256)

    def stanza(self):
        """Its entry in an index. The apt of 12.04 knows SHA-256."""
        size = self.path.stat().st_size
        return "%s\nFilename: ./%s\nSize: %d\nSHA256: %s\n" % (self.control, self.path.name, size, self.sha256)

    def libraries(self):
        """The packages of libraries that this one needs, where it is the development package of some."""
        if not re.fullmatch("lib.*-dev", self.name):
            return []
        needed = re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9+.-]*)", field(self.control, "Depends"))
        return [name for name in needed if name.startswith("lib") and not name.endswith("-dev")]


def wanted(path):
    """{stage: names} of packages.in."""
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return {words[0]: words[1:] for words in lines if words}


def locked(path):
    """The packages of a lock, or None where there is none."""
    if not path.is_file() or os.environ.get("LOCKED") == "no":
        return None
    lines = (line.split() for line in path.read_text().splitlines())
    return {Package(*words[1:]) for words in lines if words[:1] == ["package"]}


def compare(fetched, lock):
    """Refuse what differs from the lock."""
    text = "    %s: {0.name} {0.version} {0.architecture} {0.sha256}"
    lines = [(text % "fetched, not in the lock").format(package) for package in sorted(fetched - lock)]
    lines += [(text % "in the lock, not fetched").format(package) for package in sorted(lock - fetched)]
    if lines:
        raise Refused(
            "the packages are not those of docker/packages.lock:",
            *lines,
            "If the change is wanted: make lock, look at what it says, and commit docker/packages.lock.",
        )
    print("sipbridge image: all packages are as locked (%d)" % len(lock))


def write_set(folder, names, debs):
    index = "\n".join(deb.stanza() for deb in debs)
    (folder / "Packages").write_text(index)
    (folder / "Packages.gz").write_bytes(gzip.compress(index.encode(), mtime=0))  # which old apts ask for first
    (folder / "names").write_text("".join(name + "\n" for name in names))


def for_runtime(names, debs, state):
    """What the runtime stage installs: the libraries behind the development packages that `build` asks for, and those
    of the base that `build` has in a newer version. Each in the version of `build`: its extension is linked with it."""
    versions = {deb.name: deb.version for deb in debs}
    libraries = {name for deb in debs if deb.name in names for name in deb.libraries()}
    newer = {name for name in state if name.startswith("lib")}
    return ["%s=%s" % (name, versions[name]) for name in sorted((libraries | newer) & set(versions))]


def fetch(base, stages, lock, out, archive):
    """Fetch all packages of all stages; the list of them."""
    fetched = set()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # apt fetches as a user of its own
        apt = Apt(pathlib.Path(folder), base, archive)
        if lock is not None:
            apt.prefer(sorted(lock))
        apt.update()
        for stage, names in stages.items():
            debs = apt.fetch(names, out / stage)
            write_set(out / stage, names, debs)
            if stage == "build":  # the runtime stage stands beside it, on the same base
                libraries = for_runtime(names, debs, apt.state())
                small = apt.fetch(libraries, out / "runtime")
                write_set(out / "runtime", libraries, small)
                fetched.update(deb.package for deb in small)
            apt.count_as_installed(debs)
            fetched.update(deb.package for deb in debs)
    return fetched


def main(base, stages, lock, out):
    base, out = pathlib.Path(base).resolve(), pathlib.Path(out).resolve()
    try:
        archive = Archive.of(os.environ).over_https()
        print("sipbridge image: fetching from %s" % archive.mirror, flush=True)
        lock = locked(pathlib.Path(lock))
        fetched = fetch(base, wanted(pathlib.Path(stages)), lock, out, archive)
        if lock is not None:
            compare(fetched, lock)
    except Refused as refused:
        print("".join("\nsipbridge image: " + line for line in str(refused).splitlines()), file=sys.stderr)
        return 1
    (out / "list").write_text("".join("%s %s %s %s\n" % package for package in sorted(fetched)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
