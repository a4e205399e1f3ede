"""The book: a record of each call, in the spool and for those who listen, as the endpoint tells of it."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
import uuid
from collections.abc import Iterator
from typing import Any

import sipbridge
from sipbridge import aio
from telephony.sip.feed import Feed
from telephony.store.spool import Record, Spool
from telephony.watch import new_trace_id

log = logging.getLogger("telephony.book")

#: Messages of a call that are kept for its ladder: the first ones, and the octets of the longest field.
MESSAGES, LONGEST = 60, 512


def clean(text: str) -> str:
    """What a peer has written, as any database takes it: not too long, without NUL.

    Octets count, not characters: PostgreSQL takes 2,704 in an index, and one record that it refuses stops the outbox.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")


def new_id() -> str:
    return uuid.uuid4().hex


class Book(sipbridge.Observer):
    """Follows every call of an endpoint. Give it to `Endpoint.observe()`; use it in the event loop.

    `call.data` of each call is its record.
    """

    def __init__(self, spool: Spool, feed: Feed) -> None:
        self._spool, self._feed = spool, feed
        self._placing: Record = {}
        self._invite: tuple[str, Any] = ("", None)  # the last INVITE, by its Call-ID
        self._unkept: dict[str, Record] = {}  # what the spool could not take
        self.calls: dict[str, sipbridge.Call | aio.Call] = {}
        self.traces: dict[str, str] = {}  # of live calls, by Call-ID

    def close_lost(self) -> int:
        """End the calls that a service before this one was killed with; how many there were."""
        lost = self._spool.in_flight()
        for record in lost:
            why = {"cause": "service-lost", "status": 503, "reason": "the service was killed"}
            self._spool.put(record | why | {"state": "ended", "ended_at": time.time()})
        return len(lost)

    def find(self, id: str) -> Record | None:
        """The record of a call that is up, or that the database has not got yet."""
        call = self.calls.get(id)
        return call.data if call is not None else self._spool.get(id)

    def has_room(self, most: int) -> bool:
        """Whether the record of another call can be kept, where `most` may wait for the database."""
        return not self._unkept and self._spool.waiting()[0] < most

    @contextlib.contextmanager
    def placing(self, **facts: Any) -> Iterator[None]:
        """A call that is placed within this has these facts in its record."""
        self._placing = {name: clean(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        try:
            yield
        finally:
            self._placing = {}

    # -- what the endpoint tells ---------------------------------------------------------------------------

    def call_started(self, call: sipbridge.Call | aio.Call) -> None:
        if call.data is not None:
            return
        record: Record = {
            "id": new_id(), "call_id": clean(call.call_id), "direction": "inbound" if call.incoming else "outbound",
            "caller": "", "callee": "", "state": "calling", "started_at": call.started, "answered_at": None,
            "ended_at": None, "seconds": 0.0, "cause": "", "status": 0, "reason": "", "outcome": "", "token": None,
            "bridge": None, "trace_id": new_trace_id(),
            "messages": [told for call_id, told in [self._invite] if call_id == call.call_id],
        }  # fmt: skip
        call.data = record = record | self._placing
        self.calls[record["id"]] = call
        self.traces[call.call_id] = record["trace_id"]
        self._keep(call, "call.started")

    def call_progress(self, call: sipbridge.Call, status: int, seconds: float) -> None:
        if call.data["state"] == "calling":
            call.data["state"] = "ringing"
            self._feed.publish("call.ringing", call.data)

    def call_answered(self, call: sipbridge.Call, seconds: float) -> None:
        call.data.update(state="answered", answered_at=call.answered_at or time.time())
        self._keep(call, "call.answered")

    def call_ended(self, ended: sipbridge.CallEnded) -> None:
        call, record = ended.call, ended.call.data
        record.update(state="ended", ended_at=call.ended_at or time.time(), seconds=round(call.duration, 3))
        record.update(cause=ended.cause, status=ended.status, reason=clean(ended.reason))
        self._keep(call, "call.ended")
        del self.calls[record["id"]]
        self.traces.pop(call.call_id, None)
        if record["token"]:
            self._spool.spend(record["token"], record["id"], record["seconds"])

    def message(self, message: Any) -> None:
        text = "%d %s" % (message.status, message.method) if message.status else message.method
        told = [round(message.time, 6), message.outgoing, clean(text)]
        if message.call is not None and message.call.data is not None:
            if len(message.call.data["messages"]) < MESSAGES:
                message.call.data["messages"].append(told)
        elif message.method == "INVITE":
            self._invite = message.call_id, told  # it is told of before its call

    def registration_changed(self, changed: sipbridge.RegistrationChanged, before: str | None) -> None:
        registration = changed.registration
        self._feed.publish("registration.changed", {"aor": registration.aor, "state": registration.state})

    def engine_lost(self, crash: Any) -> None:
        self._feed.publish("engine.lost", {"reason": crash.reason})

    # -- ----------------------------------------------------------------------------------------------------

    def note(self, call: Any, outcome: str) -> None:
        """Write into the record what became of a caller in the menu."""
        call.data["outcome"] = clean(outcome)

    def _keep(self, call: sipbridge.Call | aio.Call, kind: str) -> None:
        """Put the record into the spool, and tell of it."""
        record: Record = call.data
        ends = [call.local_uri, call.remote_uri]
        caller, callee = reversed(ends) if call.incoming else ends
        record.update(caller=clean(caller) or record["caller"], callee=clean(callee) or record["callee"])
        first = call.bridge.first.data if call.bridge is not None else None
        if first is not None:
            if first["token"] and not record["token"]:
                self._spool.spend(first["token"], record["id"], 0.0)
            record.update(bridge=first["id"], token=first["token"], trace_id=first["trace_id"])
        self._unkept[record["id"]] = record
        self.retry()
        self._feed.publish(kind, record)

    def retry(self) -> None:
        """Put what is not in the spool yet there: it could not be written, because the disk was full, say."""
        try:
            for id, record in list(self._unkept.items()):
                self._spool.put(record)
                del self._unkept[id]
        except sqlite3.Error as error:
            log.critical("%d call records are in memory alone: %s", len(self._unkept), error)
