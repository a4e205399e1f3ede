"""Limits for each source of calls and requests."""

from __future__ import absolute_import, division, print_function

import math
import threading
from collections import OrderedDict

from sipbridge._compat import monotonic
from sipbridge._text.arguments import check_whole, is_real
from sipbridge._text.networks import Networks, parse_address
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterable, List, Optional

    from sipbridge._text.networks import Network


class _Rate(object):
    """So many per second for each source, after a pause ``burst`` at once. It remembers ``most`` sources."""

    def __init__(self, rate, burst, most):
        # type: (float, float, int) -> None
        self._rate = rate
        self._burst = burst
        self._most = most
        self._left = OrderedDict()  # type: OrderedDict[Optional[Network], List[float]]  # how many may come, and when that was so

    def __len__(self):
        # type: () -> int
        return len(self._left)

    def __repr__(self):
        # type: () -> str
        return "%g/s with a burst of %g" % (self._rate, self._burst)

    def take(self, source):
        # type: (Optional[Network]) -> bool
        """Count one; False where it is one too many."""
        now = monotonic()
        left, since = self._left.pop(source, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        self._make_room(now)
        self._left[source] = [left - 1 if left >= 1 else left, now]
        return left >= 1

    def give_back(self, source):
        # type: (Optional[Network]) -> None
        """One that was counted was none."""
        if source in self._left:
            self._left[source][0] = min(self._burst, self._left[source][0] + 1)

    def _make_room(self, now):
        # type: (float) -> None
        """Forget those of which nothing came for so long that they have all of it again; else the most quiet one."""
        while self._left:
            source, (_, since) = next(iter(self._left.items()))
            if len(self._left) < self._most and (now - since) * self._rate < self._burst:
                return
            del self._left[source]


class SourceLimits(object):
    """How much may come from one source: ``Endpoint(limits=SourceLimits(calls_per_second=5, calls_at_once=20))``.

    Args:
        calls_per_second: new calls in a second, a number above 0; None: no limit.
        calls_at_once: calls of one source at the same time, 1 or more; None: no limit.
        requests_per_second: other new requests in a second (MESSAGE, SUBSCRIBE, REGISTER...); None: no limit.
        burst: how many may come at once after a pause, 1 or more; None: as many as in a second, and one at least.
        most: how many sources are remembered. Where there are more, the one is forgotten that has been quiet for the
            longest time, and may come with a burst again.
        exempt: networks, as ``["192.0.2.0/24"]``, without these limits: a carrier, or a proxy from which all come.

    What is beyond a limit is refused with 503 and Retry-After. A source is an IPv4 address, or a /64 of IPv6. The
    limits of the shield are for all sources together (docs/reliability.md). Safe for any thread; several endpoints may
    have the same limits, which then are for all of them together. Raises InputError.
    """

    def __init__(
        self, calls_per_second=None, calls_at_once=None, requests_per_second=None, burst=None, most=10000, exempt=()
    ):
        # type: (Optional[float], Optional[int], Optional[float], Optional[int], int, Iterable[str]) -> None
        check_whole(most, "most", 1, 10**7)
        if burst is not None:
            check_whole(burst, "burst", 1, 2**31 - 1)
        self._calls = _make_rate(calls_per_second, "calls_per_second", burst, most)
        self._requests = _make_rate(requests_per_second, "requests_per_second", burst, most)
        self._at_once = None if calls_at_once is None else check_whole(calls_at_once, "calls_at_once", 1, 2**31 - 1)
        self._exempt = Networks(exempt, "exempt")
        self._up = {}  # type: Dict[Optional[Network], int]  # calls of each source
        self._lock = threading.Lock()

    def __repr__(self):
        # type: () -> str
        return "<SourceLimits: calls %r, %r at once, requests %r>" % (self._calls, self._at_once, self._requests)

    # -- for the endpoint ----------------------------------------------------------------------------------

    def refusal(self, is_call, address):
        # type: (bool, Optional[str]) -> Optional[str]
        """Count a new call or request. None where it may come; or the rule by which it may not.

        That is "source-calls" or "source-rate". ``address``: None where nobody knows: they are all one source.
        """
        if address is not None and self._exempt.has(address):
            return None
        source = _site(address)
        rate = self._calls if is_call else self._requests
        with self._lock:
            if is_call and self._at_once is not None and self._up.get(source, 0) >= self._at_once:
                return "source-calls"
            return None if rate is None or rate.take(source) else "source-rate"

    def give_back(self, is_call, address):
        # type: (bool, Optional[str]) -> None
        """One that was counted is a second try, with the credentials that were asked for: count both as one."""
        rate = self._calls if is_call else self._requests
        if rate is not None:
            with self._lock:
                rate.give_back(_site(address))

    def begin(self, address):
        # type: (Optional[str]) -> None
        """A call has begun."""
        source = _site(address)
        with self._lock:
            self._up[source] = self._up.get(source, 0) + 1

    def end(self, address):
        # type: (Optional[str]) -> None
        """It has ended."""
        source = _site(address)
        with self._lock:
            left = self._up.get(source, 0) - 1
            if left > 0:
                self._up[source] = left
            else:
                self._up.pop(source, None)


def _site(address):
    # type: (Optional[str]) -> Optional[Network]
    found = None if address is None else parse_address(address)
    return None if found is None else found.site


def _make_rate(rate, what, burst, most):
    # type: (Optional[float], str, Optional[int], int) -> Optional[_Rate]
    if rate is None:
        return None
    if not is_real(rate) or not 0 < rate < 2**31:
        raise InputError("%s must be a number above 0, or None, not %r" % (what, rate))
    return _Rate(rate, max(1, math.ceil(rate)) if burst is None else burst, most)
