"""What an incident tells beside the messages: of the call, of the endpoint, of the versions of everything."""

from __future__ import absolute_import, division, print_function

import platform
import signal
import sys

from sipbridge._agent.meter import OUTCOMES
from sipbridge._engine import shield_counters
from sipbridge._text.arguments import check_whole
from sipbridge._version import __version__
from sipbridge.errors import InputError, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, FrozenSet, Iterable, List, Optional

    from sipbridge import events
    from sipbridge._agent.endpoint import Endpoint
    from sipbridge._call.call import Call

#: Seconds that an engine in another process has to tell a number.
_WITHIN = 0.5


def check_causes(causes):
    # type: (Iterable[str]) -> FrozenSet[str]
    """The causes as a set. Raises InputError."""
    if isinstance(causes, (bytes, type(u""))) or not hasattr(causes, "__iter__"):
        raise InputError("causes must be a list of causes of CallEnded, not %r" % (causes,))
    found = frozenset(causes)
    unknown = sorted("%s" % (cause,) for cause in found if cause not in OUTCOMES)
    if unknown:
        raise InputError("causes: there is no cause %s; there are %s" % (", ".join(unknown), ", ".join(OUTCOMES)))
    return found


def check_signal(number):
    # type: (int) -> int
    """The number of a signal that a program may take. Raises InputError."""
    check_whole(number, "signal", 1, signal.NSIG - 1)
    if number in (getattr(signal, "SIGKILL", None), getattr(signal, "SIGSTOP", None)):
        raise InputError("signal: no program can take signal %d" % number)
    return int(number)


def of_call(call, ended=None):
    # type: (Call, Optional[events.CallEnded]) -> Dict[str, Any]
    """What is known of a call, as JSON takes it."""
    told = {
        "call_id": call.call_id,
        "direction": "inbound" if call.incoming else "outbound",
        "from": call.remote_uri if call.incoming else call.local_uri,
        "to": call.local_uri if call.incoming else call.remote_uri,
        "state": call.state,
        "started": call.started,
        "duration": call.duration,
        "source": None if call.source is None else list(call.source),
    }  # type: Dict[str, Any]
    if ended is not None:
        told.update(cause=ended.cause, status=ended.status, reason=ended.reason)
    return {"call": told}


def of_endpoint(endpoint, engine):
    # type: (Endpoint, Any) -> Dict[str, Any]
    """The versions of everything, and what the endpoint is and has, as JSON takes it: no secrets are in it."""
    busy = endpoint.handler_statistics
    return {
        "versions": {
            "sipbridge": __version__,
            "python": sys.version,
            "system": platform.platform(),
            "engine": "%s (%s)" % (endpoint.engine_name, endpoint.engine_version),
        },
        "endpoint": {
            "address": endpoint.address,
            "uri": endpoint.uri,
            "identity": endpoint.identity,
            "place": type(engine).__name__,
            "calls": [call.call_id for call in endpoint.calls],
            "refusals": endpoint.refusals,
            "handlers": dict(busy._asdict()),
        },
        "shield": _shield(engine),
    }


def _shield(engine):
    # type: (Any) -> List[List[Any]]
    """The counters of the shield in front of the engine, where there is one."""
    if engine.name != "exosip":
        return []
    ask = getattr(engine, "shield_counters", None)
    try:
        counters = shield_counters.counters() if ask is None else ask(_WITHIN)
    except SipbridgeError:
        return []
    return [list(each) for each in counters]
