"""With no shield in front of it libeXosip2 is warned about; with one in its path it is not."""

from __future__ import absolute_import, division, print_function

import os
import subprocess
import sys
import warnings

import pytest

import sipbridge
from shield.messages import request
from sipbridge import shield

_OPEN = """
import warnings
import sipbridge
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    sipbridge.Endpoint().close()
    print([each.category.__name__ for each in caught])
"""


def _run(command, environment):
    return subprocess.check_output(command, env=environment, stderr=subprocess.STDOUT).decode("utf-8").strip()


def _plain():
    return dict((name, value) for name, value in os.environ.items() if name != "LD_PRELOAD")


def test_an_unshielded_engine_is_warned_of(needs_shield):
    assert _run([sys.executable, "-c", _OPEN], _plain()) == "['UnshieldedEngineWarning']"


_OPEN_TWICE = """
import warnings
import sipbridge
warnings.simplefilter("error", sipbridge.UnshieldedEngineWarning)
try:
    sipbridge.Endpoint()
except sipbridge.UnshieldedEngineWarning:
    print("refused")
warnings.simplefilter("ignore")
with sipbridge.Endpoint() as endpoint:
    print(endpoint.engine_name)
"""


def test_a_warning_as_an_error_leaves_no_engine_behind(needs_shield):
    """libeXosip2 has one stack: the next endpoint would be told that it is taken."""
    assert _run([sys.executable, "-c", _OPEN_TWICE], _plain()).split() == ["refused", "exosip"]


def test_a_shielded_engine_is_not_warned_of(needs_shield):
    assert _run([sys.executable, "-c", _OPEN], shield.environment(_plain())) == "[]"


@pytest.fixture
def not_in_the_path(needs_shield, tmpdir):
    """Another library comes before the shield, as one would that somebody else preloads: the environment for it."""
    source, other = tmpdir.join("other.c"), str(tmpdir.join("other.so"))
    source.write(
        "#include <sys/socket.h>\n#include <sys/syscall.h>\n#include <unistd.h>\n"
        "ssize_t recvfrom(int fd, void *b, size_t n, int f, struct sockaddr *a, socklen_t *l)\n"
        "{ return syscall(SYS_recvfrom, fd, b, n, f, a, l); }\n"
    )
    subprocess.check_call(
        ["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", other, str(source)], env=_plain()
    )
    environment = _plain()
    environment["LD_PRELOAD"] = other + os.pathsep + shield.library()
    return environment


def test_a_warning_where_the_shield_is_loaded_but_not_in_the_path(not_in_the_path):
    assert _run([sys.executable, "-c", _OPEN], not_in_the_path) == "['UnshieldedEngineWarning']"


_TRACE = """
import socket
import sys
import threading
import warnings
import sipbridge
warnings.simplefilter("ignore")
traced, both = [], threading.Event()
def trace(message):
    traced.append("%s %s" % ("sent" if message.outgoing else "received", message.data.split(b" ")[0].decode()))
    if len(traced) == 2:
        both.set()
with sipbridge.Endpoint("udp://127.0.0.1:0", trace=trace) as phone:
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.settimeout(10)
    peer.bind(("127.0.0.1", 0))
    peer.sendto(sys.argv[1].replace(":9;", ":%d;" % peer.getsockname()[1]).encode(), ("127.0.0.1", phone.port))
    peer.recv(65536)
    both.wait(10)
print(traced)
"""


def test_messages_are_traced_wherever_the_shield_is(not_in_the_path):
    """Where it sees none the engine traces them itself."""
    for environment in (shield.environment(_plain()), not_in_the_path, _plain()):
        said = _run([sys.executable, "-c", _TRACE, request("OPTIONS").decode("ascii")], environment)
        assert said == "['received OPTIONS', 'sent SIP/2.0']"


def test_the_launcher_preloads_the_shield(needs_shield):
    command = [sys.executable, "-m", "sipbridge.shield", sys.executable, "-c", _OPEN]
    assert _run(command, _plain()) == "[]"


def test_the_command_starts_again_with_the_shield(needs_shield):
    command = [sys.executable, "-u", "-m", "sipbridge", "listen", "udp://127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_plain())
    try:
        said = process.stdout.readline().decode("utf-8")
        with open("/proc/%d/maps" % process.pid) as maps:
            loaded = shield.library() in maps.read()
    finally:
        process.terminate()
        rest = process.communicate()[0].decode("utf-8")
    assert "listening on udp://127.0.0.1:" in said and loaded, said + rest


def test_the_launcher_says_what_is_wrong():
    command = [sys.executable, "-m", "sipbridge.shield"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"usage" in process.communicate()[1]
    assert process.returncode == 2


def test_the_shield_is_preloaded_once():
    environment = shield.environment(shield.environment({"LD_PRELOAD": "/other.so", "A": "b"}))
    assert environment["A"] == "b"
    expected = ["/other.so"] if shield.library() is None else [shield.library(), "/other.so"]
    assert environment["LD_PRELOAD"].split(os.pathsep) == expected


def test_the_sockets_of_python_are_not_screened(needs_shield):
    code = (
        "import socket\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.bind(('127.0.0.1', 0))\n"
        "s.sendto(b'no SIP at all', s.getsockname())\n"
        "print(s.recvfrom(100)[0].decode())\n"
    )
    assert _run([sys.executable, "-c", code], shield.environment(_plain())) == "no SIP at all"


def test_an_engine_that_needs_none_is_not_warned_about():
    if "sofia" not in sipbridge.engines():
        pytest.skip("this build has no Sofia-SIP engine")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sipbridge.Endpoint(engine="sofia").close()
    assert caught == []


def test_limits_are_checked():
    with pytest.raises(sipbridge.InputError):
        shield.set_limit("BYE", 5)
    with pytest.raises(sipbridge.InputError):
        shield.set_limit("INVITE", -5)


def test_without_a_shield_its_numbers_are_an_error(needs_shield):
    code = (
        "import sipbridge\nfrom sipbridge import shield\n"
        "print(shield.loaded())\n"
        "for ask in (shield.counters, lambda: shield.set_limit('INVITE', 5)):\n"
        "    try:\n        ask()\n    except sipbridge.EngineError as error:\n        print(error)\n"
        "print('\\n'.join(shield.report()))\n"
    )
    said = _run([sys.executable, "-c", code], _plain())
    assert said.startswith("False\n")
    assert said.count("no shield is loaded in this process") == 2
    assert "python -m sipbridge.shield" in said


def test_the_report_of_the_shield(needs_shield):
    code = (
        "from sipbridge import shield\n"
        "shield.set_limit('INVITE', 12.5, 3)\n"
        "print('\\n'.join(shield.report()))\n"
    )
    said = _run([sys.executable, "-c", code], shield.environment(_plain()))
    assert "limit of INVITE: 12/s" in said
    assert "limit of REGISTER: none right now" in said
    assert "passed: 0" in said


def test_the_counters_can_be_read_from_outside_and_outlive_the_process(needs_shield, victim, sender):
    sender.replies_before(request("OPTIONS", "bad", sender.port, To=None))
    for state in ("runs", "has ended"):
        process, found = shield.read_counters(victim.counters_path)
        assert process == victim.pid
        assert found[0] == ("", 1, 0, 0)
        assert [each for each in found if each.answered or each.dropped] == [("to", 0, 1, 0)]
        said = shield.report_file(victim.counters_path)
        assert said == [
            "counted by process %d, which %s:" % (process, state),
            "passed: 1",
            "to: 1 answered, 0 dropped",
            "remembered: 1 now, 0 sent again, 0 pushed out",
        ]
        if state == "runs":
            victim.kill()
            assert victim.exit_code(5.0) is not None


def test_processes_at_the_same_time_keep_each_their_own(needs_shield, make_victim, tmpdir, monkeypatch):
    path = str(tmpdir.join("counters"))
    monkeypatch.setenv("SIPBRIDGE_SHIELD_COUNTERS", path)
    first, second = [make_victim(SIPBRIDGE_SHIELD_COUNTERS=path) for _ in range(2)]
    heads = ["counted by process %d, which runs:" % each.pid for each in (first, second)]
    assert [line for line in shield.report_files() if line.startswith("counted")] == heads
    first.kill()
    assert first.exit_code(5.0) is not None
    third = make_victim(SIPBRIDGE_SHIELD_COUNTERS=path)
    assert shield.read_counters(path)[0] == third.pid
    assert shield.read_counters(path + "-2")[0] == second.pid
    for each in (second, third):
        each.kill()
        assert each.exit_code(5.0) is not None
    last = shield.report_files()
    assert [line for line in last if line.startswith("counted")] == [
        "counted by process %d, which has ended:" % third.pid
    ]


def test_the_counters_on_a_full_disk(needs_shield, tmpdir):
    """They are kept in memory alone: a mapping of what the disk cannot hold would end the process."""
    folder = str(tmpdir.mkdir("full"))
    code = (
        "import sipbridge; from sipbridge import shield\n"
        "with sipbridge.Endpoint('udp://127.0.0.1:0'): print(shield.counters()[0].rule == '')"
    )
    full = "mount -t tmpfs -o size=4k none %s && head -c 4096 /dev/zero > %s/fill && exec " % (folder, folder)
    environment = shield.environment(dict(_plain(), SIPBRIDGE_SHIELD_COUNTERS=folder + "/counters"))
    if subprocess.call(["unshare", "-rm", "true"], stderr=subprocess.PIPE) != 0:
        pytest.skip("nobody but root may mount here")
    said = _run(["unshare", "-rm", "sh", "-c", full + '"$@"', "sh", sys.executable, "-c", code], environment)
    assert said.strip() == "True"


def test_a_counter_file_that_would_block(tmpdir):
    path = str(tmpdir.join("fifo"))
    os.mkfifo(path)
    assert shield.read_counters(path) == (None, [])


@pytest.mark.parametrize("octets", [b"", b"sbshld1\0", b"x" * 1000])
def test_a_counter_file_without_counters(tmpdir, octets):
    path = tmpdir.join("counters")
    path.write(octets, "wb")
    assert shield.read_counters(str(path)) == (None, [])
    assert shield.report_file(str(path)) == []
