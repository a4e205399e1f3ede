"""Trunks: accounts at providers; and the numbers that callers dial."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Request, Response

import sipbridge
from sipbridge.uri import parse_address, parse_uri
from telephony.api.calls import service_of
from telephony.api.schemas import Name, NewTrunk, NumberMenu, TrunkState
from telephony.problems import Problem
from telephony.security import allowed
from telephony.sip.phone import is_number
from telephony.store.models import Number, Token, Trunk

log = logging.getLogger("telephony.trunks")

router = APIRouter(tags=["trunks"])

Reading = Annotated[Token, allowed("calls:read")]
Writing = Annotated[Token, allowed("trunks:write")]


def _find(request: Request, name: str) -> Trunk:
    trunk = service_of(request).directory.trunks.get(name)
    if trunk is None:
        raise Problem(404, "No such trunk", "PUT /trunks/%s adds it." % name)
    return trunk


def _state(request: Request, trunk: Trunk) -> TrunkState:
    state, error = service_of(request).phone.state_of(trunk.name)
    return TrunkState(
        name=trunk.name, address=trunk.address, registrar=trunk.registrar, state=state, error=error
    )


@router.get("/trunks")
async def trunks(request: Request, token: Reading) -> list[TrunkState]:
    """List the trunks with the state of their registration."""
    return [_state(request, trunk) for trunk in service_of(request).directory.trunks.values()]


@router.put("/trunks/{name}")
async def put_trunk(request: Request, name: Name, body: NewTrunk, token: Writing) -> TrunkState:
    """Add a trunk, or change one. `POST /trunks/NAME/registration` registers it."""
    service = service_of(request)
    parse_address(body.address), parse_uri(body.registrar)  # before the one that is there goes
    password = service.phone.seal(body.password.get_secret_value() if body.password else None)
    trunk = Trunk(
        name=name, address=body.address, registrar=body.registrar, user=body.user, password=password,
        register=body.register_,
    )  # fmt: skip
    await service.directory.save(trunk)
    try:
        await service.phone.remove_trunk(name)
    finally:  # also where the old registrar is silent
        service.phone.add_trunk(trunk)
    return _state(request, trunk)


@router.delete("/trunks/{name}", status_code=204)
async def delete_trunk(request: Request, name: str, token: Writing) -> Response:
    """Take its registration back, and forget it."""
    service = service_of(request)
    await service.directory.delete(_find(request, name))
    try:
        await service.phone.remove_trunk(name)
    except sipbridge.SipbridgeError as error:
        log.warning("trunk %s: its registration stays until it expires: %s", name, error)
    return Response(status_code=204)


@router.post("/trunks/{name}/registration")
async def register(request: Request, name: str, token: Writing) -> TrunkState:
    """Register. It is kept up until it is taken back. A problem tells what the registrar said."""
    trunk = _find(request, name)
    await service_of(request).phone.add_trunk(trunk).register(keep=True)
    return _state(request, trunk)


@router.delete("/trunks/{name}/registration")
async def unregister(request: Request, name: str, token: Writing) -> TrunkState:
    """Take the registration back."""
    trunk = _find(request, name)
    registration = service_of(request).phone.add_trunk(trunk).registration
    if registration is not None:
        await registration.unregister()
    return _state(request, trunk)


@router.get("/numbers")
async def numbers(request: Request, token: Reading) -> dict[str, NumberMenu]:
    """List the numbers that are answered, with their menus."""
    found = service_of(request).directory.numbers
    return {name: NumberMenu(menu=each.menu, attended=each.attended) for name, each in found.items()}


@router.put("/numbers/{number}")
async def put_number(request: Request, number: Name, body: NumberMenu, token: Writing) -> NumberMenu:
    """Answer a number with a menu by keys (DTMF)."""
    for target in body.menu.values():
        if not is_number(target):
            parse_uri(target)  # now, not when somebody calls
    await service_of(request).directory.save(
        Number(number=number, menu=dict(body.menu), attended=body.attended)
    )
    return body


@router.delete("/numbers/{number}", status_code=204)
async def delete_number(request: Request, number: str, token: Writing) -> Response:
    """Answer it with 404 from now on."""
    found = service_of(request).directory.numbers.get(number)
    if found is None:
        raise Problem(404, "No such number", "")
    await service_of(request).directory.delete(found)
    return Response(status_code=204)
