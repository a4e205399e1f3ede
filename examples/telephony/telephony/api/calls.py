"""Calls: place, connect, list, fetch, transfer, hang up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import or_, select

from telephony.api.once import Key, once
from telephony.api.schemas import CallList, CallRecord, ClickToCall, Moment, NewCall, Transfer
from telephony.limits import permit
from telephony.problems import Problem
from telephony.security import allowed, demand
from telephony.service import Service
from telephony.sip import menu
from telephony.sip.book import new_id
from telephony.sip.phone import Phone
from telephony.store.models import Call, Token
from telephony.store.outbox import as_row
from telephony.watch import new_trace_id

router = APIRouter(tags=["calls"])

Reading = Annotated[Token, allowed("calls:read")]
Writing = Annotated[Token, allowed("calls:write")]


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def record_of(request: Request, id: str) -> CallRecord:
    """The record of a call, wherever it is. Raises Problem."""
    service = service_of(request)
    record = service.book.find(id)
    if record is not None:
        row: Any = as_row(record)
    else:
        async with service.database.sessions() as session:
            row = await session.get(Call, id)
        if row is None:
            raise Problem(404, "No such call", "No call has the id %s." % id)
    found = CallRecord.model_validate(row)
    request.scope["call_id"] = found.call_id  # for the log line of this request
    return found


def _permit(service: Service, token: Token, destinations: list[str]) -> float:
    """The seconds that a call may last. Raises Problem."""
    if service.draining:
        raise Problem(503, "Draining", "This copy of the service takes no new calls.", {"Retry-After": "30"})
    if not service.book.has_room(service.settings.spool_calls):
        raise Problem(503, "No room for records", "The spool is full, or its disk.", {"Retry-After": "30"})
    return min(permit(token, service.book, service.spool, destinations), service.settings.longest_call)


async def _begin(
    request: Request,
    response: Response,
    body: NewCall | ClickToCall,
    token: Token,
    key: str | None,
    destinations: list[str],
    make: Callable[[Phone, float, dict[str, Any]], object],
) -> CallRecord:
    """Make a call to these, once for a key: `make` gets the seconds that it may last, and facts for its record."""
    service = service_of(request)
    with once(service.spool, token, key, body) as (id, repeated):
        if not repeated:
            seconds = _permit(service, token, destinations)
            make(service.phone, seconds, {"id": id, "token": token.name, "trace_id": new_trace_id()})
            service.spool.spend(token.name, id, 0.0)
    response.headers["Location"] = request.app.url_path_for("fetch", id=id)
    return await record_of(request, id)


@router.post("/calls", status_code=202)
async def place(
    request: Request, response: Response, body: NewCall, token: Writing, key: Key = None
) -> CallRecord:
    """Place a call. It goes on after the response: ask for it again, or listen to `/events`."""
    if body.from_ is not None:
        demand(token, "calls:from")

    def make(phone: Phone, seconds: float, facts: dict[str, Any]) -> None:
        phone.place(body.to, body.from_, body.trunk, seconds, facts)

    return await _begin(request, response, body, token, key, [body.to], make)


@router.post("/click-to-call", status_code=202)
async def connect(
    request: Request, response: Response, body: ClickToCall, token: Writing, key: Key = None
) -> CallRecord:
    """Call the first party, then the second, and let them talk (RFC 3725, flow IV). Returns the call to the first."""

    def make(phone: Phone, seconds: float, facts: dict[str, Any]) -> None:
        phone.connect(body.first, body.second, body.trunk, seconds, facts)

    return await _begin(request, response, body, token, key, [body.first, body.second], make)


@router.get("/calls")
async def index(
    request: Request,
    token: Reading,
    party: Annotated[
        str | None, Query(max_length=512, description="part of the caller's or callee's URI")
    ] = None,
    state: str | None = None,
    direction: str | None = None,
    cause: str | None = None,
    before: Annotated[Moment | None, Query(description="calls that started before this")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CallList:
    """List calls, the latest first. The database hears of a change within a second."""
    query = select(Call).order_by(Call.started_at.desc()).limit(limit)
    for column, value in ((Call.state, state), (Call.direction, direction), (Call.cause, cause)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(Call.started_at < before)
    if party:
        query = query.where(
            or_(Call.caller.contains(party, autoescape=True), Call.callee.contains(party, autoescape=True))
        )
    async with service_of(request).database.sessions() as session:
        calls = [CallRecord.model_validate(row) for row in await session.scalars(query)]
    return CallList(calls=calls, next=calls[-1].started_at.isoformat() if len(calls) == limit else None)


@router.get("/calls/{id}")
async def fetch(request: Request, id: str, token: Reading) -> CallRecord:
    """Fetch one call."""
    return await record_of(request, id)


def _live(request: Request, id: str, token: Token) -> Any:
    """A call that is up, and that the token may change. Raises Problem."""
    call = service_of(request).phone.find(id)
    if call is None:
        raise Problem(409, "Not up", "No call with the id %s is up." % id)
    if call.data["token"] != token.name:
        demand(token, "operate")
    request.scope["call_id"] = call.call_id
    return call


@router.delete("/calls/{id}", status_code=202)
async def hang_up(request: Request, id: str, token: Writing) -> CallRecord:
    """Hang up: BYE, or CANCEL where nobody has answered yet. A call of others asks for the scope `operate`."""
    _live(request, id, token).hangup()
    return await record_of(request, id)


@router.post("/calls/{id}/transfer")
async def transfer(request: Request, id: str, body: Transfer, token: Writing) -> CallRecord:
    """Have the peer of a call talk to somebody else (REFER). Returns when it does, or a problem."""
    service, call = service_of(request), _live(request, id, token)
    seconds = _permit(service, token, [body.to])
    uri = service.phone.uri_of(body.to)
    service.spool.spend(token.name, new_id(), 0.0)  # somebody pays for it, even if the peer makes the call
    await menu.transfer(service.phone, call, uri, body.attended, seconds)
    return await record_of(request, id)
