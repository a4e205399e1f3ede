"""driver.c: built for an engine, run under a tool, and used like contract.raw.Raw."""

from __future__ import absolute_import, division, print_function

import errno
import fcntl
import glob
import hashlib
import io
import os
import re
import shlex
import subprocess
import tempfile

import sipbridge
from contract.raw import Event, Raw
from double.flows import FLOWS, Answering, Flow
from peers.process import require

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))

CSRC = os.path.join(ROOT, "csrc") + os.sep

#: As it is delivered. What is compiled with the sanitizers takes twice as long with it.
OPTIMIZED = ["-O2"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
VALGRIND = ["--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible"]
VALGRIND += ["--errors-for-leak-kinds=definite,indirect,possible", "--num-callers=30"]


def build(flags):
    """The driver with the engine under test; with the double compiled in where that is its library.

    Each file is compiled once for all who want the same of it: other drivers, other workers, and the next run.
    """
    sources, compile_flags, link_flags, module = _double() if "SIPBRIDGE_DOUBLE" in os.environ else _library()
    definitions = [flag for flag in flags if flag.startswith("-D")]
    wrapped = [flag for flag in flags if flag.startswith("-Wl,")] + ["-Wl,--wrap=read"]
    others = [flag for flag in flags if flag not in definitions + wrapped]
    objects = []
    for source in sources + [os.path.join(HERE, "driver.c")]:
        if source.startswith(CSRC):
            needed = module.flags_of(source, module.COMPILE_ARGS + compile_flags)
        else:  # visible: the double stands in front of libosip2
            needed = ["-std=c99", "-D_GNU_SOURCE"] + compile_flags + module.all_include_flags(sources[:1])
        texts = _texts(source, needed)
        needed += [flag for flag in definitions if any(flag[2:].partition("=")[0] in text for text in texts)]
        objects.append(_once(_compiler() + ["-g"] + others + needed + ["-c", source], texts))
    return _once(_compiler() + others + wrapped + objects + link_flags, [])


def _compiler():
    return shlex.split(os.environ.get("CC", "cc"))


def _texts(source, flags):
    """What is in a C file, in the headers in quotes that it includes, directly or not, and in those of the double."""
    found, left = {}, [source] + glob.glob(os.path.join(os.environ.get("SIPBRIDGE_DOUBLE", ""), "include/eXosip2/*.h"))
    folders = [folder for flag, folder in zip(flags, flags[1:]) if flag == "-iquote"]
    while left:
        path = left.pop()
        with io.open(path, encoding="utf-8") as stream:
            found[path] = stream.read()
        for name in re.findall(r'^#include "(.*)"', found[path], re.MULTILINE):
            places = [os.path.join(folder, name) for folder in [os.path.dirname(path)] + folders]
            left += [place for place in places if os.path.exists(place) and place not in found][:1]
    return [found[path] for path in sorted(found)]


def _once(command, texts):
    """The file that a command makes of these texts, made now or before."""
    digest = hashlib.sha256("\0".join(command + texts).encode("utf-8")).hexdigest()[:24]
    made = os.path.join(_folder(), digest + (".o" if "-c" in command else ""))
    with open(made + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(made):
            _execute(command + ["-o", made + ".new"])
            os.rename(made + ".new", made)
    return made


def build_part(test, sources, program):
    """A program that tests a part of csrc without any library, with the sanitizers: its path.

    ``test``: a file of this folder; ``sources``: those of csrc that it needs, as patterns.
    """
    command = _compiler() + ["-std=c99", "-D_GNU_SOURCE", "-g", "-O1"] + SANITIZERS
    for folder in (os.path.join("shield", "check"), os.path.join("shield", "process"), "exosip", "core", "contract"):
        command += ["-iquote", CSRC + folder]
    files = [path for pattern in sources for path in sorted(glob.glob(CSRC + pattern))]
    _execute(command + [os.path.join(HERE, test)] + files + ["-lpthread", "-o", program])
    return program


def _folder():
    """Where the programs are: with all else that is built, or where only this run sees them."""
    place = os.environ.get("SIPBRIDGE_BUILD") or tempfile.mkdtemp(prefix="sipbridge-memory-")
    folder = os.path.join(place, "drivers")
    if not os.path.isdir(folder):
        try:
            os.makedirs(folder)
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
    return folder


def _execute(command):
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode("utf-8", "replace")
    assert process.returncode == 0, output


def _engine(name):
    """The sources of an engine, and setup.py's way to its library."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("_build", os.path.join(ROOT, "sipbridge", "_build.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    before = os.getcwd()
    os.chdir(ROOT)
    try:
        return [os.path.join(ROOT, each) for each in module.sources(name)], module
    finally:
        os.chdir(before)


def _double():
    double = os.environ["SIPBRIDGE_DOUBLE"]
    folder = os.path.join(ROOT, "tests", "double")
    sources, module = _engine("exosip")
    compile_args, link_args = module.locate(module.CARES)
    sources += [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".c")]
    options = ["-DWITH_DOUBLE", "-I" + os.path.join(double, "include")]
    options += module.declared(_library_of("exosip", module), options) + compile_args
    libraries = ["-L" + os.path.join(double, "lib"), "-losip2", "-losipparser2"] + link_args
    return sources, options, libraries + ["-ldl", "-lpthread", "-rdynamic"], module


def _library():
    sources, module = _engine(Raw().name)
    compile_args, link_args = module.locate(_library_of(Raw().name, module))
    return sources, compile_args, shlex.split(os.environ.get("LDFLAGS", "")) + link_args + ["-lpthread"], module


def _library_of(engine, module):
    return [each for each in module.LIBRARIES if each.engine == engine][0]


class Functions(object):
    """The ``lib`` of a driver: constants from the extension module, functions through the pipe."""

    def __init__(self, driver, constants):
        self._driver, self._constants = driver, constants

    def __getattr__(self, name):
        if name.startswith("SB_"):
            return getattr(self._constants, name)
        return lambda *arguments: self._driver.perform(name, *arguments)


class Nothing(object):
    """The ``ffi`` of a driver."""

    NULL = None


#: How lines begin that are no complaint: Sofia-SIP's own, of a datagram that is neither SIP nor STUN, is one.
_TOLD = ("sipbridge: shield: ", "stun garbage from ")


class Driver(object):
    """A running driver.

    Args:
        command: the program, with the tool in front that looks at it.
        log: the path of a file for what it complains of.
    """

    def __init__(self, command, log, **environment):
        self._log = log
        settings = dict(os.environ)
        settings.pop("LD_PRELOAD", None)  # the sanitizers want to come first
        settings.update(environment)
        with open(log, "wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=settings,
            )
        self.lib, self.ffi = Functions(self, Raw().lib), Nothing()

    def perform(self, function, *arguments):
        """The number that a function returned."""
        return int(self._ask(function, *arguments))

    def _ask(self, *words):
        line = "\t".join("-" if each is None else str(each) for each in words)
        self._process.stdin.write(line.encode("utf-8") + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().decode("utf-8", "replace")
        assert answer, self.complaints()
        return answer.rstrip("\n")

    def complaints(self):
        """What the tool, or the program, wrote; but not what the shield did, and what Sofia-SIP tells of a peer."""
        self._process.stdin.close()
        self._process.wait()
        with open(self._log, "rb") as log:
            lines = log.read().decode("utf-8", "replace").splitlines(True)
        return "".join(line for line in lines if not line.startswith(_TOLD))

    def finish(self):
        """Assert that the tool found nothing, now that the program ends."""
        complaints = self.complaints()
        self._process.stdout.close()
        assert self._process.returncode == 0 and not complaints, complaints

    # -- as Raw ----------------------------------------------------------------------------------------------

    def text(self, value):
        return value

    def content(self, **_):
        return "+", None

    @property
    def pid(self):
        return self._process.pid

    @property
    def threads(self):
        """How many the program has, with the first."""
        return len(os.listdir("/proc/%d/task" % self._process.pid))

    def open(self, host="127.0.0.1", port=0, trace=0, transport=0, resolv_conf=None, **_):
        return self.perform("sb_open", host, port, trace, transport, resolv_conf)

    def wait(self, engine, timeout_ms=10000):
        answer = self._ask("sb_wait", engine, timeout_ms).split("\t")
        if answer[0] != "1":
            return int(answer[0])
        numbers = [int(each) for each in answer[1:9]]
        return Event(*(numbers + [b"", b"", "\n".join(answer[9:]).encode("utf-8"), b""]))

    def call(self, engine, to, from_=None, **content):
        return self.perform("sb_call", engine, to, from_, "+" if content else None)

    def request(self, engine, method, to, **content):
        return self.perform("sb_request", engine, method, to, None, "+" if content else None)

    def subscribe(self, engine, to, from_=None, event="presence", expires=600, **content):
        return self.perform("sb_subscribe", engine, to, from_, event, expires, "+" if content else None)

    def publish(self, engine, to, event="presence", etag=None, expires=600, **content):
        return self.perform("sb_publish", engine, to, None, event, etag, expires, "+" if content else None)

    def register(self, engine, registrar, aor):
        return self.perform("sb_register", engine, registrar, aor, None, None, 300)


def alone(program, log, tool=()):
    """On libeXosip2 itself with the shield in front, without which it dies of a malformed datagram."""
    shield = [] if "SIPBRIDGE_DOUBLE" in os.environ else ["LD_PRELOAD"]
    environment = dict((name, os.environ[name]) for name in shield if name in os.environ)
    return Driver(list(tool) + [program], log, **environment)


def under_valgrind(program, log):
    return alone(program, log, [require("valgrind")] + VALGRIND)


def under_sanitizers(program, log):
    return Driver([program], log, ASAN_OPTIONS="detect_leaks=1:exitcode=99", UBSAN_OPTIONS="print_stacktrace=1")


def tools():
    """What to run the driver under, by name: what it is compiled with, and what starts it.

    On libeXosip2 itself valgrind alone: the sanitizers see nothing of a library that was compiled without them. On the
    double of an older one the sanitizers alone, which take a third of the time.
    """
    found, is_double = {}, "SIPBRIDGE_DOUBLE" in os.environ
    if not (is_double and sipbridge.engines()["exosip"].startswith("3.3")):
        found["valgrind"] = (OPTIMIZED, under_valgrind)  # takes the program as it is
    if is_double or Raw().name != "exosip":
        found["sanitizers"] = (SANITIZERS, under_sanitizers)
    return found


def run(driver, name, patience):
    """One of FLOWS from open to close; ``patience`` in seconds for each event. Returns it."""
    flow = Flow(driver, patience)
    if flow.engine > 0:
        with Answering(**{method: list(each) for method, each in FLOWS[name][0].items()}) as peer:
            getattr(flow, name)(peer)
            flow.close()
    return flow
