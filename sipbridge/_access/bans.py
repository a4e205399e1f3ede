"""Sources that are banned for a time, by hand or after too many wrong credentials."""

from __future__ import absolute_import, division, print_function

import heapq
import threading
from collections import OrderedDict

from sipbridge._compat import NamedTuple, monotonic
from sipbridge._text.arguments import check_delay, check_text, check_whole
from sipbridge._text.networks import Networks, check_network, parse_address
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, Iterator, List, Optional, Tuple

    from sipbridge._text.networks import Network


class Ban(NamedTuple("Ban", [("network", "str"), ("seconds", "float")])):
    """A network, as ``"192.0.2.7"`` or ``"2001:db8::/64"``, and the seconds until its ban is over."""

    __slots__ = ()


class BanList(object):
    """Networks whose new calls and requests are refused with 403 for a time: ``Endpoint(bans=BanList())``.

    Args:
        failures: wrong credentials within ``within`` seconds after which a source is banned; None: ban by hand alone.
        within: seconds in which failures count.
        seconds: how long a ban lasts.
        most: how many bans there are at the same time, and how many sources have their failures counted. Where there
            are more, the ban goes that has the shortest time left, and the count that began first.
        exempt: networks, as ``["192.0.2.0/24"]``, that are never banned for failures: a proxy, from which all come.

    A source is an IPv4 address, or a /64 of IPv6, of which one subscriber has as many addresses as he likes. Safe for
    any thread; several endpoints may have the same list. Raises InputError.
    """

    def __init__(self, failures=10, within=60.0, seconds=600.0, most=10000, exempt=()):
        # type: (Optional[int], float, float, int, Iterable[str]) -> None
        self._failures = None if failures is None else check_whole(failures, "failures", 1, 2**31 - 1)
        self._within = check_delay(within, "within")
        self._seconds = _check_duration(seconds)
        self._most = check_whole(most, "most", 1, 10**7)
        self._exempt = Networks(exempt, "exempt")
        self._lock = threading.Lock()
        self._until = {}  # type: Dict[Network, float]
        self._lengths = {}  # type: Dict[Tuple[int, int], int]  # how many there are of each family and length
        self._order = []  # type: List[Tuple[float, Network]]  # a heap of those, and of some that are over
        self._counts = OrderedDict()  # type: OrderedDict[Network, List[float]]  # failures, and when the first one was

    def __repr__(self):
        # type: () -> str
        return "<BanList: after %r failures in %g s for %g s>" % (self._failures, self._within, self._seconds)

    def __len__(self):
        # type: () -> int
        """How many bans there are."""
        with self._lock:
            self._expire()
            return len(self._until)

    def __iter__(self):
        # type: () -> Iterator[Ban]
        """The bans, each a :class:`Ban`, that with the shortest time left first."""
        with self._lock:
            self._expire()
            now, found = monotonic(), sorted((until, network) for network, until in self._until.items())
        return iter([Ban(network.text, until - now) for until, network in found])

    def ban(self, network, seconds=None):
        # type: (str, Optional[float]) -> None
        """Ban a network, as ``"192.0.2.0/24"``, or an address, for so many seconds from now on.

        None for ``seconds`` stands for those of the list. Raises InputError.
        """
        until = monotonic() + (self._seconds if seconds is None else _check_duration(seconds))
        with self._lock:
            self._ban(check_network(network, "network"), until)

    def lift(self, network):
        # type: (str) -> bool
        """End the ban of a network that :meth:`ban` was given. Returns whether there was one. Raises InputError."""
        found = check_network(network, "network")
        with self._lock:
            self._expire()
            return self._drop(found)

    def has(self, address):
        # type: (str) -> bool
        """Whether an IP address is in a network that is banned. Raises InputError."""
        if parse_address(check_text(address, "address")) is None:
            raise InputError("not an IP address: %r" % (address,))
        return self.covers(address)

    # -- for the endpoint ----------------------------------------------------------------------------------

    def covers(self, address):
        # type: (str) -> bool
        """As :meth:`has`; False where a trusted proxy has named what is no address."""
        found = parse_address(address)
        if found is None:
            return False
        with self._lock:
            self._expire()
            return any(
                family == found.family and found.network(length) in self._until for family, length in self._lengths
            )

    def failed(self, address):
        # type: (str) -> bool
        """Wrong credentials came from an address. Returns whether it is banned from now on."""
        found = parse_address(address)
        if self._failures is None or found is None or self._exempt.has(address):
            return False
        site, now = found.site, monotonic()
        with self._lock:
            count, since = self._counts.pop(site, (0, now))
            if now - since > self._within:
                count, since = 0, now
            if count + 1 >= self._failures:
                self._ban(site, now + self._seconds)
                return True
            if len(self._counts) >= self._most:
                self._counts.popitem(last=False)
            self._counts[site] = [count + 1, since]
        return False

    # -- under the lock ------------------------------------------------------------------------------------

    def _ban(self, network, until):
        # type: (Network, float) -> None
        self._expire()
        self._drop(network)
        while len(self._until) >= self._most:
            self._drop_first()
        self._until[network] = until
        kind = (network.family, network.length)
        self._lengths[kind] = self._lengths.get(kind, 0) + 1
        heapq.heappush(self._order, (until, network))
        if len(self._order) > 2 * self._most:  # the same ones were banned again and again
            self._order = [(until, network) for network, until in self._until.items()]
            heapq.heapify(self._order)

    def _drop(self, network):
        # type: (Network) -> bool
        if self._until.pop(network, None) is None:
            return False
        kind = (network.family, network.length)
        self._lengths[kind] -= 1
        if not self._lengths[kind]:
            del self._lengths[kind]
        return True

    def _drop_first(self):
        # type: () -> None
        """Take the first off the heap, and end its ban, unless that was renewed."""
        until, network = heapq.heappop(self._order)
        if self._until.get(network) == until:
            self._drop(network)

    def _expire(self):
        # type: () -> None
        now = monotonic()
        while self._order and self._order[0][0] <= now:
            self._drop_first()


def _check_duration(seconds):
    # type: (float) -> float
    if not check_delay(seconds, "seconds"):
        raise InputError("a ban lasts for seconds above 0, not %r" % (seconds,))
    return seconds
