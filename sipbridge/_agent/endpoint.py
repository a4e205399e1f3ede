"""The endpoint: one SIP user agent on one local address."""

from __future__ import absolute_import, division, print_function

import atexit
import weakref

from sipbridge import events
from sipbridge._agent import configuration
from sipbridge._agent.agent import Agent, Draining
from sipbridge._agent.bridges import Bridges
from sipbridge._agent.dispatch import Dispatcher
from sipbridge._agent.identities import Identities
from sipbridge._agent.pool import MOST
from sipbridge._agent.table import Table, settle
from sipbridge._agent.telling import Observed
from sipbridge._call.call import SDP, Call
from sipbridge._call.following import end as end_call
from sipbridge._call.own import decorator
from sipbridge._compat import monotonic
from sipbridge._engine.choice import make
from sipbridge._later import later, load_inside_import
from sipbridge._text.arguments import check_callable, check_delay, check_timeout, check_whole
from sipbridge.errors import InputError, quietly
from sipbridge.headers import Headers
from sipbridge.uri import check_address, parse_transport_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import (
        Any,
        Callable,
        Dict,
        Iterable,
        Optional,
        Sequence,
        Tuple,
        Type,
        TypeVar,
        Union,
        overload,
    )

    from sipbridge._access.authenticator import Authenticator
    from sipbridge._access.bans import BanList
    from sipbridge._access.limits import SourceLimits
    from sipbridge._agent import health as _health
    from sipbridge._agent.admission import Rules
    from sipbridge._agent.fault import Fault
    from sipbridge._agent.health import Health
    from sipbridge._agent.pool import HandlerStatistics
    from sipbridge._agent.streams import EventStream
    from sipbridge._engine.choice import Engine
    from sipbridge._kept import following as kept
    from sipbridge._text.arguments import Body
    from sipbridge.events import TraceMessage
    from sipbridge.headers import HeaderFields
    from sipbridge.hep import CaptureAgent
    from sipbridge.record import Recorder
    from sipbridge.tls import Tls

    _Event = TypeVar("_Event", bound=Tuple[object, ...])
    _Result = TypeVar("_Result")
    _Served = TypeVar("_Served", bound=Callable[[Call], object])
else:
    _health, kept = later("sipbridge._agent.health", "sipbridge._kept.following")

_open_endpoints = weakref.WeakSet()  # type: weakref.WeakSet[Endpoint]


@atexit.register
def _close_all():
    # type: () -> None
    for endpoint in list(_open_endpoints):
        endpoint.close()


class Endpoint(Identities, Bridges, Observed):
    """A SIP user agent (RFC 3261, 6) that places and takes calls. A context manager; safe for any thread.

    Args:
        address: where to listen, ``"udp://host:port"``, ``"tcp://..."`` or ``"tls://..."``; port 0 lets the system
            choose one, no port means 5060, or 5061 for tls. An IPv6 address stands in brackets.
        identity: the URI or name-addr for From in what it sends; None for ``sip:host:port``.
        engine: ``"sofia"``, ``"exosip"``, or None for what the environment variable SIPBRIDGE_ENGINE names, or
            else the first that was built; or a :class:`~sipbridge.Worker`, which runs it in a process of its own, or a
            :class:`~sipbridge.Container` or :class:`~sipbridge.Sidecar` (docs/places.md).
        outbound_proxy: URI of a proxy to which requests go first (8.1.2), or a list of several, the one to prefer
            first (docs/endpoints.md); or None.
        user_agent: what User-Agent and Server say (20.41), or None.
        advertised: ``"host:port"`` that Contact names instead of ``address``, for containers and NAT, or None.
        trace: a handler for :class:`~sipbridge.TraceMessage`, one for each message sent and received; or None.
            Passwords are not in it, digest responses are.
        session_expires: seconds after which a call of which nothing was heard ends by itself (RFC 4028), 90 or
            more; refreshed by whichever side was agreed on. None: session timers are neither asked for nor used.
        record: the path of a pcap file for the messages, or a :class:`~sipbridge.record.Recorder`; or None.
            Credentials are masked in it.
        hep: a capture server of Homer that gets the messages, as ``"udp://host:9060"``, or a
            :class:`~sipbridge.hep.CaptureAgent`; or None. Credentials are masked in them.
        flight: a :class:`~sipbridge.FlightRecorder`, which writes the last messages when something goes wrong; or None.
        tls: a :class:`~sipbridge.Tls` for an address on TLS; None: no certificate, and the system's to verify others'.
        resolv_conf: path of a file that names the DNS servers to ask (resolv.conf(5); a line ``port N`` for another
            port than 53), or None for the system's.
        on_error: a function that is called with a :class:`~sipbridge.Fault` for each exception that a handler raises,
            and for what goes wrong in sipbridge itself, after it was logged; or None.
        keepalive: seconds after which a connection on which nothing passed is sent a ping, two line ends (RFC 5626,
            4.4.1), 1 to 86400; None for never. TCP and TLS alone; over UDP :meth:`watch` keeps a way open.
        handlers: how many threads may run handlers at the same time, 1 to 10000; see docs/threading.md.
        trusted_proxies: networks, as ``["192.0.2.0/24"]``, of proxies that say whom a request is from: docs/sources.md.
        source_header: the header in which they say it, as ``"X-Source-Address"``; None: Via (18.2.1, RFC 3581).
        allow: networks, as ``["192.0.2.0/24", "2001:db8::7"]``, from which new calls and requests are taken; others
            are answered 403. None: from everywhere. docs/access.md has this and what follows.
        authenticator: a :class:`~sipbridge.access.Authenticator`, who asks for passwords; or None.
        limits: :class:`~sipbridge.access.SourceLimits`, how much may come from one source; or None.
        bans: a :class:`~sipbridge.access.BanList`, of sources that are refused for a time; or None.

    Attributes:
        hep: the CaptureAgent, or None.

    Raises TransportError when the address cannot be used, EngineError when no engine can be loaded or
    libeXosip2's one stack is taken, NotSupportedError, and InputError.

    The engine answers OPTIONS (11). Calls and messages without a handler or an iterator are answered 480.
    """

    _Dispatcher = Dispatcher  # sipbridge.aio has one of its own

    def __init__(
        self, address="udp://127.0.0.1:0", identity=None, engine=None, outbound_proxy=None, user_agent=None,
        advertised=None, trace=None, record=None, tls=None, session_expires=None, resolv_conf=None,
        keepalive=None, on_error=None, handlers=MOST, trusted_proxies=(), source_header=None,
        allow=None, authenticator=None, limits=None, bans=None, hep=None, flight=None
    ):
        # type: (str, Optional[str], Union[str, Engine, None], Union[None, str, Sequence[str]], Optional[str], Optional[str], Optional[Callable[[TraceMessage], object]], Union[None, str, Recorder], Optional[Tls], Optional[int], Optional[str], Optional[int], Optional[Callable[[Fault], object]], int, Iterable[str], Optional[str], Optional[Iterable[str]], Optional[Authenticator], Optional[SourceLimits], Optional[BanList], Union[None, str, CaptureAgent], Optional[configuration.Flight]) -> None
        given = dict(locals())  # the arguments, of which the flight recorder tells
        load_inside_import()
        local = parse_transport_address(address)
        settings = configuration.checked(
            local, address, advertised, user_agent, outbound_proxy, tls, resolv_conf, keepalive
        )
        for handler, what in ((trace, "trace"), (on_error, "on_error")):
            if handler is not None:
                check_callable(handler, what)
        check_whole(handlers, "handlers", 1, 10000)
        self.identity = None if identity is None else check_address(identity, "identity")  # type: Optional[str]
        interval = configuration.check_session_interval(session_expires)
        trust = configuration.make_trust(trusted_proxies, source_header)
        rules = configuration.make_rules(allow, bans, limits, authenticator)
        self.hep = configuration.make_capture_agent(hep)  # type: Optional[CaptureAgent]
        taps = (configuration.make_recorder(record), self.hep)
        self._taps = tuple(tap for tap in taps if tap is not None)
        self._flight = configuration.check_flight(flight)
        self._advertised = settings.advertised
        self._engine = make(engine)
        self._engine.open(
            local.transport, local.host.strip("[]"), local.port, settings.advertised, settings.user_agent,
            settings.proxies[0] if settings.proxies else None, trace is not None or bool(self._taps), settings.tls,
            settings.resolv_conf, settings.keepalive, tell_options=rules is not None,
            flight=0 if flight is None else flight.octets
        )
        try:
            self._local = local._replace(port=self._engine.port)
            self._agent = Agent(self._engine, self.identity, interval)
            self._agent.trust, self._agent.trunk = trust, configuration.make_trunk(self._agent, settings.proxies)
            self._begin(given, rules)
        except BaseException:  # nobody has it yet who could close it
            _open_endpoints.discard(self)
            quietly(self._engine.close, 0.0)
            for tap in self._taps:
                tap.close()
            if self._flight is not None:
                self._flight.close()
            raise

    def _begin(self, given, rules):
        # type: (Dict[str, Any], Optional[Rules]) -> None
        table = Table(self._agent, self._local.host.strip("[]"))
        self._agent.admission = configuration.make_admission(self._agent, rules, table.refuse)
        self._dispatcher = self._Dispatcher(
            self._engine, table.follow, settle, self.close, given["on_error"], given["handlers"], self._taps
        )
        self._agent.dispatcher = self._dispatcher
        for tap in self._taps:
            tap.begin(*self._local)
        if given["trace"] is not None:
            self.on(events.TraceMessage, given["trace"])
        self._observe_everywhere()
        if self._flight is not None:
            self._flight.begin(self, self._engine, self._agent.observers, given, *self._local)
        _open_endpoints.add(self)
        if self._agent.trunk is not None:
            self._agent.add_trunk(self._agent.trunk, True)
        self._dispatcher.start()

    def __enter__(self):
        # type: () -> Endpoint
        return self

    def __exit__(self, *exc_info):
        # type: (*Union[Type[BaseException], BaseException, TracebackType, None]) -> None
        self.close()

    def __repr__(self):
        # type: () -> str
        return "<Endpoint %s (%s %s)>" % (self.address, self.engine_name, self.engine_version)

    @property
    def address(self):
        # type: () -> str
        """The local address, as ``"udp://127.0.0.1:5060"``, with the port that is really in use."""
        return "%s://%s:%d" % self._local

    @property
    def port(self):
        # type: () -> int
        """The local port in use."""
        return self._local.port

    @property
    def uri(self):
        # type: () -> str
        """The URI that a peer reaches this endpoint at: of what ``advertised=`` names, or else of its address.

        Where that is every address of this machine (``0.0.0.0``, ``[::]``), of the one on the default route, or of
        loopback where there is no such route.
        """
        transport = "" if self._local.transport == "udp" else ";transport=" + self._local.transport
        host, port = self._advertised or (configuration.reachable(self._local.host), 0)
        return "sip:%s:%d%s" % (host, port or self._local.port, transport)

    @property
    def engine_name(self):
        # type: () -> str
        """ "sofia" or "exosip"."""
        return self._engine.name

    @property
    def engine_version(self):
        # type: () -> str
        """The version that the engine's library tells."""
        return self._engine.version

    @property
    def calls(self):
        # type: () -> Tuple[Call, ...]
        """The calls that have not ended."""
        with self._agent.lock:
            return tuple(self._agent.calls.values())

    @property
    def refusals(self):
        # type: () -> Dict[str, int]
        """How many new calls and requests ``allow=`` and the arguments after it have refused: a dict by the rule.

        docs/access.md has the rules.
        """
        admission = self._agent.admission
        if admission is None:
            return {}
        with self._agent.lock:
            return dict(admission.counts)

    def close(self, timeout=1.0):
        # type: (float) -> None
        """Hang up every call, unregister, wait for the peers at most ``timeout`` seconds, close the socket.

        May be called again and from any thread. Each call still gets its CallEnded. In a process that was forked from
        the one which made it, this does nothing. Raises InputError.
        """
        deadline = monotonic() + check_delay(timeout)
        if self._dispatcher.owner.is_elsewhere:
            return
        with self._agent.lock:
            first, self._agent.closing = not self._agent.closing, True
        if not first:
            self._dispatcher.see_out(timeout)
            return
        try:
            self._leave(timeout)
        finally:  # also after an interrupt
            self._dispatcher.close(max(0.0, deadline - monotonic()), timeout)
            self._abandon()
            if self._agent.admission is not None:
                self._agent.admission.close()
            self._dispatcher.observers.tell()
            for tap in self._taps:
                tap.close()
            if self._flight is not None:
                self._flight.settle(timeout)
                self._flight.close()
            _open_endpoints.discard(self)

    def _leave(self, timeout):
        # type: (float) -> None
        """End what there is, and wait for the peers."""
        for call in self.calls:
            quietly(call.hangup)
        if not self._agent.keeps_nothing:
            kept.leave(self._agent)
        self._dispatcher.linger(lambda: not self._agent.calls and self._agent.keeps_nothing, timeout)

    def drain(self, timeout=30.0, redirect=None, retry_after=30):
        # type: (float, Optional[str], int) -> bool
        """Take nothing new, let the calls that are up finish, and close. Returns whether they all have.

        Args:
            timeout: seconds after which the calls that are still up are hung up.
            redirect: URI or name-addr that new calls are sent to with 302; None: they are answered 503.
            retry_after: seconds in the Retry-After of a 503 (RFC 3261, 20.33).

        From now on new calls are refused like that, other new requests and OPTIONS with 503, and registrations are
        taken back. Requests within calls are served as ever. :meth:`close` from another thread ends it at once.
        Raises InputError.
        """
        check_delay(timeout)
        target = None if redirect is None else check_address(redirect, "redirect")
        check_whole(retry_after, "retry_after", 0, 2**31 - 1)
        agent = self._agent
        with agent.lock:
            agent.draining = Draining(target, retry_after)
        quietly(self._engine.drain)
        if not agent.keeps_nothing:
            kept.withdraw(agent)
        self._dispatcher.linger(lambda: not agent.calls or agent.closing, timeout)
        finished = not self.calls
        self.close()
        return finished

    def wait_closed(self, timeout=None):
        # type: (Optional[float]) -> bool
        """Wait, at most ``timeout`` seconds (None: no limit), until the endpoint is closed; returns whether it is.

        For the main thread of a service. Raises EngineError when it was closed because it has failed, as by a handler
        that called ``sys.exit()``: ``__cause__`` is what was raised. Raises InputError.
        """
        check_timeout(timeout)
        self._dispatcher.owner.check()
        if not self._dispatcher.wait_over(timeout):
            return False
        self._dispatcher.check()
        return True

    def _abandon(self):
        # type: () -> None
        """End what the engine did not live to end."""
        for call in self.calls:
            with self._agent.lock:
                end_call(self._agent, call, events.CallEnded(call, "failed", 503, "Endpoint closed", Headers()))

    # -- events --------------------------------------------------------------------------------------------

    if TYPE_CHECKING:

        @overload
        def on(self, kind):
            # type: (Type[_Event]) -> Callable[[Callable[[_Event], _Result]], Callable[[_Event], _Result]]
            pass

        @overload
        def on(self, kind, handler):
            # type: (Type[_Event], Callable[[_Event], object]) -> None
            pass

    def on(self, kind, handler=None):
        # type: (Type[_Event], Optional[Callable[[_Event], object]]) -> Any
        """Call ``handler(event)`` for each event of that type (or a subtype), on one of the endpoint's threads.

        Without ``handler`` it is a decorator: ``@phone.on(sipbridge.IncomingCall)``.

        Handlers for one call run one after the other, in the order of its events, and so do those for one
        registration, subscription or the like. For different calls they run at the same time. They may wait as long as
        they like; see docs/threading.md. What they raise is logged to the logger ``sipbridge`` and told to
        ``on_error``; what they were called for is answered 500, unless it was answered before. SystemExit and the like,
        which are no Exceptions, close the endpoint: see :meth:`wait_closed`. Raises InputError when ``kind`` is no
        event type, or ``handler`` cannot be called.
        """
        if not isinstance(kind, type) or kind.__module__ != events.__name__:
            raise InputError("not an event type: %r" % (kind,))
        if handler is None:
            return decorator(self.on, kind)
        self._dispatcher.on(kind, check_callable(handler, "handler"))
        return None

    def off(self, kind, handler):
        # type: (Type[_Event], Callable[[_Event], object]) -> None
        """Take a handler back."""
        self._dispatcher.off(kind, handler)

    def serve(self, handler):
        # type: (_Served) -> _Served
        """Call ``handler(call)`` for each incoming call, on a thread of its own. Returns it: a decorator, too.

        The function answers the call and goes on until it is over. The end of the call is an exception to it: methods
        of the call raise CallHungUp (or EngineLost), which need not be caught. When the function returns, a call that
        is still up is hung up, unless it is in a bridge; one that was not answered is refused with 480. What else it
        raises is logged and told to ``on_error``, as with :meth:`on`; then the call is hung up, or refused with 500.

        As many calls are served at the same time as ``handlers=`` says; more are refused with 503. Other handlers run
        meanwhile, on other threads. Raises InputError when ``handler`` cannot be called, or the endpoint has such a
        function already.
        """
        self._dispatcher.serve(check_callable(handler, "handler"))
        return handler

    @property
    def handler_statistics(self):
        # type: () -> HandlerStatistics
        """How many threads run handlers, what waits for one, and what was refused for lack of one, at this moment.

        A tuple of ``most``, ``threads``, ``busy``, ``waiting`` and ``refused``; see docs/threading.md.
        """
        return self._dispatcher.handler_statistics

    def health(self, timeout=2.0):
        # type: (float) -> Health
        """Whether this endpoint works, as a :class:`~sipbridge.Health`: ``live``, ``ready``, and what the problems are.

        A sign of life goes from the engine's thread to the event thread, and from there to a thread for handlers. That
        takes about a millisecond on Sofia-SIP and up to 50 on libeXosip2, and it waits at most ``timeout`` seconds. The
        result also tells that an endpoint is closed, or that its engine is lost. Raises InputError, and EngineError
        in a process that was forked from the one which made the endpoint.
        """
        return _health.examine(self._agent, timeout)

    def events(self, timeout=None):
        # type: (Optional[float]) -> EventStream
        """An iterator over the events from now on; ends at close(), or when none came for ``timeout`` seconds.

        It is a context manager too: leaving it means not to want any more.
        """
        stream = self._dispatcher.stream(check_timeout(timeout))  # type: EventStream
        return stream

    # -- calls and requests --------------------------------------------------------------------------------

    def invite(
        self, to, sdp=None, headers=(), from_=None, route=None, content_type=SDP, follow_redirects=0,
        session_expires=None, asserted_identity=None, privacy=(), call_id=None
    ):
        # type: (str, Optional[Body], HeaderFields, Optional[str], Optional[str], str, int, Optional[int], Union[None, str, Iterable[str]], Union[str, Iterable[str]], Optional[str]) -> Call
        """Place a call (RFC 3261, 13.2) and return the Call at once, in the state "calling".

        Args:
            to: the URI or name-addr to call.
            sdp: the offer, bytes; None to let the peer offer (then ``call.ack(sdp)`` is yours to send).
            headers: more headers, a mapping or pairs.
            from_: URI or name-addr for From; None for the identity.
            route: URI of a proxy to send it to; None for the endpoint's.
            content_type: of ``sdp``.
            follow_redirects: to how many targets that a 3xx names the call may go on (8.1.3.4), each once.
            session_expires: as the endpoint's, for this call; None for the endpoint's.
            asserted_identity: a URI or name-addr, or several, for P-Asserted-Identity (RFC 3325); or None.
            privacy: a word or several for Privacy (RFC 3323): "id", "user", "header", "none"...
            call_id: the Call-ID (20.8), one that no other call has had; None: a new one is made.

        Raises InputError and EngineError.
        """
        return self._agent.place(
            to, sdp, headers, from_, route, content_type, follow_redirects, session_expires,
            asserted_identity, privacy, call_id
        )

    def call(
        self, to, sdp=None, headers=(), from_=None, route=None, content_type=SDP, timeout=60.0,
        follow_redirects=0, session_expires=None, asserted_identity=None, privacy=(), call_id=None
    ):
        # type: (str, Optional[Body], HeaderFields, Optional[str], Optional[str], str, Optional[float], int, Optional[int], Union[None, str, Iterable[str]], Union[str, Iterable[str]], Optional[str]) -> Call
        """Place a call and wait, at most ``timeout`` seconds, until it is answered. Returns the Call.

        Arguments as for :meth:`invite`. Raises TimeoutError, after a CANCEL, when there was no answer in time;
        AuthenticationError, ResponseError when it was refused or redirected; PeerUnreachable when it reached nobody;
        CallStateError, InputError. Each has the Call as ``call``, unless it came before there was one.
        """
        check_timeout(timeout)
        call = self.invite(
            to, sdp, headers, from_, route, content_type, follow_redirects, session_expires,
            asserted_identity, privacy, call_id
        )
        try:
            call.wait_answered(timeout)
        except BaseException:  # an interrupt from the keyboard cancels it as well
            quietly(call.hangup)
            raise
        return call
