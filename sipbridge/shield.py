"""The shield: a small preloaded library that checks each message before libeXosip2 reads it.

One datagram without a Via kills libeXosip2 3.6. The shield passes well-formed messages unchanged, except for white
space that the library cannot read. It answers a malformed request with 400 if it can, and drops other malformed
messages. When more new calls come in than the library can handle, it answers them with 503 (RFC 3261, 21.5.4), so that
the other calls do not suffer. docs/reliability.md tells what it promises.

The shield must be loaded when the process starts (by LD_PRELOAD, so on Linux alone). In the image it is. Elsewhere,
start your command with it:

    python -m sipbridge.shield COMMAND...

Without the shield, an endpoint on libeXosip2 warns: :class:`~sipbridge.UnshieldedEngineWarning`. The process reads
these environment variables when it starts:

    SIPBRIDGE_SHIELD_COUNTERS: the file for the counters, which other processes can read; empty for none. The default
        is a file in /tmp for each user. If another process uses that file, a process takes one whose name ends in
        -2, and so on to -8.
    SIPBRIDGE_SHIELD_INVITE, SIPBRIDGE_SHIELD_REGISTER, SIPBRIDGE_SHIELD_SUBSCRIBE: how many of these requests may
        come in outside of dialogs: "auto" (the default: as many as the library reads in time), "off" (all), a rate
        per second, or "rate/burst".
    SIPBRIDGE_SHIELD_RESPONSES: how many final responses the shield remembers for 32 s, to send them again when a
        request is repeated (RFC 3261, 17.2.2). The library then ends its transactions at once. The default is 65536;
        "off" leaves it all to the library.
"""

from __future__ import absolute_import, division, print_function

import errno
import os
import stat
import struct
import sys

from sipbridge._compat import NamedTuple
from sipbridge._engine.libraries import choose
from sipbridge._engine.preload import environment as environment
from sipbridge._engine.preload import library as library
from sipbridge._engine.shield_counters import Counter as Counter
from sipbridge._engine.shield_counters import binding
from sipbridge._engine.shield_counters import counters as counters
from sipbridge._text.arguments import check_delay, check_octets
from sipbridge.errors import EngineError, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional, Sequence, Tuple

#: The kinds of requests that :func:`set_limit` can hold back, in the contract's order.
METHODS = ("INVITE", "REGISTER", "SUBSCRIBE")

#: struct shield_file and struct shield_row of csrc/shield/process/count.h.
_FILE, _ROW = struct.Struct(str("=8sqq")), struct.Struct(str("=24sQQQ"))

#: The number of counter files that csrc/shield/process/preload.c tries, and more octets than such a file has.
_MAX_FILES, _MAX_OCTETS = 8, 65536

#: The engines that need the shield. (Sofia-SIP checks messages itself.)
NEED_IT = ("exosip",)

_USAGE = """\
usage: python -m sipbridge.shield COMMAND...

Starts a command with sipbridge's shield preloaded, for programs that use libeXosip2 through sipbridge.

example:
  python -m sipbridge.shield python service.py
"""


class Verdict(NamedTuple("Verdict", [("action", "str"), ("status", "int"), ("rule", "str")])):
    """What the shield does with a message.

    Attributes:
        action: "pass", "answer" or "drop".
        status: the status code of the answer, or 0.
        rule: the rule that the message breaks, or "".
    """

    __slots__ = ()


def file_path():
    # type: () -> str
    """The path of the counters of this user's first process; "" when SIPBRIDGE_SHIELD_COUNTERS is empty."""
    return os.environ.get("SIPBRIDGE_SHIELD_COUNTERS", "/tmp/sipbridge-shield-%d" % os.getuid())


def _files():
    # type: () -> List[str]
    """The paths of the counters of all processes of this user."""
    path = file_path()
    return [path] + ["%s-%d" % (path, number) for number in range(2, _MAX_FILES + 1)] if path else []


def _octets_of(path):
    # type: (str) -> bytes
    """The octets of a regular file of this user or root, else b"": anybody can put a file into /tmp."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid not in (os.getuid(), 0):
            return b""
        return stream.read(_MAX_OCTETS)


def read_counters(path=None):
    # type: (Optional[str]) -> Tuple[Optional[int], List[Counter]]
    """The counters in the file of another process, which may have ended. The default path is :func:`file_path`.

    Returns the process id and a list like that of :func:`counters`; (None, []) when there is no such file.
    """
    try:
        octets = _octets_of(path or file_path() or os.devnull)
        magic, process, rows = _FILE.unpack(octets[: _FILE.size])
        if magic.rstrip(b"\0") != b"sbshld1" or len(octets) != _FILE.size + rows * _ROW.size:
            return None, []
    except (EnvironmentError, struct.error):
        return None, []
    found = [_ROW.unpack(octets[at : at + _ROW.size]) for at in range(_FILE.size, len(octets), _ROW.size)]
    return process, [Counter(row[0].rstrip(b"\0").decode("ascii"), *row[1:]) for row in found]


def loaded():
    # type: () -> bool
    """True when the shield is loaded in this process. (Whether an engine reads through it shows when that is open.)"""
    lib, ffi = binding()
    return bool(lib.sb_shield_counters(ffi.NULL, 0) >= 0)


def set_limit(method, rate, burst=None):
    # type: (str, Optional[float], Optional[float]) -> None
    """Limit the requests that may come in outside of dialogs. The others get 503 with Retry-After (RFC 3261, 21.5.4).

    Args:
        method: "INVITE", "REGISTER" or "SUBSCRIBE".
        rate: requests per second; 0 for no limit; None (as at the start) for as many as the library reads in time.
        burst: how many may come at once after a pause; None for as many as half a second allows.

    Requests within a dialog have no limit. Raises InputError, and EngineError when no shield is loaded.
    """
    if method not in METHODS:
        raise InputError("the method is one of %s, not %r" % (", ".join(METHODS), method))
    if rate is not None:
        check_delay(rate, "rate")
    if burst is not None and check_delay(burst, "burst") < 1:
        raise InputError("burst must be 1 or more, not %r" % (burst,))
    lib, _ = binding()
    code = lib.sb_shield_limit(METHODS.index(method), -1 if rate is None else rate, burst or 0)
    if code == lib.SB_ENOTSUP:
        raise EngineError("limit: no shield is loaded in this process", code)
    if code < 0:
        raise InputError("limit: %r per second, %r at once" % (rate, burst))


def limits():
    # type: () -> Dict[str, float]
    """The limits that hold now: a dict of method and requests per second, 0.0 for no limit."""
    lib, _ = binding()
    return dict((method, lib.sb_shield_rate(kind)) for kind, method in enumerate(METHODS))


def check(octets):
    # type: (bytes) -> Verdict
    """The :class:`Verdict` of the shield on a datagram (bytes). It needs no preloaded shield. Raises InputError."""
    octets = check_octets(octets, "octets")
    lib, ffi = binding()
    rule = ffi.new("char const *[1]")
    code = lib.sb_shield_check(ffi.from_buffer(octets), len(octets), rule)
    action = "pass" if code == 0 else "answer" if code > 0 else "drop"
    return Verdict(action, max(0, code), ffi.string(rule[0]).decode("ascii"))


def report():
    # type: () -> List[str]
    """A list of lines for people: what the shield in this process does and has counted."""
    path = library()
    lines = ["library: %s" % (path or "none (it is built on Linux alone)")]
    if not loaded():
        return lines + ["not loaded; start the program with: python -m sipbridge.shield COMMAND..."]
    rates = limits()
    for method in METHODS:
        limit = "%.0f/s" % rates[method] if rates[method] else "none right now"
        lines.append("limit of %s: %s" % (method, limit))
    return lines + _described(counters())


def _described(found):
    # type: (List[Counter]) -> List[str]
    lines = ["passed: %d" % each.passed for each in found[:1]]
    for each in found[1:]:
        if each.rule == "remembered":
            lines.append("remembered: %d now, %d sent again, %d pushed out" % each[1:])
        elif each.answered or each.dropped:
            lines.append("%s: %d answered, %d dropped" % (each.rule, each.answered, each.dropped))
    return lines


def report_files():
    # type: () -> List[str]
    """The same for each process of this user that runs; if none runs, for the one that ended last."""
    read = [(path, read_counters(path)) for path in _files()]
    there = [(path, process, found) for path, (process, found) in read if process is not None]
    running = [each for each in there if _runs(each[1])]
    shown = running or sorted(there, key=lambda each: os.path.getmtime(each[0]))[-1:]
    return [line for _, process, found in shown for line in _told(process, found)]


def report_file(path):
    # type: (str) -> List[str]
    """The same for the process that wrote a file (see :func:`read_counters`); [] when there is no such file."""
    process, found = read_counters(path)
    return [] if process is None else _told(process, found)


def _told(process, found):
    # type: (int, List[Counter]) -> List[str]
    state = "runs" if _runs(process) else "has ended"
    return ["counted by process %d, which %s:" % (process, state)] + _described(found)


def _runs(process):
    # type: (int) -> bool
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.EPERM
    return True


def restart_with(module, arguments, name=None):
    # type: (str, Iterable[str], Optional[str]) -> None
    """Start this process again with the shield, if the engine of that name needs the shield and lacks it.

    This is for the programs of sipbridge itself. ``module`` is the one for ``python -m``, ``arguments`` are those of
    the command line. It returns when the shield is not needed or not to be had.
    """
    path = library()
    if path is None or path in os.environ.get("LD_PRELOAD", "").split(os.pathsep):
        return
    try:
        extension = choose(name)
    except (EngineError, InputError):  # opening the endpoint will tell the reason
        return
    if extension.ffi.string(extension.lib.sb_engine_name()).decode("ascii") in NEED_IT:
        os.execve(sys.executable, [sys.executable, "-m", module] + list(arguments), environment())


def main(arguments=None):
    # type: (Optional[Sequence[str]]) -> int
    """``python -m sipbridge.shield COMMAND...``: replace this process by that command, with the shield."""
    command = sys.argv[1:] if arguments is None else list(arguments)
    if not command or command[0].startswith("-"):
        wanted = command[:1] in (["-h"], ["--help"])
        (sys.stdout if wanted else sys.stderr).write(_USAGE)
        return 0 if wanted else 2
    if library() is None:
        sys.stderr.write("sipbridge.shield: there is no _shield.so beside %s\n" % __file__)
        return 2
    try:
        os.execvpe(command[0], command, environment())
    except OSError as error:
        sys.stderr.write("sipbridge.shield: %s: %s\n" % (command[0], error.strerror))
        return 127


if __name__ == "__main__":
    sys.exit(main())
