"""What a call, a registration or a subscription may ask of its endpoint."""

from __future__ import absolute_import, division, print_function

from sipbridge._agent.table import settle
from sipbridge._call.placing import place
from sipbridge._engine.records import Parties
from sipbridge._engine.response import check_response
from sipbridge._text.arguments import check_timeout
from sipbridge.errors import CallStateError, EngineError, TimeoutError, naming
from sipbridge.uri import check_address, check_uri


class _Pending(object):
    """A request of ours that waits for its final response; ``given_up``: whoever sent it does no longer."""

    __slots__ = ("response", "error", "call", "on_response", "given_up")

    def __init__(self, call, on_response):
        self.response = self.error = None
        self.call = call
        self.on_response = on_response
        self.given_up = False


class Agent(object):
    """All that an endpoint has under way, and the ways to send, to wait and to be called later.

    Args:
        engine: what sends; open.
        identity: the URI or name-addr for From, or None.
        session_expires: seconds that calls ask for (RFC 4028), or None.

    Attributes:
        dispatcher: what takes events from the engine; set before the first one is taken.
        calls, registrations, subscriptions, notifiers: by the engine's numbers; ``publications``: a set.
        pending: the requests that wait for their final response, by transaction.
        closing: True once the endpoint is being closed.
    """

    def __init__(self, engine, identity=None, session_expires=None):
        self.engine = engine
        self.identity = identity
        self.session_expires = session_expires
        self.dispatcher = None
        self.calls = {}
        self.registrations = {}
        self.subscriptions = {}
        self.notifiers = {}
        self.publications = set()
        self.pending = {}
        self.closing = False

    @property
    def lock(self):
        """Of all that is followed. Raises EngineError in a forked process, where it may be held for ever."""
        self.dispatcher.owner.check()
        return self.dispatcher.lock

    @property
    def congested(self):
        """True while so many events wait to be looked at that nothing new should be taken."""
        return self.dispatcher.congested

    @property
    def keeps_nothing(self):
        """True when there is nothing that has to be ended before the endpoint can be closed, but for calls."""
        return not (self.registrations or self.subscriptions or self.notifiers or self.publications)

    def wait(self, predicate, timeout):
        """Wait at most ``timeout`` seconds (None: no limit) until predicate() is true; returns whether it is."""
        return self.dispatcher.wait(predicate, timeout)

    def later(self, seconds, function):
        """Call a function on the event thread in so many seconds; a timer, which can be cancelled."""
        return self.dispatcher.call_later(seconds, function)

    def post(self, event):
        """Deliver an event that did not come from the engine. On the event thread."""
        self.dispatcher.post(event)

    def parties(self, to, from_, route):
        """Between whom a request goes, checked; ``from_`` None: the identity."""
        own = from_ if from_ is not None else self.identity
        return Parties(
            check_address(to, "to"),
            None if own is None else check_address(own, "from_"),
            None if route is None else check_uri(route, "route"),
        )

    # -- requests, under the lock --------------------------------------------------------------------------

    def expect(self, transaction, on_response, call=None):
        """Have ``on_response`` called with the final response, and deliver the event that it returns."""
        self.pending[transaction] = pending = _Pending(call, on_response)
        return pending

    def ask(self, method, parties, on_response):
        """Send a request outside of calls; ``on_response`` is called with the final response."""
        self.expect(self.engine.request(method, parties, None), on_response)

    def send_within(self, call, number, method, content, on_response):
        """Send a request within a call; ``on_response`` is called with the final response."""
        if method == "INVITE":
            transaction = self.engine.reinvite(number, content)
        else:
            transaction = self.engine.call_request(number, method, content)
        self.expect(transaction, on_response, call)

    def answer_by_default(self, requests):
        """Give requests that wait, as events, the answer that they get when no handler gives one."""
        for event in requests:
            settle(event, self.dispatcher.takes(event), False)

    def place(self, to, *arguments, **options):
        """Place a call, as :meth:`~sipbridge.Endpoint.invite`. Without the lock."""
        return place(self, to, *arguments, **options)

    # -- requests, without it ------------------------------------------------------------------------------

    def transact(self, send, timeout, what, call=None, on_response=None, on_late=None):
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

        with naming(call):
            with self.lock:
                pending = self.expect(send(), arrived, call)
            return self._await_response(pending, timeout, what)

    def _await_response(self, pending, timeout, what):
        call = pending.call

        def is_over():
            return pending.response or pending.error or (call is not None and call.ended is not None)

        try:
            self.wait(is_over, timeout)
        finally:  # also when it is interrupted
            with self.lock:
                pending.given_up = not is_over()
        if pending.given_up:
            if self.dispatcher.closed:
                raise EngineError("%s: the endpoint was closed" % what)
            raise TimeoutError("%s: no final response in %s s" % (what, round(timeout, 3)))
        if pending.error is not None:
            raise pending.error
        if pending.response is None:
            raise CallStateError("%s: the call ended before the response (%s)" % (what, call.ended.cause))
        return check_response(pending.response, what)
