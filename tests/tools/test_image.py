"""docker/image.sh with a client that only says how it was called: what is asked of it, and what is refused before."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

#: A client that has every image, and whose daemon answers. What it is called with goes to a file, a word a line.
CLIENT = (
    """#!%s
import json, os, sys
words = sys.argv[1:]
if words == ["--version"]:
    print(os.environ.get("CLIENT_IS", "Docker version 28.2.2"))
elif os.environ.get("OFFLINE") and words[0] in ("image", "pull"):
    sys.exit(1)
elif words[0] != "info":
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(json.dumps(words) + "\\n")
"""
    % sys.executable
)


class Client:
    """image.sh on a machine with that client."""

    def __init__(self, folder):
        self.folder = folder
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
            cwd=str(ROOT),
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
        found = [json.loads(line) for line in self.calls.read_text().splitlines()]
        (words,) = (words for words in found if words[0] == "run")
        self.calls.unlink()
        return words


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
def test_what_cannot_be_is_refused_before_anything_runs(client, target, settings, message):
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
