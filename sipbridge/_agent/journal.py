"""The lines of the loggers ``sipbridge.call``, ``sipbridge.registration`` and ``sipbridge.shield``.

Each line has its facts as ``extra``, under the names that :data:`sipbridge.logs.FIELDS` explains. What a peer may
choose is shortened, and shown so that it cannot control a terminal; a password in a URI is masked.
"""

from __future__ import absolute_import, division, print_function

import logging
import re

from sipbridge._agent.pace import Pace
from sipbridge._text.masking import masked_uri
from sipbridge._text.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    from sipbridge._agent.observers import Refusal
    from sipbridge._call.call import Call
    from sipbridge.events import CallEnded, RegistrationChanged

_CALLS = logging.getLogger("sipbridge.call")
_REGISTRATIONS = logging.getLogger("sipbridge.registration")
_SHIELD = logging.getLogger("sipbridge.shield")

#: The most characters of what a peer has chosen.
_LONGEST = 256

#: Of the refusals by one rule each of the first so many has a line; of more in a minute, one in so many seconds.
_SINGLE, _SECONDS = 5, 10.0

#: What most values are: nothing in them has to be masked, shown otherwise or cut.
_PLAIN_TEXT = re.compile(u"[ -~]{0,%d}\\Z" % _LONGEST).match
_PLAIN_URI = re.compile(u"sips?:(?:[A-Za-z0-9_.!~*'()%+-]{1,99}@)?[A-Za-z0-9.-]{1,99}(?::[0-9]{1,5})?\\Z").match


def _text(value):
    # type: (str) -> str
    return value if _PLAIN_TEXT(value) else printable(value[:_LONGEST])[:_LONGEST]


def _uri(value):
    # type: (str) -> str
    return value if _PLAIN_URI(value) else _text(masked_uri(value))


def _of_call(call):
    # type: (Call) -> Dict[str, Any]
    """What each line of a call has."""
    theirs, ours = _uri(call.remote_uri), _uri(call.local_uri)
    direction = "inbound" if call.incoming else "outbound"
    facts = {"call_id": _text(call.call_id), "direction": direction}  # type: Dict[str, Any]
    facts["from"], facts["to"] = (theirs, ours) if call.incoming else (ours, theirs)
    if call.source is not None:
        facts["source_address"], facts["source_port"], facts["transport"] = call.source
    return facts


def _write(logger, level, line, arguments, extra):
    # type: (logging.Logger, int, str, Tuple[Any, ...], Dict[str, Any]) -> None
    """As logger.log(), but nobody looks for the place in the code that calls it: a third of what a line costs."""
    where = _write.__code__
    number, name = where.co_firstlineno, where.co_name
    record = logger.makeRecord(logger.name, level, where.co_filename, number, line, arguments, None, name)
    record.__dict__.update(extra)
    logger.handle(record)


def _write_fields(logger, level, line, fields, extra):
    # type: (logging.Logger, int, str, List[str], Dict[str, Any]) -> None
    """Write a line that shows these of the facts."""
    if logger.isEnabledFor(level):
        _write(logger, level, line, tuple([extra[field] for field in fields]), extra)


class Journal(object):
    """Writes the lines of one endpoint. Its methods are those of an observer."""

    def __init__(self):
        # type: () -> None
        self._pace = Pace(_SINGLE, _SECONDS)
        self._calls = {}  # type: Dict[Call, Dict[str, Any]]  # those that are not over

    def _facts_of(self, call):
        # type: (Call) -> Dict[str, Any]
        facts = self._calls.get(call)
        if facts is None or not facts["from"]:  # which the first response tells
            facts = self._calls[call] = _of_call(call)
        return facts

    def call_started(self, call):
        # type: (Call) -> None
        if _CALLS.isEnabledFor(logging.INFO):
            facts = self._calls[call] = _of_call(call)
            arguments = facts["direction"], facts["from"], facts["to"]
            facts["event"] = "call-started"
            _write(_CALLS, logging.INFO, "%s call from %s to %s", arguments, facts)

    def call_answered(self, call, seconds):
        # type: (Call, float) -> None
        if _CALLS.isEnabledFor(logging.INFO):
            facts = self._facts_of(call)
            arguments = facts["direction"], seconds, facts["from"], facts["to"]
            extra = dict(facts, event="call-answered", seconds=round(seconds, 3))
            _write(_CALLS, logging.INFO, "%s call answered after %.3f s: from %s to %s", arguments, extra)

    def call_ended(self, ended):
        # type: (CallEnded) -> None
        call = ended.call
        if _CALLS.isEnabledFor(logging.INFO):
            facts = self._facts_of(call)
            seconds, reason = call.duration, _text(ended.reason)
            arguments = (
                facts["direction"], seconds, ended.cause, ended.status, reason, facts["from"], facts["to"]
            )  # fmt: skip
            facts.update(event="call-ended", cause=ended.cause, status=ended.status, reason=reason)
            facts["seconds"] = round(seconds, 3)
            line = "%s call ended after %.3f s: %s (%d %s), from %s to %s"
            _write(_CALLS, logging.INFO, line, arguments, facts)
        self._calls.pop(call, None)

    def registration_changed(self, changed, before):
        # type: (RegistrationChanged, str) -> None
        registration = changed.registration
        extra = {
            "event": "registration-changed", "aor": _uri(registration.aor), "registrar": _uri(registration.registrar),
            "state": changed.state, "before": before, "status": changed.status, "reason": _text(changed.reason),
            "expires": changed.expires,
        }  # type: Dict[str, Any]  # fmt: skip
        level = logging.INFO
        if changed.state == before:  # refreshed
            level, extra["event"] = logging.DEBUG, "registration-refreshed"
        line, fields = "registration of %s at %s: %s", ["aor", "registrar", "state"]
        if changed.expires:
            line, fields = line + " for %d s", fields + ["expires"]
        if changed.status:
            line, fields = line + " (%d %s)", fields + ["status", "reason"]
        _write_fields(_REGISTRATIONS, level, line, fields, extra)

    def refused(self, refusal):
        # type: (Refusal) -> None
        number = self._pace.count(refusal.rule)
        if not number:
            return
        source = refusal.source
        extra = {
            "event": "refused", "rule": refusal.rule, "status": refusal.status, "method": _text(refusal.method),
            "call_id": _text(refusal.call_id), "count": number, "source_address": None,
        }  # type: Dict[str, Any]  # fmt: skip
        if source is not None:
            extra.update(source_address=source.address, source_port=source.port, transport=source.transport)
        line = "refused %s from %s by the rule %s with %d (%d by it since the last line)"
        level = logging.DEBUG if refusal.is_challenge else logging.INFO
        fields = ["method", "source_address", "rule", "status", "count"]
        _write_fields(_SHIELD, level, line, fields, extra)
