"""Several proxies in the place of one: requests go to the first of them that is there."""

from __future__ import absolute_import, division, print_function

import random

from sipbridge._agent.watch import ABSENT
from sipbridge._call.placing import leave
from sipbridge._compat import monotonic
from sipbridge._engine.records import Parties
from sipbridge.errors import PeerUnreachable, ResponseError, SipbridgeError, TimeoutError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Collection, Dict, List, Optional, Set, Tuple, TypeVar

    from sipbridge._agent.agent import Agent
    from sipbridge._engine.response import Response

    _T = TypeVar("_T")

#: Seconds between two questions to a proxy that is there.
INTERVAL = 30.0

#: Seconds without an answer to OPTIONS after which a proxy is taken for silent: three repetitions of it.
PATIENCE = 4.0

#: Seconds between two looks at the clock.
_TICK = 1.0

#: Seconds before a proxy that is not there is asked again. An OPTIONS that nobody answers is repeated every 4 s for as
#: long as 32 s, so one that was silent and is back has one soon, too.
_AGAIN = 5.0


class Trunk(object):
    """The proxies of an endpoint or of an account, and which of them are there.

    Args:
        agent: the endpoint's.
        proxies: their URIs, the one to prefer first.

    A proxy that is silent, that nobody reaches or that says 503 is left out until it answers OPTIONS again, with
    anything but 408 and 502 to 504. Everything here is under the endpoint's lock.
    """

    def __init__(self, agent, proxies):
        # type: (Agent, Tuple[str, ...]) -> None
        self._agent = agent
        self.proxies = proxies  # type: Tuple[str, ...]
        self._down = set()  # type: Set[str]
        self._asked = {}  # type: Dict[str, float]  # when, of those whose answer is still to come
        self._due = {}  # type: Dict[str, float]  # when to ask
        self._heard = {}  # type: Dict[str, float]  # when they answered last
        self._busy = set()  # type: Set[str]  # those that something was sent to since they were asked
        self._ticking = False

    def begin(self):
        # type: () -> None
        """Ask each of them."""
        for proxy in self.proxies:
            self._ask(proxy)

    def route(self, tried=()):
        # type: (Collection[Optional[str]]) -> Optional[str]
        """The first that is there and was not tried; where there is none, the first that was not tried, or None."""
        left = [proxy for proxy in self.proxies if proxy not in tried]
        there = [proxy for proxy in left if proxy not in self._down] or left
        return there[0] if there else None

    def sent(self, proxy):
        # type: (Optional[str]) -> None
        """Something goes there now: make sure that it is not for nothing, unless that was done a moment ago."""
        if proxy is None:
            return
        left = self._heard.get(proxy, 0.0) + PATIENCE - monotonic()
        if proxy in self._asked:  # what it answers may be older than what goes there now
            self._busy.add(proxy)
        elif left <= 0:
            self._ask(proxy)
        else:
            self._ask_in(left, proxy)

    def failed(self, proxy):
        # type: (Optional[str]) -> None
        """It is not there, or takes nothing."""
        if proxy is not None:
            self._down.add(proxy)
            self._ask_in(_AGAIN, proxy)

    def _ask_in(self, seconds, proxy):
        # type: (float, str) -> None
        at = monotonic() + seconds
        if proxy not in self._asked:
            self._due[proxy] = min(at, self._due.get(proxy, at))

    def tick(self):
        # type: () -> None
        """Look at the clock from now on. On the event thread, or before it has begun."""
        if not self._ticking:
            self._ticking = True
            self._agent.later(_TICK, self._look)

    def has_failed(self, proxy):
        # type: (Optional[str]) -> bool
        return proxy in self._down

    def through(self, parties, send, timeout):
        # type: (Parties, Callable[[Parties, Optional[float]], _T], Optional[float]) -> _T
        """What ``send`` returns, given parties and the seconds that are left; by the next proxy when one fails.

        Without the lock.
        """
        deadline = None if timeout is None else monotonic() + timeout
        tried = []  # type: List[Optional[str]]
        while True:
            with self._agent.lock:
                route = self.route(tried)
            left = None if deadline is None else max(0.0, deadline - monotonic())
            try:
                return send(parties._replace(route=route), left)
            except (PeerUnreachable, ResponseError, TimeoutError) as error:
                tried.append(route)
                with self._agent.lock:
                    if isinstance(error, PeerUnreachable):  # it may have been raised before anything was sent
                        self.failed(route)
                    if not self.has_failed(route) or self.route(tried) is None:
                        raise
                if deadline is not None and monotonic() >= deadline:
                    raise

    # -- on the event thread -----------------------------------------------------------------------------------

    def _look(self):
        # type: () -> None
        with self._agent.lock:
            if self._agent.closing or self not in self._agent.trunks:
                return
            now = monotonic()
            for proxy, at in list(self._asked.items()):
                if now - at >= PATIENCE and proxy not in self._down:
                    self._silent(proxy)
            for proxy, at in list(self._due.items()):
                if now >= at:
                    self._ask(proxy)
        self._agent.later(_TICK, self._look)

    def _ask(self, proxy):
        # type: (str) -> None
        if proxy in self._asked:
            return
        self._due.pop(proxy, None)
        try:
            parties = Parties(proxy, self._agent.identity, proxy)
            self._agent.ask("OPTIONS", parties, lambda response: self._answered(proxy, response))
            self._asked[proxy] = monotonic()
        except SipbridgeError:  # there is no way there, or the worker is being restarted
            self.failed(proxy)

    def _answered(self, proxy, response):
        # type: (str, Response) -> None
        self._asked.pop(proxy, None)
        if response.status in ABSENT:
            self.failed(proxy)
        else:
            self._heard[proxy] = monotonic()
            self._down.discard(proxy)
            self._ask_in(PATIENCE if proxy in self._busy else INTERVAL * random.uniform(0.9, 1.1), proxy)
        self._busy.discard(proxy)
        self.tick()

    def _silent(self, proxy):
        # type: (str) -> None
        """It has not answered for so long. What waits for it goes elsewhere, if it has ever answered OPTIONS."""
        self._down.add(proxy)
        if proxy not in self._heard:
            return
        leave(list(self._agent.calls.values()), proxy)
        for pending in self._agent.pending.values():
            if pending.route == proxy:
                pending.error = PeerUnreachable("%s is silent" % proxy, "The proxy is silent")
