"""The pure wheels, in an environment that has neither a compiler nor cffi, nor anything else."""

import os
import subprocess
import sys
import tarfile
import zipfile

import pytest

from peers.sidecar import EngineCommand
from tools.builds import environment, interpreters, platform_wheel, wheels

#: What a service sees whose engine was not built.
WITHOUT_ENGINE = """
import sipbridge
print(sorted(sipbridge.engines()))
try:
    sipbridge.Endpoint("udp://127.0.0.1:0")
except sipbridge.EngineError as error:
    print(error)
"""

#: A call between two endpoints whose engines are at the sockets that are given.
CALL = """
import sys, sipbridge
SDP = (b"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\n"
    b"m=audio 4000 RTP/AVP 0\\r\\n")
bob, alice = [sipbridge.Endpoint("udp://127.0.0.1:0", engine=sipbridge.Sidecar(address)) for address in sys.argv[1:]]
bob.on(sipbridge.IncomingCall, lambda event: event.call.answer(SDP))
call = alice.call(bob.uri, SDP)
print(call.state)
call.hangup()
print(call.wait_ended(10.0).cause)
alice.close()
bob.close()
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return wheels.build_sdist(sys.executable, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def source(sdist, tmp_path_factory):
    return wheels.unpack(sdist, tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    """The wheels by their tags, built from the sdist."""
    paths = wheels.build_pure(sys.executable, source, tmp_path_factory.mktemp("wheels"))
    return {path.name.split("-")[2]: path for path in paths}


def run_without_tools(*command, **variables):
    """What a command prints that finds no program but itself, and no package but those installed."""
    result = subprocess.run(
        [str(word) for word in command],
        env=dict(variables, PATH=os.devnull),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=60,
    )
    return result.returncode, result.stdout


@pytest.fixture(scope="module")
def python(built, tmp_path_factory):
    """The interpreter of an environment with the wheel for Python 3, and nothing but it."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    environment.run([sys.executable, "-m", "venv", "--without-pip", folder])
    inside = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", inside, "install", "-q", "--no-index", "--no-deps"]
    environment.run(command + [built["py3"]], **environment.PIP_ENVIRONMENT)
    return inside


def assert_says_what_to_do(text):
    engines, complaint = text.splitlines()
    assert engines == "[]" and "no SIP engine can be loaded" in complaint
    for remedy in (
        "pip install sipbridge[docker]",
        "sipbridge.Container",
        "sipbridge.Sidecar",
        "libsofia-sip-ua-dev",
    ):
        assert remedy in complaint


def test_the_sdist_has_no_egg_of_the_checkout_but_its_own(sdist):
    with tarfile.open(str(sdist)) as archive:
        names = archive.getnames()
    assert not [name for name in names if name.endswith((".so", ".o", ".pyc", ".whl"))]
    assert len({name.partition("/")[0] for name in names}) == 1


@pytest.mark.parametrize("tag, has_aio", [("py2", False), ("py3", True)])
def test_what_a_pure_wheel_holds(built, tag, has_aio):
    with zipfile.ZipFile(str(built[tag])) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        described = archive.read(metadata).decode("utf-8")
    assert built[tag].name.endswith("-%s-none-any.whl" % tag)
    assert ("sipbridge/aio.py" in names) == ("sipbridge/_aio/facade.py" in names) == has_aio
    assert "sipbridge/_build.py" not in names and not [name for name in names if name.endswith(".so")]
    assert [name for name in names if name.endswith("LICENSE")]
    assert "Description-Content-Type: text/markdown" in described and "# sipbridge" in described


def test_without_an_engine_python_3_is_told_what_to_do(python):
    code, output = run_without_tools(python, "-c", WITHOUT_ENGINE)
    assert code == 0
    assert_says_what_to_do(output)


def test_without_an_engine_python_2_is_told_what_to_do(built, tmp_path):
    found = [each.path for each in interpreters.find() if each.version == "2.7"]
    if not found:
        pytest.skip("no Python 2.7 here")
    with zipfile.ZipFile(str(built["py2"])) as archive:
        archive.extractall(str(tmp_path))
    code, output = run_without_tools(found[0], "-S", "-c", WITHOUT_ENGINE, PYTHONPATH=str(tmp_path))
    assert code == 0, output
    assert_says_what_to_do(output)


def test_the_command_ends_with_7(python):
    code, output = run_without_tools(python.parent / "sipbridge", "version")
    assert code == 7 and "sipbridge[docker]" in output


def test_a_call_with_engines_elsewhere(python):
    commands = [EngineCommand(), EngineCommand()]
    try:
        output = run_without_tools(python, "-c", CALL, *(command.address for command in commands))
        assert output == (0, "established\nlocal-bye\n"), "\n".join(command.log() for command in commands)
    finally:
        for command in commands:
            command.stop()


@pytest.mark.parametrize("system, machine", [("Darwin", "x86_64"), ("Linux", "aarch64")])
def test_the_wheel_with_an_engine_is_not_for_each_machine(monkeypatch, system, machine):
    monkeypatch.setattr(platform_wheel.platform, "system", lambda: system)
    monkeypatch.setattr(platform_wheel.platform, "machine", lambda: machine)
    with pytest.raises(environment.Failed, match="on Linux on x86-64 alone; ARGS=--pure leaves it out"):
        platform_wheel.check_machine()


def test_the_wheel_with_an_engine_is_made_by_root(monkeypatch):
    monkeypatch.setattr(platform_wheel.platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform_wheel.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform_wheel.os, "geteuid", lambda: 1000)
    with pytest.raises(environment.Failed, match="be root and to have debootstrap.*ARGS=--pure"):
        platform_wheel.check_machine()


@pytest.fixture
def fetch(tmp_path):
    """Runs FETCH with an apt that lists three versions of each source, and has those that are given."""
    programs = tmp_path / "programs"
    programs.mkdir()
    lists = "printf 'Version: 3.0.%s\\n\\n' 9-1 17-1~deb12u2 17-1~deb12u1"
    has = 'test "$2" = update || { touch "${3%=*}_part"; grep -qx "$3" "$HAVE"; }'
    for name, text in (("apt-cache", lists), ("apt-get", has)):
        (programs / name).write_text("#!/bin/sh\n%s\n" % text)
        (programs / name).chmod(0o755)

    def run(*sources):
        (tmp_path / "have").write_text("\n".join(sources))
        path = "%s:%s" % (programs, os.environ["PATH"])
        script = platform_wheel.FETCH.replace("/src", str(tmp_path / "src"))
        return environment.run(["sh", "-euc", script], PATH=path, HAVE=str(tmp_path / "have"))

    return run


def test_the_newest_source_is_fetched(fetch, capsys, tmp_path):
    platform_wheel.tell_sources(
        fetch("openssl=3.0.9-1", "openssl=3.0.17-1~deb12u2", "sofia-sip=3.0.17-1~deb12u2")
    )
    text = "the source of openssl is 3.0.17-1~deb12u2\nthe source of sofia-sip is 3.0.17-1~deb12u2\n"
    assert capsys.readouterr().out == text
    assert len(list((tmp_path / "src").iterdir())) == 2


def test_a_source_that_is_listed_and_not_there_is_replaced_by_an_older_one(fetch, capsys, tmp_path):
    platform_wheel.tell_sources(fetch("openssl=3.0.9-1", "sofia-sip=3.0.17-1~deb12u2"))
    lines = capsys.readouterr().out.splitlines()
    gone = "the mirror lists openssl 3.0.17-1~deb12u%d, but it cannot be fetched"
    assert lines[:3] == [gone % 2, gone % 1, "the source of openssl is 3.0.9-1"]


def test_without_any_source_there_is_no_wheel(fetch):
    with pytest.raises(environment.Failed, match="the mirror has no version of openssl"):
        fetch()


def test_what_builds_it_is_pinned():
    assert {release.split("==")[0] for release in platform_wheel.build_tools()} == set(
        platform_wheel.BUILD_TOOLS
    )


@pytest.mark.parametrize("name, licence", [(None, "GPL-2.0-or-later"), ("LICENSE.GPL-3", "GPL-3.0-or-later")])
def test_the_licence_with_openssl_is_the_version_3(source, name, licence):
    if name:
        (source / name).touch()
    try:
        command = [sys.executable, "setup.py", "-q", "--license"]
        assert environment.run(command, cwd=source).splitlines()[-1] == licence
    finally:
        if name:
            (source / name).unlink()
