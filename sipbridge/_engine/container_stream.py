"""The standard streams of a container, attached through the Docker daemon. For Python 3 alone.

What the SDK has for a connection is a socket, a TLS connection or, on Windows, a named pipe. Only the first can be
waited for, so that whoever waits for a result reads it, without a switch of threads. For the others a thread reads.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections import deque
from typing import Callable, NamedTuple

from sipbridge._compat import monotonic
from sipbridge._engine.stream import SocketStream
from sipbridge._text.printable import printable

log = logging.getLogger("sipbridge.engine")

#: Octets to read at once.
_CHUNK = 65536

#: Octets that may wait for a reader; the engine has leave to send less than that.
_MOST = 8 * 1024 * 1024

#: The longest line of standard error that is logged in one piece.
_LINE = 4096

#: What the daemon puts before each piece: the stream, three zeros, the length.
_HEAD = struct.Struct(">BxxxI")
_STDERR = 2


class Connection(NamedTuple):
    """What is attached to the standard streams: functions of a socket, or what the SDK has in place of one."""

    recv: Callable[[int], bytes]
    send: Callable[[bytes], int]
    shutdown: Callable[[], object]
    close: Callable[[], object]


class Parts:
    """Takes apart what the daemon sends: standard output with the frames, standard error, the last words.

    Args:
        mark: the octets behind which process 1 tells how the engine ended.
        name: the container's, for the log.
        last_words: called with the octets that come behind the mark.

    Attributes:
        marked: the mark has come, and no frame comes any more.

    One thread at a time uses it.
    """

    def __init__(self, mark: bytes, name: str, last_words: Callable[[bytes], object]) -> None:
        self.marked = False
        self.name = name
        self._mark = mark
        self._last_words = last_words
        self._rest = b""
        self._tail = b""  # octets in which the mark may begin
        self._line = b""  # of standard error

    def feed(self, octets: bytes) -> bytes:
        """Take octets from the connection. Returns those of the frames."""
        rest = self._rest + octets if self._rest else octets
        start = 0
        frames: list[bytes] = []
        while len(rest) - start >= _HEAD.size:
            kind, length = _HEAD.unpack_from(rest, start)
            if len(rest) - start - _HEAD.size < length:
                break
            start += _HEAD.size
            piece = rest[start : start + length]
            start += length
            if kind == _STDERR:
                self._take_errors(piece)
            else:
                frames.append(piece)
        self._rest = rest[start:]
        return self._take_output(b"".join(frames)) if frames else b""

    def end(self) -> None:
        """The connection has ended: log what is left of a line."""
        self._take_errors(b"\n" if self._line else b"")

    def _take_output(self, octets: bytes) -> bytes:
        if self.marked:
            self._last_words(octets)
            return b""
        searched = self._tail + octets
        found = searched.find(self._mark)
        self._tail = searched[-len(self._mark) + 1 :]
        if found < 0:
            return octets
        self.marked = True
        last = searched[found + len(self._mark) :]
        if last:
            self._last_words(last)
        # What is before it in the tail was handed on: a part of a frame that has no end.
        return octets[: max(0, found - (len(searched) - len(octets)))]

    def _take_errors(self, octets: bytes) -> None:
        """Log the lines of standard error."""
        *lines, self._line = (self._line + octets).split(b"\n")
        if len(self._line) > _LINE:
            lines, self._line = [*lines, self._line], b""
        for line in lines:
            if line.strip():
                text = printable(line.decode("utf-8", "replace").rstrip())
                log.warning("%s: %s", self.name, text)


class PolledStream:
    """The frames' way to a container and back, through a socket."""

    def __init__(self, connection: Connection, waits: SocketStream, parts: Parts) -> None:
        self._connection = connection
        self._socket = waits
        self._parts = parts
        self.send = connection.send
        self._lock = threading.Lock()  # of what follows, for the thread that receives and the one that joins
        self._left = b""
        self._ended = False

    def send_now(self, octets: bytes) -> int:
        """Send some octets without waiting, and return how many. Raises OSError when there is no room."""
        return self._socket.send_now(octets)

    def receive(self, timeout: float | None) -> bytes | None:
        """The octets that come within ``timeout`` seconds (None: no limit); None for none, b"" at the end."""
        with self._lock:
            if not self._left and not self._ended and not self._parts.marked:
                self._read(timeout)
            octets, self._left = self._left, b""
            return octets or (b"" if self._ended or self._parts.marked else None)

    def ends_within(self, seconds: float) -> bool:
        """Wait for the end of the connection, at most so many seconds. Octets may still be there to receive."""
        return self._socket.ends_within(seconds)

    def shut(self) -> None:
        """Wake the threads that receive. What has come before can still be received."""
        self._connection.shutdown()

    def close(self) -> None:
        """Close the connection. The container ends then, because its standard input does."""
        self.shut()
        self._connection.close()

    def join(self, patience: float) -> bool:
        """Read to the end of the connection, and so the last words. Returns whether that has come."""
        deadline = monotonic() + patience
        while not self._ended:
            left = deadline - monotonic()
            if left <= 0 or not self._lock.acquire(timeout=left):
                return False
            try:
                self._read(max(0.0, deadline - monotonic()))
            finally:
                self._lock.release()
        return True

    def _read(self, timeout: float | None) -> None:
        octets = self._socket.receive(timeout)
        if octets:
            self._left += self._parts.feed(octets)
        elif octets is not None and not self._ended:
            self._ended = True
            self._parts.end()


class PumpedStream:
    """The same through anything else that the SDK has: a thread reads, and others wait for what it has read."""

    def __init__(self, connection: Connection, parts: Parts) -> None:
        self._connection = connection
        self._parts = parts
        self.send = connection.send
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = self._shut = False
        self._thread = threading.Thread(target=self._pump, name="sipbridge container")
        self._thread.daemon = True
        self._thread.start()

    def send_now(self, octets: bytes) -> int:
        """A named pipe cannot send without waiting, and a container needs no signs of life from its service."""
        raise BlockingIOError

    def receive(self, timeout: float | None) -> bytes | None:
        """The octets that come within ``timeout`` seconds (None: no limit); None for none, b"" at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._ended, timeout)
            if not self._chunks:
                return b"" if self._ended else None
            octets = b"".join(self._chunks)
            self._chunks.clear()
            if self._size >= _MOST:
                self._changed.notify_all()
            self._size = 0
            return octets

    def ends_within(self, seconds: float) -> bool:
        """Wait for the end of the frames, at most so many seconds. Octets may still be there to receive."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: self._ended, seconds))

    def shut(self) -> None:
        """Wake the threads that receive. What has come before can still be received."""
        with self._changed:
            self._shut = self._ended = True
            self._changed.notify_all()
        self._connection.shutdown()

    def close(self) -> None:
        """Close the connection. The container ends then, because its standard input does."""
        self.shut()
        self._connection.close()

    def join(self, patience: float) -> bool:
        """Wait for the end of the connection, and so for the last words. Returns whether that has come."""
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _pump(self) -> None:
        try:
            for octets in iter(lambda: self._connection.recv(_CHUNK), b""):
                self._take(self._parts.feed(octets))
        except (OSError, ValueError) as error:
            if not self._shut:
                log.debug("%s: %s", self._parts.name, error)
        except Exception:  # of a transport of the SDK; whoever waits must be told all the same
            log.exception("the thread that reads from %s has failed", self._parts.name)
        finally:
            self._parts.end()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take(self, octets: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._size < _MOST or self._shut)
            if octets:
                self._chunks.append(octets)
                self._size += len(octets)
            self._ended = self._ended or self._parts.marked
            self._changed.notify_all()


def attached(connection: Connection, parts: Parts, carrier: object) -> PolledStream | PumpedStream:
    """The stream for a connection. ``carrier`` is what the SDK has for it: a socket can be waited for."""
    if type(carrier) is socket.socket:
        try:
            return PolledStream(connection, SocketStream(carrier), parts)
        except AttributeError:  # Windows has no poll()
            pass
    return PumpedStream(connection, parts)
