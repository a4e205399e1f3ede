"""What is told to those who watch an endpoint: logs, metrics, reports of errors."""

from __future__ import absolute_import, division, print_function

from sipbridge._compat import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable, Iterator, List, Optional, Tuple

    from sipbridge import events
    from sipbridge._agent.fault import Fault
    from sipbridge._call.call import Call
    from sipbridge._engine.records import Source


class Refusal(NamedTuple("Refusal", [
    ("rule", "str"), ("status", "int"), ("method", "str"), ("source", "Optional[Source]"), ("call_id", "str"),
])):
    """A new call, request or subscription that the endpoint refused before any handler saw it.

    Attributes:
        rule: why, one of :data:`RULES`.
        status: the status that it was answered with; 0 for none.
        method: the method of the request, as "INVITE".
        source: where it came from, a :class:`~sipbridge.Source`, or None where nobody knows.
        call_id: its Call-ID.
    """

    __slots__ = ()

    @property
    def is_challenge(self):
        # type: () -> bool
        """Whether it was only asked for a password, as every client is whose password is right, too."""
        return self.rule in ("unauthenticated", "stale-nonce")


#: The rules of refusals. "draining": the endpoint takes nothing new (Endpoint.drain); "handlers": every handler is at
#: work; "congested": too many events wait; "fault": sipbridge failed; "replaces": Replaces names a call that cannot be
#: replaced (RFC 3891, 3); "session-interval": Session-Expires is too small (RFC 4028, 9). The others are about
#: who may call (docs/access.md).
RULES = (
    "draining", "handlers", "congested", "fault", "replaces", "session-interval", "banned", "misleading-via",
    "not-allowed", "source-rate", "source-calls", "unauthenticated", "malformed-credentials", "stale-nonce",
    "wrong-credentials", "replayed-nonce", "lookup-failed", "lookups",
)


class Message(NamedTuple("Message", [
    ("outgoing", "bool"), ("method", "str"), ("status", "int"), ("reason", "str"), ("call", "Optional[Call]"),
    ("call_id", "str"), ("time", "float"),
])):
    """A request or a response that the endpoint received, or had its engine send.

    These are the messages of the transaction user (RFC 3261, 5). What the library sends and takes by itself is not
    among them: retransmissions, 100, the answers to BYE, CANCEL and OPTIONS, the second try after a challenge.

    Attributes:
        outgoing: True when the endpoint sent it.
        method: of the request; of a response, that of the request that it answers. A peer's may be any token.
        status: the status of a response; 0 for a request.
        reason: the reason phrase of a response that was received, or "".
        call: the Call that it belongs to, or None.
        call_id: the Call-ID, or "" where it is not known.
        time: when it was received or given to the engine: seconds since 1970, UTC.
    """

    __slots__ = ()


class Crash(NamedTuple("Crash", [
    ("reason", "str"), ("pid", "int"), ("backtrace", "str"), ("core", "Optional[str]"),
])):
    """An engine that was lost: the process of a :class:`~sipbridge.Worker` that died or hung.

    Attributes:
        reason: what became of it, text.
        pid: its process id; 0 where there was none.
        backtrace: where in native code and in Python it was, as text, or "": see ``Worker(crash_folder=)``.
        core: the path of its core dump, or None.
    """

    __slots__ = ()


class Incident(NamedTuple("Incident", [
    ("path", "str"), ("reason", "str"), ("call_id", "str"), ("about", "Any"),
    ("files", "Callable[[bool, bool], Iterator[Tuple[str, Callable[[BinaryIO], object]]]]"),
])):
    """An incident that the endpoint's :class:`~sipbridge.FlightRecorder` has written.

    Attributes:
        path: of its folder.
        reason: why, as "handler-failed"; docs/flight.md has them.
        call_id: the Call-ID of the call that it is about, or "".
        about: the :class:`~sipbridge.Fault`, :class:`Crash` or :class:`~sipbridge.CallEnded` that it is about, or None.
        files: a function of two flags, whether to mask users in URIs, and bodies, also where the recorder does not. It
            returns the names of the files, those that matter most first, each with a function that writes it to a
            stream. Call it before the observer's method returns.
    """

    __slots__ = ()


class Observer(object):
    """Is told what happens at an endpoint: derive from it, and give one to :meth:`~sipbridge.Endpoint.observe`.

    Each method does nothing here. Write those that you need. They are called one after the other, in the order in which
    things happened, but for those of handlers and incidents, which are called on their threads. They must return soon
    and must not wait, since events wait meanwhile. A Call that they get is one of :mod:`sipbridge`, also for an
    endpoint of :mod:`sipbridge.aio`: read its attributes.

    What a method raises is logged, once for each method, and disturbs nothing.
    """

    def call_started(self, call):
        # type: (Call) -> None
        """An INVITE was received, or sent for the first time, and made this Call."""

    def call_progress(self, call, status, seconds):
        # type: (Call, int, float) -> None
        """A provisional response, 101 to 199, was received or sent; ``seconds`` after the call started."""

    def call_answered(self, call, seconds):
        # type: (Call, float) -> None
        """A 2xx to the INVITE was received or sent; ``seconds`` after the call started."""

    def call_ended(self, ended):
        # type: (events.CallEnded) -> None
        """A call is over, as the :class:`~sipbridge.CallEnded` tells. Its ``call.duration`` is how long it was up."""

    def refused(self, refusal):
        # type: (Refusal) -> None
        """Something new was refused before a handler saw it; what that is a :class:`Refusal` tells."""

    def registration_changed(self, changed, before):
        # type: (events.RegistrationChanged, Optional[str]) -> None
        """The state of a registration has changed, or it was refreshed; ``before`` is the state before.

        The first state is "pending", with None before it.
        """

    def message(self, message):
        # type: (Message) -> None
        """A :class:`Message` passed."""

    def event(self, event):
        # type: (Any) -> None
        """An event, one of :mod:`sipbridge.events`, before handlers and iterators have it; also if there are none.

        A :class:`~sipbridge.TraceMessage` is none of these.
        """

    def handler_began(self, event):
        # type: (Any) -> None
        """A handler is called with this event. On its thread, before it."""

    def handler_ended(self, event, seconds, failed):
        # type: (Any, Optional[float], bool) -> None
        """It has returned, or raised something (``failed``), after ``seconds``. On its thread.

        They are None for the function of :meth:`~sipbridge.Endpoint.serve`, which takes as long as its call.
        """

    def fault(self, fault):
        # type: (Fault) -> None
        """A handler has raised something, or sipbridge has a fault, as the :class:`~sipbridge.Fault` tells.

        On the thread on which it happened, while the exception is being handled.
        """

    def engine_lost(self, crash):
        # type: (Crash) -> None
        """The process of the engine died or hung, as a :class:`Crash` tells. Its calls end."""

    def engine_restarted(self, restarted):
        # type: (events.EngineRestarted) -> None
        """Another process is in its place."""

    def engine_failed(self, failed):
        # type: (events.EngineFailed) -> None
        """The engine is lost for good."""

    def incident_written(self, incident):
        # type: (Incident) -> None
        """The endpoint's FlightRecorder has written an :class:`Incident`.

        On the recorder's thread, which writes the next one after that.
        """


#: What makes an observer for each endpoint that will be opened, which it is given.
everywhere = []  # type: List[Callable[[Any], Observer]]
