"""A function for each incoming call, which is written from top to bottom; see :meth:`sipbridge.Endpoint.serve`."""

from __future__ import absolute_import, division, print_function

import sys

from sipbridge.errors import CallHungUp, CallStateError, EngineError, quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from sipbridge._agent.delivery import Delivery
    from sipbridge._agent.pool import Pool
    from sipbridge._call.call import Call

#: Seconds in which the event follows that tells why an engine took no more commands for a call.
_SOON = 1.0


class Server(object):
    """Calls the function.

    Args:
        delivery: of the endpoint.
        handler: the function. It is called with each call.
    """

    def __init__(self, delivery, handler):
        # type: (Delivery, Callable[[Any], object]) -> None
        self._delivery = delivery
        self.handler = handler

    def begin(self, event, pool):
        # type: (Any, Pool) -> None
        """Have the function called on a thread of the pool, beside the lane of the call. On the event thread."""

        def serve():
            # type: () -> None
            try:
                self.run(event)
            finally:
                pool.lend(-1)

        pool.lend(1)
        pool.put((self, event.call), serve)

    def run(self, event):
        # type: (Any) -> None
        """Call the function with an incoming call, and end the call if the function has not. Raises nothing."""
        failed = False
        observers = self._delivery.observers
        observers.tell_now("handler_began", event)
        try:
            self._delivery.run_function(self.handler, event.call)
        except:  # noqa: E722  (as in Delivery)
            error = sys.exc_info()[1]
            failed = not self._is_over(event.call, error)
            if failed:
                self._delivery.handler_failed(error, self.handler, event)
        observers.tell_now("handler_ended", event, None, failed)
        _finish(event.call, failed)

    def _is_over(self, call, error):
        # type: (Call, Any) -> bool
        """True if the function was left because its call has ended."""
        if not isinstance(error, (CallStateError, EngineError)) or error.call not in (None, call):
            return False
        if isinstance(error, CallHungUp):
            return True
        self._delivery.linger(lambda: call.ended is not None, _SOON)
        return call.ended is not None or self._delivery.closed


def _finish(call, failed):
    # type: (Call, bool) -> None
    if call.bridge is not None and not failed:  # it goes on as long as the other peer's does
        return
    if call.state == "incoming":
        quietly(call.reject, 500 if failed else 480)
    else:
        quietly(call.hangup)  # which does nothing if it is over
