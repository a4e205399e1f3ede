"""The messages that an engine's process received last, in a file that outlives it: what killed it may be there."""

from __future__ import absolute_import, division, print_function

import io
import logging
import os
import struct
import tempfile

from sipbridge._engine.flight import Record, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

log = logging.getLogger("sipbridge.engine")

#: struct sb_last_slot of csrc/core/last.h: number, microseconds since 1970, the length of the message, its peer; the
#: room for the message; and how many there are.
_HEAD = struct.Struct("=QqQ64s")
_ROOM = 65536
_SLOTS = 4

#: Files there are memory.
_MEMORY = "/dev/shm"


class LastReceived(object):
    """A file for one process, which maps it. It belongs to whoever made it: :meth:`take` what is in it, once.

    Attributes:
        path: of the file, which the process removes as soon as it has it open.

    Raises OSError or IOError when there is no room for it.
    """

    def __init__(self):
        # type: () -> None
        folder = _MEMORY if os.path.isdir(_MEMORY) and os.access(_MEMORY, os.W_OK) else None
        descriptor, path = tempfile.mkstemp(prefix="sipbridge-received-", dir=folder)
        self.path = path  # type: str
        self._file = io.open(descriptor, "r+b", buffering=0)
        try:
            for _ in range(_SLOTS):  # whole: in a file with holes, a full disk would kill the process
                if self._file.write(b"\0" * (_HEAD.size + _ROOM)) != _HEAD.size + _ROOM:
                    raise IOError("no room for %s" % path)
        except BaseException:
            self._close()
            raise

    def take(self):
        # type: () -> bytes
        """The messages, the oldest first, as records that :func:`sipbridge._engine.flight.parse` reads; and then close
        and remove the file. The process has ended. Nothing at the second time.
        """
        if self._file.closed:
            return b""
        try:
            self._file.seek(0)
            octets = self._file.read()
        finally:
            self._close()
        return b"".join(packed(record) for _, record in sorted(_slots(octets)))

    def _close(self):
        # type: () -> None
        self._file.close()
        try:
            os.unlink(self.path)
        except OSError:  # the process has done so
            pass


def last_received():
    # type: () -> Optional[LastReceived]
    """A file for a process that is about to start. None when there is no room for it, which the log tells."""
    try:
        return LastReceived()
    except EnvironmentError as error:
        log.warning("what an engine's process receives last is not kept: %s", error)
        return None


def _slots(octets):
    # type: (bytes) -> List[Tuple[int, Record]]
    """The number and the message of each slot that is whole."""
    found = []
    for slot in range(_SLOTS):
        start = slot * (_HEAD.size + _ROOM)
        number, time_us, length, peer = _HEAD.unpack_from(octets, start)
        start += _HEAD.size
        if number and length <= _ROOM:
            name = str(peer.partition(b"\0")[0].decode("ascii", "replace"))
            found.append((number, Record(time_us / 1e6, False, name, octets[start : start + length])))
    return found
