"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

import sqlite3

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

import sipbridge
from telephony.store.database import refuses
from telephony.store.directory import OtherKey

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Why a request was not done.

    Args:
        status: the status of the response.
        title: what kind of problem it is, in a few words.
        detail: what to do about it.
        headers: further header fields of the response.
    """

    def __init__(
        self, status: int, title: str, detail: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(title, detail)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers or {}


def respond(request: Request, problem: Problem, **more: object) -> JSONResponse:
    body = {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}
    body |= {"instance": request.url.path, "request_id": request.scope.get("request_id")}
    return JSONResponse(body | more, problem.status, problem.headers, MEDIA_TYPE)


def of_sip(error: sipbridge.SipbridgeError) -> Problem:
    """What an error of sipbridge is to who asked by HTTP."""
    if isinstance(error, sipbridge.InputError):
        return Problem(422, "Not possible in SIP", str(error))
    if isinstance(error, sipbridge.CallStateError):
        return Problem(409, "Not possible in the state of the call", str(error))
    if isinstance(error, sipbridge.TimeoutError):
        return Problem(504, "The peer did not answer", str(error))
    if isinstance(error, (sipbridge.ResponseError, sipbridge.TransportError)):
        return Problem(502, "The peer refused, or was not reached", str(error))
    return Problem(503, "The SIP engine is away", str(error), {"Retry-After": "2"})


def install(app: FastAPI) -> None:
    """Let the application answer with problems."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> JSONResponse:
        return respond(request, error)

    @app.exception_handler(sipbridge.SipbridgeError)
    async def of_the_phone(request: Request, error: sipbridge.SipbridgeError) -> JSONResponse:
        return respond(request, of_sip(error))

    @app.exception_handler(OtherKey)
    async def key(request: Request, error: OtherKey) -> JSONResponse:
        detail = "%s: set that one, or PUT the trunk again." % error
        return respond(request, Problem(503, "Another SECRET_KEY", detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"where": each["loc"], "what": each["msg"]} for each in error.errors()]
        problem = Problem(422, "The request is not valid", "Mend what `errors` names.")
        return respond(request, problem, errors=jsonable_encoder(errors))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        return respond(
            request, Problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))
        )

    @app.exception_handler(DBAPIError)
    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(OSError)
    async def database(request: Request, error: Exception) -> JSONResponse:
        if refuses(error):
            detail = (
                "The database takes no such value: it is too long, or has a character that it does not store."
            )
            return respond(request, Problem(422, "The request is not valid", detail))
        return respond(request, Problem(503, "The database is away", "Try again soon.", {"Retry-After": "5"}))
