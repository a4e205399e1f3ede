"""A binding at a registrar (RFC 3261, 10)."""

from __future__ import absolute_import, division, print_function

from sipbridge._engine.records import Parties
from sipbridge._engine.response import error_of
from sipbridge._kept.backoff import MAX_BACKOFF, backoff
from sipbridge._text.arguments import check_timeout
from sipbridge._text.checks import check_seconds
from sipbridge._text.parameters import number, parse_parameters
from sipbridge.errors import CallStateError, SipbridgeError, TimeoutError, quietly
from sipbridge.events import RegistrationChanged
from sipbridge.uri import address_uri, check_uri, parse_uri, warn_of_wildcard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Literal, Optional

    from sipbridge._engine.agent import Alarm
    from sipbridge._engine.response import Response
    from sipbridge._kept.agent import Agent

    #: The values of ``Registration.state``.
    State = Literal["pending", "active", "waiting", "ended", "failed"]


def may_pass(status):
    # type: (int) -> bool
    """True for a failure that may pass by itself: no answer, or an error of the registrar."""
    return status in (408, 480) or 500 <= status <= 599


class Registration(object):
    """A binding of an address-of-record to an endpoint. It is refreshed before it expires, until :meth:`unregister`.

    A :class:`~sipbridge.RegistrationChanged` tells each change of ``state`` after the first "pending".

    Attributes:
        aor: the address-of-record, text.
        registrar: the registrar's URI, text.
        state: "pending" until the registrar answers, then "active", "failed" or "ended" (also when it granted 0
            seconds, which means no binding). With ``keep``, a failure that may pass makes it "waiting", and the next
            try "pending" again.
        expires: the seconds that the registrar granted last.
        retry_in: the seconds that "waiting" lasts: more after each failure, and not less than the registrar's
            Retry-After.
    """

    def __init__(self, agent, aor, registrar, expires, parties, contact=None, keep=False):
        # type: (Agent, str, str, int, Parties, Optional[str], bool) -> None
        self._agent = agent
        self._engine = agent.engine
        self._id = 0  # the engine's number of the registration, 0 before there is one
        self._wanted = expires
        self._answers = 0  # how many times the registrar has answered
        self._response = None  # type: Optional[Response]
        self._error = None  # type: Optional[SipbridgeError]  # the engine's error, in place of an answer
        self._parties = parties
        self._contact = contact
        self._keep = keep
        self._failures = 0  # in a row
        self._alarm = None  # type: Optional[Alarm]
        self.aor = aor
        self.registrar = registrar
        self.state = "pending"  # type: State
        self.expires = 0  # type: int
        self.retry_in = 0.0  # type: float

    def __repr__(self):
        # type: () -> str
        return "<Registration of %s at %s %s>" % (self.aor, self.registrar, self.state)

    @property
    def error(self):
        # type: () -> Optional[SipbridgeError]
        """The error because of which it is "failed" or "waiting"; else None."""
        if self.state not in ("failed", "waiting"):
            return None
        if self._error is not None or self._response is None:
            return self._error
        return error_of(self._response, "registration of %s" % self.aor)

    def refresh(self, expires=None, timeout=32.0):
        # type: (Optional[int], Optional[float]) -> None
        """Register again now, for ``expires`` seconds (None: as before), also when it is "waiting".

        It waits at most ``timeout`` seconds (None: no limit) for the registrar. Raises TimeoutError, ResponseError,
        AuthenticationError, CallStateError when the registration is over, and InputError.
        """
        check_timeout(timeout)
        wanted = self._wanted if expires is None else check_seconds(expires, "expires")
        self._wanted = wanted
        self._await_answer(lambda: self._refresh(wanted), timeout)

    def unregister(self, timeout=32.0):
        # type: (Optional[float]) -> None
        """Remove the binding (RFC 3261, 10.2.2). If the registration is over, this does nothing.

        It waits at most ``timeout`` seconds (None: no limit) for the registrar. Raises TimeoutError, ResponseError,
        AuthenticationError and InputError.
        """
        check_timeout(timeout)
        self._keep = False
        self._expect(False)
        if self.state in ("ended", "failed") or self._given_up():
            return
        try:
            self._await_answer(lambda: self._engine.unregister(self._id), timeout)
        except CallStateError:  # it ended meanwhile
            pass

    # -- for the endpoint ----------------------------------------------------------------------------------

    def _begin(self):
        # type: () -> None
        """Send the REGISTER. Call this under the lock."""
        self._parties = self._agent.rerouted(self._parties)
        self._id = self._engine.register(self.registrar, self._parties, self._contact, self._wanted)
        self._agent.registrations[self._id] = self
        before, self.state = self.state, "pending"
        self._note(RegistrationChanged(self, "pending", 0, "", 0), before if self._answers else None)

    def _expect(self, wanted):
        # type: (bool) -> None
        """Note that it is to be active from now on, or that it is not. One for the same binding takes its place."""
        expected, key = self._agent.expected, (self.aor, self.registrar, self._contact)
        with self._agent.lock:
            if wanted:
                expected[key] = self
            elif expected.get(key) is self:
                del expected[key]

    def _refresh(self, wanted):
        # type: (int) -> None
        if self.state != "waiting":
            self._engine.refresh(self._id, wanted)
            return
        self._stop_waiting()
        self._begin()

    def _given_up(self):
        # type: () -> bool
        """End a registration that is "waiting", of which the registrar has no binding. Returns False for any other."""
        with self._agent.lock:
            if self.state != "waiting":
                return False
            self._stop_waiting()
            self.state = "ended"
            self._note(RegistrationChanged(self, "ended", 0, "", 0), "waiting")
        return True

    def _note(self, changed, before):
        # type: (RegistrationChanged, Optional[State]) -> None
        """Tell observers; ``before`` is the state before, None: it is new."""
        observers = self._agent.observers
        if observers.registration_changed:
            observers.note("registration_changed", changed, before)

    def _withdraw(self):
        # type: () -> None
        """Begin to take it back; nothing is waited for."""
        self._keep = False
        self._expect(False)
        if not self._given_up():
            self._engine.unregister(self._id)

    def _stop_waiting(self):
        # type: () -> None
        if self._alarm is not None:
            self._alarm.cancel()

    def _try_again(self):
        # type: () -> None
        """Register again when "waiting" is over. This runs on the event thread."""
        with self._agent.lock:
            if self._agent.is_leaving or self.state != "waiting":
                return
            try:
                self._begin()
            except SipbridgeError:  # the worker restarts just now
                self._wait_again(0)
                return
        self._agent.post(RegistrationChanged(self, "pending", 0, "", 0))

    def _wait_again(self, at_least, elsewhere=False):
        # type: (float, bool) -> None
        """``elsewhere``: another proxy is there, and is tried at once."""
        self._failures += 0 if elsewhere else 1
        self.retry_in = 0.0 if elsewhere else max(backoff(self._failures), at_least)
        self._alarm = self._agent.later(self.retry_in, self._try_again)

    def _await_answer(self, send, timeout):
        # type: (Callable[[], object], Optional[float]) -> None
        with self._agent.lock:
            before = self._answers
            self._error = None
            send()
        self._await(before, timeout)

    def _await(self, before, timeout):
        # type: (int, Optional[float]) -> None
        """Wait for one more answer than the ``before`` that there were."""
        if not self._agent.wait(lambda: self._answers > before or self._error, timeout):
            raise TimeoutError("no answer from the registrar %s in %s s" % (self.registrar, timeout))
        if self._error is not None:
            raise self._error
        failure = self.error
        if self.state == "failed" and failure is not None:
            raise failure

    def _lost(self, error):
        # type: (SipbridgeError) -> None
        self._error = error

    def _changed(self, state, expires, response):
        # type: (State, int, Response) -> None
        self._answers += 1
        self._error = None
        self.state = state
        self.expires = expires if state == "active" else 0
        self._response = response
        elsewhere = self._agent.heard(self._parties.route, response)
        if state == "active":
            self._failures = 0
        elif self._keep and (state == "ended" or may_pass(response.status)) and not self._agent.is_leaving:
            self.state = "waiting"
            asked = number(parse_parameters(response.headers.get("Retry-After", "").partition("(")[0])[0])
            self._wait_again(min(asked or 0, 2 * MAX_BACKOFF), elsewhere)


def register(agent, own, registrar, contact, expires, timeout, keep, route):
    # type: (Agent, str, str, Optional[str], int, Optional[float], bool, Optional[str]) -> Registration
    """Register, and wait for the answer. ``own`` and ``route`` are checked already. Returns the Registration."""
    check_timeout(timeout)
    registrar = check_uri(registrar, "registrar")
    if contact is not None:
        contact = check_uri(contact, "contact")
        warn_of_wildcard(parse_uri(contact).host, "contact", 5)
    expires = check_seconds(expires, "expires")

    def begin(parties, left):
        # type: (Parties, Optional[float]) -> Registration
        registration = Registration(agent, address_uri(own), registrar, expires, parties, contact, keep)
        with agent.lock:
            registration._begin()
        try:
            registration._await(0, left)
        except BaseException:  # nobody would have it to end it later
            registration._keep = False
            quietly(agent.engine.unregister, registration._id)
            raise
        registration._expect(True)
        return registration

    return agent.through(agent.rerouted(Parties(own, own, route)), begin, timeout)
