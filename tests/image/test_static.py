"""What a stand-in cannot show of Ubuntu 12.04, seen without it: its glibc's symbols, and Python 2.7 on all sources."""

import os
import re
import subprocess
import sys

import pytest

import standin

GLIBC = (2, 15)
TARGET = "x86_64-linux-gnu.%d.%d" % GLIBC

#: Sources that never run in the image.
HOST_ONLY = ("tools/", "tests/tools/", "tests/image/", "bench/", "docker/requirements/")

sys.path.insert(0, str(standin.TOP / "sipbridge"))
import _build  # noqa: E402


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """Every C file of the exosip engine and the shield, compiled and linked against the stubs of glibc 2.15."""
    folder = tmp_path_factory.mktemp("objects")
    os.environ["ZIG_GLOBAL_CACHE_DIR"] = str(folder / "cache")
    double = standin.TOP / "tests" / "double" / "include"
    osip = folder / "include"
    osip.mkdir()
    for name in ("osip2", "osipparser2"):  # these alone, and nothing else of this machine's headers
        (osip / name).symlink_to("/usr/include/" + name)
    library = folder / "engine.so"
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGET, "-shared", "-fPIC", "-Wl,--unresolved-symbols=ignore-all"]
    command += ["-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I", str(double), "-I", str(osip), "-Icsrc"]
    result = subprocess.run(
        command + ["-o", str(library)] + _sources() + ["-lpthread", "-lrt", "-ldl"],
        cwd=standin.TOP,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return library


def _sources():
    """The C files of the exosip engine, relative to the top."""
    here = os.getcwd()
    os.chdir(standin.TOP)
    try:
        return _build.sources("exosip")
    finally:
        os.chdir(here)


def versions(library):
    """The versions of glibc's symbols that a library asks for."""
    table = subprocess.run(["readelf", "--wide", "--dyn-syms", str(library)], capture_output=True, text=True, check=True)
    undefined = [line for line in table.stdout.splitlines() if " UND " in line]
    return {tuple(map(int, found)) for found in re.findall(r"@GLIBC_(\d+)\.(\d+)", "\n".join(undefined))}


def test_c_asks_for_no_symbol_newer_than_glibc_2_15(objects):
    found = versions(objects)
    assert found, "no symbol of glibc at all: the library is not what it should be"
    assert max(found) <= GLIBC, sorted(found)


def test_a_newer_symbol_would_be_seen(tmp_path):
    """secure_getenv came with glibc 2.17: it cannot be linked for 2.15, and shows when linked for a newer one."""
    source = tmp_path / "newer.c"
    source.write_text("#include <stdlib.h>\nchar *f(void) { return secure_getenv(\"A\"); }\n")
    library = tmp_path / "newer.so"
    command = [sys.executable, "-m", "ziglang", "cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", str(library), str(source)]
    environment = dict(os.environ, ZIG_GLOBAL_CACHE_DIR=str(tmp_path / "cache"))
    old = subprocess.run(command + ["-target", TARGET, "-Werror"], capture_output=True, env=environment)
    assert old.returncode != 0
    subprocess.run(command + ["-target", "x86_64-linux-gnu.2.28"], check=True, env=environment)
    assert max(versions(library)) > GLIBC


def test_python_2_7_compiles_every_source_of_its_side(images, client, checkout):
    names = standin.run("git", "-C", standin.TOP, "ls-files", "*.py").split()
    names = [name for name in names if not name.startswith(HOST_ONLY) and not _python3_only(name)]
    assert len(names) > 40 and "sipbridge/endpoint.py" in names
    script = "import sys\nfor name in sys.argv[1:]: compile(open('/src/' + name, 'rb').read(), name, 'exec')"
    output = client.containers.run(
        standin.IMAGE + ":test",
        ["python2.7", "-c", script, *names],
        remove=True,
        stderr=True,
        volumes={str(checkout.folder): {"bind": "/src", "mode": "ro"}},
    )
    assert b"SyntaxError" not in output


def _python3_only(name):
    """True for the modules that setup.py leaves out of an installation for Python 2.7."""
    listed = re.search(r"^PYTHON3_ONLY = \(([^)]*)\)", (standin.TOP / "setup.py").read_text(), re.M).group(1)
    return name in {"sipbridge/%s.py" % module for module in re.findall(r'"(\w+)"', listed)}
