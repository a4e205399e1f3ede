"""Endpoints in memory, for the tests of services: the Network of :mod:`sipbridge.testing`."""

from __future__ import absolute_import, division, print_function

import time

from sipbridge._agent import endpoint as endpoints
from sipbridge._agent.endpoint import Endpoint
from sipbridge._compat import move_clock
from sipbridge._engine.medium import Medium
from sipbridge._engine.memory import Memory
from sipbridge._text.arguments import check_delay, check_kind
from sipbridge.uri import check_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Optional

#: Seconds that handlers get to come to rest before the time is moved.
_PATIENCE = 1.0


class Network(object):
    """Endpoints in this process that reach each other in memory: no socket, no library, no SIP. A context manager.

    Each is a whole :class:`sipbridge.Endpoint`; only its engine is another. It is reached by its ``uri``, by its
    ``identity`` and by the addresses that it registers; everything else is unreachable. Registrars grant everything.
    """

    def __init__(self):
        # type: () -> None
        self._medium = Medium()
        self._endpoints = []  # type: List[Endpoint]

    def __enter__(self):
        # type: () -> Network
        return self

    def __exit__(self, *exc_info):
        # type: (*object) -> None
        self.close()

    def engine(self, identity=None):
        # type: (Optional[str]) -> Memory
        """An engine for a program that makes its endpoint itself: ``Endpoint(engine=network.engine())``.

        ``identity``: a URI or name-addr that reaches the endpoint, too. Raises InputError.
        """
        return Memory(self._medium, None if identity is None else check_address(identity, "identity"))

    def endpoint(self, identity=None, **options):
        # type: (Optional[str], Any) -> Endpoint
        """An endpoint with this identity, which :meth:`close` closes. ``options`` are those of an Endpoint.

        Raises what Endpoint() raises.
        """
        made = Endpoint(identity=identity, engine=self.engine(identity), **options)
        self._endpoints.append(made)
        return made

    def advance(self, seconds):
        # type: (float) -> None
        """Let so many seconds have passed, at once. What waits for a shorter time is over then.

        Before that each handler of these endpoints may go on until it waits for something of sipbridge, or has
        returned; a handler that waits for something else gets a second. The clock is that of all endpoints in the
        process, and of the event loops in which :mod:`sipbridge.aio` has one in memory. Raises InputError.
        """
        check_delay(seconds, "seconds")
        self.settle()
        for each in self._all():
            each._dispatcher.follow_clock()
        move_clock(seconds)
        for engine in self._medium.engines:
            engine.post("clock")  # which is no event: those who wait look at the time
        self.settle()

    def settle(self):
        # type: () -> None
        """Wait, for a second at most, until each handler waits for something of sipbridge, or has returned."""
        give_up = time.time() + _PATIENCE
        while not all(self._rests(engine) for engine in self._medium.engines) and time.time() < give_up:
            time.sleep(0.001)

    def _rests(self, engine):
        # type: (Memory) -> bool
        if engine.polled:  # by an event loop, which may be the one that runs this
            return True
        if engine.has_events or not engine.idle:
            return False
        return all(each._dispatcher.rests for each in self._all() if each._engine is engine)

    def _all(self):
        # type: () -> List[Endpoint]
        """The endpoints on this network, whoever has made them."""
        engines = self._medium.engines
        return [each for each in list(endpoints._open_endpoints) if each._engine in engines]

    def lose(self, endpoint, restart=True):
        # type: (Any, bool) -> None
        """Lose the endpoint's engine, as that of a Worker whose process dies: its calls end with "engine-lost".

        With ``restart`` there is another one at once, and an EngineRestarted; else an EngineFailed. The peers are told
        nothing. Raises InputError.
        """
        found = getattr(getattr(endpoint, "_core", endpoint), "_engine", None)
        engine = check_kind(found, Memory, "endpoint's engine")  # type: Memory
        engine.lose("lost by a test", restart)

    def close(self):
        # type: () -> None
        """Close the endpoints that :meth:`endpoint` has made."""
        for each in self._endpoints:
            each.close()
