"""Report failing handlers and lost engines to Sentry, with the call that they are about.

>>> sentry_sdk.init(dsn, integrations=[sipbridge.sentry.SipbridgeIntegration()])

Every endpoint that is opened after that is watched. See docs/watching.md. It needs sentry-sdk:
``pip install sipbridge[sentry]``.
"""

from __future__ import absolute_import, division, print_function

import io
import re
import sys
import threading
from collections import OrderedDict, deque
from datetime import datetime

from sipbridge._agent import observers
from sipbridge._agent.pace import Pace
from sipbridge._compat import PY2, text_type
from sipbridge._text.masking import masked_anywhere, masked_uri
from sipbridge._text.printable import printable
from sipbridge.errors import NotSupportedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Deque, Dict, Iterator, List, Optional, Tuple

    from sipbridge._agent.fault import Fault
    from sipbridge._agent.observers import Crash, Incident, Message, Refusal
    from sipbridge._call.call import Call
    from sipbridge.events import EngineFailed, RegistrationChanged

    sentry_sdk = None  # type: Any  # it is checked with neither of its major versions
    _Integration = Any  # whatever sentry-sdk a program has, it takes this for an integration
else:
    try:
        import sentry_sdk
        import sentry_sdk.attachments
        import sentry_sdk.envelope
        import sentry_sdk.integrations.logging
        import sentry_sdk.scope
        import sentry_sdk.serializer
        import sentry_sdk.utils
        from sentry_sdk.integrations import Integration as _Integration
    except ImportError:
        sentry_sdk, _Integration = None, object

#: Calls whose messages are kept in mind, those of which something was heard last; and the messages of each.
_CALLS, _MESSAGES = 2000, 30

#: The most octets of the files of an incident, together; and the number of events for which one may come.
_ATTACHED, _AWAITED = 1024 * 1024, 64

#: Loggers of which Sentry hears nothing by itself: losses of engines come from here, with their native backtrace, and
#: the lines of the others name who called.
_IGNORED = ("sipbridge.engine", "sipbridge.call", "sipbridge.registration", "sipbridge.shield")

#: The most characters of a native backtrace.
_BACKTRACE = 16384

#: A frame as backtrace_symbols_fd() of the C library writes it: path(function+0x1f)[0x7f00].
_FRAME = re.compile(r"^(/[^\s(]+)\(([^)+]*)(?:\+0x[0-9a-f]+)?\)\s?\[(0x[0-9a-f]+)\]$", re.MULTILINE)
_SIGNAL = re.compile(r"died of (SIG[A-Z]+)")

#: The user and what may follow in a URI that is to tell nobody who called.
_USER = re.compile(u"^((?:[^:@]*:)?)(?:.*@|.+)", re.DOTALL)

#: The contexts of events in Sentry that have the facts of the call, the engine, the refusal, the registration.
CALL, ENGINE, REFUSAL, REGISTRATION = "SIP call", "SIP engine", "SIP refusal", "SIP registration"


def _client():
    # type: () -> Any
    """The client for this thread, or None."""
    if hasattr(sentry_sdk, "get_client"):  # from version 2 on
        client = sentry_sdk.get_client()
        return client if client.is_active() else None
    client = sentry_sdk.Hub.current.client
    return client if client is not None and client.transport is not None else None


def _is_active():
    # type: () -> bool
    """Whether that client has this integration."""
    client = _client()
    if client is None:
        return False
    if hasattr(client, "get_integration"):
        return client.get_integration(SipbridgeIntegration) is not None
    return sentry_sdk.Hub.current.get_integration(SipbridgeIntegration) is not None


def _tells_persons():
    # type: () -> bool
    client = _client()
    if client is None:
        return False
    collection = client.options.get("data_collection")  # which took the place of send_default_pii in 2.7x
    return bool(collection["user_info"] if isinstance(collection, dict) else client.options.get("send_default_pii"))


def _uri(uri):
    # type: (str) -> str
    """A URI as Sentry may have it: never with a password, and without its user unless Sentry may know persons."""
    uri = printable(masked_uri(uri)[:256])
    return uri if _tells_persons() else _USER.sub(u"\\1***@" if "@" in uri else u"\\1***", uri, 1)


def _when(seconds):
    # type: (float) -> datetime
    if PY2 or not hasattr(sentry_sdk, "get_client"):
        return datetime.utcfromtimestamp(seconds)  # as that version's own
    from datetime import timezone  # novm

    return datetime.fromtimestamp(seconds, timezone.utc)


def _crumb(message):
    # type: (Message) -> Dict[str, Any]
    """A breadcrumb: what passed, without header fields and body."""
    what = "%d %s" % (message.status, message.method) if message.status else message.method
    text = "%s %s" % ("sent" if message.outgoing else "received", printable(what[:256]))
    if message.reason:
        text += " (%s)" % printable(message.reason[:256])
    data = {"direction": "outbound" if message.outgoing else "inbound", "method": printable(message.method[:64])}
    if message.status:
        data["status"] = "%d" % message.status
    return {
        "type": "default", "category": "sip", "level": "info", "message": text, "data": data,
        "timestamp": _when(message.time),
    }  # fmt: skip


def _facts(call):
    # type: (Call) -> Dict[str, Any]
    """The context for a call."""
    theirs, ours = _uri(call.remote_uri), _uri(call.local_uri)
    facts = {
        "call_id": printable(call.call_id[:256]),
        "direction": "inbound" if call.incoming else "outbound",
        "from": theirs if call.incoming else ours,
        "to": ours if call.incoming else theirs,
        "state": call.state,
        "seconds": round(call.duration, 3),
        "started": _when(call.started).isoformat(),
    }
    agent = call.headers.get("User-Agent") or call.headers.get("Server")
    if agent:
        facts["user_agent"] = printable(agent[:256])
    if call.source is not None and _tells_persons():
        facts["source"] = call.source.address
    if call.ended is not None:
        facts.update(cause=call.ended.cause, status=call.ended.status)
    return facts


# -- what Sentry must not have ---------------------------------------------------------------------------------

#: The parts of an event that are text of the program's: what it logs, and what it reports.
_TEXTS = ("message", "logentry", "breadcrumbs", "extra")



def _scrubbed(event, hint):
    # type: (Dict[str, Any], Any) -> Dict[str, Any]
    """Without the variables of sipbridge's functions, and with credentials and keys masked in those of others, and in
    what exceptions, messages and breadcrumbs say.
    """
    if not _is_active():
        return event
    for part in _TEXTS:
        if event.get(part):
            event[part] = _masked(event[part])
    groups = [event.get("exception") or {}, event.get("threads") or {}]
    for value in (event.get("exception") or {}).get("values") or ():
        value["value"] = _masked(value.get("value"))
    stacks = [value.get("stacktrace") for group in groups for value in group.get("values") or ()]
    for stack in stacks + [event.get("stacktrace")]:
        for frame in (stack or {}).get("frames") or ():
            if (frame.get("module") or "").partition(".")[0] == "sipbridge":
                frame.pop("vars", None)
            elif frame.get("vars"):
                frame["vars"] = _masked(frame["vars"])
    return event


def _masked(value):
    # type: (Any) -> Any
    if isinstance(value, dict):
        return dict((name, _masked(each)) for name, each in value.items())
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return [_masked(each) for each in value]
    if PY2 and isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, text_type):
        return masked_anywhere(value)
    return value


def _shown(value, hint):
    # type: (Any, Any) -> Any
    """How a variable is shown whose value is of sipbridge: an event has headers and a body, which stay here."""
    if type(value).__module__.partition(".")[0] == "sipbridge" and _is_active():
        return "<%s>" % type(value).__name__
    return NotImplemented


# -- what Sentry gets ------------------------------------------------------------------------------------------


class _Reporter(observers.Observer):
    """Reports what happens at one endpoint."""

    def __init__(self):
        # type: () -> None
        self._lock = threading.Lock()
        self._pace = Pace(1, 60.0)
        self._messages = OrderedDict()  # type: OrderedDict[str, Deque[Message]]  # of each Call-ID
        self._here = threading.local()  # .scopes: of the handlers that run on this thread
        self._awaited = OrderedDict()  # type: OrderedDict[int, Tuple[str, Any, bool]]  # see _await()

    def message(self, message):
        # type: (Message) -> None
        if not message.call_id:
            return
        with self._lock:
            told = self._messages.pop(message.call_id, None) or deque(maxlen=_MESSAGES)
            told.append(message)
            self._messages[message.call_id] = told
            if len(self._messages) > _CALLS:
                self._messages.popitem(last=False)

    def _completing(self, about, call_id):
        # type: (Any, str) -> Any
        """An event processor of Sentry's that adds the call and its messages."""

        def complete(event, hint):
            # type: (Dict[str, Any], Any) -> Dict[str, Any]
            with self._lock:
                told = list(self._messages.get(call_id, ()))
            if told:
                crumbs = event.setdefault("breadcrumbs", {}).setdefault("values", [])  # type: List[Any]
                crumbs.extend(_crumb(message) for message in told)
                try:
                    crumbs.sort(key=lambda crumb: crumb["timestamp"])
                except (KeyError, TypeError):  # somebody else's are of another type
                    pass
            if about is not None:
                event.setdefault("contexts", {})[CALL] = _facts(about)
            if call_id:
                event.setdefault("tags", {})["sip.call_id"] = printable(call_id[:200])
            return event

        return complete

    def handler_began(self, event):
        # type: (Any) -> None
        """What the handler reports itself has the call, too."""
        scopes = self._here.__dict__.setdefault("scopes", [])
        if _is_in_loop() or not _is_active():
            scopes.append(None)
            return
        call = getattr(event, "call", None)
        manager = getattr(sentry_sdk, "isolation_scope", None) or sentry_sdk.push_scope
        manager = manager()
        scope = manager.__enter__()
        scope.add_event_processor(self._completing(call, _call_id_of(event)))
        scopes.append(manager)

    def handler_ended(self, event, seconds, failed):
        # type: (Any, Optional[float], bool) -> None
        scopes = self._here.__dict__.get("scopes")
        manager = scopes.pop() if scopes else None
        if manager is not None:
            manager.__exit__(None, None, None)

    def fault(self, fault):
        # type: (Fault) -> None
        if not _is_active():
            return
        mechanism = {"type": "sipbridge", "handled": False}
        options = _client().options
        event, hint = sentry_sdk.utils.event_from_exception(fault.exc_info, client_options=options, mechanism=mechanism)
        event["level"] = "fatal" if fault.fatal else "error"
        event["logger"] = "sipbridge"
        if (self._here.__dict__.get("scopes") or [None])[-1] is not None:  # within the handler
            self._await(fault, sentry_sdk.capture_event(event, hint=hint))
            return
        call = getattr(fault.event, "call", None)
        self._await(fault, self._capture(event, hint, self._completing(call, fault.call_id)))

    def refused(self, refusal):
        # type: (Refusal) -> None
        if refusal.is_challenge or not _is_active():
            return
        number = self._pace.count(refusal.rule)
        if not number:
            return
        context = {
            "rule": refusal.rule, "status": refusal.status, "method": printable(refusal.method[:64]), "number": number,
        }  # type: Dict[str, Any]  # fmt: skip
        if refusal.source is not None and _tells_persons():
            context["source"] = refusal.source.address
        event = {
            "level": "warning", "logger": "sipbridge.shield", "contexts": {REFUSAL: context},
            "message": "refused callers by the rule %s" % refusal.rule, "fingerprint": ["sipbridge", refusal.rule],
        }  # type: Dict[str, Any]  # fmt: skip
        self._capture(event, None, self._completing(None, refusal.call_id))

    def registration_changed(self, changed, before):
        # type: (RegistrationChanged, Optional[str]) -> None
        if changed.state != "failed" or not _is_active():
            return
        registration = changed.registration
        context = {
            "aor": _uri(registration.aor), "registrar": _uri(registration.registrar),
            "status": changed.status, "reason": printable(changed.reason[:256]),
        }  # type: Dict[str, Any]  # fmt: skip
        event = {
            "level": "error", "logger": "sipbridge.registration", "contexts": {REGISTRATION: context},
            "message": "a registration failed: %d" % changed.status,
        }  # type: Dict[str, Any]  # fmt: skip
        self._capture(event, None)

    def engine_lost(self, crash):
        # type: (Crash) -> None
        if not _is_active():
            return
        signal = _SIGNAL.search(crash.reason)
        value = {
            "type": signal.group(1) if signal else "EngineLost",
            "value": crash.reason,
            "mechanism": {"type": "signal" if signal else "sipbridge", "handled": False},
        }  # type: Dict[str, Any]
        frames = [
            {"package": path, "function": function or "?", "instruction_addr": address, "platform": "native"}
            for path, function, address in _FRAME.findall(crash.backtrace)
        ]
        if frames:
            value["stacktrace"] = {"frames": frames[::-1]}  # Sentry has the innermost last
        context = {"reason": crash.reason, "pid": crash.pid, "core": crash.core or "none was kept"}
        if crash.backtrace:
            context["backtrace"] = crash.backtrace[:_BACKTRACE]
        event = {
            "level": "error", "logger": "sipbridge.engine", "exception": {"values": [value]},
            "contexts": {ENGINE: context},
        }  # type: Dict[str, Any]  # fmt: skip
        self._await(crash, self._capture(event, None))

    def engine_failed(self, failed):
        # type: (EngineFailed) -> None
        if _is_active():
            self._capture({"level": "fatal", "logger": "sipbridge.engine", "message": failed.reason}, None)

    def _capture(self, event, hint, processor=None):
        # type: (Dict[str, Any], Any, Any) -> Optional[str]
        make = getattr(sentry_sdk, "new_scope", None) or sentry_sdk.push_scope
        with make() as scope:
            if processor is not None:
                scope.add_event_processor(processor)
            sent = sentry_sdk.capture_event(event, hint=hint)  # type: Optional[str]  # the id, or None
        return sent

    # -- the incident of an event, which is written after it -------------------------------------------------

    def _await(self, about, event_id):
        # type: (Any, Optional[str]) -> None
        """An incident about this may come, for the event that was sent.

        It is kept by id(), so that no traceback stays because of it. What the recorder tells of exists until then, and
        whatever gets the same id() later has an event of its own.
        """
        client = _client()
        with self._lock:
            self._awaited.pop(id(about), None)
            if event_id is not None and client is not None:  # Sentry's own filters may have dropped it
                self._awaited[id(about)] = event_id, client.transport, _tells_persons()
            if len(self._awaited) > _AWAITED:
                self._awaited.popitem(last=False)

    def incident_written(self, incident):
        # type: (Incident) -> None
        """Its files follow the event in an envelope of their own, so that the event has waited for nothing."""
        with self._lock:
            event_id, transport, may_know = self._awaited.pop(id(incident.about), (None, None, False))
        if transport is None:
            return
        envelope = sentry_sdk.envelope.Envelope(headers={"event_id": event_id})
        for name, octets in _files(incident, not may_know):
            envelope.add_item(sentry_sdk.attachments.Attachment(bytes=octets, filename=name).to_envelope_item())
        transport.capture_envelope(envelope)


class _Full(Exception):
    """There is no room for more."""


class _Bounded(io.BytesIO):
    """A stream that takes so many octets. Raises _Full when there come more."""

    room = 0

    def write(self, octets):  # type: ignore[no-untyped-def]
        if self.tell() + len(octets) > self.room:
            raise _Full
        return io.BytesIO.write(self, octets)


def _files(incident, mask):
    # type: (Incident, bool) -> Iterator[Tuple[str, bytes]]
    """The files of an incident about its call, or, where it has none, about all; and what was left out, in a word."""
    room, left_out = _ATTACHED, []
    for name, write in incident.files(mask, mask):
        if name == "call.svg" or (name == "window.pcapng" and incident.call_id):
            continue
        stream = _Bounded()
        stream.room = room
        try:
            write(stream)
        except _Full:
            left_out.append(name)
            continue
        octets = stream.getvalue()
        room -= len(octets)
        yield name, octets
    if left_out:
        text = "Left out, as too large for Sentry: %s. See %s.\n" % (", ".join(left_out), incident.path)
        yield "left-out.txt", text.encode("utf-8", "replace") if isinstance(text, text_type) else text


def _call_id_of(event):
    # type: (Any) -> str
    about = getattr(event, "call", None)
    found = about.call_id if about is not None else getattr(event, "headers", {}).get("Call-ID", "")  # type: str
    return found


def _is_in_loop():
    # type: () -> bool
    """Whether this thread runs an event loop, in which handlers take turns: a scope would be that of others, too."""
    asyncio = sys.modules.get("asyncio")  # type: Any  # there is none in Python 2
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None  # novm
    except RuntimeError:
        return False


class SipbridgeIntegration(_Integration):  # type: ignore[misc]
    """The integration, for ``sentry_sdk.init(integrations=[...])``; with sentry-sdk 1.45 on Python 2.7.

    Raises NotSupportedError when sentry-sdk is missing.
    """

    identifier = "sipbridge"

    def __init__(self):
        # type: () -> None
        if sentry_sdk is None:
            raise NotSupportedError("reports to Sentry need sentry-sdk: pip install sipbridge[sentry]")

    @staticmethod
    def setup_once():
        # type: () -> None
        """Sentry calls this, once."""
        sentry_sdk.scope.add_global_event_processor(_scrubbed)
        sentry_sdk.serializer.add_global_repr_processor(_shown)
        for name in _IGNORED:
            sentry_sdk.integrations.logging.ignore_logger(name)
        observers.everywhere.append(lambda endpoint: _Reporter())
