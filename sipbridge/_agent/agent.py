"""What a call, a registration or a subscription may ask of its endpoint."""

from __future__ import absolute_import, division, print_function

import time

from sipbridge._call.placing import place
from sipbridge._compat import NamedTuple, monotonic
from sipbridge._engine.records import Parties, tell
from sipbridge._engine.response import check_response, is_absence
from sipbridge._later import later
from sipbridge._text.arguments import check_timeout
from sipbridge.errors import CallStateError, EngineError, TimeoutError, naming, quietly
from sipbridge.headers import Headers
from sipbridge.uri import check_address, check_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Any,
        Callable,
        Collection,
        ContextManager,
        Dict,
        Iterable,
        List,
        Optional,
        Protocol,
        Set,
        Tuple,
        TypeVar,
    )

    from sipbridge._agent import observers as _observers
    from sipbridge._agent.dispatch import Dispatcher, Timer
    from sipbridge._agent.sources import Trust
    from sipbridge._agent.telling import Observers
    from sipbridge._call.call import Call
    from sipbridge._engine.choice import Engine
    from sipbridge._engine.records import Content, RawEvent, Source, Told
    from sipbridge._engine.response import Response
    from sipbridge._kept.notifier import Notifier
    from sipbridge._kept.publication import Publication
    from sipbridge._kept.registration import Registration
    from sipbridge._kept.subscription import Subscription
    from sipbridge.errors import SipbridgeError
    from sipbridge.events import RequestReceived

    _T = TypeVar("_T")
else:
    _observers = later("sipbridge._agent.observers")

#: The method of the request that an event of the engine tells of without its name.
_METHODS = {"call-incoming": "INVITE", "call-reinvite": "INVITE", "subscribe": "SUBSCRIBE"}

#: Seconds between two looks whether one of several proxies is still there.
_LOOK = 1.0


def _slice(deadline):
    # type: (Optional[float]) -> float
    """Seconds to wait before the next look, until a deadline (None: none)."""
    return _LOOK if deadline is None else min(_LOOK, deadline - monotonic())


class _Pending(object):
    """A request that was sent, and has no final response yet. ``given_up``: the thread that sent it waits no more."""

    __slots__ = ("response", "error", "call", "on_response", "given_up", "route")

    def __init__(self, call, on_response):
        # type: (Optional[Call], Callable[[Response], object]) -> None
        self.response = None  # type: Optional[Response]
        self.error = None  # type: Optional[SipbridgeError]
        self.call = call  # type: Optional[Call]
        self.on_response = on_response  # type: Callable[[Response], object]
        self.given_up = False  # type: bool
        self.route = None  # type: Optional[str]  # one of several proxies, by which it went


if TYPE_CHECKING:

    class Admission(Protocol):
        """Who may call: :class:`sipbridge._agent.admission.Admission`."""

        counts = {}  # type: Dict[str, int]

        def has_held(self, raw):
            # type: (RawEvent) -> bool
            raise NotImplementedError

        def stops(self, raw, is_new):
            # type: (RawEvent, bool) -> bool
            raise NotImplementedError

        def name(self, event):
            # type: (Any) -> None
            pass

        def close(self):
            # type: () -> None
            pass

    class Trunk(Protocol):
        """Several proxies in the place of one: :class:`sipbridge._agent.trunk.Trunk`."""

        @property
        def proxies(self):
            # type: () -> Tuple[str, ...]
            raise NotImplementedError

        def begin(self):
            # type: () -> None
            pass

        def tick(self):
            # type: () -> None
            pass

        def route(self, tried=()):
            # type: (Collection[Optional[str]]) -> Optional[str]
            raise NotImplementedError

        def sent(self, proxy):
            # type: (Optional[str]) -> None
            pass

        def failed(self, proxy):
            # type: (Optional[str]) -> None
            pass

        def has_failed(self, proxy):
            # type: (Optional[str]) -> bool
            raise NotImplementedError

        def through(self, parties, send, timeout):
            # type: (Parties, Callable[[Parties, Optional[float]], _T], Optional[float]) -> _T
            raise NotImplementedError


class Draining(NamedTuple("Draining", [("redirect", "Optional[str]"), ("retry_after", "int")])):
    """New calls are sent to ``redirect``, or, where it is None, may come again in ``retry_after`` seconds."""

    __slots__ = ()


class Agent(object):
    """The calls, registrations and requests of an endpoint, and the ways to send, to wait and to set a timer.

    Args:
        engine: the open engine, which sends.
        identity: the URI or name-addr for From, or None.
        session_expires: the session interval that calls ask for (RFC 4028), in seconds; or None.

    Attributes:
        dispatcher: takes events from the engine. It is set before it takes the first one.
        calls, registrations, subscriptions, notifiers: dicts by the engine's numbers. ``publications`` is a set.
        pending: the requests without a final response, by the engine's number of the transaction.
        closing: True once the endpoint is being closed.
        draining: how new calls are refused, a Draining, once nothing new is to be taken; else None.
        following: the event of the engine that is being followed, under the lock; or None.
        traffic: notes the messages, once an observer wants to know; else None.
        admission: decides who may call, or None.
        trust: whose word about the source of a message is taken, or None.
        engine_failed: why the engine is lost for good, or None.
        expected: the registrations that were asked for and not taken back, by what they bind.
        checks: the signs of life that were asked for, or None while nobody has asked for any.
        trunk: what chooses the proxy for what has no route of its own, or None; ``trunks``: that and the accounts'.
    """

    def __init__(self, engine, identity=None, session_expires=None):
        # type: (Engine, Optional[str], Optional[int]) -> None
        self.engine = engine
        self.identity = identity
        self.session_expires = session_expires
        self.dispatcher = None  # type: Dispatcher  # type: ignore[assignment]
        self.calls = {}  # type: Dict[int, Call]
        self.registrations = {}  # type: Dict[int, Registration]
        self.subscriptions = {}  # type: Dict[int, Subscription]
        self.notifiers = {}  # type: Dict[int, Notifier]
        self.publications = set()  # type: Set[Publication]
        self.pending = {}  # type: Dict[int, Any]
        self.closing = False
        self.draining = None  # type: Optional[Draining]
        self.following = None  # type: Optional[RawEvent]
        self.traffic = None  # type: Any  # a Traffic, which knows this class, too
        self.admission = None  # type: Optional[Admission]
        self.trust = None  # type: Optional[Trust]
        self.engine_failed = None  # type: Optional[str]
        self.expected = {}  # type: Dict[Tuple[str, str, Optional[str]], Registration]
        self.checks = None  # type: Any  # a Checks, which knows this class
        self.trunk = None  # type: Optional[Trunk]
        self.trunks = []  # type: List[Trunk]

    @property
    def observers(self):
        # type: () -> Observers
        """Those who are told what happens at the endpoint."""
        return self.dispatcher.observers

    def refused(self, raw, rule, status):
        # type: (RawEvent, str, int) -> None
        """What this event of the engine begins is refused by one of the RULES of observers. While it is followed."""
        observers = self.observers
        if observers.refused:
            call_id = Headers(raw.headers).get("Call-ID", "")
            method = raw.method or _METHODS.get(raw.type, "")
            observers.note("refused", _observers.Refusal(rule, status, method, self.told[1], call_id))

    @property
    def told(self):
        # type: () -> Tuple[float, Optional[Source]]
        """When what is followed happened, and where its message came from. Elsewhere: now, from nowhere."""
        raw = self.following
        if raw is None:
            return time.time(), None
        return raw.time, raw.source if self.trust is None else self.trust.source_of(raw)

    @property
    def lock(self):
        # type: () -> ContextManager[object]
        """The lock of all calls, registrations and so on. In a forked process, where a thread that does not exist may
        hold it, this raises EngineError.
        """
        self.dispatcher.owner.check()
        return self.dispatcher.lock

    def congested(self, about=None):
        # type: (object) -> bool
        """True while so many events wait for handlers that new calls and requests should be refused.

        ``about``: the call or the like that the new event is about; None if it begins something.
        """
        return self.dispatcher.congested(about)

    @property
    def is_leaving(self):
        # type: () -> bool
        """True when nothing that has ended is to be begun again."""
        return self.closing or self.draining is not None

    @property
    def keeps_nothing(self):
        # type: () -> bool
        """True when no registration, subscription or publication has to be ended before the endpoint can close."""
        return not (self.registrations or self.subscriptions or self.notifiers or self.publications)

    def wait(self, predicate, timeout):
        # type: (Callable[[], object], Optional[float]) -> bool
        """Wait at most ``timeout`` seconds (None: no limit) until predicate() is true. Returns True when it is."""
        return self.dispatcher.wait(predicate, timeout)

    @property
    def closed(self):
        # type: () -> bool
        """Whether no event comes any more."""
        return self.dispatcher.closed

    def is_handling_here(self, call):
        # type: (Call) -> bool
        """Whether a handler for an event of the call runs in this thread, so that its other events wait."""
        return self.dispatcher.is_serving_here(call)

    def wake(self):
        # type: () -> None
        """Let those who wait look again. From any thread, without the lock."""
        self.dispatcher.wake()

    def stream(self, timeout, call):
        # type: (Optional[float], Call) -> Any
        """An iterator over the events of a call, which has Listeners."""
        return self.dispatcher.stream(timeout, call)

    def soon(self, function):
        # type: (Callable[[], object]) -> None
        """Call a function on the event thread, without the lock, as soon as that has come round. From any thread."""
        self.dispatcher._ask_again(0.0, function)
        if self.dispatcher.waits_in_engine and not self.dispatcher.on_event_thread:
            quietly(self.engine.wake)

    def later(self, seconds, function):
        # type: (float, Callable[[], object]) -> Timer
        """Call a function on the event thread in so many seconds. Returns a timer, which can be cancelled."""
        return self.dispatcher.call_later(seconds, function)

    def post(self, event):
        # type: (Told) -> None
        """Deliver an event that did not come from the engine, or not alone. On the event thread."""
        tell(event, *self.told)
        self.dispatcher.post(event)

    def parties(self, to, from_, route):
        # type: (str, Optional[str], Optional[str]) -> Parties
        """Check the addresses of a request. ``from_`` None stands for the identity. Raises InputError."""
        own = from_ if from_ is not None else self.identity
        return Parties(
            check_address(to, "to"),
            None if own is None else check_address(own, "from_"),
            self._default_route if route is None else check_uri(route, "route"),
        )

    # -- several proxies -----------------------------------------------------------------------------------

    @property
    def _default_route(self):
        # type: () -> Optional[str]
        return None if self.trunk is None else self.trunk.route()

    def add_trunk(self, trunk, early=False):
        # type: (Trunk, bool) -> None
        """Have its proxies asked whether they are there. ``early``: the event thread has not begun yet."""
        with self.lock:
            self.trunks.append(trunk)
            trunk.begin()
            if early:
                trunk.tick()

    def remove_trunk(self, trunk):
        # type: (Trunk) -> None
        """Ask its proxies no more."""
        with self.lock:
            self.trunks.remove(trunk)

    def trunk_of(self, route):
        # type: (Optional[str]) -> Optional[Trunk]
        """What has this proxy among others, or None."""
        for trunk in self.trunks:
            if route in trunk.proxies:
                return trunk
        return None

    def rerouted(self, parties):
        # type: (Parties) -> Parties
        """The same by the proxy to take now, for what is sent again."""
        trunk = self.trunk if parties.route is None else self.trunk_of(parties.route)
        return parties if trunk is None else parties._replace(route=trunk.route())

    def through(self, parties, send, timeout):
        # type: (Parties, Callable[[Parties, Optional[float]], _T], Optional[float]) -> _T
        """What ``send`` returns, given parties and seconds: by the next proxy when one fails and there are several."""
        trunk = self.trunk_of(parties.route)
        return send(parties, timeout) if trunk is None else trunk.through(parties, send, timeout)

    def heard(self, route, response):
        # type: (Optional[str], Response) -> bool
        """A final response came by this route, or none did. Whether another proxy is to be tried. Under the lock."""
        trunk = self.trunk_of(route)
        if trunk is None or not is_absence(response):
            return False
        trunk.failed(route)
        return not trunk.has_failed(trunk.route())

    # -- requests, under the lock --------------------------------------------------------------------------

    def expect(self, transaction, on_response, call=None):
        # type: (int, Callable[[Response], object], Optional[Call]) -> _Pending
        """When the final response comes, call ``on_response`` with it, and deliver the event that this returns."""
        self.pending[transaction] = pending = _Pending(call, on_response)
        return pending

    def ask(self, method, parties, on_response):
        # type: (str, Parties, Callable[[Response], object]) -> None
        """Send a request outside of calls. Call ``on_response`` with the final response."""
        self.expect(self.engine.request(method, parties, None), on_response)

    def send_within(self, call, number, method, content, on_response):
        # type: (Call, int, str, Optional[Content], Callable[[Response], object]) -> None
        """Send a request within a call. Call ``on_response`` with the final response."""
        if method == "INVITE":
            transaction = self.engine.reinvite(number, content)
        else:
            transaction = self.engine.call_request(number, method, content)
        self.expect(transaction, on_response, call)

    def answer_by_default(self, requests):
        # type: (Iterable[RequestReceived]) -> None
        """Answer requests, given as events, in the way in which they are answered when no handler does."""
        for event in requests:
            self.dispatcher.answer_by_default(event)

    def place(self, to, *arguments, **options):
        # type: (str, *Any, **Any) -> Call
        """Place a call, like :meth:`~sipbridge.Endpoint.invite`. Call this without the lock."""
        return place(self, to, *arguments, **options)

    # -- requests, without it ------------------------------------------------------------------------------

    def transact(
        self,
        send,  # type: Callable[[], int]
        timeout,  # type: Optional[float]
        what,  # type: str
        call=None,  # type: Optional[Call]
        on_response=None,  # type: Optional[Callable[[Response], object]]
        on_late=None,  # type: Optional[Callable[[Response], object]]
        route=None,  # type: Optional[str]
    ):
        # type: (...) -> Response
        """Call ``send``, which returns a transaction, and wait for the final response. Returns it when it is a 2xx.

        It calls ``on_response`` with the response, also with a late one, and then ``on_late`` if nobody waits any more.
        It calls all three under the lock. ``route`` is the proxy that the request goes by, where that is one of
        several. Raises TimeoutError, ResponseError, CallStateError when ``call`` ends first, and other errors of
        :func:`~sipbridge._engine.response.error_of`.
        """
        check_timeout(timeout)
        trunk = self.trunk_of(route)

        def arrived(response):
            # type: (Response) -> object
            self.heard(route, response)
            event = None if on_response is None else on_response(response)
            if on_late is not None and pending.given_up:
                on_late(response)
            return event

        with naming(call):
            with self.lock:
                if trunk is not None and route is not None:
                    trunk.sent(route)
                pending = self.expect(send(), arrived, call)
                pending.route = None if trunk is None else route
            return self._await_response(pending, timeout, what)

    def _await_response(self, pending, timeout, what):
        # type: (_Pending, Optional[float], str) -> Response
        call = pending.call

        deadline = None if timeout is None else monotonic() + timeout

        def is_over():
            # type: () -> object
            return pending.response or pending.error or (call is not None and call.ended is not None)

        try:
            while not self.wait(is_over, timeout if pending.route is None else _slice(deadline)):
                if pending.route is None or _slice(deadline) <= 0:
                    break
        finally:  # an interrupt may end the waiting, too
            with self.lock:
                pending.given_up = not is_over()
        if pending.given_up:
            if self.dispatcher.closed:
                raise EngineError("%s: the endpoint was closed" % what)
            raise TimeoutError("%s: no final response in %s s" % (what, round(timeout or 0.0, 3)))
        if pending.error is not None:
            raise pending.error
        if pending.response is None:
            raise CallStateError("%s: no response came" % what)
        return check_response(pending.response, what)
