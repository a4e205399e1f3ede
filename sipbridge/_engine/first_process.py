"""Process 1 of a container: starts the engine at the standard streams, outlives it, and tells how it ended."""

from __future__ import absolute_import, division, print_function

import binascii
import fcntl
import json
import os
import signal
import tempfile

from sipbridge._engine import protocol
from sipbridge._engine.child import Child
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Optional

#: The octets of a crash file in one frame.
_PART = 1024 * 1024

#: The seconds that the last words may take. A service that does not read them is gone.
_LAST_WORDS = 30


def run():
    # type: () -> int
    """Run an engine at standard input and output. Returns the exit code for this process. Raises InputError."""
    given = _settings()
    folder = tempfile.mkdtemp(prefix="crashes-") if given["crashes"] else None
    settings = dict(given, crash_folder=folder, two=True)
    child = Child(None, settings, 0, 1, keeps=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: child.terminate())
    child.wait()
    reason = child.reap(0.0).partition(" (see ")[0] + _where_cores_go(child, folder)
    code = child.exit_code or 0
    _say(binascii.unhexlify(given["mark"]), protocol.last_words(reason), _left(child))
    return code if code >= 0 else 128 - code


def _settings():
    # type: () -> Dict[str, Any]
    try:
        found = json.loads(os.environ[protocol.CONTAINER_VARIABLE])  # type: Dict[str, Any]
        binascii.unhexlify(found["mark"])
        return dict((name, found[name]) for name in ("engine", "beat", "hang", "mark", "crashes"))
    except (KeyError, ValueError, TypeError):
        raise InputError("stdio: is for containers that sipbridge.Container starts; give unix:///PATH")


def _where_cores_go(child, folder):
    # type: (Child, Optional[str]) -> str
    """Where the core dump of an engine is that the kernel did not write here, as text; "" where there is none."""
    if folder is None or (child.exit_code or 0) >= 0 or any(path.endswith(".core") for path in child.left):
        return ""
    try:
        with open("/proc/sys/kernel/core_pattern") as stream:
            pattern = stream.read().strip()
    except (IOError, OSError):
        return ""
    if pattern.startswith("|"):
        return "; the kernel hands core dumps to a program on the host: %s" % pattern[1:]
    return "; the kernel writes core dumps to %s" % pattern if "/" in pattern else ""


def _left(child):
    # type: (Child) -> Iterator[bytes]
    """What it received last, and the crash files, in frames."""
    if child.received:
        yield protocol.frame(protocol.FLIGHT, child.received)
    for path in child.left:
        with open(path, "rb") as stream:
            for part in iter(lambda stream=stream: stream.read(_PART), b""):  # type: ignore[misc]
                yield protocol.file_part(path.rpartition(".")[2], part)


def _say(mark, words, left):
    # type: (bytes, bytes, Iterator[bytes]) -> None
    """Write the last words. The mark goes first, because the engine may have died within a frame."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_LAST_WORDS)
    fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) & ~os.O_NONBLOCK)  # the engine has set it
    try:
        _write(mark + words)
        for each in left:
            _write(each)
    except (OSError, IOError):  # nobody reads any more
        pass
    signal.alarm(0)


def _write(octets):
    # type: (bytes) -> None
    while octets:
        octets = octets[os.write(1, octets) :]
