"""Nonces that any process with the same secret knows for its own, and which counts of them were used."""

from __future__ import absolute_import, division, print_function

import base64
import binascii
import hashlib
import hmac
import os
import struct
import threading
from collections import OrderedDict

from sipbridge._access.digest import is_same
from sipbridge._compat import NamedTuple, wall_clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

# When it was made, in milliseconds since 1970, and random octets. A signature of as many octets follows.
_HEAD = struct.Struct("!Q8s")
_LENGTH = 2 * _HEAD.size

#: Counts behind the highest one that are still taken once each: requests may overtake each other.
WINDOW = 64

#: Seconds by which the clock of the process that made a nonce may be ahead of this one's.
_AHEAD = 10.0


class Nonce(NamedTuple("Nonce", [("head", "bytes"), ("made", "float")])):
    """One that was made with our secret. ``made``: when, in seconds since 1970."""

    __slots__ = ()


class Nonces(object):
    """Makes nonces, and knows them again.

    Args:
        secret: octets that all processes share which are to know each other's.
        realm: where they are good for.
        lifetime: seconds for which one is good.
    """

    def __init__(self, secret, realm, lifetime):
        # type: (bytes, str, float) -> None
        self._secret = secret
        self._realm = realm.encode("utf-8")
        self._lifetime = lifetime

    def _signature(self, head, source):
        # type: (bytes, str) -> bytes
        octets = b"\0".join((head, source.encode("utf-8"), self._realm))
        return hmac.new(self._secret, octets, hashlib.sha256).digest()[: _HEAD.size]

    def make(self, source):
        # type: (str) -> str
        """A new one, good for who asks from that source."""
        head = _HEAD.pack(int(wall_clock() * 1000), os.urandom(8))
        return base64.b64encode(head + self._signature(head, source)).decode("ascii")

    def known(self, text, source):
        # type: (str, str) -> Optional[Nonce]
        """The nonce in a text; None where it is not ours, was given to another source, or is too old."""
        try:
            octets = base64.b64decode(text.encode("ascii"))
        except (TypeError, ValueError, UnicodeError, binascii.Error):
            return None
        head = octets[: _HEAD.size]
        if len(octets) != _LENGTH or not is_same(octets[_HEAD.size :], self._signature(head, source)):
            return None
        made = _HEAD.unpack(head)[0] / 1000.0
        return Nonce(head, made) if -_AHEAD <= wall_clock() - made <= self._lifetime else None


class _Window(object):
    """The counts of one nonce that were used: the highest, and a bit for that and for each of those behind it."""

    __slots__ = ("made", "highest", "bits")

    def __init__(self, made):
        # type: (float) -> None
        self.made = made
        self.highest = 0
        self.bits = 0

    def take(self, count):
        # type: (int) -> bool
        """Use a count; False where it was used before, or is too far behind to tell."""
        ahead = count - self.highest
        if ahead > 0:
            self.highest = count
            self.bits = (self.bits << min(ahead, WINDOW) | 1) & (1 << WINDOW) - 1
            return True
        if ahead <= -WINDOW or self.bits >> -ahead & 1:
            return False
        self.bits |= 1 << -ahead
        return True


class Counts(object):
    """Which counts of which nonces were used (RFC 7616, 3.4.5, "nc"). For any thread.

    It remembers ``most`` nonces. With each one that it has to forget before its time, it refuses all that were made no
    later and that it does not remember: so nothing is taken twice, however many come.
    """

    def __init__(self, most, lifetime):
        # type: (int, float) -> None
        self._most = most
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._windows = OrderedDict()  # type: OrderedDict[bytes, _Window]  # what was used first comes first
        self._forgotten = 0.0  # when the latest was made of those that had to go

    def __len__(self):
        # type: () -> int
        return len(self._windows)

    def take(self, nonce, count):
        # type: (Nonce, int) -> bool
        """Use a count, 1 or more, of a nonce; returns whether it was not used before."""
        with self._lock:
            window = self._windows.get(nonce.head)
            if window is None:
                if nonce.made <= self._forgotten:
                    return False
                self._make_room()
                window = self._windows[nonce.head] = _Window(nonce.made)
            return window.take(count)

    def _make_room(self):
        # type: () -> None
        while self._windows:
            head, window = next(iter(self._windows.items()))
            expired = wall_clock() - window.made > self._lifetime
            if not expired:
                if len(self._windows) < self._most:
                    return
                self._forgotten = max(self._forgotten, window.made)
            del self._windows[head]
