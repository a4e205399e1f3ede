"""The standard streams of a container, attached through the Docker daemon. For Python 3 alone.

A thread reads: what the SDK has for a connection is a socket, a TLS connection or, on Windows, a named pipe, and only
the first can be waited for in another way. It takes apart what the daemon sends of standard output and error together.
"""

from __future__ import annotations

import logging
import struct
import threading
from collections import deque
from typing import Callable, NamedTuple

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


class AttachedStream:
    """The frames' way to a container and back.

    Args:
        connection: what is attached to its standard streams.
        mark: the octets behind which process 1 tells how the engine ended.
        name: the container's, for the log.
        last_words: called on the reading thread with the octets that come behind the mark.
    """

    def __init__(self, connection: Connection, mark: bytes, name: str, last_words: Callable[[bytes], object]) -> None:
        self._connection = connection
        self.send = connection.send
        self._mark = mark
        self._name = name
        self._last_words = last_words
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = self._shut = False
        self._tail = b""  # octets in which the mark may begin
        self._line = b""  # of standard error
        self._thread = threading.Thread(target=self._read, name="sipbridge container")
        self._thread.daemon = True
        self._thread.start()

    # -- as a Stream -----------------------------------------------------------------------------------------

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

    # -- the reading thread ----------------------------------------------------------------------------------

    def join(self, patience: float) -> bool:
        """Wait for the end of the connection, and so for the last words. Returns whether that has come."""
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _read(self) -> None:
        try:
            self._take_apart()
        except (OSError, ValueError) as error:
            if not self._shut:
                log.debug("%s: %s", self._name, error)
        except Exception:  # of a transport of the SDK; whoever waits must be told all the same
            log.exception("the thread that reads from %s has failed", self._name)
        finally:
            self._take_errors(b"\n" if self._line else b"")
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take_apart(self) -> None:
        rest = b""
        while True:
            octets = self._connection.recv(_CHUNK)
            if not octets:
                return
            rest = rest + octets if rest else octets
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
            rest = rest[start:]
            if frames:
                self._take_frames(b"".join(frames))

    def _take_frames(self, octets: bytes) -> None:
        if self._ended:  # the mark has come
            self._last_words(octets)
            return
        searched = self._tail + octets
        found = searched.find(self._mark)
        self._tail = searched[-len(self._mark) + 1 :]
        last = b""
        if found >= 0:  # what is before it in the tail was handed on: a part of a frame that has no end
            last = searched[found + len(self._mark) :]
            octets = octets[: max(0, found - (len(searched) - len(octets)))]
        with self._changed:
            self._changed.wait_for(lambda: self._size < _MOST or self._shut)
            self._chunks.append(octets)
            self._size += len(octets)
            self._ended = self._ended or found >= 0
            self._changed.notify_all()
        if last:
            self._last_words(last)

    def _take_errors(self, octets: bytes) -> None:
        """Log the lines of standard error."""
        *lines, self._line = (self._line + octets).split(b"\n")
        if len(self._line) > _LINE:
            lines, self._line = [*lines, self._line], b""
        for line in lines:
            if line.strip():
                log.warning("%s: %s", self._name, printable(line.decode("utf-8", "replace").rstrip()))
