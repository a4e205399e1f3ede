"""docker/image.sh with a client that only says how it was called: what is asked of it, and what is refused before."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

#: A client that has every image, and whose daemon answers. What it is called with goes to a file, a word a line.
CLIENT = (
    """#!%s -IS
import json, os, sys
words = sys.argv[1:]
if words == ["--version"]:
    print(os.environ.get("CLIENT_IS", "Docker version 28.2.2"))
elif os.environ.get("OFFLINE") and words[0] in ("image", "pull"):
    sys.exit(1)
elif words[0] != "info":
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(json.dumps(words + [os.environ.get("WHEEL_BASE_IMAGE", "")]) + "\\n")
    if words[0] == "build" and os.environ.get("FAILS", "nothing") in words:
        sys.exit(1)
    if words[:2] == ["image", "inspect"] and any("RepoDigests" in word for word in words):
        print(os.environ.get("DIGESTS", "") + "sha256:0123")
    if words[-1] == "/packages/list":
        print(open(os.environ["LIST"]).read(), end="")
    if words[-2:] == ["sh", "-s"]:
        print(os.environ.get("BASE", "Ubuntu 12.04.5 LTS"))
"""
    % sys.executable
)


#: What `make replay` needs.
REPLAY = {"FILE": "examples/service-bug.pcapng", "APP": "examples/service.py"}


class Client:
    """image.sh on a machine with that client."""

    def __init__(self, folder):
        self.folder = folder
        self.tree = ROOT
        self.calls = folder / "calls"
        self.has("docker", CLIENT)

    def has(self, name, script):
        """Put a program before all others."""
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def image(self, target, **settings):
        """Exit code and output of one target."""
        path = "%s%s%s" % (self.folder, os.pathsep, os.environ["PATH"])
        process = subprocess.run(
            ["sh", "docker/image.sh", target],
            cwd=str(self.tree),
            env=dict({"PATH": path, "CALLS": str(self.calls)}, **settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            timeout=60,
        )
        return process.returncode, process.stdout

    def run(self, target, **settings):
        """The words of the one ``docker run`` of a target."""
        code, output = self.image(target, **settings)
        assert code == 0, output
        (words,) = (words[:-1] for words in self.called() if words[0] == "run")
        return words

    def called(self):
        """What the client was called with since this was asked last; the last word of each is $WHEEL_BASE_IMAGE."""
        found = (
            [json.loads(line) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []
        )
        if found:
            self.calls.unlink()
        return found


@pytest.fixture
def client(tmp_path):
    return Client(tmp_path)


def in_shell(words):
    """What a shell, as that in the container, makes of a script that ends a command line: a list of words."""
    script, arguments = words[words.index("-c") + 1], words[words.index("-c") + 2 :]
    probe = script.replace("exec ", "printf '<%s>' ", 1)
    return subprocess.run(["sh", "-c", probe, *arguments], stdout=subprocess.PIPE, check=True).stdout.decode()


def test_quotes_in_a_command_line_are_the_container_s(client):
    words = client.run("run", CMD="message sip:bob@192.0.2.7 'hello, *' \"$((1 + 1))\"")
    assert in_shell(words).endswith("<message><sip:bob@192.0.2.7><hello, *><2>")
    words = client.run("debug", APP="examples/service.py", ARGS="--name 'two words'")
    assert in_shell(words).endswith("<examples/service.py><--name><two words>")
    assert "<-m><debugpy><--listen><0.0.0.0:5678><--wait-for-client>" in in_shell(words)


@pytest.mark.parametrize("command", ["call sip:bob@192.0.2.7", "version", "register sip:192.0.2.7"])
def test_a_command_that_only_asks_others_leaves_the_port_to_the_service(client, command):
    assert "--publish" not in client.run("run", CMD=command)


@pytest.mark.parametrize(
    "command", ["", "listen udp://0.0.0.0:5070", "python2.7 x.py", "call sip:b@c --local udp://0.0.0.0:5070"]
)
def test_a_command_that_takes_calls_has_the_port(client, command):
    words = client.run("run", CMD=command, PORT="5070")
    assert words[words.index("--publish") + 1] == "5070:5070/udp"


def test_a_capture_is_played_read_only_and_no_port_is_published(client):
    """Of debugpy's own alone. The player's options and those of the program are kept apart."""
    words = client.run(
        "replay", PLAY="--call 2 --user 'two words'", ARGS="--name x", DEBUGGER="none", **REPLAY
    )
    capture = "source=%s,target=/capture/service-bug.pcapng,readonly" % (ROOT / REPLAY["FILE"])
    assert words[words.index("--mount") + 1] == "type=bind," + capture and "--publish" not in " ".join(words)
    assert in_shell(words) == (
        "<python2.7><docker/replay.py></capture/service-bug.pcapng><--call><2><--user><two words><-->"
        "<python2.7><-u><examples/service.py><--name><x>"
    )
    words = client.run("replay", **REPLAY)
    assert [each for each in words if "publish" in each] == ["--publish=127.0.0.1:5678:5678"]
    assert "<--><python2.7><-m><debugpy>" in in_shell(words) and "DEBUGGER=debugpy" in words


def test_podman_is_known_by_any_name(client):
    """As podman-docker installs it. Without keep-id what it writes is nobody's whom the host knows."""
    client.has("id", "#!/bin/sh\necho 4321\n")
    assert "--userns" not in client.run("run")
    assert "keep-id" in client.run("run", CLIENT_IS="podman version 4.3.1")


@pytest.mark.parametrize(
    "client_is, command", [("Docker", "docker save -o"), ("podman", "docker save --multi-image-archive -o")]
)
def test_without_network_it_says_how_to_carry_the_image(client, client_is, command):
    """The images, not their base: a base that was pulled by its digest has no name any more after a load."""
    code, output = client.image("run", OFFLINE="1", CLIENT_IS=client_is)
    assert code != 0 and not client.calls.exists()
    assert command + " sipbridge.tar sipbridge:runtime sipbridge:test sipbridge:debug" in output
    assert "docker load -i sipbridge.tar" in output


def test_a_path_in_the_tree_may_be_whole(client):
    words = client.run("debug", APP=str(ROOT / "examples/service.py"))
    assert words[-1] == "examples/service.py"


@pytest.mark.parametrize(
    "target, settings, message",
    [
        ("debug", {"APP": "/bin/sh"}, "/bin/sh is not in the source tree"),
        ("debug", {"APP": "../service.py"}, "../service.py is not in the source tree"),
        ("debug", {"APP": "examples/service.py", "PORT": "65535"}, "PORT is '65535'"),
        ("debug", {"APP": "examples/service.py", "DEBUG_PORT": "x"}, "DEBUG_PORT is 'x'"),
        ("replay", {}, "Which recorded call? make replay FILE="),
        ("replay", {"FILE": "README.md"}, "Which program? make replay FILE="),
        ("replay", {"FILE": "docs"}, "docs is a folder. FILE is a capture"),
        ("replay", {"FILE": "none.pcap", "APP": "examples/service.py"}, "There is no none.pcap here"),
        ("replay", {"FILE": "README.md", "APP": "/bin/sh"}, "/bin/sh is not in the source tree"),
        ("replay", dict(REPLAY, PORT="65535"), "PORT is '65535'"),
        ("replay", dict(REPLAY, DEBUGGER="pdb"), "DEBUGGER is one of debugpy ipdb none, not 'pdb'"),
        ("replay", dict(REPLAY, DEBUGGER="ipdb"), "needs a terminal"),
        (
            "replay",
            dict(REPLAY, DEBUGGER="ipdb", PLAY="--step"),
            "ipdb reads this terminal, so --step cannot",
        ),
        ("replay", dict(REPLAY, PLAY="--listen udp://127.0.0.1:5070"), "make replay plays the caller"),
        ("run", {"PORT": "0"}, "a number from 1 to 65534"),
        ("run", {"PORT": "5060; id"}, "a number from 1 to 65534"),
        ("manifest", {"STAGE": "build"}, "STAGE is one of runtime test debug, not 'build'"),
        (
            "build",
            {"APT_MIRROR": "http://me:secret@192.0.2.7/ubuntu"},
            "APT_MIRROR has a name or a password in it",
        ),
    ],
)
def test_impossible_settings_are_refused_before_anything_runs(client, target, settings, message):
    code, output = client.image(target, **settings)
    assert code != 0 and message in output and "secret" not in output
    assert not client.calls.exists()


def test_a_daemon_that_does_not_answer_is_not_waited_for(client):
    client.has("timeout", "#!/bin/sh\nexit 124\n")
    code, output = client.image("shell", DOCKER_HOST="tcp://192.0.2.7:2375")
    assert code != 0 and not client.calls.exists()
    assert "the daemon does not answer within 20 s at tcp://192.0.2.7:2375" in output.splitlines()[0]


def test_make_lists_its_targets():
    """In columns also on macOS, whose sed writes a t for \\t."""
    output = subprocess.run(["make"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout.decode()
    assert "demo            run a real call" in output and "\nshell           a shell in the image" in output
    assert "\\t" not in (ROOT / "Makefile").read_text()


def test_scripts_keep_their_line_ends_where_git_turns_them_round(tmp_path):
    """As Git for Windows does: sh and the kernel find no program that ends in a carriage return."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=str(ROOT), stdout=subprocess.PIPE, check=True
    ).stdout
    asked = subprocess.run(
        ["git", "check-attr", "-z", "--stdin", "text", "eol"],
        cwd=str(ROOT),
        input=files,
        stdout=subprocess.PIPE,
        check=True,
    )
    found = asked.stdout.decode().split("\0")
    attributes = {}
    for name, attribute, value in zip(found[::3], found[1::3], found[2::3]):
        attributes.setdefault(name, {})[attribute] = value
    turned = [name for name, has in attributes.items() if has["text"] != "unset" and has["eol"] != "lf"]
    assert len(attributes) > 100 and turned == []


# -- fetching, and the lock --------------------------------------------------------------------------------

LIST = "gcc 4:4.6.3-1 amd64 aa\nlibosip2-7 3.6.0-4 amd64 bb\ntzdata 2017a all cc\n"
DIGEST = "sha256:" + "d" * 64


@pytest.fixture
def tree(client, tmp_path):
    """The client in a tree of its own, where it may write a lock; the lock's path."""
    client.tree = tmp_path / "tree"
    shutil.copytree(str(ROOT / "docker"), str(client.tree / "docker"))
    (client.tree / "sipbridge").mkdir()
    for name in ("Dockerfile.ubuntu1204", "sipbridge/_version.py"):
        shutil.copy(str(ROOT / name), str(client.tree / name))
    (client.tree / "docker" / "packages.lock").unlink(missing_ok=True)
    return client.tree / "docker" / "packages.lock"


def lock(client, text=LIST, **settings):
    """make lock, where that is what was fetched; the output."""
    (client.folder / "list").write_text(text)
    settings = dict({"DIGESTS": "python@%s " % DIGEST}, **settings)
    code, output = client.image("lock", LIST=str(client.folder / "list"), **settings)
    assert code == 0, output
    return output


def builds(client):
    """target -> options of each docker build that names one."""
    found = [words for words in client.called() if words[0] == "build" and "--target" in words]
    return {words[words.index("--target") + 1]: words for words in found}


def test_only_the_stage_that_fetches_has_a_network(client):
    assert client.image("build")[0] == 0
    found = builds(client)
    assert list(found) == ["fetched", "runtime", "test", "debug"]
    without = [stage for stage, words in found.items() if "none" in words[words.index("--tag") :]]
    assert without == ["runtime", "test", "debug"] and "--network" not in found["fetched"]
    assert all("FETCHED" in found[stage] for stage in without)  # the image, not a cache of it


def test_a_failed_fetch_ends_the_build(client):
    code, output = client.image("build", FAILS="fetched")
    assert code != 0 and "what it is made from could not be fetched" in output
    assert list(builds(client)) == ["fetched"]


def test_the_key_of_the_archive_can_be_set(client):
    assert client.image("build", APT_KEY="0" * 40)[0] == 0
    found = builds(client)
    assert found["fetched"][found["fetched"].index("APT_KEY") - 1] == "--build-arg"


def test_lock_has_name_version_and_hash_and_the_digest_of_the_first_base(client, tree):
    output = lock(client)
    lines = [line for line in tree.read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "wheel-base python:3.13-slim-bookworm " + DIGEST
    assert lines[1:] == ["package " + line for line in LIST.splitlines()]
    assert "Wrote docker/packages.lock: 3 packages" in output
    found = builds(client)
    assert list(found) == ["fetched"]  # the image itself is not needed
    assert {"LOCKED", "REFRESH"} <= set(found["fetched"])


def test_lock_says_what_changed(client, tree):
    lock(client)
    text = "gcc 4:4.6.3-2 amd64 aa\nlibosip2-7 3.6.0-4 amd64 b2\nmake 3.81 amd64 ee\n"
    output = lock(client, text)
    assert "changed: gcc (amd64) 4:4.6.3-1 -> 4:4.6.3-2" in output
    assert "changed: libosip2-7 (amd64) 3.6.0-4, its file" in output
    assert "gone:    tzdata (all) 2017a" in output and "new:     make (amd64) 3.81" in output
    assert "as it was: 1" in output  # the base
    output = lock(client, text, DIGESTS="python@sha256:%s " % ("e" * 64))
    assert "changed: the base of the first stage python:3.13-slim-bookworm " + DIGEST in output
    assert "as it was: 3" in output


def test_lock_is_refused_for_a_stand_in(client, tree):
    code, output = client.image("lock", BASE="a STAND-IN (Debian), not Ubuntu 12.04")
    assert code != 0 and "its packages are nothing to lock" in output and not tree.exists()


def test_a_lock_that_cannot_be_fetched_is_not_written(client, tree):
    lock(client)
    before = tree.read_text()
    code, output = client.image("lock", FAILS="fetched", DIGESTS="python@%s " % DIGEST)
    assert code != 0 and tree.read_text() == before


@pytest.mark.parametrize(
    "name, taken",
    [
        ("", "python@" + DIGEST),
        ("python:3.14", "python@" + DIGEST),  # a name is a place to fetch it from
        ("registry.example:5000/python", "registry.example:5000/python@" + DIGEST),
        ("registry.example:5000/python:3.13", "registry.example:5000/python@" + DIGEST),
        ("registry.example/python@" + DIGEST, "registry.example/python@" + DIGEST),
    ],
)
def test_where_there_is_a_lock_its_base_is_taken_by_the_digest(client, tree, name, taken):
    lock(client)
    client.called()
    assert client.image("build", WHEEL_BASE_IMAGE=name, DIGESTS="python@sha256:9 ")[0] == 0
    assert builds(client)["fetched"][-1] == taken


def test_another_digest_than_the_lock_s_is_refused(client, tree):
    lock(client)
    client.called()
    code, output = client.image("build", WHEEL_BASE_IMAGE="python@sha256:1234")
    assert code != 0 and "WHEEL_BASE_IMAGE is python@sha256:1234" in output and DIGEST in output
    assert not builds(client)


def test_without_a_registry_the_daemon_s_own_digest_counts(client, tree):
    lock(client, DIGESTS="", WHEEL_BASE_IMAGE="local/python:1")
    assert "wheel-base local/python:1 sha256:0123" in tree.read_text()
    client.called()
    assert client.image("build", DIGESTS="")[0] == 0
    assert builds(client)["fetched"][-1] == "local/python:1"


def test_sbom_wants_a_stage(client):
    code, output = client.image("sbom", STAGE="build")
    assert code != 0 and "STAGE is one of runtime test debug" in output


# -- the entry point ---------------------------------------------------------------------------------------

ENTRYPOINT = ROOT / "docker" / "entrypoint"


def commands():
    """The commands of sipbridge, as its help lists them."""
    output = subprocess.run(
        [sys.executable, "-m", "sipbridge", "--help"],
        stdout=subprocess.PIPE,
        check=True,
        universal_newlines=True,
    ).stdout
    return set(re.findall(r"^    ([a-z]+)(?:  +\S|$)", output, re.MULTILINE))


@pytest.fixture
def entrypoint(tmp_path):
    """Run the entry point with words; what it started. There are programs named as each command, and `service`."""
    for name in sorted(commands()) + ["service"]:
        (tmp_path / name).write_text("#!/bin/sh\necho the system\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "python2.7").write_text('#!/bin/sh\necho "python2.7 $*"\n')
    (tmp_path / "python2.7").chmod(0o755)

    def run(*words):
        path = "%s%s%s" % (tmp_path, os.pathsep, os.environ["PATH"])
        return subprocess.run(
            ["sh", str(ENTRYPOINT), *words],
            env={"PATH": path, "HOME": "/"},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()

    return run


def test_a_command_of_sipbridge_wins_over_a_program_of_its_name(entrypoint):
    assert len(commands()) > 5
    for command in commands():
        assert entrypoint(command, "sip:b@c") == "python2.7 -m sipbridge %s sip:b@c\n" % command


def test_another_program_is_started_as_it_is(entrypoint):
    assert entrypoint("service") == "the system\n"
    assert entrypoint("python2.7", "x.py") == "python2.7 x.py\n"


def test_an_unknown_word_is_given_to_sipbridge(entrypoint):
    assert entrypoint("nonesuch") == "python2.7 -m sipbridge nonesuch\n"
    assert entrypoint("--help") == "python2.7 -m sipbridge --help\n"
    assert entrypoint() == "python2.7 -m sipbridge\n"


def test_make_run_knows_every_command():
    """Each either takes calls, and gets the port, or stands in image.sh among those that do not."""
    text = (ROOT / "docker" / "image.sh").read_text()
    named = set(re.findall(r'"([a-z]+) "\*', text))
    assert commands() - named == {"engine", "listen"} and named <= commands()
