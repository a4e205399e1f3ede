"""What a stand-in cannot show of Ubuntu 12.04, seen without it: its glibc's symbols, and Python 2.7 on all sources."""

import io
import os
import re
import subprocess
import sys
import tarfile

import pytest
import standin

GLIBC = (2, 15)
TARGET = "x86_64-linux-gnu.%d.%d" % GLIBC

sys.path[:0] = [str(standin.TOP / "sipbridge"), str(standin.TOP)]
import _build  # noqa: E402

from tools.checks import lint  # noqa: E402

#: What the engine is linked with besides glibc; no version is on these.
OTHERS = re.compile(r"_?_?(osip|eXosip|sdp|ares)_|_ITM_|__gmon_start__|__cxa_finalize")

#: The headers of c-ares, which has no folder of its own.
CARES = ("ares.h", "ares_build.h", "ares_rules.h", "ares_version.h")


@pytest.fixture(scope="module")
def include(images, client, tmp_path_factory):
    """A folder with the SIP library's headers, as the image has them, and no other header of any system."""
    folder = tmp_path_factory.mktemp("include")
    container = client.containers.create(standin.IMAGE + ":test")
    try:
        for name in ("osip2", "osipparser2", "eXosip2") + CARES:
            stream, _ = container.get_archive("/usr/include/" + name)
            with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
                archive.extractall(folder)
    finally:
        container.remove()
    return folder


def link(library, sources, *options, target=TARGET):
    """Compile sources, relative to the top, into a shared library for a version of glibc; the CompletedProcess."""
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-shared", "-fPIC", "-D_GNU_SOURCE"]
    return subprocess.run(
        command + ["-o", str(library), *map(str, options), *map(str, sources), "-lpthread", "-lrt", "-ldl"],
        cwd=standin.TOP,
        env=dict(os.environ, ZIG_GLOBAL_CACHE_DIR=str(library.parent / "cache")),
        capture_output=True,
        text=True,
    )


def asked_for(library):
    """What a library takes from others: the versions of glibc, and the names that are nobody's."""
    words = ["readelf", "--wide", "--dyn-syms", str(library)]
    table = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    names = re.findall(r" UND (\S+)", table)
    versions = {tuple(map(int, found)) for found in re.findall(r"@GLIBC_(\d+)\.(\d+)", " ".join(names))}
    return versions, [name for name in names if "@" not in name and not OTHERS.match(name)]


def _sources(which, monkeypatch):
    monkeypatch.chdir(standin.TOP)
    return _build.sources("exosip") if which == "engine" else _build.shield_sources()


@pytest.mark.parametrize("which", ["engine", "shield"])
def test_c_asks_for_nothing_newer_than_glibc_2_15(include, tmp_path, monkeypatch, which):
    library = tmp_path / "library.so"
    sources = _sources(which, monkeypatch)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-I", str(include)] + _build.all_include_flags(sources)
    if which == "engine":
        flags += [flag for each in _build.LIBRARIES for flag in _build.declared(each, ["-I" + str(include)])]
    result = link(library, sources, *flags)
    assert result.returncode == 0, result.stderr
    versions, others = asked_for(library)
    assert versions, "no symbol of glibc at all: the library is not what it should be"
    assert max(versions) <= GLIBC, sorted(versions)
    assert others == []


def test_what_is_newer_would_be_seen(tmp_path):
    """secure_getenv came with glibc 2.17: that of 2.15 has no such name, a newer one says which version has."""
    source = tmp_path / "newer.c"
    source.write_text('#include <stdlib.h>\nchar *f(void) { return secure_getenv("A"); }\n')
    library = tmp_path / "newer.so"
    assert link(library, [source]).returncode == 0
    assert asked_for(library)[1] == ["secure_getenv"]
    assert link(library, [source], target="x86_64-linux-gnu.2.28").returncode == 0
    assert max(asked_for(library)[0]) > GLIBC


def test_python_2_7_compiles_every_source_of_its_side(images, client, checkout):
    names = lint.python2_files() + ["docker/healthcheck.py", "docker/replay.py"]
    assert len(names) > 40 and "sipbridge/_agent/endpoint.py" in names
    script = "import sys\nfor name in sys.argv[1:]: compile(open('/src/' + name, 'rb').read(), name, 'exec')"
    client.containers.run(
        standin.IMAGE + ":test",
        ["python2.7", "-c", script, *names],
        entrypoint=[],
        remove=True,
        stderr=True,  # a source that does not compile ends it with 1, and this raises with the reason
        volumes={str(checkout.folder): {"bind": "/src", "mode": "ro"}},
    )
