"""An engine without a library and without a network: what one of them sends, another in this process receives.

For the tests of services; see :mod:`sipbridge.testing`. It keeps the contract's states and order of events, and sends
no SIP: there are no retransmissions, no timers and no traces, and it has no SUBSCRIBE and PUBLISH.
"""

from __future__ import absolute_import, division, print_function

import threading
import time
from collections import deque

from sipbridge._compat import monotonic
from sipbridge._engine.ledger import unreported
from sipbridge._engine.medium import NOBODY, Dialog, Leg, Medium, body_of, name_of, phrase
from sipbridge._engine.readiness import Alert
from sipbridge._engine.records import Source
from sipbridge.errors import CallStateError, EngineError, EngineLost, NotSupportedError
from sipbridge.uri import address_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Deque, Dict, NoReturn, Optional, Tuple

    from sipbridge._engine.records import Content, Parties, RawEvent

    #: Called with what the peer responds: status, reason, headers and body.
    Respond = Callable[[int, str, str, bytes], object]


class Memory(object):
    """An engine in memory, for one endpoint. Its methods are those of an InProcess.

    Args:
        medium: what it sends through.
        address: a URI or name-addr that reaches it besides its own, or None.

    Attributes:
        idle: True while the thread that takes its events waits for one.
        polled: True if it is a descriptor that tells of them.
        legs: the calls, by their numbers. Under the medium's lock.
    """

    name = "memory"
    version = "1"

    def __init__(self, medium, address=None):
        # type: (Medium, Optional[str]) -> None
        self._medium = medium
        self._address = address
        self._changed = threading.Condition(medium.lock)
        self._events = deque()  # type: Deque[RawEvent]
        self._alert = None  # type: Optional[Alert]
        self._state = "new"
        self._draining = False
        self._tells_options = False
        self._lost = None  # type: Optional[str]  # why it is lost for good
        self._registrations = {}  # type: Dict[int, Tuple[str, Parties]]
        #: By number: the leg that a request came in, or None, and how to respond to it.
        self._requests = {}  # type: Dict[int, Tuple[Optional[Leg], Respond]]
        self.host, self.port = "", 0
        self.legs = {}  # type: Dict[int, Leg]
        self.idle = False

    # -- the engine ----------------------------------------------------------------------------------------

    def open(self, transport, host, port, *settings, **more):
        # type: (str, str, int, Any, Any) -> None
        with self._medium.lock:
            if self._state != "new":
                raise EngineError("this engine was opened before; make one for each endpoint")
            self._tells_options = bool(more.get("tell_options"))
            self.host, self.port = host, self._medium.add(self, host, port)
            self._state = "open"
            if self._address is not None:
                self._medium.name(self._address, self)

    def close(self, grace):
        # type: (float) -> None
        with self._changed:
            if self._state != "open":
                raise EngineError("close: the engine is not open")
            for leg in list(self.legs.values()):
                self._hang_up(leg, None)
            for _, respond in list(self._requests.values()):
                respond(408, phrase(408), "", b"")
            self._state = "closed"
            self._medium.remove(self)
            self._tell()

    def flight_records(self):
        # type: () -> bytes
        """None: there are no messages."""
        return b""

    def fileno(self):
        # type: () -> int
        with self._medium.lock:
            if self._alert is None:
                self._alert = Alert()
                self._tell()
            return self._alert.fileno()

    @property
    def polled(self):
        # type: () -> bool
        return self._alert is not None

    @property
    def has_events(self):
        # type: () -> bool
        """Whether some wait to be taken."""
        return bool(self._events)

    def wait(self, timeout=None):
        # type: (Optional[float]) -> Optional[RawEvent]
        deadline = None if timeout is None else monotonic() + timeout
        with self._changed:
            self.idle = True
            try:
                while self._state == "open" and not self._events:
                    left = 3600.0 if deadline is None else deadline - monotonic()
                    if left <= 0:
                        return None
                    self._changed.wait(left)
                if not self._events:
                    raise EngineError("wait: the engine is closed")
                event = self._events.popleft()
                self._tell()
                return event
            finally:
                self.idle = False

    def wake(self):
        # type: () -> None
        self.post("wake")

    def tells_sources(self):
        # type: () -> bool
        return True

    @property
    def _source(self):
        # type: () -> Source
        """Where what it sends comes from."""
        return Source(self.host, self.port, "udp")

    def post(self, kind, **fields):
        # type: (str, Any) -> None
        """Tell the endpoint of an event."""
        self._put(unreported(kind, **fields)._replace(time=time.time()))

    def _put(self, event):
        # type: (RawEvent) -> None
        with self._changed:
            self._events.append(event)
            self._tell()

    def _tell(self):
        # type: () -> None
        self._changed.notify_all()
        if self._alert is not None:
            self._alert.set(bool(self._events) or self._state != "open")

    def lose(self, reason, restart):
        # type: (str, bool) -> None
        """Be lost as a worker is whose process dies, and come again, or not."""
        with self._medium.lock:
            self.post("engine-lost", reason=reason, transaction=next(self._medium.numbers))
            legs, self.legs = list(self.legs.values()), {}
            for leg in legs:
                self.forget(leg)
                if leg.other is not None:
                    leg.other.other = None
                leg.post("call-ended", cause="engine-lost", status=503, reason=reason)
            requests, self._requests = list(self._requests.values()), {}
            for _, respond in requests:
                respond(408, phrase(408), "", b"")
            if restart:
                self._put(unreported("engine-restarted", reason=reason))  # in no time
            else:
                self._lost = reason
                self.post("engine-failed", reason=reason)

    def forget(self, leg):
        # type: (Leg) -> None
        """A call has ended: the requests in it need no answer."""
        for number in [number for number, (within, _) in self._requests.items() if within is leg]:
            del self._requests[number]

    def _check(self):
        # type: () -> None
        if self._lost is not None:
            raise EngineLost(self._lost)
        if self._state != "open":
            raise EngineError("the engine is closed")

    def ping(self, within):
        # type: (float) -> int
        with self._medium.lock:
            self._check()
            number = next(self._medium.numbers)
            self.post("pong", transaction=number)
            return number

    def backlog(self, within):
        # type: (float) -> int
        return len(self._events)

    def drain(self):
        # type: () -> None
        with self._medium.lock:
            self._check()
            self._draining = True

    def add_credentials(self, realm, user, password):
        # type: (Optional[str], str, str) -> None
        self._check()

    def clear_credentials(self):
        # type: () -> None
        self._check()

    # -- calls ---------------------------------------------------------------------------------------------

    def call(self, parties, content, call_id=None):
        # type: (Parties, Optional[Content], Optional[str]) -> int
        with self._medium.lock:
            self._check()
            dialog = self._dialog(parties, call_id)
            ours = self.legs[dialog[0]] = Leg(self, dialog[0], dialog[1], 0)
            peer = self._medium.find(parties)
            if peer is None or peer._lost is not None:
                ours.end("unreachable", 503, NOBODY)
                return ours.number
            number = next(self._medium.numbers)
            theirs = peer.legs[number] = Leg(peer, number, dialog[1], 1)
            ours.other, theirs.other = theirs, ours
            headers = dialog[1].headers("INVITE", content)
            dialog[1].begin()
            uri = address_uri(parties.to)
            theirs.post(
                "call-incoming", method="INVITE", request_uri=uri, headers=headers, body=body_of(content),
                source=self._source
            )  # fmt: skip
            return ours.number

    def _dialog(self, parties, call_id=None):
        # type: (Parties, Optional[str]) -> Tuple[int, Dialog]
        """A number, and what begins with a request to these."""
        number = next(self._medium.numbers)
        own = "<sip:%s:%d>" % (self.host, self.port) if parties.from_ is None else parties.from_
        addresses = [each if "<" in each else "<%s>" % each for each in (own, parties.to)]
        return number, Dialog(number, addresses[0], addresses[1], call_id)

    def _leg(self, call, *states):
        # type: (int, str) -> Leg
        """The call with this number, which must be in one of the states, given as "side state"."""
        self._check()
        leg = self.legs.get(call)
        if leg is None:
            raise CallStateError("no such call (any more)")
        if states and "%d %s" % (leg.side, leg.state) not in states:
            raise CallStateError("not possible in the state that the call is in")
        return leg

    def ring(self, call, status, content):
        # type: (int, int, Optional[Content]) -> None
        with self._medium.lock:
            self._to_caller(self._leg(call, "1 early"), "call-progress", status, content)

    def answer_call(self, call, content):
        # type: (int, Optional[Content]) -> None
        with self._medium.lock:
            leg = self._leg(call, "1 early")
            leg.state = "answered"
            if leg.other is not None:
                leg.other.state = "answered"
            self._to_caller(leg, "call-answered", 200, content)

    @staticmethod
    def _to_caller(leg, kind, status, content):
        # type: (Leg, str, int, Optional[Content]) -> None
        if leg.other is not None:
            headers = leg.dialog.headers("INVITE", content, 0, False)
            leg.other.post(kind, status=status, reason=phrase(status), headers=headers, body=body_of(content))

    def reject(self, call, status, reason, content):
        # type: (int, int, Optional[str], Optional[Content]) -> None
        with self._medium.lock:
            leg = self._leg(call, "1 early")
            headers = leg.dialog.headers("INVITE", content, 0, False)
            leg.end("rejected", status, phrase(status, reason), headers)

    def redirect(self, call, status, contact):
        # type: (int, int, str) -> None
        with self._medium.lock:
            leg = self._leg(call, "1 early")
            value = contact if "<" in contact else "<%s>" % contact
            headers = leg.dialog.headers("INVITE", None, 0, False) + "Contact: %s\n" % value
            leg.end("redirected", status, "", headers)

    def ack(self, call, content):
        # type: (int, Optional[Content]) -> None
        with self._medium.lock:
            leg = self._leg(call)
            if not leg.owes_ack and (leg.side, leg.state) != (0, "answered"):
                raise CallStateError("no 2xx waits for an ACK")
            if leg.state == "answered":
                leg.state = "up"
            leg.owes_ack = False
            if leg.other is not None:
                leg.other.state = "up"
                headers = leg.dialog.headers("ACK", content, leg.side, False)
                leg.other.post("call-confirmed", headers=headers, body=body_of(content))

    def hangup(self, call, content):
        # type: (int, Optional[Content]) -> None
        with self._medium.lock:
            self._hang_up(self._leg(call), content)

    @staticmethod
    def _hang_up(leg, content):
        # type: (Leg, Optional[Content]) -> None
        if leg.state == "early":
            headers = leg.dialog.headers("CANCEL", content, 0, False)
            if leg.side == 0:
                leg.end("cancelled", 487, "", headers)
            else:
                leg.end("rejected", 603, "", headers)
        elif leg.other is None:
            leg.end("local-bye", 481)
        else:
            leg.end("local-bye", 200, "", leg.dialog.headers("BYE", content, leg.side), "remote-bye")

    def call_request(self, call, method, content):
        # type: (int, str, Optional[Content]) -> int
        return self._within(call, "call-request", method, content)

    def reinvite(self, call, content):
        # type: (int, Optional[Content]) -> int
        return self._within(call, "call-reinvite", "INVITE", content)

    def _within(self, call, kind, method, content):
        # type: (int, str, str, Optional[Content]) -> int
        with self._medium.lock:
            leg = self._leg(call, "0 up", "1 up", "1 answered")
            number = next(self._medium.numbers)

            def respond(status, reason, headers, body):
                # type: (int, str, str, bytes) -> None
                if leg.number in self.legs:
                    leg.owes_ack = leg.owes_ack or (kind == "call-reinvite" and status < 300)
                    leg.post(
                        "call-response", transaction=number, method=method, status=status, reason=reason,
                        headers=headers, body=body
                    )  # fmt: skip

            if leg.other is None:
                respond(481, phrase(481), "", b"")
            else:
                leg.other.engine.receive(leg.other, kind, leg.dialog, method, content, respond, self._source, leg.side)
            return number

    # -- requests ------------------------------------------------------------------------------------------

    def receive(self, leg, kind, dialog, method, content, respond, source, sender=0, uri=""):
        # type: (Optional[Leg], str, Dialog, str, Optional[Content], Respond, Source, int, str) -> None
        """A request has come, within a call or, with ``leg`` None, outside of any."""
        number = next(self._medium.numbers)
        self._requests[number] = leg, respond
        self.post(
            kind, call=0 if leg is None else leg.number, transaction=number, method=method, request_uri=uri,
            headers=dialog.headers(method, content, sender), body=body_of(content), source=source
        )  # fmt: skip

    def answer(self, transaction, status, reason, content):
        # type: (int, int, Optional[str], Optional[Content]) -> None
        with self._medium.lock:
            self._check()
            found = self._requests.pop(transaction, None)
            if found is None:
                raise CallStateError("no such request (any more)")
            headers = "" if content is None else "".join("%s: %s\n" % pair for pair in content.headers)
            if content is not None and content.content_type is not None:
                headers += "Content-Type: %s\n" % content.content_type
            found[1](status, phrase(status, reason), headers, body_of(content))

    def request(self, method, parties, content):
        # type: (str, Parties, Optional[Content]) -> int
        with self._medium.lock:
            self._check()
            number, dialog = self._dialog(parties)

            def respond(status, reason, headers, body, cause=""):
                # type: (int, str, str, bytes, str) -> None
                self.post(
                    "response", cause=cause, transaction=number, method=method, status=status, reason=reason,
                    headers=headers, body=body
                )  # fmt: skip

            peer = self._medium.find(parties)
            if peer is None or peer._lost is not None:
                respond(503, NOBODY, "", b"", "unreachable")
            elif method == "OPTIONS" and not peer._tells_options:
                status = 503 if peer._draining else 200
                respond(status, phrase(status), "", b"")
            else:
                peer.receive(
                    None, "request", dialog, method, content, respond, self._source, uri=address_uri(parties.to)
                )
            return number

    # -- registrations, which are all granted ----------------------------------------------------------------

    def register(self, registrar, parties, contact, expires):
        # type: (str, Parties, Optional[str], int) -> int
        with self._medium.lock:
            self._check()
            number = next(self._medium.numbers)
            self._registrations[number] = registrar, parties
            self._medium.name(parties.to, self)
            self.post("registration", registration=number, state="active", status=200, reason="OK", expires=expires)
            return number

    def refresh(self, registration, expires):
        # type: (int, int) -> None
        with self._medium.lock:
            self._check()
            if registration not in self._registrations:
                raise CallStateError("no such registration (any more)")
            self.post(
                "registration", registration=registration, state="active", status=200, reason="OK", expires=expires
            )

    def unregister(self, registration):
        # type: (int) -> None
        with self._medium.lock:
            self._check()
            if self._registrations.pop(registration, None) is None:
                raise CallStateError("no such registration (any more)")
            self.post("registration", registration=registration, state="ended", status=200, reason="OK")

    def bindings(self, registrar, parties, clear):
        # type: (str, Parties, bool) -> int
        with self._medium.lock:
            self._check()
            number = next(self._medium.numbers)
            engine = self._medium.names.get(name_of(address_uri(parties.to)))
            bound = engine is not None and not clear
            headers = "" if engine is None or not bound else "Contact: <sip:%s:%d>\n" % (engine.host, engine.port)
            self.post("response", transaction=number, method="REGISTER", status=200, reason="OK", headers=headers)
            return number

    # -- what it has not -------------------------------------------------------------------------------------

    def _unsupported(self, *arguments):
        # type: (*Any) -> NoReturn
        raise NotSupportedError("the engine in memory has no SUBSCRIBE and PUBLISH")

    publish = subscribe = subscribe_refresh = unsubscribe = _unsupported
    subscription_accept = subscription_reject = notify = _unsupported
