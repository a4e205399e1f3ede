"""``sipbridge doctor`` (sipbridge._command.doctor), on machines made up here, and on this one."""

from __future__ import absolute_import, division, print_function

import os
import socket
import sys
import types

import pytest

from peers.ports import free_port
from sipbridge._command import doctor
from sipbridge._version import __version__
from unit.command.process import run

DAEMON = (0, "28.2.2 linux/x86_64")
REFUSED = (1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?")
LABELS = (0, "Ubuntu precise (12.04.5 LTS), libexosip2 3.6.0-1")


class Machine(doctor.System):
    """A machine whose files and commands are given.

    ``files``: path to text. ``answers``: the first words of a command line to exit code and output; a command
    that is not there is not found.
    """

    def __init__(self, answers, files=(), name="Linux", machine="x86_64", environment=()):
        doctor.System.__init__(self)
        self.answers, self.files = answers, dict(files)
        self.name, self.machine = name, machine
        self.environment = dict(environment)

    def read(self, path):
        return self.files.get(path)

    def run(self, *command):
        line = " ".join(command)
        for words in sorted(self.answers, key=len, reverse=True):
            if line.startswith(words):
                return self.answers[words]
        return doctor.NOT_FOUND, "%s: no such file" % command[0]


def docker(**more):
    """The answers of a client whose daemon runs and has no image."""
    answers = {"docker --version": (0, "Docker version 28.2.2"), "docker info": DAEMON}
    answers["docker image inspect"] = (1, "Error: No such image")
    answers.update((name.replace("_", " "), answer) for name, answer in more.items())
    return answers


MAPS = {"/proc/self/maps": "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n"}


def findings(machine):
    return dict((finding.name, finding) for finding in doctor.examine(machine))


def test_a_machine_without_problems():
    found = findings(Machine(docker(docker_image_inspect=LABELS), MAPS))
    for name in ("client", "daemon", "architecture", "vsyscall", "image"):
        assert found[name].level == doctor.OK, found[name]
    assert found["daemon"].text == "28.2.2 linux/x86_64"
    assert "runtime, test, debug on Ubuntu precise (12.04.5 LTS), libexosip2 3.6.0-1" in found["image"].text


@pytest.mark.parametrize("version, release, level, text", [
    (None, None, doctor.NOTE, "the Docker SDK for Python is not installed"),
    ("6.1.3", None, doctor.NOTE, "the Docker SDK for Python is 6.1.3"),
    ("7.1.0", None, doctor.OK, "Docker SDK for Python 7.1.0"),
    ("7.1.0", __version__, doctor.OK, "sipbridge:runtime has sipbridge " + __version__),
    ("7.1.0", "0.0.9", doctor.NOTE, "sipbridge:runtime has sipbridge 0.0.9, and this is " + __version__),
])  # fmt: skip
def test_what_a_container_needs(monkeypatch, version, release, level, text):
    module = types.ModuleType("docker") if version else None
    if version:
        module.__version__ = version
    monkeypatch.setitem(sys.modules, "docker", module)
    answer = (1, "No such image") if release is None else (0, release)
    found = findings(Machine(docker(docker_image_inspect=answer), MAPS))["container"]
    assert found.level == level and text in found.text


def test_podman_under_the_name_of_docker():
    """Debian's and Fedora's podman-docker: it says so first, and has another template."""
    emulated = "Emulate Docker CLI using podman.\n"
    answers = {
        "docker --version": (0, emulated + "podman version 4.3.1"),
        "docker info --format {{.Version.Version}} {{.Host.OS}}/{{.Host.Arch}}": (0, emulated + "4.3.1 linux/amd64"),
        "docker image inspect": (0, emulated + LABELS[1]),
    }
    found = findings(Machine(answers, MAPS))
    assert found["client"].text == "podman version 4.3.1"
    assert (found["daemon"].level, found["daemon"].text) == (doctor.OK, "4.3.1 linux/amd64")
    assert found["image"].text.endswith(" on " + LABELS[1])


def test_in_the_image_no_client_is_missed():
    manifest = "# sipbridge image, stage runtime\n# base: Ubuntu precise (12.04.5 LTS)\nadduser 3.113 all\n"
    machine = Machine({}, dict(MAPS, **{doctor.MANIFEST: manifest}))
    found = findings(machine)
    assert sorted(found) == ["UDP port", "engines", "image", "shield", "vsyscall"]
    assert found["image"] == (doctor.OK, "image", "this runs in it, on Ubuntu precise (12.04.5 LTS)", ())
    lines = []
    assert doctor.report(machine, lines.append) == 0 and lines[-1] == "All is well."


def test_no_client_ends_what_needs_one():
    found = findings(Machine({}, MAPS, environment={"DOCKER": "podman"}))
    assert found["client"].level == doctor.PROBLEM and "no 'podman'" in found["client"].text
    assert "docker.io" in "".join(found["client"].advice)
    assert sorted(found) == ["UDP port", "client", "engines", "shield", "vsyscall"]


@pytest.mark.parametrize(
    "answer, text, advice",
    [
        (REFUSED, "does not answer", "systemctl start docker"),
        ((1, "failed to connect to the docker API at unix:///x"), "does not answer", "Docker Desktop"),
        ((1, "permission denied while trying to connect"), "may not use its socket", "usermod"),
        ((doctor.TOO_LATE, ""), "within 20 s", "Docker Desktop"),
        ((1, "Error: client is too old"), "docker info failed (1)", "client is too old"),
    ],
)
def test_a_daemon_that_does_not_serve(answer, text, advice):
    found = findings(Machine(docker(docker_info=answer), MAPS))
    assert found["daemon"].level == doctor.PROBLEM
    assert text in found["daemon"].text and advice in "\n".join(found["daemon"].advice)
    assert "image" not in found


def test_a_client_that_tells_of_its_template_alone():
    """Docker 20.10, as Debian 12 has it."""
    template = (1, 'template: :1:2: executing "" at <.ServerVersion>: reflect: indirection through nil pointer')
    answers = {"docker --version": (0, "Docker version 20.10.24"), "docker info --format": template}
    answers["docker info"] = REFUSED
    found = findings(Machine(answers, MAPS))["daemon"]
    assert found.level == doctor.PROBLEM and found.text == "does not answer"


@pytest.mark.parametrize(
    "files, level",
    [
        ({}, doctor.PROBLEM),
        ({"/proc/sys/fs/binfmt_misc/qemu-x86_64": "enabled\ninterpreter /usr/bin/qemu-x86_64\n"}, doctor.OK),
        ({"/proc/sys/fs/binfmt_misc/qemu-x86_64": "disabled\n"}, doctor.PROBLEM),
        ({"/proc/sys/fs/binfmt_misc/rosetta": "enabled\n"}, doctor.OK),
    ],
)
def test_emulation_on_linux_on_arm(files, level):
    machine = Machine(docker(docker_info=(0, "28.2.2 linux/aarch64")), files, machine="aarch64")
    found = findings(machine)
    assert found["architecture"].level == level
    assert ("binfmt" in "".join(found["architecture"].advice)) == (level == doctor.PROBLEM)
    assert found["vsyscall"].level == doctor.NOTE


def test_emulation_on_apple_silicon():
    arm = (0, "28.2.2 linux/aarch64")
    found = findings(Machine(docker(docker_info=arm), name="Darwin", machine="arm64"))
    assert found["architecture"].level == doctor.NOTE and "Rosetta" in "".join(found["architecture"].advice)
    broken = docker(docker_info=arm, docker_image_inspect=LABELS, docker_run=(1, "exec format error"))
    found = findings(Machine(broken, name="Darwin", machine="arm64"))
    assert found["architecture"].level == doctor.PROBLEM
    assert "exec format error" in found["architecture"].advice
    works = docker(docker_info=arm, docker_image_inspect=LABELS, docker_run=(0, MAPS["/proc/self/maps"]))
    found = findings(Machine(works, name="Darwin", machine="arm64"))
    assert (found["architecture"].level, found["vsyscall"].level) == (doctor.OK, doctor.OK)


@pytest.mark.parametrize("version", ["", "Linux version 6.6.87.2-microsoft-standard-WSL2"])
def test_no_vsyscall_page(version):
    files = {"/proc/self/maps": "", "/proc/cmdline": "quiet vsyscall=none\n", "/proc/version": version}
    machine = Machine(docker(), files)
    found = findings(machine)["vsyscall"]
    assert found.level == doctor.PROBLEM and "vsyscall=none" in found.text
    advice = "\n".join(found.advice)
    assert "139" in advice and ".wslconfig" in advice and "update-grub" in advice
    assert machine.wsl == bool(version)


def test_vsyscall_where_a_container_has_to_show_it():
    segfault = docker(docker_image_inspect=LABELS, docker_run=(doctor.SEGFAULT, ""))
    assert findings(Machine(segfault, name="Darwin"))["vsyscall"].level == doctor.PROBLEM
    assert findings(Machine(docker(), name="Darwin"))["vsyscall"].level == doctor.NOTE
    other = docker(docker_image_inspect=LABELS, docker_run=(125, "docker: no space left"))
    assert findings(Machine(other, name="Darwin"))["vsyscall"].advice == ("docker: no space left",)


def test_a_stand_in_is_called_one():
    labels = (0, "a STAND-IN (Debian GNU/Linux 11 (bullseye)), not Ubuntu 12.04, libexosip2 3.6.0")
    found = findings(Machine(docker(docker_image_inspect=labels), MAPS))["image"]
    assert found.level == doctor.NOTE and "STAND-IN" in found.text


@pytest.fixture
def taken():
    """A UDP port in use. Like the one before it, which is free, it is none that the system gives to others."""
    before, port = free_port(), free_port()
    while port != before + 1:
        before, port = port, free_port()
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind(("", port))
    yield holder.getsockname()[1]
    holder.close()


def test_a_port_in_use_is_named_with_another(taken):
    for first, use in ((taken, "make run"), (taken - 1, "make debug")):
        finding = doctor.check_port(Machine({}, environment={"PORT": str(first)}))
        assert finding.level == doctor.NOTE
        assert finding.text.startswith("%d, which %s wants, cannot be had" % (taken, use)), finding
        assert "make run PORT=" in finding.advice[0]


@pytest.mark.parametrize("port", ["0", "65535", "-1", "sip", "99999", "5060; id"])
def test_a_port_that_is_none(port):
    assert doctor.check_port(Machine({}, environment={"PORT": port})).level == doctor.PROBLEM


def test_engines_that_do_not_load_say_why(monkeypatch):
    monkeypatch.setitem(sys.modules, "sipbridge._sofia", None)
    monkeypatch.setitem(sys.modules, "sipbridge._exosip", None)
    finding = doctor.check_engines(Machine({}))
    assert finding.level == doctor.NOTE and finding.text.startswith("none for Python")
    assert len(finding.advice) == len(doctor.NAMES) + 1


def test_the_report_counts_problems():
    lines = []
    assert doctor.report(Machine({}, MAPS), lines.append) == 1
    assert lines[-1] == "The image cannot be used yet: 1 problem above."
    del lines[:]
    assert doctor.report(Machine(docker(), MAPS), lines.append) == 0
    assert lines[0] == "sipbridge doctor: Linux on x86_64"
    assert lines[-1] == "Nothing stands in the way of the image: make build"


def test_a_command_that_hangs_is_ended():
    system = doctor.System(limit=0.3)
    assert system.run("sleep", "30")[0] == doctor.TOO_LATE
    assert system.run("sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\nerr")
    assert system.run("/nonexistent")[0] == doctor.NOT_FOUND
    assert system.read("/nonexistent") is None


def test_the_command():
    command = run("doctor", environment={"DOCKER": "/nonexistent", "PORT": "0"})
    assert command.process.returncode == 1 and not command.errors
    no_client = "PROBLEM  client        there is no '/nonexistent' on this machine" in command.output
    assert no_client != os.path.exists(doctor.MANIFEST)  # in the image none is needed
    assert "The image cannot be used yet: %s above." % ("2 problems" if no_client else "1 problem") in command.output


def shield_finding(monkeypatch, **known):
    """What doctor says of a shield of which that is known."""
    known = dict({"library": "/_shield.so", "loaded": False, "report": ["passed: 1"], "report_files": []}, **known)
    monkeypatch.setattr(doctor, "available", lambda: {"exosip": "3.6.0"})
    for name, value in known.items():
        monkeypatch.setattr(doctor.shield, name, lambda value=value: value)
    return doctor.check_shield(Machine({}))


def test_no_shield_is_told_and_how_to_get_one(monkeypatch):
    finding = shield_finding(monkeypatch)
    assert finding.level == doctor.NOTE and "not preloaded" in finding.text
    assert "python -m sipbridge.shield" in finding.advice[0]
    finding = shield_finding(monkeypatch, library=None)
    assert finding.level == doctor.NOTE and "none" in finding.text


def test_the_shield_s_counters_are_shown(monkeypatch):
    outside = ["counted by process 7, which runs:", "passed: 5"]
    finding = shield_finding(monkeypatch, report_files=outside)
    assert (finding.level, list(finding.advice)) == (doctor.OK, outside)
    finding = shield_finding(monkeypatch, loaded=True)
    assert (finding.level, list(finding.advice)) == (doctor.OK, ["passed: 1"])


def test_no_shield_is_missed_without_libexosip2(monkeypatch):
    monkeypatch.setattr(doctor, "available", lambda: {"sofia": "1.12.11"})
    finding = doctor.check_shield(Machine({}))
    assert finding.level == doctor.OK and "not needed" in finding.text
