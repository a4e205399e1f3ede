"""Who may use the API: bearer tokens (RFC 6750) with scopes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from telephony.problems import Problem
from telephony.store.directory import digest
from telephony.store.models import Token

#: What a token may be allowed, and what that is.
SCOPES = {
    "calls:read": "list and fetch calls, listen to events",
    "calls:write": "place calls; transfer and hang up those that it placed",
    "calls:from": "say whom a call or a MESSAGE is from",
    "messages:write": "send a MESSAGE",
    "trunks:write": "add, register and remove trunks and numbers",
    "operate": "transfer and hang up any call, drain the service, erase the records of a number",
}

_bearer = HTTPBearer(auto_error=False, description="A token that `python -m telephony token NAME` made")


def current(
    request: Request,
    scopes: SecurityScopes,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Token:
    """The token of a request, if it has the scopes. Raises Problem."""
    token: Token | None = (
        request.app.state.service.directory.tokens.get(digest(given.credentials)) if given else None
    )
    if token is None:
        detail = "Send `Authorization: Bearer TOKEN`; `python -m telephony token NAME` makes a token."
        raise Problem(401, "Not authenticated", detail, {"WWW-Authenticate": "Bearer"})
    demand(token, *scopes.scopes)
    return token


def demand(token: Token, *scopes: str) -> None:
    """Raises Problem where the token lacks one of these scopes."""
    missing = [scope for scope in scopes if scope not in token.scopes]
    if missing:
        error = 'Bearer error="insufficient_scope", scope="%s"' % " ".join(missing)
        raise Problem(
            403, "Not allowed", "This token lacks: " + ", ".join(missing), {"WWW-Authenticate": error}
        )


def allowed(*scopes: str) -> Any:
    """A parameter that has the token of the request, if it has these scopes."""
    return Security(current, scopes=list(scopes))
