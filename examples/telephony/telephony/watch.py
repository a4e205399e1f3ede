"""Who asked for what, in logs, metrics and traces: one id through HTTP, SIP and the database."""

from __future__ import annotations

import contextvars
import logging
import re
import secrets
import time
from typing import Any

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("telephony.http")

#: The trace of the request that is being answered: 32 hexadecimal digits, as in W3C Trace Context.
trace_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("trace_id", default=None)
request_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("request_id", default=None)

_PARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\Z")
#: Others count as one: whoever asks may invent a method for each request, and each would stay in memory.
METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def new_trace_id() -> str:
    return trace_id.get() or secrets.token_hex(16)


class Watched:
    """ASGI middleware: gives each request its ids, and counts and logs how it went."""

    def __init__(self, app: ASGIApp, registry: prometheus_client.CollectorRegistry) -> None:
        self.app = app
        self.seconds = prometheus_client.Histogram(
            "telephony_http_request_seconds", "Seconds that a request took", ["method", "route", "status"],
            registry=registry, buckets=(0.005, 0.025, 0.1, 0.5, 2.5, 10),
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        parent = _PARENT.match(headers.get(b"traceparent", ""))
        trace_id.set(parent.group(1) if parent else secrets.token_hex(16))
        given = headers.get(b"x-request-id", "")
        scope["request_id"] = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        request_id.set(scope["request_id"])
        status = 500
        began = time.monotonic()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", scope["request_id"].encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        finally:
            self._tell(scope, status, time.monotonic() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(
            scope.get("route"), "path", "other"
        )  # not the path: that is whatever somebody asked for
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.seconds.labels(method, route, status).observe(seconds)
        extra: dict[str, Any] = {
            "http.request.method": scope["method"], "url.path": scope["path"], "event.duration": int(seconds * 1e9),
            "http.response.status_code": status,
        }  # fmt: skip
        if scope.get("call_id"):
            extra["sip.call_id"] = scope["call_id"]
        path = scope["path"].encode("unicode_escape").decode()  # a line break would make a second log line
        log.info("%s %s: %d", scope["method"], path, status, extra=extra)


class Ids(logging.Filter):
    """Gives each log line the ids of its request, or of its call where the line has a Call-ID."""

    def __init__(self, traces: dict[str, str]) -> None:
        super().__init__()
        self._traces = traces  # by Call-ID, of the calls that are up

    def filter(self, record: logging.LogRecord) -> bool:
        facts = vars(record)
        trace = self._traces.get(facts.get("call_id", "")) or trace_id.get()
        if trace and "trace.id" not in facts:
            facts["trace.id"] = trace
        if request_id.get():
            facts["http.request.id"] = request_id.get()
        return True


class SpoolMetrics:
    """Tells Prometheus of the spool and the outbox."""

    def __init__(self, spool: Any, outbox: Any) -> None:
        self._spool, self._outbox = spool, outbox

    def collect(self) -> Any:
        count, age = self._spool.waiting()
        yield GaugeMetricFamily("telephony_spool_calls", "Calls that wait for the database", count)
        yield GaugeMetricFamily(
            "telephony_spool_oldest_seconds", "Seconds for which the oldest of them has waited", age
        )
        yield CounterMetricFamily(
            "telephony_records_written", "Call records written to the database", self._outbox.written
        )
        yield CounterMetricFamily(
            "telephony_records_refused",
            "Call records put aside, which the database refused",
            self._outbox.refused,
        )
        yield CounterMetricFamily(
            "telephony_database_failures", "Times that the database was away", self._outbox.failures
        )
