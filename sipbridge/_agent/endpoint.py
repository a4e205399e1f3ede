"""The endpoint: one SIP user agent on one local address."""

from __future__ import absolute_import, division, print_function

import atexit
import weakref

from sipbridge import events
from sipbridge._agent.account import Accounts
from sipbridge._agent.configuration import check_keepalive
from sipbridge._agent.dispatch import Dispatcher
from sipbridge._agent.packages import EventPackages
from sipbridge._agent.trace_peers import Peers
from sipbridge._agent.watch import Watch
from sipbridge._call import offers, replacing, transfer
from sipbridge._call.call import SDP, Call
from sipbridge._call.incoming import IncomingRequest
from sipbridge._call.placing import Attempt, check_redirects
from sipbridge._call.session_timer import SessionTimer, check_interval, refreshed, updated
from sipbridge._compat import monotonic
from sipbridge._engine.choice import make
from sipbridge._engine.content import check_message_size, make_content
from sipbridge._engine.local_address import reachable
from sipbridge._engine.records import Parties
from sipbridge._engine.response import Response, check_response, response_of
from sipbridge._kept.registration import Registration
from sipbridge._text.arguments import (
    check_callable,
    check_delay,
    check_file,
    check_kind,
    check_pairs,
    check_path,
    check_timeout,
)
from sipbridge._text.checks import check_line, check_password, check_quoted, check_seconds, check_token
from sipbridge.errors import (
    CallStateError,
    EngineError,
    EngineLost,
    InputError,
    SipbridgeError,
    TimeoutError,
    naming,
)
from sipbridge.headers import Headers, check_headers
from sipbridge.identity import identity_headers
from sipbridge.tls import Tls
from sipbridge.uri import (
    address_uri,
    check_address,
    check_host_port,
    check_uri,
    parse_transport_address,
    parse_uri,
    warn_of_wildcard,
)

#: The method of the request by which docker/healthcheck.py asks whether events are taken. The endpoint answers it
#: where it follows events, and nobody else sees it.
HEALTH = "SIPBRIDGE-HEALTH"

#: The events of requests within a call, by method; of all others RequestReceived.
_WITHIN_CALLS = {"INFO": events.InfoReceived, "MESSAGE": events.MessageReceived}

_open_endpoints = weakref.WeakSet()


@atexit.register
def _close_all():
    for endpoint in list(_open_endpoints):
        endpoint.close()


class _Pending(object):
    """A request of ours that waits for its final response; ``given_up``: whoever sent it does no longer."""

    __slots__ = ("response", "error", "call", "on_response", "given_up")

    def __init__(self, call, on_response):
        self.response = self.error = None
        self.call = call
        self.on_response = on_response
        self.given_up = False


def _recorder(record):
    """The recorder that an endpoint is given, or that of the path it is given."""
    if record is None:
        return None
    # Not before it is used: the dpkt that it needs is a third of what `import sipbridge` would take.
    from sipbridge.record import Recorder

    return record if isinstance(record, Recorder) else Recorder(check_path(record, "record"))


class Endpoint(EventPackages):
    """A SIP user agent (RFC 3261, 6) that places and takes calls. A context manager; safe for any thread.

    Args:
        address: where to listen, ``"udp://host:port"``, ``"tcp://..."`` or ``"tls://..."``; port 0 lets the system
            choose one, no port means 5060, or 5061 for tls. An IPv6 address stands in brackets.
        identity: the URI or name-addr for From in what it sends; None for ``sip:host:port``.
        engine: ``"sofia"``, ``"exosip"``, or None for what the environment variable SIPBRIDGE_ENGINE names, or
            else the first that was built; or a :class:`~sipbridge.Worker`, which runs it in a process of its own.
        outbound_proxy: URI of a proxy to which requests go first (8.1.2), or None.
        user_agent: what User-Agent and Server say (20.41), or None.
        advertised: ``"host:port"`` that Contact names instead of ``address``, for containers and NAT, or None.
        trace: a handler for :class:`~sipbridge.TraceMessage`, one for each message sent and received; or None.
            Passwords are not in it, digest responses are.
        session_expires: seconds after which a call of which nothing was heard ends by itself (RFC 4028), 90 or
            more; refreshed by whichever side was agreed on. None: session timers are neither asked for nor used.
        record: the path of a pcap file to write the messages to, or a :class:`~sipbridge.record.Recorder`; or
            None. Credentials are masked in it.
        tls: a :class:`~sipbridge.Tls` for an address on TLS; None for one without a certificate of its own, which
            verifies those of others against the system's.
        resolv_conf: path of a file that names the DNS servers to ask (resolv.conf(5); a line ``port N`` for another
            port than 53), or None for the system's.
        on_error: a function that is called with a :class:`~sipbridge.Fault` for each exception that a handler raises,
            and for what goes wrong in sipbridge itself, on the event thread, after it was logged; or None.
        keepalive: seconds after which a connection on which nothing passed is sent a ping, two line ends (RFC 5626,
            4.4.1), 1 to 86400; None for never. TCP and TLS alone; over UDP :meth:`watch` keeps a way open.

    Raises TransportError when the address cannot be used, EngineError when no engine can be loaded or
    libeXosip2's one stack is taken, NotSupportedError, and InputError.

    OPTIONS (11) are answered by the engine. Calls and messages for which there is neither a handler nor an
    iterator are answered 480.
    """

    _Dispatcher = Dispatcher  # sipbridge.aio has one of its own

    def __init__(
        self,
        address="udp://127.0.0.1:0",
        identity=None,
        engine=None,
        outbound_proxy=None,
        user_agent=None,
        advertised=None,
        trace=None,
        record=None,
        tls=None,
        session_expires=None,
        resolv_conf=None,
        keepalive=None,
        on_error=None,
    ):
        local = parse_transport_address(address)
        if tls is not None:
            check_kind(tls, Tls, "tls")
        if trace is not None:
            check_callable(trace, "trace")
        if on_error is not None:
            check_callable(on_error, "on_error")
        if tls is not None and local.transport != "tls":
            raise InputError("certificates are for an address that begins with tls://, not %r" % (address,))
        if tls is None and local.transport == "tls":
            tls = Tls()
        self.identity = None if identity is None else check_address(identity, "identity")
        self._session_expires = check_interval(session_expires)
        self._calls = {}
        self._registrations = {}
        self._pending = {}
        self._open_packages()
        self._accounts = Accounts()
        self._peers = Peers()
        self._recorder = _recorder(record)
        self._advertised = None if advertised is None else check_host_port(advertised, "advertised")
        if self._advertised is not None:
            warn_of_wildcard(self._advertised[0], "advertised")
        self._engine = make(engine)
        self._engine.open(
            local.transport,
            local.host.strip("[]"),
            local.port,
            self._advertised,
            None if user_agent is None else check_line(user_agent, "user agent"),
            None if outbound_proxy is None else check_uri(outbound_proxy, "outbound_proxy"),
            trace is not None or record is not None,
            tls,
            None if resolv_conf is None else check_file(resolv_conf, "resolv_conf"),
            check_keepalive(keepalive, local.transport),
        )
        try:
            self._begin(local, trace, on_error)
        except BaseException:  # nobody has it yet who could close it
            _open_endpoints.discard(self)
            self._quietly(self._engine.close, 0.0)
            raise

    def _begin(self, local, trace, on_error):
        self._local = local._replace(port=self._engine.port)
        self._closed = False
        self._dispatcher = self._Dispatcher(self._engine, self._follow, self._settle, self.close, on_error)
        self._wait = self._dispatcher.wait
        if self._recorder is not None:
            self._recorder.begin(*self._local)
            self.on(events.TraceMessage, self._recorder)
        if trace is not None:
            self.on(events.TraceMessage, trace)
        _open_endpoints.add(self)
        self._dispatcher.start()

    @property
    def _lock(self):
        """Of all that is followed. Raises EngineError in a forked process, where it may be held for ever."""
        self._dispatcher.owner.check()
        return self._dispatcher.lock

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def __repr__(self):
        return "<Endpoint %s (%s %s)>" % (self.address, self.engine_name, self.engine_version)

    @property
    def address(self):
        """The local address, as ``"udp://127.0.0.1:5060"``, with the port that is really in use."""
        return "%s://%s:%d" % self._local

    @property
    def port(self):
        """The local port in use."""
        return self._local.port

    @property
    def uri(self):
        """The URI that a peer reaches this endpoint at: of what ``advertised=`` names, or else of its address.

        Where that is every address of this machine (``0.0.0.0``, ``[::]``), of the one on the default route, or of
        loopback where there is no such route.
        """
        transport = "" if self._local.transport == "udp" else ";transport=" + self._local.transport
        host, port = self._advertised or (reachable(self._local.host), 0)
        return "sip:%s:%d%s" % (host, port or self._local.port, transport)

    @property
    def engine_name(self):
        """ "sofia" or "exosip"."""
        return self._engine.name

    @property
    def engine_version(self):
        """The version that the engine's library tells."""
        return self._engine.version

    @property
    def calls(self):
        """The calls that have not ended."""
        with self._lock:
            return tuple(self._calls.values())

    def close(self, timeout=1.0):
        """Hang up every call, unregister, wait for the peers at most ``timeout`` seconds, close the socket.

        May be called again and from any thread. Each call still gets its CallEnded. In a process that was forked from
        the one which made it, this does nothing. Raises InputError.
        """
        deadline = monotonic() + check_delay(timeout)
        if self._dispatcher.owner.is_elsewhere:
            return
        with self._lock:
            first, self._closed = not self._closed, True
        if not first:
            self._dispatcher.see_out(timeout)
            return
        try:
            self._leave(timeout)
        finally:  # also after an interrupt
            self._dispatcher.close(max(0.0, deadline - monotonic()), timeout)
            self._abandon()
            if self._recorder is not None:
                self._recorder.close()
            _open_endpoints.discard(self)

    def _leave(self, timeout):
        """End what there is, and wait for the peers."""
        for call in self.calls:
            self._quietly(call.hangup)
        for registration in list(self._registrations.values()):
            self._quietly(self._engine.unregister, registration._id)
        self._leave_packages()
        self._dispatcher.linger(self._is_over, timeout)

    def wait_closed(self, timeout=None):
        """Wait, at most ``timeout`` seconds (None: no limit), until the endpoint is closed; returns whether it is.

        For the main thread of a service. Raises EngineError when it was closed because it has failed, as by a handler
        that called ``sys.exit()``: ``__cause__`` is what was raised. Raises InputError.
        """
        check_timeout(timeout)
        self._dispatcher.owner.check()
        if not self._dispatcher.linger(lambda: self._dispatcher.closed, timeout):
            return False
        self._dispatcher.check()
        return True

    def _is_over(self):
        return not self._calls and not self._registrations and self._packages_are_over()

    @staticmethod
    def _quietly(action, *args):
        try:
            action(*args)
        except SipbridgeError:  # it is over already
            pass

    def _abandon(self):
        """End what the engine did not live to end."""
        for call in self.calls:
            with self._lock:
                self._end_call(call, events.CallEnded(call, "failed", 503, "Endpoint closed", Headers()))

    # -- events --------------------------------------------------------------------------------------------

    def on(self, kind, handler):
        """Call ``handler(event)`` for each event of that type (or a subtype), on the event thread.

        Handlers run one after the other and may make blocking calls. What they raise is logged to the logger
        ``sipbridge`` and told to ``on_error``; what they were called for is answered 500, unless it was answered
        before. SystemExit and the like, which are no Exceptions, close the endpoint: see :meth:`wait_closed`.
        Raises InputError when ``kind`` is no event type, or ``handler`` cannot be called.
        """
        if not isinstance(kind, type) or kind.__module__ != events.__name__:
            raise InputError("not an event type: %r" % (kind,))
        self._dispatcher.on(kind, check_callable(handler, "handler"))

    def off(self, kind, handler):
        """Take a handler back."""
        self._dispatcher.off(kind, handler)

    def events(self, timeout=None):
        """An iterator over the events from now on; ends at close(), or when none came for ``timeout`` seconds.

        It is a context manager too: leaving it means not to want any more.
        """
        return self._dispatcher.stream(check_timeout(timeout))

    # -- requests ------------------------------------------------------------------------------------------

    def add_credentials(self, user, password, realm=None):
        """Answer digest challenges (RFC 3261, 22) for ``realm``, or, with None, for any realm, with these.

        Of several for one realm those are taken whose user is the one in From, or else the latest; a second call for
        the same realm and user replaces the first. Raises InputError.
        """
        realm = None if realm is None else check_quoted(realm, "realm")
        self._engine.add_credentials(realm, check_quoted(user, "user"), check_password(password))

    def clear_credentials(self):
        """Forget all of them."""
        self._engine.clear_credentials()

    def register(self, registrar, aor=None, contact=None, expires=3600, timeout=32.0, keep=False):
        """Register at a registrar (RFC 3261, 10) and keep it up. Returns the Registration once it is active.

        Args:
            registrar: its URI, as ``sip:example.com``.
            aor: the address-of-record; None for the identity.
            contact: the URI to be reached at; None for this endpoint. One of ``0.0.0.0`` is an
                UnreachableContactWarning.
            expires: seconds to ask for; refreshed before they have passed.
            timeout: seconds to wait for the registrar.
            keep: after a failure that may pass (no answer, 408, 480, 5xx) try again, the first time and later, after
                a time that grows (RFC 5626, 4.5). Then such a failure is not raised: the state is "waiting".

        Raises AuthenticationError, ResponseError, TimeoutError, PeerUnreachable and InputError.
        """
        return self._register(registrar, self._own(aor), contact, expires, timeout, keep, None)

    def _register(self, registrar, own, contact, expires, timeout, keep, route):
        """As :meth:`register`; ``own`` and ``route`` are checked."""
        check_timeout(timeout)
        registrar = check_uri(registrar, "registrar")
        if contact is not None:
            contact = check_uri(contact, "contact")
            warn_of_wildcard(parse_uri(contact).host, "contact", 4)
        expires = check_seconds(expires, "expires")
        parties = Parties(own, own, route)
        registration = Registration(self, address_uri(own), registrar, expires, parties, contact, keep)
        with self._lock:
            registration._begin()
        try:
            registration._await(0, timeout)
        except BaseException:  # nobody would have it to end it later
            registration._keep = False
            self._quietly(self._engine.unregister, registration._id)
            raise
        return registration

    def bindings(self, registrar, aor=None, timeout=32.0):
        """Ask a registrar where an address-of-record is to be reached (RFC 3261, 10.2.3).

        Returns the values of the Contact headers, a list of text. ``aor`` is None for the identity. Raises as
        :meth:`request`.
        """
        return self._bindings(registrar, aor, False, timeout).headers.get_all("Contact")

    def unregister_all(self, registrar, aor=None, timeout=32.0):
        """Remove every binding of an address-of-record, also those of others (RFC 3261, 10.2.2); as :meth:`request`."""
        self._bindings(registrar, aor, True, timeout)

    def _own(self, aor):
        """The address-of-record that is meant, or InputError."""
        if aor is None and self.identity is None:
            raise InputError("an address-of-record is needed: aor=, or the endpoint's identity=")
        return self.identity if aor is None else check_address(aor, "aor")

    def _bindings(self, registrar, aor, clear, timeout):
        own = self._own(aor)
        parties = Parties(own, own, None)
        registrar = check_uri(registrar, "registrar")
        return self._transact(lambda: self._engine.bindings(registrar, parties, clear), timeout, "REGISTER")

    # -- accounts ------------------------------------------------------------------------------------------

    @property
    def accounts(self):
        """The accounts that were added, a tuple."""
        return tuple(self._accounts)

    def add_account(self, address, user=None, password=None, realm=None, registrar=None, route=None):
        """Have one more identity. Returns the :class:`~sipbridge._agent.account.Account`.

        Args:
            address: its URI or name-addr.
            user, password, realm: its credentials, as for :meth:`add_credentials`; ``user`` None for the user in
                ``address``, ``password`` None for no credentials.
            registrar: URI of its registrar, or None.
            route: URI of a proxy that its requests go to first, or None for the endpoint's.

        Raises InputError.
        """
        return self._accounts.add(self, address, user, password, realm, registrar, route)

    def account_of(self, event):
        """The account that an IncomingCall, a call or a RequestReceived is for, by its Request-URI and its To.

        None when that names none of them.
        """
        kinds = (events.IncomingCall, Call, events.RequestReceived)
        call = getattr(check_kind(event, kinds, "event"), "call", None) or event
        headers = call.headers if isinstance(call, Call) else event.headers
        uris = [call.request_uri] if isinstance(call, Call) else [event.request.uri]
        return self._accounts.named_by(*uris + [address_uri(headers.get("To", ""))])

    # -- calls and requests --------------------------------------------------------------------------------

    def invite(
        self,
        to,
        sdp=None,
        headers=(),
        from_=None,
        route=None,
        content_type=SDP,
        follow_redirects=0,
        session_expires=None,
        asserted_identity=None,
        privacy=(),
    ):
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

        Raises InputError and EngineError.
        """
        parties = self._parties(to, from_, route)
        headers = check_headers(headers) + identity_headers(asserted_identity, None, privacy)
        content = make_content(headers, sdp, content_type)
        sdp = None if content is None else content.body
        call = Call(self, False, address_uri(parties.to), Headers(), sdp, None, parties.to)
        interval = check_interval(session_expires) or self._session_expires
        if interval is not None:
            call._session_timer = SessionTimer(call, interval)
        call._attempt = attempt = Attempt(
            call, parties, headers, sdp, content_type, check_redirects(follow_redirects)
        )
        with self._lock:
            call._id = attempt.send()
            self._calls[call._id] = call
        return call

    def call(
        self,
        to,
        sdp=None,
        headers=(),
        from_=None,
        route=None,
        content_type=SDP,
        timeout=60.0,
        follow_redirects=0,
        session_expires=None,
        asserted_identity=None,
        privacy=(),
    ):
        """Place a call and wait, at most ``timeout`` seconds, until it is answered. Returns the Call.

        Arguments as for :meth:`invite`. Raises TimeoutError, after a CANCEL, when there was no answer in time;
        AuthenticationError, ResponseError when it was refused or redirected; PeerUnreachable when it reached nobody;
        CallStateError, InputError. Each has the Call as ``call``, unless it came before there was one.
        """
        check_timeout(timeout)
        call = self.invite(
            to,
            sdp,
            headers,
            from_,
            route,
            content_type,
            follow_redirects,
            session_expires,
            asserted_identity,
            privacy,
        )
        try:
            call.wait_answered(timeout)
        except BaseException:  # an interrupt from the keyboard cancels it as well
            self._quietly(call.hangup)
            raise
        return call

    def request(
        self, method, to, body=None, content_type=None, headers=(), from_=None, route=None, timeout=32.0
    ):
        """Send a request outside of any call and return the 2xx Response.

        For methods that start no dialog. Raises ResponseError for any other final response, AuthenticationError,
        TimeoutError when there is none in ``timeout`` seconds, PeerUnreachable when it reached nobody, and InputError.
        """
        parties = self._parties(to, from_, route)
        content = make_content(headers, body, content_type)
        method = check_token(method, "method")
        return self._transact(lambda: self._engine.request(method, parties, content), timeout, method)

    def message(
        self,
        to,
        body,
        content_type="text/plain",
        headers=(),
        from_=None,
        route=None,
        timeout=32.0,
        large=False,
    ):
        """Send a MESSAGE (RFC 3428). ``body`` is bytes, or text, which goes as UTF-8. As :meth:`request`.

        Over UDP one of more than some 1300 octets, headers included, is an InputError, since it could clog the
        way there (RFC 3428, 8), unless ``large`` says that you know the way.
        """
        if not isinstance(body, (bytes, bytearray, memoryview)):
            body = check_text_body(body)
        headers = check_pairs(headers)
        if self._local.transport == "udp" and not large:
            check_message_size(self._parties(to, from_, route), make_content(headers, body, content_type))
        return self.request("MESSAGE", to, body, content_type, headers, from_, route, timeout)

    def options(self, to, headers=(), from_=None, route=None, timeout=32.0):
        """Ask a peer for its capabilities (RFC 3261, 11), or whether it is there. As :meth:`request`."""
        return self.request("OPTIONS", to, None, None, headers, from_, route, timeout)

    def watch(self, uri, interval=30.0):
        """Ask a peer every ``interval`` seconds whether it is there (OPTIONS). Returns the Watch.

        :class:`~sipbridge.PeerAvailable` and :class:`~sipbridge.PeerUnavailable` tell each change. Raises
        InputError and EngineError.
        """
        return Watch(self, self._parties(check_address(uri, "uri"), None, None), interval)

    def _parties(self, to, from_, route):
        own = from_ if from_ is not None else self.identity
        return Parties(
            check_address(to, "to"),
            None if own is None else check_address(own, "from_"),
            None if route is None else check_uri(route, "route"),
        )

    def _transact(self, send, timeout, what, call=None, on_response=None, on_late=None):
        """Send, and wait for the final response.

        ``on_response`` is called with it even when that is late, and ``on_late`` after that when nobody waits any more.
        Both under the lock.
        """
        check_timeout(timeout)

        def arrived(response):
            event = None if on_response is None else on_response(response)
            if on_late is not None and pending.given_up:
                on_late(response)
            return event

        pending = _Pending(call, arrived)
        with naming(call):
            with self._lock:
                transaction = send()
                self._pending[transaction] = pending
            return self._await_response(pending, timeout, what)

    def _await_response(self, pending, timeout, what):
        call = pending.call

        def is_over():
            return pending.response or pending.error or (call is not None and call.ended is not None)

        try:
            self._wait(is_over, timeout)
        finally:  # also when it is interrupted
            with self._lock:
                pending.given_up = not is_over()
        if pending.given_up:
            if self._dispatcher.closed:
                raise EngineError("%s: the endpoint was closed" % what)
            raise TimeoutError("%s: no final response in %s s" % (what, round(timeout, 3)))
        if pending.error is not None:
            raise pending.error
        if pending.response is None:
            raise CallStateError("%s: the call ended before the response (%s)" % (what, call.ended.cause))
        return check_response(pending.response, what)

    def _expect(self, transaction, on_response):
        """Have ``on_response`` called with the final response, and what it returns delivered. Under the lock."""
        self._pending[transaction] = _Pending(None, on_response)

    def _ask(self, method, parties, on_response):
        """Send a request outside of calls; ``on_response`` is called with the final response. Under the lock."""
        transaction = self._engine.request(method, parties, None)
        self._pending[transaction] = _Pending(None, on_response)

    # -- following the engine, on the event thread and under the lock ------------------------------------------

    def _follow(self, raw):
        """Move on what the event is about. Returns the event for the user, or None."""
        if raw.type in self._REFUSABLE and self._dispatcher.congested:
            return self._refuse(raw)
        follow = self._FOLLOW.get(raw.type)
        try:
            event = None if follow is None else follow(self, raw)
        except Exception:  # ours; the peer must not wait for it
            if raw.type in self._REFUSABLE:
                self._refuse(raw, 500)
            raise
        for watcher in getattr(getattr(event, "call", None), "_watchers", ()):
            watcher(event)
        return event

    def _refuse(self, raw, status=503):
        """Answer 503 to what is new while nobody reads events; a call that is refused so is never seen."""
        if raw.type == "call-incoming":
            self._quietly(self._engine.reject, raw.call, status, None, None)
        elif raw.type != "trace":
            self._quietly(self._engine.answer, raw.transaction, status, None, None)

    def _call_incoming(self, raw):
        headers = Headers(raw.headers)
        call = Call(self, True, raw.request_uri, headers, None, raw.body or None)
        call._id = raw.call
        call.replaces, refusal = replacing.find(self._calls.values(), headers)
        if refusal:
            return self._quietly(self._engine.reject, raw.call, refusal, None, None)
        if self._session_expires is not None:
            call._session_timer = timer = SessionTimer(call, self._session_expires)
            call._timer_fields = timer.accept(headers)
            if call._timer_fields is None:
                return self._quietly(
                    self._engine.reject, raw.call, 422, None, make_content(timer.refusal(), None, None)
                )
        self._calls[raw.call] = call
        return events.IncomingCall(call, headers, call.remote_sdp)

    def _call_progress(self, raw):
        call = self._calls[raw.call]
        call.headers = Headers(raw.headers)
        call._received(raw.body)
        if self._dispatcher.congested:  # somebody sends them without an end
            return None
        return events.CallProgress(call, raw.status, raw.reason, call.headers, raw.body or None)

    def _call_answered(self, raw):
        call = self._calls[raw.call]
        call.headers = Headers(raw.headers)
        call.state = "answered"
        call._received(raw.body)
        call._acknowledge(call.local_sdp is not None)
        if call._session_timer is not None:
            call._session_timer.agreed(call.headers)
        return events.CallAnswered(call, raw.status, raw.reason, call.headers, raw.body or None)

    def _call_confirmed(self, raw):
        call = self._calls[raw.call]
        headers = Headers(raw.headers)
        if call.state == "accepted":
            call._establish()
            call._ack = headers
        call._received(raw.body)
        if call._session_timer is not None:
            call._session_timer.restart()
        return events.CallConfirmed(call, headers, raw.body or None)

    def _call_reinvite(self, raw):
        call = self._calls[raw.call]
        headers = Headers(raw.headers)
        call._their_offer = request = IncomingRequest(self._engine, raw.transaction, call, raw.body or None)
        if refreshed(call, headers, request):
            return events.CallReinvited(call, headers, raw.body or None, request)

    def _call_request(self, raw):
        call = self._calls[raw.call]
        headers = Headers(raw.headers)
        request = IncomingRequest(self._engine, raw.transaction, call)
        within = self._WITHIN.get(raw.method)
        event = None if within is None else within(call, headers, raw.body, request)
        if event is not None or request.answered:
            return event
        kind = _WITHIN_CALLS.get(raw.method, events.RequestReceived)
        return kind(call, raw.method, headers, raw.body, request)

    _WITHIN = {"REFER": transfer.requested, "NOTIFY": transfer.notified, "UPDATE": updated}

    def _send_within(self, call, method, content, on_response):
        """Send a request within a call; ``on_response`` is called with the final response. Under the lock."""
        if method == "INVITE":
            transaction = self._engine.reinvite(call._id, content)
        else:
            transaction = self._engine.call_request(call._id, method, content)
        self._pending[transaction] = _Pending(call, on_response)

    def _call_ended(self, raw):
        call = self._calls.pop(raw.call, None)
        if call is None:  # it was refused unseen
            return None
        if call._attempt is not None and call._attempt.again(raw):
            return None
        event = events.CallEnded(call, raw.cause, raw.status, raw.reason, Headers(raw.headers))
        self._end_call(call, event)
        return event

    def _end_call(self, call, event):
        self._calls.pop(call._id, None)
        call.state = "ended"
        call.ended = event
        if call._session_timer is not None:
            call._session_timer.stop()
        lost = [transaction for transaction, pending in self._pending.items() if pending.call is call]
        for transaction in lost:
            del self._pending[transaction]

    def _request(self, raw):
        if raw.method == HEALTH:
            return self._quietly(self._engine.answer, raw.transaction, 200, None, None)
        kind = events.MessageReceived if raw.method == "MESSAGE" else events.RequestReceived
        request = IncomingRequest(self._engine, raw.transaction, uri=raw.request_uri)
        return kind(None, raw.method, Headers(raw.headers), raw.body, request)

    def _response(self, raw):
        pending = self._pending.pop(raw.transaction, None)
        if pending is not None:
            pending.response = response_of(raw)
            if pending.on_response is not None:
                return pending.on_response(pending.response)
        return None

    def _registration(self, raw):
        registration = self._registrations[raw.registration]
        if raw.state != "active":
            del self._registrations[raw.registration]
        registration._changed(raw.state, raw.expires, response_of(raw))
        return events.RegistrationChanged(
            registration, registration.state, raw.status, raw.reason, registration.expires
        )

    def _engine_lost(self, raw):
        """What was under way has failed. The calls' ends follow, each as an event of its own."""
        error = EngineLost(raw.reason)
        for transaction in [each for each in self._pending if each <= raw.transaction]:
            pending = self._pending.pop(transaction)
            pending.error = EngineLost(raw.reason)  # each its own: it may come to carry a call
            if pending.on_response is not None:
                pending.on_response(Response(503, raw.reason, Headers(), b""))
        for registration in self._registrations.values():
            registration._lost(error)
        self._lose_packages(error)

    def _engine_restarted(self, raw):
        return events.EngineRestarted(raw.reason, raw.time)

    def _engine_failed(self, raw):
        return events.EngineFailed(raw.reason)

    def _trace_message(self, raw):
        return self._peers.completed(events.TraceMessage(bool(raw.outgoing), raw.peer, raw.body, raw.time))

    _REFUSABLE = frozenset(["call-incoming", "call-reinvite", "call-request", "request", "trace"])

    _FOLLOW = {
        "call-incoming": _call_incoming,
        "call-progress": _call_progress,
        "call-answered": _call_answered,
        "call-confirmed": _call_confirmed,
        "call-reinvite": _call_reinvite,
        "call-request": _call_request,
        "call-response": _response,
        "call-ended": _call_ended,
        "request": _request,
        "response": _response,
        "registration": _registration,
        "subscription": EventPackages._subscription,
        "notify": EventPackages._notify,
        "subscribe": EventPackages._subscribe,
        "unsubscribed": EventPackages._unsubscribed,
        "engine-lost": _engine_lost,
        "engine-restarted": _engine_restarted,
        "engine-failed": _engine_failed,
        "trace": _trace_message,
    }

    # -- what happens to an event that the user did not answer ---------------------------------------------------

    def _settle(self, event, seen, failed):
        """Answer what has to be answered and was not, once handlers and iterators are through with it.

        ``failed``: a handler raised something, so 500 it is (RFC 3261, 21.5.1).
        """
        if isinstance(event, events.IncomingCall):
            if (failed or not seen) and event.call.state == "incoming":
                self._quietly(event.call.reject, 500 if failed else 480)
        elif isinstance(event, events.SubscriptionRequested):
            if event.notifier.state == "asked":
                self._quietly(event.notifier.reject, 500 if failed else 489)
        elif isinstance(event, (events.CallReinvited, events.RequestReceived)):
            if failed:
                event.request.answer_by_default(500)
            elif isinstance(event, events.CallReinvited):
                event.request.answer_by_default(200, offers.answer_again(event.call, event.sdp))
            else:
                event.request.answer_by_default(self._default(event, seen))

    @staticmethod
    def _default(event, seen):
        """The status that answers a request which no handler has answered."""
        if isinstance(event, events.MessageReceived):
            return 200 if seen else 480
        if isinstance(event, events.InfoReceived):
            return 200
        if isinstance(event, events.TransferRequested):
            return 603
        return 481 if event.method == "NOTIFY" else 501


def check_text_body(text):
    """Text as UTF-8 octets, or InputError."""
    try:
        return text.encode("utf-8")
    except (AttributeError, UnicodeError):
        raise InputError("the body of a message is bytes or text, not %r" % (text,))
