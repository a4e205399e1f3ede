"""The panel at /admin: calls, registrations, incidents; on sqladmin.

Nothing changes by a GET, and everything that changes something is a POST with the token of its session: sqladmin has no
such protection, so its own forms, deletions and actions are not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections import OrderedDict, deque

from fastapi import FastAPI
from sqladmin import Admin, ModelView
from sqladmin.authentication import AuthenticationBackend
from sqladmin.filters import AllUniqueStringValuesFilter
from starlette.requests import Request
from starlette.responses import Response

from telephony.admin.pages import Pages
from telephony.service import Service
from telephony.store.models import Audit, Call, Number, Token, Trunk

log = logging.getLogger("telephony.panel")

#: Failed log-ins of an address that are taken in a row; then it has to wait for so many seconds. Addresses in mind.
TRIES, WAIT, ADDRESSES = 5, 30.0, 10_000

#: Sessions at the same time, and their length in seconds.
SESSIONS, SESSION = 100, 8 * 3600


class LogIn(AuthenticationBackend):
    """One user, `admin`, with the password of the settings; and the token that each POST has to have."""

    def __init__(self, service: Service) -> None:
        secret = service.settings.secret_key.get_secret_value() or secrets.token_hex(32)
        super().__init__(secret, same_site="strict", session_cookie="telephony", max_age=SESSION)
        self._service = service
        self._failed: OrderedDict[str, tuple[int, float]] = (
            OrderedDict()
        )  # by address: how often, and until when
        self._sessions: deque[str] = deque(maxlen=SESSIONS)  # the tokens of those that nobody has ended

    async def login(self, request: Request) -> bool:
        form = await request.form()
        expected = self._service.settings.admin_password.get_secret_value()
        now, address = asyncio.get_running_loop().time(), _address(request)
        failed, until = self._failed.get(address, (0, 0.0))
        given = str(form.get("password", ""))
        right = form.get("username") == "admin" and hmac.compare_digest(given.encode(), expected.encode())
        if not right or (failed >= TRIES and now < until):
            self._failed[address] = failed + 1, now + WAIT
            self._failed.move_to_end(address)
            if len(self._failed) > ADDRESSES:
                self._failed.popitem(last=False)
            log.warning("a log-in to the panel failed", extra={"source.ip": address})
            return False
        self._failed.pop(address, None)
        await self._service.database.note("admin", "logged in from %s" % address)
        request.session.update(user_id="admin", csrf=secrets.token_urlsafe(32))
        self._sessions.append(request.session["csrf"])
        return True

    async def logout(self, request: Request) -> bool:
        with contextlib.suppress(ValueError):
            self._sessions.remove(
                request.session.get("csrf", "")
            )  # a copy of the cookie is worth nothing now
        request.session.clear()
        return True

    async def authenticate(self, request: Request) -> bool | Response:
        if request.session.get("csrf") not in self._sessions:
            return False
        if request.method in ("GET", "HEAD"):
            return True
        given = str((await request.form()).get("csrf", ""))
        if not hmac.compare_digest(given.encode(), request.session["csrf"].encode()):
            return Response("This form is not of your session. Go back, reload the page, and try again.", 403)
        return True


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


class ReadOnly(ModelView):
    can_create = can_edit = can_delete = can_export = False
    page_size = 50


class CallView(ReadOnly, model=Call):
    can_export = True
    name_plural, icon = "Calls", "fa-solid fa-phone"
    column_list = ("started_at", "direction", "caller", "callee", "state", "cause", "seconds")
    column_searchable_list = ("caller", "callee", "call_id", "id")
    column_sortable_list = ("started_at", "seconds")
    column_default_sort = ("started_at", True)
    column_filters = [AllUniqueStringValuesFilter(each) for each in (Call.state, Call.direction, Call.cause)]
    column_export_list = list(
        column_list
    )  # nothing that a peer words: a table program would run a formula in it
    column_details_exclude_list = ("messages",)
    details_template = "call.html"


class TrunkView(ReadOnly, model=Trunk):
    name_plural, icon = "Trunks", "fa-solid fa-tower-cell"
    column_exclude_list = column_details_exclude_list = ("password",)


class NumberView(ReadOnly, model=Number):
    name_plural, icon = "Numbers", "fa-solid fa-hashtag"
    column_list = "__all__"


class TokenView(ReadOnly, model=Token):
    name_plural, icon = "Tokens", "fa-solid fa-key"
    column_exclude_list = column_details_exclude_list = ("sha256",)


class AuditView(ReadOnly, model=Audit):
    name_plural, icon = "Audit", "fa-solid fa-list-check"
    column_list = "__all__"
    column_default_sort = ("id", True)


def install(app: FastAPI, service: Service) -> None:
    """Have the panel, if the settings have a password for it."""
    if not service.settings.admin_password.get_secret_value():
        return
    admin = Admin(
        app, session_maker=service.database.sessions, title="Telephony", authentication_backend=LogIn(service),
        templates_dir=str(__file__).rpartition("/")[0] + "/templates",
    )  # fmt: skip
    for view in (CallView, TrunkView, NumberView, TokenView, AuditView):
        admin.add_model_view(view)
    admin.add_base_view(type("PagesOfService", (Pages,), {"service": service}))
