"""The folder that incidents are written to, and how many of them stay there."""

from __future__ import absolute_import, division, print_function

import binascii
import io
import json
import logging
import os
import re
import shutil
import time

from sipbridge import record
from sipbridge._capture.passed import call_id_of
from sipbridge._compat import text_type
from sipbridge._later import later
from sipbridge._text.arguments import check_delay, check_path, check_whole
from sipbridge._text.masking import Masker
from sipbridge.errors import InputError
from sipbridge.ladder import Arrow, draw_arrows, label
from sipbridge.svg import render
from sipbridge.uri import parse_host_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Tuple

    from sipbridge._capture import writing
    from sipbridge._flight.incident import Incident
else:
    writing = later("sipbridge._capture.writing")

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
            self._fill(temporary, incident, messages)
            os.rename(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, True)
            raise
        try:
            self._clean(name)
        except (OSError, IOError) as error:  # another process, which keeps its incidents there, too, was first
            log.debug("cannot look after old incidents: %s", error)
        return path

    def _fill(self, folder, incident, messages):
        # type: (str, Incident, List[record.Passed]) -> None
        masker = Masker(*self._masks)
        masked = [each._replace(data=masker.message(each.data)) for each in messages]
        its = [incident.call_id and call_id_of(each.data) == incident.call_id for each in messages]
        ours = [each for each, is_its in zip(masked, its) if is_its]
        _write_capture(os.path.join(folder, "window.pcapng"), masked)
        if incident.call_id:
            _write_capture(os.path.join(folder, "call.pcapng"), ours)
        rows = [Arrow(each.time, each.source, each.target, label(each.data), label(each.data, True)) for each in ours]
        if rows:
            _write(folder, "call.txt", draw_arrows(rows))
            _write(folder, "call.svg", render(rows))
        if incident.traceback:
            _write(folder, "traceback.txt", masker.text(incident.traceback))
        told = _told(incident, len(messages), len(ours))
        told = _each_text(masker.text, told)  # not the JSON as a whole, which must stay JSON
        _write(folder, "incident.json", json.dumps(told, indent=2, sort_keys=True) + "\n")

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


def _told(incident, messages, ours):
    # type: (Incident, int, int) -> Dict[str, Any]
    told = dict(incident.facts, reason=incident.reason, call_id=incident.call_id, text=incident.text)
    clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(incident.time))
    told["time"] = "%s.%03dZ" % (clock, int(incident.time * 1000) % 1000)
    told["messages"] = {"window": messages, "call": ours}
    return told


def _each_text(mask, value):
    # type: (Callable[[str], str], Any) -> Any
    """The value, of what JSON knows, with each text in it masked; anything else becomes its repr()."""
    if isinstance(value, dict):
        return dict((_each_text(mask, key), _each_text(mask, each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return [_each_text(mask, each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return mask(value if isinstance(value, (str, text_type)) else repr(value))


def _write(folder, name, text):
    # type: (str, str, str) -> None
    with io.open(os.path.join(folder, name), "wb") as stream:
        stream.write(text.encode("utf-8") if isinstance(text, text_type) else text)  # in Python 2 ASCII is either


def _write_capture(path, messages):
    # type: (str, List[record.Passed]) -> None
    packets = {}  # type: Dict[str, writing.Packets]
    with io.open(path, "wb") as stream:
        writer = writing.pcapng(stream)
        for each in messages:
            if each.transport not in packets:
                packets[each.transport] = writing.Packets(each.transport)
            for packet in packets[each.transport].of(_party(each.source), _party(each.target), each.data):
                writer.writepkt(bytes(packet), each.time)


def _party(text):
    # type: (str) -> Tuple[str, int]
    host, port = parse_host_port(text)
    return host.strip("[]"), port


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
