"""The terminal of a command: print whole lines, take interrupts, and ask for a password without showing it."""

from __future__ import absolute_import, division, print_function

import errno
import getpass
import os
import signal
import sys
import threading
import time
import warnings

from sipbridge._compat import PY2
from sipbridge._text.printable import clock, printable
from sipbridge.errors import InputError, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any, Dict, Iterable, Optional

#: The environment variable with the password.
PASSWORD_VARIABLE = "SIPBRIDGE_PASSWORD"

#: The same of the key for a capture server.
KEY_VARIABLE = "SIPBRIDGE_HEP_KEY"


class Console(object):
    """Writes lines to a stream, each at once and as a whole. You may use it from any thread.

    Args:
        stream: None for standard output, or for standard error if ``errors``.

    Attributes:
        broken: set when nobody reads the stream any more, or it cannot be written. From then on it drops lines.
        failure: why it cannot be written, or None.
    """

    def __init__(self, stream=None, errors=False):
        # type: (Optional[IO[str]], bool) -> None
        self._stream = (sys.stderr if errors else sys.stdout) if stream is None else stream  # type: Any
        self._lock = threading.Lock()
        self.broken = threading.Event()  # type: threading.Event
        self.failure = None  # type: Optional[str]
        if _is_closed(self._stream):
            self._fail(os.strerror(errno.EBADF))

    def line(self, text=""):
        # type: (str) -> None
        """Write a line. Characters that the encoding of the stream lacks become escapes."""
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        octets = (text + "\n").encode(encoding, "backslashreplace")
        with self._lock:
            if self.broken.is_set():
                return
            try:
                written = octets if PY2 else octets.decode(encoding)  # type: Any
                self._stream.write(written)
                self._stream.flush()
            except (IOError, OSError) as error:
                self._fail(None if error.errno in (errno.EPIPE, errno.EINVAL) else error.strerror or str(error))

    def lines(self, lines):
        # type: (Iterable[str]) -> None
        """Write lines together, so that no line of another thread comes between them."""
        self.line("\n".join(lines))

    def event(self, text):
        # type: (str) -> None
        """Write a line that begins with the time. Control characters in the text become escapes."""
        self.line("%s  %s" % (clock(time.time()), printable(text)))

    def _fail(self, why):
        # type: (Optional[str]) -> None
        self.failure = why
        self.broken.set()

    def finish(self, code):
        # type: (int) -> int
        """The exit code of a command that ends with this one: 2 if its output was lost, which is told."""
        self.abandon()
        if self.failure is None or code not in (0, 1):  # others have told why they fail
            return code
        complain("the output cannot be written: %s" % self.failure)
        return 2

    def abandon(self):
        # type: () -> None
        """Write nothing more. Where that was impossible, the interpreter does not complain when it exits."""
        if self.broken.is_set() and self._stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            self._stream.flush()


def complain(text):
    # type: (str) -> None
    """Write a line of the command to standard error."""
    console = Console(errors=True)
    console.line("sipbridge: " + printable(text))
    console.abandon()


def _is_closed(stream):
    # type: (Any) -> bool
    """Whether the program was started without it, as with ``>&-``. Its number may be that of a socket, later."""
    if stream is None:
        return True
    try:
        os.fstat(stream.fileno())
    except (AttributeError, ValueError, IOError, OSError) as error:  # one in memory has no number
        return getattr(error, "errno", None) == errno.EBADF
    return False


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP arrived. Raised in the main thread."""


class Failure(SipbridgeError):
    """A command has failed as its help tells: with this exit code, and a hint what the user can do next."""

    def __init__(self, message, code, hint):
        # type: (str, int, str) -> None
        super(Failure, self).__init__(message)
        self.code = code
        self.hint = hint


class Interrupts(object):
    """A context in which the first SIGINT, SIGTERM or SIGHUP raises :class:`Interrupted`.

    Signals that were ignored before stay ignored, as a shell script needs for its background jobs.
    """

    _NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

    def __init__(self):
        # type: () -> None
        self._before = {}  # type: Dict[int, Any]

    def __enter__(self):
        # type: () -> Interrupts
        for name in self._NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._raise)
        return self

    def __exit__(self, *exc_info):
        # type: (*Any) -> None
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _raise(self, number, frame):
        # type: (int, Any) -> None
        self.ignore()
        raise Interrupted(number)

    def heed(self):
        # type: () -> None
        """Heed signals again, after the first: what is left to do takes a while."""
        for number in self._before:
            signal.signal(number, self._raise)

    def ignore(self):
        # type: () -> None
        """Ignore these signals from now on, because the rest takes only a second and must be done."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)


def password_for(user):
    # type: (str) -> str
    """The password in SIPBRIDGE_PASSWORD; if that is not set, ask the user for it.

    Raises InputError when there is no terminal.
    """
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is not None:
        return password
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass("Password of %s: " % user)
    except (getpass.GetPassWarning, EOFError, IOError, OSError):
        raise InputError("no terminal to ask for the password of %s at: set %s" % (user, PASSWORD_VARIABLE))
