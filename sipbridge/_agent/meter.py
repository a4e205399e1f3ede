"""What an endpoint counts for :mod:`sipbridge.metrics`, and what it can tell of itself at any moment.

Observers are told of most things one after the other, so that plain numbers are exact. Only handlers tell on threads of
their own; a lock makes their numbers exact.
"""

from __future__ import absolute_import, division, print_function

import threading
import weakref
from bisect import bisect_left

from sipbridge import events
from sipbridge._agent import observers
from sipbridge._agent.endpoint import Endpoint
from sipbridge._agent.traffic import METHODS, OTHER, Traffic
from sipbridge._compat import NamedTuple
from sipbridge._engine import shield_counters
from sipbridge.errors import InputError, SipbridgeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

    from sipbridge._agent.agent import Agent
    from sipbridge._agent.observers import Crash, Refusal
    from sipbridge._call.call import Call
    from sipbridge.hep import CaptureAgent

    #: The values of labels, in the order of the family's; and a number, or a Histogram.
    Sample = Tuple[Tuple[str, ...], Union[float, "Histogram"]]


class Family(NamedTuple("Family", [
    ("name", "str"), ("kind", "str"), ("labels", "Tuple[str, ...]"), ("text", "str"),
])):
    """A metric family: its name as it is exposed, "counter", "gauge" or "histogram", its labels, what it tells.

    Each sample has the label "sip_endpoint" besides.
    """

    __slots__ = ()


def _family(kind, name, labels, text):
    # type: (str, str, str, str) -> Family
    return Family("sipbridge_" + name, kind, tuple(labels.split()), text)


#: All families, in the order of docs/watching.md.
FAMILIES = (
    _family("gauge", "engine_info", "engine version", "1; the labels name the engine and the version of its library."),
    _family("gauge", "engine_up", "", "1 while the engine is there; 0 while it is lost, or the endpoint closed."),
    _family("gauge", "draining", "", "1 once the endpoint takes nothing new (drain), else 0."),
    _family("counter", "calls_started_total", "direction",
            "Calls: an INVITE was received, or sent for the first time."),
    _family("counter", "calls_answered_total", "direction", "Calls that were answered with 2xx."),
    _family("counter", "calls_ended_total", "direction outcome", "Calls that are over, by the cause of CallEnded."),
    _family("gauge", "calls_live", "direction state", "Calls that are not over, by their state."),
    _family("histogram", "call_setup_seconds", "direction",
            "Seconds from the INVITE to the first response but 100 (RFC 6076, 4.3)."),
    _family("histogram", "call_answer_seconds", "direction", "Seconds from the INVITE to its 2xx."),
    _family("histogram", "call_duration_seconds", "direction",
            "Seconds from the 2xx to the end, of calls that had one."),
    _family("counter", "requests_total", "direction method",
            "Requests that the endpoint received or had its engine send; no retransmissions."),
    _family("counter", "responses_total", "direction method status_class",
            "Responses likewise, by the first digit of their status."),
    _family("counter", "refused_total", "method rule",
            "Calls and requests that were refused before a handler saw them."),
    _family("gauge", "registrations", "state", "Registrations that were asked for and not taken back, by their state."),
    _family("gauge", "subscriptions", "role", "Subscriptions that are up: as subscriber or as notifier."),
    _family("gauge", "events_waiting", "queue",
            "Events that wait: in the engine, for a handler, or for an iterator (events())."),
    _family("gauge", "handler_threads", "state", "Threads for handlers, by what they do."),
    _family("gauge", "handler_threads_max", "", "Threads for handlers that there may be (handlers=)."),
    _family("histogram", "handler_seconds", "event",
            "Seconds that a handler took, by the event that it was called with."),
    _family("counter", "handler_failures_total", "event", "Handlers that raised an exception."),
    _family("counter", "engine_losses_total", "", "Times that the engine was lost: its process died or hung."),
    _family("counter", "worker_restarts_total", "", "Times that another process took the engine's place."),
    _family("counter", "shield_passed_total", "", "Messages that the shield passed to the library."),
    _family("counter", "shield_answered_total", "rule",
            "Messages that it answered itself, by the rule that they broke."),
    _family("counter", "shield_dropped_total", "rule", "Messages that it dropped, by the rule that they broke."),
    _family("gauge", "shield_responses_remembered", "", "Final responses that it remembers now."),
    _family("counter", "shield_responses_repeated_total", "", "Final responses that it sent again."),
    _family("counter", "shield_responses_evicted_total", "",
            "Final responses that were pushed out before their 32 s were over."),
    _family("counter", "hep_sent_total", "", "Messages that were sent to Homer (hep=)."),
    _family("counter", "hep_dropped_total", "", "Messages that were not, or were refused there."),
)  # fmt: skip

DIRECTIONS = ("incoming", "outgoing")

#: The outcomes of calls: the causes of :class:`~sipbridge.CallEnded`.
OUTCOMES = (
    "local-bye", "remote-bye", "cancelled", "rejected", "redirected", "timeout", "failed", "unreachable", "engine-lost",
)  # fmt: skip

#: The states of calls that are not over, by direction, and those of registrations.
CALL_STATES = (
    ("incoming", "incoming"), ("incoming", "accepted"), ("incoming", "established"), ("incoming", "ending"),
    ("outgoing", "calling"), ("outgoing", "answered"), ("outgoing", "established"), ("outgoing", "ending"),
)  # fmt: skip
REGISTRATION_STATES = ("pending", "active", "waiting", "ended", "failed")

#: What handlers are called with: the names of the events.
EVENTS = tuple(sorted(name for name, kind in vars(events).items() if getattr(kind, "_fields", None)))

#: The upper ends of the buckets, in seconds: of what people wait for, of how long calls are, of what handlers take.
WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0)
DURATIONS = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
WORK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

#: Seconds that a worker has to tell a number, so that a scrape is answered also when it hangs.
_WITHIN = 0.5


class Histogram(object):
    """How many values there were up to each of some bounds. Not for several threads."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds):
        # type: (Sequence[float]) -> None
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value):
        # type: (float) -> None
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def copy(self):
        # type: () -> Histogram
        other = Histogram(self.bounds)
        other.counts, other.sum = list(self.counts), self.sum
        return other

    def cumulated(self):
        # type: () -> List[Tuple[str, int]]
        """For each bound the values up to it; the last bound is "+Inf"."""
        found, count = [], 0
        for bound, here in zip(["%r" % bound for bound in self.bounds] + ["+Inf"], self.counts):
            count += here
            found.append((bound, count))
        return found


def _for_each(*values):
    # type: (*Iterable[str]) -> Dict[Tuple[str, ...], int]
    """0 for each combination, so that a series is there before the first thing happens, and its rate is right."""
    keys = [()]  # type: List[Tuple[str, ...]]
    for each in values:
        keys = [key + (value,) for key in keys for value in each]
    return dict.fromkeys(keys, 0)


class Meter(observers.Observer):
    """Counts what happens at one endpoint."""

    def __init__(self):
        # type: () -> None
        self._lock = threading.Lock()  # of what handlers tell, who do so on many threads
        self._is_up = True
        self._counts = {
            "calls_started_total": _for_each(DIRECTIONS),
            "calls_answered_total": _for_each(DIRECTIONS),
            "calls_ended_total": _for_each(DIRECTIONS, OUTCOMES),
            "refused_total": _for_each(["INVITE"], observers.RULES),
            "engine_losses_total": _for_each(),
            "worker_restarts_total": _for_each(),
            "handler_failures_total": _for_each(EVENTS),
        }  # type: Dict[str, Dict[Tuple[str, ...], int]]
        self._histograms = {
            "call_setup_seconds": dict((each, Histogram(WAITS)) for each in _for_each(DIRECTIONS)),
            "call_answer_seconds": dict((each, Histogram(WAITS)) for each in _for_each(DIRECTIONS)),
            "call_duration_seconds": dict((each, Histogram(DURATIONS)) for each in _for_each(DIRECTIONS)),
            "handler_seconds": {},
        }  # type: Dict[str, Dict[Tuple[str, ...], Histogram]]
        self._set_up = {}  # type: Dict[Call, bool]  # the calls that are not over, and whether a response was there

    # -- what happens --------------------------------------------------------------------------------------

    def _count(self, name, *labels):
        # type: (str, *str) -> None
        counts = self._counts[name]
        counts[labels] = counts.get(labels, 0) + 1

    def call_started(self, call):
        # type: (Call) -> None
        self._set_up[call] = False
        self._count("calls_started_total", _direction(call))

    def call_progress(self, call, status, seconds):
        # type: (Call, int, float) -> None
        self._heard(call, seconds)

    def _heard(self, call, seconds):
        # type: (Call, float) -> None
        """There is a response to the INVITE, of which the first one counts."""
        if self._set_up.get(call) is False:
            self._set_up[call] = True
            self._histograms["call_setup_seconds"][_direction(call),].add(max(0.0, seconds))

    def call_answered(self, call, seconds):
        # type: (Call, float) -> None
        self._heard(call, seconds)
        self._count("calls_answered_total", _direction(call))
        self._histograms["call_answer_seconds"][_direction(call),].add(max(0.0, seconds))

    def call_ended(self, ended):
        # type: (events.CallEnded) -> None
        call = ended.call
        if ended.cause in ("rejected", "redirected"):
            self._heard(call, ended.time - call.started)
        self._set_up.pop(call, None)
        self._count("calls_ended_total", _direction(call), ended.cause)
        if call.answered_at is not None:
            self._histograms["call_duration_seconds"][_direction(call),].add(max(0.0, call.duration))

    def refused(self, refusal):
        # type: (Refusal) -> None
        self._count("refused_total", refusal.method if refusal.method in METHODS else OTHER, refusal.rule)

    def handler_ended(self, event, seconds, failed):
        # type: (Any, Optional[float], bool) -> None
        labels = (type(event).__name__,)
        with self._lock:
            if seconds is not None:  # the function of serve() takes as long as its call
                histograms = self._histograms["handler_seconds"]
                histogram = histograms.get(labels)
                if histogram is None:
                    histogram = histograms[labels] = Histogram(WORK)
                histogram.add(seconds)
            if failed:
                self._count("handler_failures_total", *labels)

    def engine_lost(self, crash):
        # type: (Crash) -> None
        self._is_up = False
        self._count("engine_losses_total")

    def engine_restarted(self, restarted):
        # type: (events.EngineRestarted) -> None
        self._is_up = True
        self._count("worker_restarts_total")

    # -- what is told of it --------------------------------------------------------------------------------

    def snapshot(self, agent):
        # type: (Agent) -> Dict[str, List[Sample]]
        """The samples of each family, by its name without the prefix. From any thread, without the endpoint's lock: a
        thread that hangs with it, or an engine that does not answer, holds nothing up.
        """
        found = {}  # type: Dict[str, List[Sample]]
        with self._lock:
            for name, counts in self._counts.items():
                found[name] = list(counts.items())
            for name, histograms in self._histograms.items():
                found[name] = [(labels, each.copy()) for labels, each in list(histograms.items())]
        found["engine_info"] = [((agent.engine.name, agent.engine.version), 1)]
        is_up = self._is_up and agent.engine_failed is None and not agent.closed
        found["engine_up"] = [((), int(is_up))]
        found["draining"] = [((), int(agent.draining is not None))]
        found.update(_passed(agent))
        found.update(_held(agent))
        found.update(_waiting(agent, is_up))
        if is_up:
            found.update(_shield(agent))
        return found


#: The meters of the endpoints that have one.
_meters = weakref.WeakKeyDictionary()  # type: weakref.WeakKeyDictionary[Any, Meter]
_attaching = threading.Lock()


def check_endpoint(endpoint):
    # type: (Any) -> Any
    """The Endpoint itself, also of one of sipbridge.aio. Raises InputError."""
    core = getattr(endpoint, "_core", endpoint)
    if not isinstance(core, Endpoint):
        raise InputError("endpoint must be an Endpoint, not %r" % (endpoint,))
    return core


def attach(endpoint):
    # type: (Any) -> Callable[[], Dict[str, List[Sample]]]
    """Count at an Endpoint, or at one of sipbridge.aio, from now on: once, however many collectors want that. Returns a
    function that gives the samples.
    """
    core = check_endpoint(endpoint)
    with _attaching:
        meter = _meters.get(core)
        if meter is None:
            meter = _meters[core] = core.observe(Meter())
    with core._agent.lock:
        if core._agent.traffic is None:
            core._agent.traffic = Traffic(core._agent)
    return lambda: dict(meter.snapshot(core._agent), **_copied(core.hep))


def _direction(call):
    # type: (Call) -> str
    return "incoming" if call.incoming else "outgoing"


def _told(ask, *arguments):
    # type: (Callable[..., Any], *Any) -> Any
    """What an engine answers; None when it is lost or closed, or does not answer in time."""
    try:
        return ask(*arguments)
    except SipbridgeError:
        return None


def _copied(capture):
    # type: (Optional[CaptureAgent]) -> Dict[str, List[Sample]]
    """The messages for a capture server, where there is one."""
    if capture is None:
        return {}
    return {"hep_sent_total": [((), capture.sent)], "hep_dropped_total": [((), capture.dropped)]}


def _passed(agent):
    # type: (Agent) -> Dict[str, List[Sample]]
    """The messages that have passed."""
    found = {"requests_total": [], "responses_total": []}  # type: Dict[str, List[Sample]]
    counts = {} if agent.traffic is None else agent.traffic.counts
    for (direction, method, digit), count in list(counts.items()):
        if digit:
            found["responses_total"].append(((direction, method, "%dxx" % digit), count))
        else:
            found["requests_total"].append(((direction, method), count))
    return found


def _held(agent):
    # type: (Agent) -> Dict[str, List[Sample]]
    """What the endpoint has right now. A list is made of a dict in one step, which no other thread interrupts."""
    calls = dict.fromkeys(CALL_STATES, 0)
    for call in list(agent.calls.values()):
        labels = _direction(call), call.state
        if labels in calls:  # it is not over meanwhile
            calls[labels] += 1
    registrations = _for_each(REGISTRATION_STATES)
    for each in set(list(agent.expected.values()) + list(agent.registrations.values())):
        registrations[each.state,] += 1
    return {
        "calls_live": list(calls.items()),
        "registrations": list(registrations.items()),
        "subscriptions": [(("subscriber",), len(agent.subscriptions)), (("notifier",), len(agent.notifiers))],
    }


def _waiting(agent, is_up):
    # type: (Agent, bool) -> Dict[str, List[Sample]]
    dispatcher = agent.dispatcher
    busy = dispatcher.handler_statistics
    iterators = sum(len(each._events) for each in dispatcher.listeners.streams)
    queues = [(("handler",), busy.waiting), (("iterator",), iterators)]  # type: List[Sample]
    backlog = _told(agent.engine.backlog, _WITHIN) if is_up else None
    if backlog is not None:
        queues.insert(0, (("engine",), backlog))
    return {
        "events_waiting": queues,
        "handler_threads": [(("busy",), busy.busy), (("idle",), busy.threads - busy.busy)],
        "handler_threads_max": [((), busy.most)],
    }


def _shield(agent):
    # type: (Agent) -> Dict[str, List[Sample]]
    """What the shield counts, where the engine's messages go through one."""
    engine = agent.engine
    if engine.name != "exosip":
        return {}
    ask = getattr(engine, "shield_counters", None)  # a worker's is that of another process
    counters = _told(shield_counters.counters) if ask is None else _told(ask, _WITHIN)
    found = {}  # type: Dict[str, List[Sample]]
    for each in counters or ():
        if each.rule == "":
            found["shield_passed_total"] = [((), each.passed)]
        elif each.rule == "remembered":
            found["shield_responses_remembered"] = [((), each.passed)]
            found["shield_responses_repeated_total"] = [((), each.answered)]
            found["shield_responses_evicted_total"] = [((), each.dropped)]
        else:
            found.setdefault("shield_answered_total", []).append(((each.rule,), each.answered))
            found.setdefault("shield_dropped_total", []).append(((each.rule,), each.dropped))
    return found
