"""What a Remote needs of the process that runs its engine, wherever that is."""

from __future__ import absolute_import, division, print_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from sipbridge._engine.stream import Stream


#: The most seconds between two signs of life. With each, a process also checks that its service lives.
BEAT = 0.5


def beat_for(hang_timeout):
    # type: (float) -> float
    """The seconds between two signs of life of a process that counts as hung after ``hang_timeout`` seconds."""
    return min(BEAT, hang_timeout / 5.0) if isinstance(hang_timeout, (int, float)) else BEAT


class Process(object):
    """A process that runs an engine. Each place has a class of its own that derives from this one.

    Attributes:
        stream: what carries frames to it and from it. The Channel closes it.
        name: what it is called in errors and in the log: "worker process 4711".
        pid: its process id, where that means something to this machine; else None.
        close_by: the time on the monotonic clock by which it has to end, once it was told to close its engine; else
            None. While it closes the engine it waits for peers, and gives no signs of life.
        backtrace: once it is dead, what it has left of where it crashed: octets, as many as there is room for.
        core: once it is dead, the path of its core dump, or "".
        received: once it is dead, the messages that it received last, as records of :mod:`sipbridge._engine.flight`.
        gives_signs: whether it gets signs of life from the service, and takes the service's silence for its end.
    """

    gives_signs = False
    backtrace = b""  # type: bytes
    core = ""  # type: str
    received = b""  # type: bytes

    def __init__(self, stream, name, pid=None):
        # type: (Stream, str, Optional[int]) -> None
        self.stream = stream
        self.name = name
        self.pid = pid
        self.close_by = None  # type: Optional[float]

    def kill(self):
        # type: () -> None
        """End it at once. Does nothing when it has ended."""
        raise NotImplementedError

    def has_ended(self):
        # type: () -> bool
        """True when it is known to have ended, although its stream has not."""
        return False

    def end_hung(self, silent):
        # type: (float) -> str
        """End it after so many seconds of silence, or because it does not close. Returns what happened, as text."""
        self.kill()
        if self.close_by is not None:
            return self.reap(0.0, "%s did not close in time" % self.name)
        return self.reap(0.0, "%s gave no sign of life for %g s" % (self.name, silent))

    def reap(self, patience, reason=None):
        # type: (float, Optional[str]) -> str
        """Wait ``patience`` seconds for its end, then kill it. Returns how it ended, or the given reason, as text."""
        raise NotImplementedError
