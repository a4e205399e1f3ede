"""Debugging in the image, the three ways of docs/debugging.md, each on the same bug: examples/service-bug.patch makes
every caller of examples/service.py see the keys of those before."""

import json
import re
import socket

import dap
import pexpect
import pytest
import standin
from fixtures import wait_for

DEBUG = standin.IMAGE + ":debug"
BREAK = "            import ipdb; ipdb.set_trace()\n"
#: A new prompt, ready for input; it is drawn again and again while one types.
IPDB = r"\x1b\[\?2004h[^\n]*ipdb> [^\n]*?\x1b\[\?25h"
PROMPT = r"\$ $"


@pytest.fixture
def ports():
    """PORT and DEBUG_PORT for a run of make debug: nobody has PORT + 1 or DEBUG_PORT."""
    for port in range(25060, 25160, 2):
        if _free(port + 1, socket.SOCK_DGRAM) and _free(port, socket.SOCK_STREAM):
            return {"PORT": str(port), "DEBUG_PORT": str(port)}
    pytest.fail("no free ports")


def _free(port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


@pytest.fixture
def bug(checkout):
    """examples/service.py with the bug; the lines of the file."""
    path = checkout.folder / "examples" / "service.py"
    original = path.read_text()
    patch = checkout.folder / "examples" / "service-bug.patch"
    assert checkout.run("git", "apply", patch).returncode == 0
    yield path
    path.write_text(original)


def line_of(path, text):
    """The number of the line with the text."""
    (number,) = (n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)
    return number


def debugged(client):
    """The running container of the debug stage, once it has an address."""

    def look():
        for container in client.containers.list(filters={"ancestor": DEBUG}):
            networks = container.attrs["NetworkSettings"]["Networks"]
            if networks.get("bridge", {}).get("IPAddress"):
                return container
        return None

    return wait_for(look, "a container of " + DEBUG)


@pytest.fixture
def caller(client, source_of_caller):
    """Start caller.py beside the container under a debugger: caller(port, keys...); all are removed afterwards."""
    started = []

    def start(port, *keys):
        address = debugged(client).attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        command = source_of_caller("sip:%s:%d" % (address, port), *keys)
        started.append(client.containers.run(standin.IMAGE + ":test", command, detach=True))
        return started[-1]

    yield start
    for one in started:
        one.remove(force=True)


def has_keyed_in(container):
    """What the caller got: the lines it printed, once it has ended well."""
    assert container.wait(timeout=120)["StatusCode"] == 0, container.logs().decode()
    return container.logs().decode().splitlines()


# -- debugpy -----------------------------------------------------------------------------------------------


def test_debugpy_shows_the_bug(images, checkout, bug, caller, ports):
    line = line_of(bug, "self.keys.append(key)")
    running = checkout.start("debug", APP="examples/service.py", **ports)
    try:
        debugger = dap.Client(int(ports["DEBUG_PORT"]))
        debugger.attach(str(checkout.folder), "/src", str(bug), [line])
        calling = caller(int(ports["PORT"]) + 1, "1", "2")

        thread, frame, variables = debugger.stopped()
        assert (frame["name"], frame["line"]) == ("key", line)
        assert frame["source"]["path"] == str(bug)  # mapped back to this side
        assert variables["key"] == "u'1'" and "Session object" in variables["self"]
        assert debugger.evaluate("self.keys", frame) == "[]"
        debugger.go_on(thread)

        thread, frame, variables = debugger.stopped()
        assert variables["key"] == "u'2'"
        assert debugger.evaluate("self.keys", frame) == "[u'1']"  # a new call, and not empty: the bug
        debugger.go_on(thread)
        assert has_keyed_in(calling)[-1] == "keyed in 2, service has 12"
        debugger.leave()
    finally:
        running.terminate()
        output = running.communicate(timeout=120)[0]
    assert "on port %d (UDP)" % (int(ports["PORT"]) + 1) in output and "attach to make debug" in output
    assert "listening on udp://0.0.0.0:%d" % (int(ports["PORT"]) + 1) in output


def test_it_waits_for_the_debugger(images, checkout, client, ports):
    """Before one attaches, nothing of the program has run."""
    running = checkout.start("debug", APP="examples/service.py", **ports)
    try:
        container = debugged(client)
        wait_for(lambda: b"debugpy" in container.exec_run(["cat", "/proc/1/cmdline"]).output, "debugpy")
        debugger = dap.Client(int(ports["DEBUG_PORT"]))
        assert "listening" not in container.logs().decode()
        debugger.attach(str(checkout.folder), "/src", str(checkout.folder / "examples" / "service.py"), [])
        wait_for(lambda: "listening" in container.logs().decode(), "the program")
        calling = container.exec_run(
            [
                "sipbridge",
                "call",
                "sip:service@127.0.0.1:%d" % (int(ports["PORT"]) + 1),
                "--dtmf",
                "1#",
                "--duration",
                "0",
            ]
        )
        assert calling.exit_code == 0 and "keyed in 1" in container.logs().decode(), calling.output
        debugger.leave()
    finally:
        running.terminate()
        output = running.communicate(timeout=120)[0]
    # What was just done, as it is printed for who debugs.
    assert "docker exec %s sipbridge call sip:service@127.0.0.1:" % container.name in output


def test_app_is_needed_and_has_to_be_there(images, checkout):
    result = checkout.make("debug")
    assert result.returncode != 0 and "make debug APP=" in result.stdout
    result = checkout.make("debug", APP="examples/none.py")
    assert result.returncode != 0 and "There is no examples/none.py" in result.stdout
    result = checkout.make("debug", APP="examples/service.py", DEBUGGER="pdb")
    assert result.returncode != 0 and "DEBUGGER is one of debugpy ipdb, not 'pdb'" in result.stdout
    result = checkout.make("debug", APP="examples/service.py", DEBUGGER="ipdb")
    assert result.returncode != 0 and "needs a terminal" in result.stdout


# -- ipdb --------------------------------------------------------------------------------------------------


@pytest.fixture
def breakpoint_at_the_bug(bug):
    text = bug.read_text()
    bug.write_text(
        text.replace("            self.keys.append(key)", BREAK + "            self.keys.append(key)")
    )


def says(terminal, command, pattern):
    """Give ipdb a command, and wait for what comes of it."""
    terminal.expect(IPDB)
    terminal.sendline(command)
    terminal.expect(pattern)


def test_ipdb_shows_the_bug_in_the_thread_of_a_handler(images, checkout, breakpoint_at_the_bug, caller, ports):
    terminal = checkout.terminal("debug", APP="examples/service.py", DEBUGGER="ipdb", **ports)
    terminal.expect("in any thread")
    terminal.expect("listening on udp")
    calling = caller(int(ports["PORT"]) + 1, "1", "2")
    says(terminal, "p 'keys', self.keys", r"\('keys', \[\]\)")
    says(terminal, "p 'in', __import__('threading').current_thread().name", r"\('in', u?'(?!MainThread)")
    says(terminal, "c", r"---> \d+")
    says(terminal, "p 'keys', self.keys", r"\('keys', \[u'1'\]\)")
    says(terminal, "c", "keyed in 12")
    assert has_keyed_in(calling)[-1] == "keyed in 2, service has 12"
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    assert "Traceback" not in terminal.before
    terminal.close()


# -- a recorded call ---------------------------------------------------------------------------------------

CALLS = {
    "FILE": "examples/service-bug.pcapng",
    "APP": "examples/service.py",
    "PLAY": "--call 1 --call 2 --speed 0",
}


def test_a_recorded_call_stops_at_the_breakpoint(images, checkout, breakpoint_at_the_bug, ports):
    """docs/debugging.md, from an incident to the line: nobody calls but the capture."""
    terminal = checkout.terminal("replay", DEBUGGER="ipdb", **CALLS, **ports)
    terminal.expect("service-bug.pcapng is played against it")
    terminal.expect("-> INFO")
    says(terminal, "p 'keys', self.keys", r"\('keys', \[\]\)")
    says(terminal, "c", r"call 1: \d+ messages, as recorded")
    says(terminal, "p 'keys', self.keys", r"\('keys', \[u'1'\]\)")
    says(terminal, "c", r"call 2: \d+ messages, as recorded")
    terminal.expect("the call is over. The program goes on")
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    assert "Traceback" not in terminal.before
    terminal.close()
    assert terminal.exitstatus == 0


def test_a_recorded_call_waits_for_debugpy(images, checkout, bug, ports):
    """It is played once a debugger has let the program run."""
    line = line_of(bug, "self.keys.append(key)")
    running = checkout.start("replay", **CALLS, **ports)
    try:
        debugger = dap.Client(int(ports["DEBUG_PORT"]))
        debugger.attach(str(checkout.folder), "/src", str(bug), [line])
        thread, frame, _ = debugger.stopped()
        assert frame["line"] == line and debugger.evaluate("self.keys", frame) == "[]"
        debugger.go_on(thread)
        thread, frame, _ = debugger.stopped()
        assert debugger.evaluate("self.keys", frame) == "[u'1']"
        debugger.go_on(thread)
        for text in iter(running.stdout.readline, ""):
            if "the call is over" in text:
                break
        debugger.leave()
    finally:
        running.terminate()
        running.communicate(timeout=120)


def test_a_replay_tells_what_differs_with_its_exit_code(images, checkout, ports):
    """Of the service without the bug; without a debugger it ends by itself."""
    result = checkout.make("replay", DEBUGGER="none", **CALLS, **ports)
    assert result.returncode != 0 and "Error 1" in result.stdout, result.stdout
    assert "     -12\n     +2\n" in result.stdout
    assert "call 1: " in result.stdout and "1 of them otherwise than recorded" in result.stdout


# -- gdb ---------------------------------------------------------------------------------------------------


class Shell:
    """`make shell` in a pseudo-terminal."""

    def __init__(self, checkout):
        self.terminal = checkout.terminal("shell")
        self.terminal.expect(PROMPT)

    def run(self, command):
        """Run a command at the prompt; its output. It must succeed."""
        self.terminal.sendline("%s; echo status=$?." % command)
        self.terminal.expect(r"status=(\d+)\.\s")
        output, status = self.terminal.before, int(self.terminal.match.group(1))
        self.terminal.expect(PROMPT)
        assert status == 0, output
        return output

    def gdb(self, command, pattern, prompt=True):
        """Give gdb a command and wait for what it says."""
        self.terminal.sendline(command)
        self.terminal.expect(pattern)
        found = self.terminal.match.group()
        if prompt:
            self.terminal.expect(r"\(gdb\) $")
        return found

    def leave(self):
        self.terminal.sendline("exit")
        self.terminal.expect(pexpect.EOF)
        self.terminal.close()
        assert self.terminal.exitstatus == 0


@pytest.fixture
def shell(images, checkout):
    opened = Shell(checkout)
    yield opened
    opened.leave()


def test_shell_compiles_and_runs_a_test(shell, checkout):
    """csrc is compiled when it changed, and only then; a broken one is told of."""
    assert "building the extension" not in shell.run("rebuild")
    source = checkout.folder / "csrc" / "contract" / "check.c"
    original = source.read_text()
    try:
        source.write_text(original + "\n/* changed */\n")
        assert "is new or has changed: building the extension" in shell.run("rebuild")
        assert "building the extension" not in shell.run("rebuild")
        source.write_text(original + "\n#error broken on purpose\n")
        output = shell.run("! rebuild")
        assert "broken on purpose" in output and "does not build" in output
    finally:
        source.write_text(original)
    assert "building the extension" in shell.run("rebuild")
    assert " passed" in shell.run("python2.7 -m pytest -q -p no:cacheprovider tests/unit/agent/test_dispatch.py")


def test_gdb_shows_the_bug_with_symbols_and_python_frames(shell, bug, caller):
    shell.terminal.sendline("TERM=dumb PORT=5061 gdb -q --args python2.7 -u examples/service.py")
    shell.terminal.expect(r"\(gdb\) $")
    shell.gdb("set pagination off", "")
    shell.gdb("set breakpoint pending on", "")
    shell.gdb("break sb_answer if content != 0", "Breakpoint 1")
    shell.gdb("run", "listening on udp", prompt=False)
    calling = caller(5061, "1", "2")
    shell.terminal.expect(r"Breakpoint 1(\.1)?, (0x\w+ in )?sb_answer \(.*\) at csrc/contract/\w+\.c:\d+")
    shell.terminal.expect(r"\(gdb\) $")
    shell.gdb("continue", r"Breakpoint 1(\.1)?, ")
    shell.gdb("info args", r"content = 0x")
    shell.gdb("py-stacks full", r"(?s) in info\s.*keyed = u'12'")  # the caller keyed in 2
    shell.gdb("disable", "")
    shell.gdb("continue", "keyed in 12|ended: remote-bye", prompt=False)
    assert has_keyed_in(calling)[-1] == "keyed in 2, service has 12"
    shell.terminal.sendintr()
    shell.terminal.expect(r"\(gdb\) $")
    shell.gdb("kill", r"(?s)killed|\(y or n\)", prompt=False)
    shell.terminal.sendline("y")
    shell.terminal.expect(r"\(gdb\) $")
    shell.terminal.sendline("quit")
    shell.terminal.expect(PROMPT)


#: The engine is given a pointer to nowhere, so that it dies in csrc.
CRASH = (
    "import sipbridge; from sipbridge import _exosip; name = sipbridge.__name__; "
    "_exosip.lib.sb_error_text(0); wild = _exosip.ffi.cast('sb_event *', 16); _exosip.lib.sb_event_free(wild)"
)


def test_core_dump_of_a_crash_is_written_and_opened(shell):
    output = shell.run(
        'gdb -q -batch -ex run -ex "generate-core-file build/core" --args python2.7 -c "%s"' % CRASH
    )
    assert "SIGSEGV" in output and "Saved corefile build/core" in output
    output = shell.run('gdb -q -batch -ex bt -ex "py-stacks full" python2.7 build/core')
    assert re.search(r"sb_event_free \(.*\) at csrc/core/queue.c:\d+", output), output
    assert re.search("Thread 0x.*\n +#0 +<string>:1 in <module>", output), output
    shell.run("rm build/core")


# -- other tools -------------------------------------------------------------------------------------------


@pytest.fixture
def compose(images, checkout):
    """Run docker-compose in the checkout as the user who runs make; the CompletedProcess."""
    (checkout.folder / ".env").write_text(
        "UID=%d\nGID=%d\nIMAGE=%s\n" % (checkout.user, checkout.user, standin.IMAGE)
    )

    def run(*words):
        return checkout.run("docker-compose", *words)

    yield run
    run("down", "--volumes")
    (checkout.folder / ".env").unlink()


def test_compose_service_is_an_interpreter(compose, checkout):
    """As PyCharm uses it: runs of the service with another command, paths mapped, files of the caller's."""
    result = compose("config")
    assert result.returncode == 0, result.stdout
    script = "import os, sys, sipbridge; print(sys.version_info[0], os.path.abspath(sipbridge.__file__))"
    script += "; open('build/by-compose', 'w')"
    result = compose("run", "--rm", "-T", "sipbridge", "python2.7", "-c", script)
    assert result.returncode == 0, result.stdout
    assert "(2, '/src/sipbridge/__init__.py" in result.stdout
    made = checkout.folder / "build" / "by-compose"
    assert made.stat().st_uid == checkout.user
    made.unlink()


def test_vscode_attaches_where_make_debug_listens(checkout):
    lines = (checkout.folder / ".vscode" / "launch.json").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.strip().startswith("//"))
    configuration, of_the_service = json.loads(text)["configurations"]
    assert configuration["name"] in (checkout.folder / "docker" / "image.sh").read_text()
    assert configuration["connect"] == of_the_service["connect"] == {"host": "127.0.0.1", "port": 5678}
    assert configuration["pathMappings"] == [{"localRoot": "${workspaceFolder}", "remoteRoot": "/src"}]
    assert "pathMappings" not in of_the_service


def test_ngrep_in_the_network_of_a_container(images, client, service, source_of_caller):
    """The command of docs/debugging.md that shows the messages of a running service."""
    listener = service(["listen", "udp://0.0.0.0:5060"], stage="runtime")
    wait_for(lambda: b"listening" in listener.container.logs(), "the listener")
    sniffer = client.containers.run(
        DEBUG,
        ["ngrep", "-q", "-W", "byline", "port", "5060"],
        detach=True,
        tty=True,
        user="0",
        network="container:" + listener.container.id,
    )
    try:
        wait_for(lambda: b"interface" in sniffer.logs(), "ngrep")
        caller = service(source_of_caller("sip:%s:5060" % listener.address, "hold"))
        wait_for(lambda: b"INVITE sip:" in sniffer.logs() and b"SIP/2.0 200" in sniffer.logs(), "the INVITE")
        caller.container.kill()
    finally:
        sniffer.remove(force=True)
