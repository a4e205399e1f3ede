"""Whether an endpoint works: all the way through its engine, its event thread and its threads for handlers."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple, monotonic
from sipbridge._text.arguments import check_delay
from sipbridge.errors import EngineError, EngineLost, quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

    from sipbridge._agent.agent import Agent

#: The problems of an endpoint that only a restart of the program mends. With the others it goes on, or is to be left in
#: peace until it has ended.
FATAL = frozenset(["closed", "engine", "engine-failed"])

#: The kinds of problems.
KINDS = FATAL | frozenset(["congested", "draining", "engine-lost", "handlers", "registration"])


class Problem(NamedTuple("Problem", [("kind", "str"), ("text", "str")])):
    """What is wrong with an endpoint.

    Attributes:
        kind: "engine": the engine or the event thread does not answer; "engine-failed": the engine is lost for good;
            "closed": the endpoint is closed, or being closed. Of these the program does not recover. "engine-lost": the
            engine's process is being replaced; "handlers": no thread is free for handlers; "congested": too many events
            wait; "draining": nothing new is taken; "registration": one that you asked for is not active.
        text: the same for people. It may name addresses of users.
    """

    __slots__ = ()


class Health(NamedTuple("Health", [
    ("live", "bool"),
    ("ready", "bool"),
    ("engine", "Optional[float]"),
    ("handlers", "Optional[float]"),
    ("problems", "Tuple[Problem, ...]"),
])):
    """How an endpoint is; see :meth:`~sipbridge.Endpoint.health`.

    Attributes:
        live: True while the program need not be restarted.
        ready: True while new calls may be sent here: it is live, and there are no problems.
        engine: seconds until a sign of life of the engine's thread was on the event thread; None: none came in time.
        handlers: seconds until a thread for handlers was free after that; None: none was in time.
        problems: a :class:`Problem` each.
    """

    __slots__ = ()


class Checks(object):
    """Signs of life of one endpoint: asked for by any thread, seen on the event thread and on a thread for handlers.

    However many wait for one, no more than one item waits in the pool. What is here changes under the endpoint's lock.
    """

    def __init__(self, agent):
        # type: (Agent) -> None
        self._agent = agent
        self._is_under_way = False  # to a thread of the pool
        self.heard = 0  # type: int  # the number of the last one that was on the event thread, and when
        self.heard_at = 0.0  # type: float
        self.served = 0  # type: int  # of the last one that was in the pool, and when
        self.served_at = 0.0  # type: float

    def hear(self, number):
        # type: (int) -> None
        """A sign of life of the engine has come. On the event thread, under the lock."""
        self.heard, self.heard_at = number, monotonic()
        if not self._is_under_way:
            self._is_under_way = True
            self._agent.later(0.0, self._hand_on)

    def _hand_on(self):
        # type: () -> None
        self._agent.dispatcher.call_next(self._serve)

    def _serve(self):
        # type: () -> None
        with self._agent.lock:
            self._is_under_way = False
            self.served, self.served_at = self.heard, monotonic()
        self._agent.wake()


def checks_of(agent):
    # type: (Agent) -> Checks
    """The Checks of an endpoint, which are made when they are first wanted."""
    with agent.lock:
        if agent.checks is None:
            agent.checks = Checks(agent)
        checks = agent.checks  # type: Checks
        return checks


def examine(agent, timeout):
    # type: (Agent, float) -> Health
    """As :meth:`~sipbridge.Endpoint.health`."""
    check_delay(timeout)
    checks, began = checks_of(agent), monotonic()
    problems = []  # type: List[Problem]
    engine = handlers = None
    number = None if agent.closed else _ask(agent, timeout, problems)
    if number is not None:
        seen = _wait(agent, checks, number, max(0.0, timeout - (monotonic() - began)))
        engine = None if seen[0] is None else max(0.0, seen[0] - began)
        handlers = None if seen[0] is None or seen[1] is None else max(0.0, seen[1] - seen[0])
        problems += _delays(engine, handlers, timeout)
    problems += _states(agent)
    live = not any(each.kind in FATAL for each in problems)
    return Health(live, live and not problems, engine, handlers, tuple(problems))


def _ask(agent, timeout, problems):
    # type: (Agent, float, List[Problem]) -> Optional[int]
    """Ask the engine for a sign of life. Returns its number, or None and why not."""
    try:
        number = agent.engine.ping(timeout)  # type: int
        return number
    except EngineLost as error:
        kind = "engine-lost" if agent.engine_failed is None else "engine-failed"
        problems.append(Problem(kind, "%s" % error))
    except EngineError:  # it was closed just now
        pass
    return None


def _wait(agent, checks, number, timeout):
    # type: (Agent, Checks, int, float) -> Tuple[Optional[float], Optional[float]]
    """When a sign of life was on the event thread, and when in the pool; None where it was not in time."""
    here = agent.dispatcher._pool.is_here  # which is one of the pool, and cannot wait for itself
    try:
        agent.wait(lambda: (checks.heard if here else checks.served) >= number, timeout)
    except EngineError:  # the endpoint has failed
        pass
    with agent.lock:
        heard = checks.heard_at if checks.heard >= number else None
        if here:
            return heard, heard
        return heard, checks.served_at if checks.served >= number else None


def _delays(engine, handlers, timeout):
    # type: (Optional[float], Optional[float], float) -> List[Problem]
    if engine is None:
        return [Problem("engine", "the engine or the event thread gave no sign of life in %g s" % timeout)]
    if handlers is None:
        return [Problem("handlers", "no thread for handlers was free in %g s" % timeout)]
    return []


def _states(agent):
    # type: (Agent) -> List[Problem]
    """What is wrong without anybody being asked."""
    if agent.closed or agent.closing:
        return [Problem("closed", "the endpoint is closed")]
    dispatcher = agent.dispatcher
    problems = []
    if agent.draining is not None:
        problems.append(Problem("draining", "nothing new is taken: %d calls are to finish" % len(agent.calls)))
    if dispatcher.is_full or dispatcher.serves_enough:
        problems.append(Problem("handlers", "every thread for handlers is at work: new calls get 503"))
    if dispatcher.congested():
        problems.append(Problem("congested", "too many events wait: new calls get 503"))
    with agent.lock:
        for each in agent.expected.values():
            if each.state != "active" and agent.draining is None:
                text = "%s at %s is %s" % (each.aor, each.registrar, each.state)
                problems.append(Problem("registration", text if each.error is None else "%s: %s" % (text, each.error)))
    return problems


def answer(agent, transaction):
    # type: (Agent, int) -> None
    """Answer the request of a health check: on a thread for handlers, unless all are at work. On the event thread."""
    engine, dispatcher = agent.engine, agent.dispatcher

    def respond():
        # type: () -> None
        quietly(engine.answer, transaction, 200, None, None)

    if dispatcher._pool.has_room:
        agent.later(0.0, lambda: dispatcher.call_next(respond))
    else:
        respond()
