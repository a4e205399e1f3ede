"""``sipbridge doctor``: check what the image and calls need from this machine, and explain what is missing.

It needs no engine, and the standard library alone. It changes nothing. If it has to start a container to see something,
the container has no network and is removed afterwards.
"""

from __future__ import absolute_import, division, print_function

import errno
import importlib
import os
import platform
import re
import socket
import subprocess
import sys
import threading
from contextlib import closing

from sipbridge import shield
from sipbridge._compat import NamedTuple
from sipbridge._engine.libraries import NAMES, available
from sipbridge._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, Mapping, Optional, Tuple

#: The levels of a finding: all is well; worth knowing; the image cannot be used before you mend it.
OK, NOTE, PROBLEM = "ok", "note", "PROBLEM"

#: The exit codes for a command that is missing and for one that did not end in time, as of the shell and timeout(1).
NOT_FOUND, TOO_LATE = 127, 124

#: Docker's exit code for SIGSEGV in a container, which kills an old glibc when there is no vsyscall page.
SEGFAULT = 139

#: The command in the image that lists its packages.
MANIFEST = "/opt/sipbridge/manifest"

#: The stages of the image, in the order in which they are looked for.
STAGES = ("runtime", "test", "debug")


class Finding(NamedTuple("Finding", [
    ("level", "str"),
    ("name", "str"),
    ("text", "str"),
    ("advice", "Tuple[str, ...]"),
])):
    """The result of a check: a level, what was checked, one line of text, and lines that tell what to do."""

    __slots__ = ()


class System(object):
    """The machine that is checked.

    Attributes:
        environment: the environment variables.
        name: "Linux", "Darwin" or another name of platform.system().
        machine: the processor: "x86_64", "arm64"...
        limit: the seconds that a command may take.
    """

    def __init__(self, limit=20.0):
        # type: (float) -> None
        self.environment = os.environ  # type: Mapping[str, str]
        self.name = platform.system()  # type: str
        self.machine = platform.machine()  # type: str
        self.limit = limit

    @property
    def docker(self):
        # type: () -> str
        """The container client: $DOCKER, or docker."""
        return self.environment.get("DOCKER") or "docker"

    @property
    def image(self):
        # type: () -> str
        return self.environment.get("IMAGE") or "sipbridge"

    @property
    def wsl(self):
        # type: () -> bool
        """True in the Windows Subsystem for Linux."""
        return "microsoft" in (self.read("/proc/version") or "").lower()

    def read(self, path):
        # type: (str) -> Optional[str]
        """The text of a small file, or None."""
        try:
            with open(path) as stream:
                return stream.read()
        except (IOError, OSError):
            return None

    def run(self, *command):
        # type: (*str) -> Tuple[int, str]
        """The exit code and the output of a command. It has no input, and is killed after ``limit`` seconds."""
        try:
            with open(os.devnull) as nothing:
                process = subprocess.Popen(
                    command,
                    stdin=nothing,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    universal_newlines=True,
                )
        except OSError as error:
            return NOT_FOUND, "%s: %s" % (command[0], error.strerror)
        late = threading.Event()

        def end():
            # type: () -> None
            late.set()
            process.kill()

        timer = threading.Timer(self.limit, end)  # Python 2's communicate() has no timeout
        timer.start()
        try:
            output = process.communicate()[0].strip()
        finally:
            timer.cancel()
        return (TOO_LATE if late.is_set() else process.returncode), output


# -- client and daemon -------------------------------------------------------------------------------------


INSTALL = (
    "Linux:          install Docker Engine (Debian, Ubuntu: sudo apt-get install docker.io) or Podman",
    "macOS, Windows: install Docker Desktop (on Windows with WSL 2), or Podman",
    "Podman:         say DOCKER=podman",
    "Without any:    make demo and make test run on this machine instead, on Sofia-SIP",
)

START = (
    "Linux:          sudo systemctl start docker   (WSL 2 without systemd: sudo service docker start)",
    "macOS, Windows: start Docker Desktop and wait until it says that it runs",
    "Podman:         podman machine start   (macOS, Windows)",
)

PERMIT = ("sudo usermod -aG docker $USER, then log out and in. The group is as good as root on this machine.",)


def check_client(system):
    # type: (System) -> Finding
    """Check the container client. Without one, the checks that need it are left out."""
    code, output = system.run(system.docker, "--version")
    if code == NOT_FOUND:
        return Finding(PROBLEM, "client", "there is no %r on this machine" % system.docker, INSTALL)
    if code:
        return Finding(PROBLEM, "client", "%s --version failed (%d)" % (system.docker, code), _lines(output))
    return Finding(OK, "client", _last(output), ())


def _format(system):
    # type: (System) -> str
    """The template that makes `docker info` print version and platform in one line."""
    if "podman" in system.run(system.docker, "--version")[1].lower():  # podman may be installed under the name docker
        return "{{.Version.Version}} {{.Host.OS}}/{{.Host.Arch}}"
    return "{{.ServerVersion}} {{.OSType}}/{{.Architecture}}"


def check_daemon(system):
    # type: (System) -> Finding
    """Check whether the daemon answers this user. ``text`` is its version and platform then."""
    code, output = system.run(system.docker, "info", "--format", _format(system))
    last = _last(output)
    if not code and "/" in last:
        return Finding(OK, "daemon", last, ())
    if code not in (0, TOO_LATE):  # the error of Docker 20.10 is about the template alone
        code, output = system.run(system.docker, "info")
    if code == TOO_LATE:
        text = "does not answer within %d s; is it still starting?" % system.limit
        return Finding(PROBLEM, "daemon", text, START)
    if "permission denied" in output:
        return Finding(PROBLEM, "daemon", "runs, but you may not use its socket", PERMIT)
    host = system.environment.get("DOCKER_HOST")
    if re.search("[Cc]annot connect|daemon running|failed to connect|connection refused", output):
        return Finding(PROBLEM, "daemon", "does not answer" + (" at " + host if host else ""), START)
    return Finding(PROBLEM, "daemon", "%s info failed (%d)" % (system.docker, code), _lines(output))


def _last(output):
    # type: (str) -> str
    """The last line. When podman is installed as docker, it prints lines about that before."""
    return (output.splitlines() or [""])[-1]


def _lines(output):
    # type: (str) -> Tuple[str, ...]
    return tuple(output.splitlines()[-5:])


# -- architecture ------------------------------------------------------------------------------------------


EMULATE = (
    "macOS:  Docker Desktop > Settings > General > Virtual Machine Options: Apple Virtualization framework, with",
    "        'Use Rosetta for x86_64/amd64 emulation on Apple Silicon' on",
    "Linux:  docker run --privileged --rm tonistiigi/binfmt --install amd64   (or: apt-get install qemu-user-static)",
)


def check_architecture(system, daemon):
    # type: (System, str) -> Finding
    """See whether the daemon's machine runs amd64, itself or emulated. ``daemon`` is its platform: "linux/arm64"."""
    processor = daemon.rpartition("/")[2]
    if processor in ("x86_64", "amd64"):
        return Finding(OK, "architecture", "%s runs the image itself" % processor, ())
    emulated = system.read("/proc/sys/fs/binfmt_misc/qemu-x86_64") or system.read(
        "/proc/sys/fs/binfmt_misc/rosetta"
    )
    if emulated and "enabled" in emulated:
        return Finding(OK, "architecture", "%s, with amd64 emulated" % processor, ())
    image = _present_image(system)
    if image and system.name != "Linux":
        code, output = _in_container(system, image, "true")
        if not code:
            return Finding(OK, "architecture", "%s, with amd64 emulated" % processor, ())
        text = "%s, and an amd64 container ends with %d" % (processor, code)
        return Finding(PROBLEM, "architecture", text, EMULATE + _lines(output))
    if system.name == "Linux":
        return Finding(PROBLEM, "architecture", "%s, and amd64 is not emulated" % processor, EMULATE)
    text = "%s: the image is amd64 and needs emulation, which shows when it is built" % processor
    return Finding(NOTE, "architecture", text, EMULATE)


# -- vsyscall ----------------------------------------------------------------------------------------------


VSYSCALL = (
    "The glibc of Ubuntu 12.04 may call the kernel's vsyscall page; without one such a program segfaults (exit 139).",
    "WSL 2:    in %UserProfile%\\.wslconfig on Windows, then `wsl --shutdown` there:",
    "              [wsl2]",
    "              kernelCommandLine = vsyscall=emulate",
    "Linux:    add vsyscall=emulate to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, sudo update-grub, restart",
    "macOS:    update Docker Desktop: the kernels of its virtual machine emulate it by default",
)


def check_vsyscall(system):
    # type: (System) -> Finding
    """Check the kernel's vsyscall mode: on Linux directly, on other systems in a container if there is an image."""
    if system.machine not in ("x86_64", "amd64", "AMD64") and system.name == "Linux":
        return Finding(NOTE, "vsyscall", "the page belongs to x86_64; emulation brings its own", ())
    if system.name == "Linux":
        maps = system.read("/proc/self/maps") or ""
        mode = re.search(r"\bvsyscall=(\w+)", system.read("/proc/cmdline") or "")
        said = " (kernel command line: %s)" % mode.group() if mode else ""
        return _vsyscall("[vsyscall]" in maps, said)
    image = _present_image(system)
    if not image:
        text = "cannot be seen from here before the image is built; a build that ends with 139 is for lack of it"
        return Finding(NOTE, "vsyscall", text, ())
    code, output = _in_container(system, image, "cat", "/proc/self/maps")
    if code not in (0, SEGFAULT):
        return Finding(NOTE, "vsyscall", "cannot be seen: a container ends with %d" % code, _lines(output))
    return _vsyscall(not code and "[vsyscall]" in output, " (seen in a container)")


def _vsyscall(there, said):
    # type: (bool, str) -> Finding
    if there:
        return Finding(OK, "vsyscall", "the kernel has the page" + said, ())
    return Finding(PROBLEM, "vsyscall", "the kernel has no vsyscall page" + said, VSYSCALL)


# -- the image ---------------------------------------------------------------------------------------------


def _inspect(system, stage):
    # type: (System, str) -> Optional[str]
    """The labels of a stage of the image as "base, libexosip2 version", or None when the stage is not built."""
    label = '{{index .Config.Labels "org.sipbridge.%s"}}'
    template = "%s, libexosip2 %s" % (label % "base", label % "libexosip2")
    name = "%s:%s" % (system.image, stage)
    code, output = system.run(system.docker, "image", "inspect", "--format", template, name)
    return None if code else _last(output)


def _present_image(system):
    # type: (System) -> Optional[str]
    """The name of a stage that is built, or None."""
    for stage in STAGES:
        if _inspect(system, stage) is not None:
            return "%s:%s" % (system.image, stage)
    return None


def _in_container(system, image, *command):
    # type: (System, str, *str) -> Tuple[int, str]
    options = ("--rm", "--network", "none", "--platform", "linux/amd64", "--entrypoint", "")
    return system.run(system.docker, "run", *(options + (image,) + command))


def check_inside(system):
    # type: (System) -> Optional[Finding]
    """Describe the image in which this runs; None outside of the image."""
    manifest = system.read(MANIFEST)
    if manifest is None:
        return None
    base = re.search("^# base: (.*)", manifest, re.MULTILINE)
    text = "this runs in it, on %s" % (base.group(1) if base else "an unknown base")
    return Finding(NOTE if "STAND-IN" in text else OK, "image", text, ())


def check_image(system):
    # type: (System) -> Finding
    """Check which stages of the image are built, and on which base."""
    found = [(stage, _inspect(system, stage)) for stage in STAGES]
    built = [(stage, label) for stage, label in found if label is not None]
    if not built:
        return Finding(NOTE, "image", "%s is not built yet: make build" % system.image, ())
    text = "%s: %s on %s" % (system.image, ", ".join(stage for stage, _ in built), built[0][1])
    return Finding(NOTE if "STAND-IN" in text else OK, "image", text, ())


def check_container(system):
    # type: (System) -> Finding
    """Check what a service needs for its engine in a container (sipbridge.Container)."""
    try:
        sdk = importlib.import_module("docker").__version__  # type: str
    except (ImportError, AttributeError):
        advice = ("pip install 'sipbridge[docker]', for a service on Python 3 whose engine is in a container",)
        return Finding(NOTE, "container", "the Docker SDK for Python is not installed", advice)
    if int(sdk.split(".")[0]) < 7:
        return Finding(NOTE, "container", "the Docker SDK for Python is %s" % sdk, ("pip install 'docker>=7'",))
    template, name = '{{index .Config.Labels "org.opencontainers.image.version"}}', system.image + ":runtime"
    code, output = system.run(system.docker, "image", "inspect", "--format", template, name)
    if code:
        return Finding(OK, "container", "Docker SDK for Python %s" % sdk, ())
    text = "Docker SDK for Python %s; %s has sipbridge %s" % (sdk, name, _last(output))
    if _last(output) == __version__:
        return Finding(OK, "container", text, ())
    return Finding(NOTE, "container", text + ", and this is %s" % __version__, ("make build",))


# -- ports and engines -------------------------------------------------------------------------------------


def _port(system):
    # type: (System) -> Optional[int]
    """The port of the service, or None when PORT is no port."""
    text = system.environment.get("PORT") or "5060"
    return int(text) if re.match(r"[0-9]{1,5}\Z", text) and 0 < int(text) < 65535 else None


def check_port(system):
    # type: (System) -> Finding
    """Check whether the port of the service, and the next one for ``make debug``, are free here."""
    first = _port(system)
    if first is None:
        text = "PORT is %r; it has to be a number from 1 to 65534" % system.environment["PORT"]
        return Finding(PROBLEM, "UDP port", text, ())
    for number, use in ((first, "make run"), (first + 1, "make debug")):
        problem = _bind(number)
        if problem:
            text = "%d, which %s wants, cannot be had: %s" % (number, use, problem)
            return Finding(NOTE, "UDP port", text, ("Name another: make run PORT=%d" % _free(first + 2),))
    return Finding(OK, "UDP port", "%d and %d (make debug) are free" % (first, first + 1), ())


def _bind(number):
    # type: (int) -> Optional[str]
    """The reason why a UDP port cannot be bound on all addresses of this machine, or None."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind(("", number))
        except (socket.error, OverflowError) as error:
            code = getattr(error, "errno", None)
            return "it is in use" if code == errno.EADDRINUSE else str(error)
    return None


def _free(number):
    # type: (int) -> int
    """The first port from ``number`` on that is free together with the next one; ``number`` when none is near."""
    for candidate in range(number, min(number + 200, 65534), 2):
        if not _bind(candidate) and not _bind(candidate + 1):
            return candidate
    return number


def check_engines(system):
    # type: (System) -> Finding
    """Check which engines this Python can load."""
    python = "Python %s (%s)" % (platform.python_version(), sys.executable)
    found = available()
    reasons = tuple("%s: %s" % (name, _why_not(name)) for name in NAMES if name not in found)
    if not found:
        advice = ("make demo or make develop builds one here; the image brings its own",)
        return Finding(NOTE, "engines", "none for %s" % python, reasons + advice)
    listed = ", ".join("%s %s" % (name, found[name]) for name in sorted(found))
    return Finding(OK, "engines", "%s for %s" % (listed, python), reasons)


def _why_not(name):
    # type: (str) -> str
    """The reason why an engine does not load."""
    try:
        importlib.import_module("sipbridge._" + name)
    except ImportError as error:
        return "not built" if re.search(r"No module named|cannot import name", str(error)) else str(error)
    return "loads"


def check_shield(system):
    # type: (System) -> Finding
    """Check whether an endpoint on libeXosip2 has the shield in a process that is started like this one."""
    if "exosip" not in available():
        return Finding(OK, "shield", "not needed: no libeXosip2 here", ())
    if shield.library() is None:
        why = "it is built on Linux alone" if system.name != "Linux" else "_shield.so is not where it belongs"
        return Finding(NOTE, "shield", "none: one malformed datagram can crash libeXosip2", (why,))
    counted = tuple(shield.report_files())
    if not shield.loaded():
        if counted:
            return Finding(OK, "shield", "not in this process, but in one that has it", counted)
        advice = ("python -m sipbridge.shield COMMAND... starts a program with it; a Worker has it by itself",)
        return Finding(NOTE, "shield", "not preloaded: one malformed datagram can crash libeXosip2", advice)
    return Finding(OK, "shield", "preloaded", tuple(shield.report()) + counted)


# -- all of it ---------------------------------------------------------------------------------------------


def examine(system):
    # type: (System) -> Iterator[Finding]
    """Run the checks that make sense here. Yields each :class:`Finding` as soon as it is known."""
    inside = check_inside(system)
    if inside:
        yield inside
        yield check_vsyscall(system)
    else:
        for finding in _examine_outside(system):
            yield finding
    yield check_port(system)
    yield check_engines(system)
    yield check_shield(system)


def _examine_outside(system):
    # type: (System) -> Iterator[Finding]
    """Run the checks for a machine outside of the image."""
    client = check_client(system)
    yield client
    if client.level == OK:
        daemon = check_daemon(system)
        yield daemon
        if daemon.level == OK:
            yield check_architecture(system, daemon.text)
            yield check_vsyscall(system)
            yield check_image(system)
            yield check_container(system)
            return
    if system.name == "Linux":
        yield check_vsyscall(system)


def report(system, write):
    # type: (System, Callable[[str], object]) -> int
    """Write the findings line by line, and a summary. Returns the exit code: 1 for any problem."""
    problems = 0
    kind = "%s%s" % (system.name, " (WSL 2)" if system.wsl else "")
    write("sipbridge doctor: %s on %s" % (kind, system.machine))
    for finding in examine(system):
        problems += finding.level == PROBLEM
        write("%-8s %-13s %s" % (finding.level, finding.name, finding.text))
        for line in finding.advice:
            write("%-8s %-13s     %s" % ("", "", line))
    if problems:
        write("The image cannot be used yet: %d problem%s above." % (problems, "" if problems == 1 else "s"))
        return 1
    write("All is well." if check_inside(system) else "Nothing stands in the way of the image: make build")
    return 0
