"""Everything else: messages, events, health, metrics, drain, erasure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import prometheus_client.exposition
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from telephony.api.calls import Reading, service_of
from telephony.api.schemas import MessageSent, NewMessage, Party
from telephony.limits import permit
from telephony.security import allowed, demand
from telephony.sip.book import new_id
from telephony.store.database import AWAY
from telephony.store.models import Token

router = APIRouter()

Sending = Annotated[Token, allowed("messages:write")]
Operating = Annotated[Token, allowed("operate")]


@router.post("/messages", tags=["messages"])
async def message(request: Request, body: NewMessage, token: Sending) -> MessageSent:
    """Send a MESSAGE (RFC 3428), and wait for the answer. It counts as a call of the token."""
    if body.from_ is not None:
        demand(token, "calls:from")
    service = service_of(request)
    permit(token, service.book, service.spool, [body.to])
    service.spool.spend(token.name, new_id(), 0.0)
    answer = await service.phone.endpoint.message(service.phone.uri_of(body.to), body.text, from_=body.from_)
    return MessageSent(status=answer.status, reason=answer.reason)


@router.get("/events", tags=["events"], response_class=EventSourceResponse)
async def events(
    request: Request, token: Reading, last: Annotated[int | None, Header(alias="Last-Event-ID")] = None
) -> AsyncIterator[ServerSentEvent]:
    """Listen to what happens, as server-sent events. `Last-Event-ID` brings what was missed, up to 1,000 events."""
    service = service_of(request)
    async for event in service.feed.listen(last):
        if token.sha256 not in service.directory.tokens:
            return  # it has been replaced
        yield ServerSentEvent(id=str(event.number), event=event.kind, raw_data=event.data)


@router.get("/health/live", tags=["health"], include_in_schema=False)
async def live(request: Request) -> JSONResponse:
    """Whether the service need not be restarted."""
    health = await service_of(request).phone.endpoint.health()
    draining = service_of(request).draining
    return JSONResponse({"live": health.live or draining}, 200 if health.live or draining else 503)


@router.get("/health/ready", tags=["health"], include_in_schema=False)
async def ready(request: Request) -> JSONResponse:
    """Whether new calls may be sent here: asks the engine, the event loop and the database."""
    service = service_of(request)
    health = await service.phone.endpoint.health()
    problems = sorted({problem.kind for problem in health.problems})
    try:
        await asyncio.wait_for(service.database.check(), 2)
    except AWAY:
        problems.append("database")  # calls go on: their records wait in the spool
    full = not service.book.has_room(service.settings.spool_calls)
    ok = health.ready and not service.draining and not full
    return JSONResponse({"ready": ok, "problems": problems + ["spool"] * full}, 200 if ok else 503)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    body = await asyncio.to_thread(prometheus_client.exposition.generate_latest, service_of(request).registry)
    return Response(body, media_type=prometheus_client.exposition.CONTENT_TYPE_PLAIN_0_0_4)


@router.post("/drain", tags=["operations"], status_code=202)
async def drain(request: Request, token: Operating) -> dict[str, int]:
    """Take nothing new, and let the calls that are up finish; then the service can be stopped."""
    service = service_of(request)
    await _note(request, token, "drain")
    service.drain()
    return {"calls": len(service.book.calls)}


@router.delete("/records", tags=["operations"])
async def erase(request: Request, number: Party, token: Operating) -> dict[str, int]:
    """Erase the records of all calls from and to a number or URI, and the incidents with such a call."""
    service = service_of(request)
    await _note(request, token, "erase the records of a number")
    records, incidents = await service.erase(number)
    return {"records": records, "incidents": incidents}


async def _note(request: Request, token: Token, what: str) -> None:
    await service_of(request).database.note("token " + token.name, what)
