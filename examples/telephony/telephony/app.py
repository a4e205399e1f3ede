"""The application: FastAPI, with the service behind it."""

from __future__ import annotations

from fastapi import FastAPI

from telephony import problems
from telephony.admin import panel
from telephony.api import calls, operations, trunks
from telephony.security import SCOPES
from telephony.service import Service
from telephony.watch import Watched

#: Octets of the largest request body, also of somebody without a token.
LARGEST_BODY = 64 * 1024

DESCRIPTION = """Place calls, follow them, and keep their records.

Each request needs a bearer token with the scope that it names. `python -m telephony token NAME` makes one.

| scope | allows to |
| --- | --- |
%s

Errors are `application/problem+json` (RFC 9457).""" % "\n".join(
    "| `%s` | %s |" % each for each in SCOPES.items()
)


def create_app(service: Service) -> FastAPI:
    """The ASGI application of a service. It answers within `service.running()`."""
    app = FastAPI(title="Telephony", version="1", description=DESCRIPTION, max_body_size=LARGEST_BODY)
    app.state.service = service
    problems.install(app)
    for module in (calls, trunks, operations):
        app.include_router(module.router)
    panel.install(app, service)
    app.add_middleware(Watched, registry=service.registry)
    return app
