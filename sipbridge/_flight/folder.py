"""The folder that incidents are written to, and how many of them stay there."""

from __future__ import absolute_import, division, print_function

import binascii
import io
import logging
import os
import re
import shutil
import time

from sipbridge import record
from sipbridge._flight.pieces import pieces
from sipbridge._text.arguments import check_delay, check_path, check_whole
from sipbridge._text.masking import Masker
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, List

    from sipbridge._flight.incident import Incident
    from sipbridge._flight.pieces import Piece

log = logging.getLogger("sipbridge.flight")

#: The names of incidents, and of those that are not whole yet.
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[a-z0-9-]{1,40}-[0-9a-f]{6}\Z")
_TEMPORARY = re.compile(r"\.[0-9]{8}T[0-9]{6}Z-[a-z0-9-]{1,40}-[0-9a-f]{6}\.new\Z")
_REASON = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")

#: Seconds after which what a killed process has left is removed.
_STALE = 3600.0


def check_reason(reason):
    # type: (str) -> str
    """A reason fit for the name of a folder. Raises InputError."""
    if len(reason) > 40 or not _REASON.match(reason):
        raise InputError("reason must be of small letters, digits and single hyphens, 40 at most, not %r" % (reason,))
    return reason


class IncidentFolder(object):
    """Where incidents are written, and what is kept of them.

    Args:
        path: the folder; it is made where it is missing.
        count, megabytes, days: how many incidents stay, how large they are together, and how old.
        mask_numbers, mask_bodies: as of Masker.

    Raises NotSupportedError when dpkt is missing, and InputError, also when nothing can be written there.
    """

    def __init__(self, path, count=50, megabytes=500, days=30.0, mask_numbers=False, mask_bodies=False):
        # type: (str, int, int, float, bool, bool) -> None
        record.require()
        self.path = check_path(path, "folder")  # type: str
        self._count = check_whole(count, "keep", 1, 100000)
        self._octets = check_whole(megabytes, "keep_megabytes", 1, 1000000) * 1024 * 1024
        self._seconds = check_delay(days, "keep_days") * 86400.0
        self._masks = bool(mask_numbers), bool(mask_bodies)
        self._complained = False
        try:
            if not os.path.isdir(self.path):
                os.makedirs(self.path, 0o700)
            probe = os.path.join(self.path, ".probe-%s" % _random())
            os.mkdir(probe)
            os.rmdir(probe)
        except (OSError, IOError) as error:
            raise InputError("folder: cannot write to %s: %s" % (self.path, error.strerror))

    def write(self, incident, messages):
        # type: (Incident, List[record.Passed]) -> str
        """Write an incident with these messages, the oldest first, and return its path. Raises OSError."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(incident.time))
        name = "%s-%s-%s" % (stamp, incident.reason, _random())
        path, temporary = os.path.join(self.path, name), os.path.join(self.path, ".%s.new" % name)
        os.mkdir(temporary, 0o700)
        try:
            for file_name, put in self.pieces(incident, messages):
                with io.open(os.path.join(temporary, file_name), "wb") as stream:
                    put(stream)
            os.rename(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, True)
            raise
        try:
            self._clean(name)
        except (OSError, IOError) as error:  # another process, which keeps its incidents there, too, was first
            log.debug("cannot look after old incidents: %s", error)
        return path

    def pieces(self, incident, messages, mask_numbers=False, mask_bodies=False):
        # type: (Incident, List[record.Passed], bool, bool) -> Iterator[Piece]
        """The files of an incident, masked as this folder masks, and as is asked for here."""
        return pieces(incident, messages, Masker(self._masks[0] or mask_numbers, self._masks[1] or mask_bodies))

    # -- what stays ----------------------------------------------------------------------------------------

    def _clean(self, newest):
        # type: (str) -> None
        """Remove what is too much or too old, the oldest first, and what a killed process has left."""
        now, octets, count = time.time(), 0, 0
        for name in sorted(os.listdir(self.path), reverse=True):
            path = os.path.join(self.path, name)
            if _TEMPORARY.match(name) and now - _changed(path) > _STALE:
                self._remove(path)
            if not _NAME.match(name) or not os.path.exists(os.path.join(path, "incident.json")):
                continue
            count, octets = count + 1, octets + _size(path)
            too_old = now - _changed(path) > self._seconds
            if name != newest and (count > self._count or octets > self._octets or too_old):
                self._remove(path)

    def _remove(self, path):
        # type: (str) -> None
        try:
            shutil.rmtree(path)
        except (OSError, IOError) as error:
            if not self._complained:
                self._complained = True
                log.warning("cannot remove the old incident %s: %s; this is logged once", path, error)


def _random():
    # type: () -> str
    return binascii.hexlify(os.urandom(3)).decode("ascii")


def _size(folder):
    # type: (str) -> int
    return sum(_stat(os.path.join(folder, name), "st_size") for name in os.listdir(folder))


def _changed(path):
    # type: (str) -> float
    return float(_stat(path, "st_mtime"))


def _stat(path, what):
    # type: (str, str) -> Any
    try:
        return getattr(os.stat(path), what)
    except (OSError, IOError):  # it is gone
        return 0
