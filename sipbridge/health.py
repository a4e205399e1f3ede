"""Tell over HTTP whether an endpoint works, for the probes of Kubernetes, Docker, load balancers and the like.

>>> with sipbridge.Endpoint("udp://192.0.2.7:5060") as phone, health.serve(phone, 8060):
...     phone.wait_closed()

``GET /live`` gives 200 while the program need not be restarted, ``GET /ready`` while new calls may be sent to it; else
503. The body is JSON: ``live``, ``ready``, the kinds of problems, and the seconds that a sign of life took. What they
mean, :class:`sipbridge.Health` tells. No address of a user is in it.
"""

from __future__ import absolute_import, division, print_function

import json

from sipbridge._agent import web
from sipbridge._agent.health import Health
from sipbridge._text.arguments import check_delay, check_kind
from sipbridge.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable, Protocol, Tuple, Union

    from sipbridge._agent.web import Server

    class Checked(Protocol):
        """An Endpoint, or one of sipbridge.aio."""

        def health(self, timeout=2.0):
            # type: (float) -> Union[Health, Awaitable[Health]]
            raise NotImplementedError


def serve(endpoint, port, host="127.0.0.1", timeout=2.0):
    # type: (Checked, int, str, float) -> Server
    """Serve ``/live`` and ``/ready`` for an endpoint, on threads of its own. Returns the server; :meth:`close` ends it.

    Args:
        endpoint: an Endpoint, or one of :mod:`sipbridge.aio`: then call this in its event loop.
        port: the TCP port; 0 lets the system choose one, which is the server's ``port``.
        host: the address to listen on: ``"0.0.0.0"`` or ``"::"`` for all of this machine's. Who reaches it may ask.
        timeout: seconds that a check may take, as of :meth:`~sipbridge.Endpoint.health`.

    The server goes on when the endpoint is closed, and tells that. Raises TransportError when the address cannot be
    used, and InputError.
    """
    check_delay(timeout)
    web.check_place(port, host)
    examine = _examiner(endpoint, timeout)
    return web.Server({"/live": _page(examine, 0), "/ready": _page(examine, 1)}, port, host)


def _examiner(endpoint, timeout):
    # type: (Checked, float) -> Callable[[], Health]
    """A function for any thread that gives the Health of an endpoint."""
    core = getattr(endpoint, "_core", None)
    if core is None:
        if not callable(getattr(endpoint, "health", None)):
            raise InputError("endpoint must be an Endpoint, not %r" % (endpoint,))
        plain = endpoint  # type: Any
        return lambda: check_kind(plain.health(timeout), Health, "health")
    from sipbridge._aio import asking  # which Python 2 has not

    return asking.examiner(endpoint, timeout)


def _page(examine, which):
    # type: (Callable[[], Health], int) -> web.Page
    """The page that tells by its status of the first or the second field of a Health."""

    def page(accept):
        # type: (str) -> Tuple[int, str, bytes]
        health = examine()
        told = dict(health._asdict(), problems=sorted(set(each.kind for each in health.problems)))
        octets = (json.dumps(told, sort_keys=True) + "\n").encode("ascii")
        return 200 if health[which] else 503, "application/json", octets

    return page
