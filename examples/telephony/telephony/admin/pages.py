"""The pages of the panel that are no tables: ladders, incidents, and what changes something."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import zipfile
from typing import Any, ClassVar

from sqladmin import BaseView, expose
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import sipbridge
from sipbridge import ladder, svg
from telephony.service import Service
from telephony.store.models import Call

log = logging.getLogger("telephony.panel")

_INCIDENT = re.compile(r"[0-9A-Za-z-]+\Z")


class Pages(BaseView):
    """Derive from it with the service."""

    name, icon = "Operations", "fa-solid fa-sliders"
    service: ClassVar[Service]

    async def _audit(self, what: str) -> None:
        """Write what is about to be done into the audit. What cannot be written there is not done."""
        await self.service.database.note("admin", what)

    @staticmethod
    def _back(request: Request, page: str = "/operations") -> Response:
        return RedirectResponse(request.url_for("admin:index").path.rstrip("/") + page, 303)

    @expose("/operations", methods=["GET"])
    async def operations(self, request: Request) -> Any:
        trunks = [
            (name, each, *self.service.phone.state_of(name))
            for name, each in self.service.directory.trunks.items()
        ]
        folder = self.service.settings.incidents
        incidents = (
            sorted((each.name for each in folder.glob("*-*")), reverse=True) if folder.exists() else []
        )
        waiting, age = self.service.spool.waiting()
        facts = {
            "title": "Operations",
            "trunks": trunks,
            "incidents": incidents[:100],
            "waiting": waiting,
            "age": age,
            "service": self.service,
        }
        return await self.templates.TemplateResponse(request, "operations.html", facts)

    @expose("/ladder/{id}", methods=["GET"])
    async def ladder(self, request: Request) -> Response:
        async with self.service.database.sessions() as session:
            call = await session.get(Call, request.path_params["id"])
        if call is None:
            raise HTTPException(404)
        headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(
            _draw(call, self.service.phone.endpoint.address), media_type="image/svg+xml", headers=headers
        )

    @expose("/incident/{name}", methods=["GET"])
    async def incident(self, request: Request) -> Response:
        folder = self.service.settings.incidents / request.path_params["name"]
        if not _INCIDENT.match(folder.name) or not (folder / "incident.json").exists():
            raise HTTPException(404)
        await self._audit("download the incident %s" % folder.name)
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                await asyncio.to_thread(archive.write, file, "%s/%s" % (folder.name, file.name))
        name = 'attachment; filename="%s.zip"' % folder.name
        return Response(data.getvalue(), media_type="application/zip", headers={"Content-Disposition": name})

    @expose("/hang-up/{id}", methods=["POST"])
    async def hang_up(self, request: Request) -> Response:
        id = request.path_params["id"]
        call = self.service.phone.find(id)
        if call is not None:
            await self._audit("hang up the call %s" % id)
            call.hangup()
        return self._back(request, "/call/details/%s" % id)

    @expose("/registration/{trunk}", methods=["POST"])
    async def registration(self, request: Request) -> Response:
        name = request.path_params["trunk"]
        trunk = self.service.directory.trunks.get(name)
        if trunk is None:
            raise HTTPException(404)
        wanted = (await request.form()).get("do") == "register"
        await self._audit("%s the trunk %s" % ("register" if wanted else "unregister", name))
        try:
            if wanted:
                await self.service.phone.add_trunk(trunk).register(keep=True)
            else:
                await self.service.phone.remove_trunk(name)
        except sipbridge.SipbridgeError as error:
            log.error("trunk %s: %s", name, error)  # the page shows it
        return self._back(request)

    @expose("/erase", methods=["POST"])
    async def erase(self, request: Request) -> Response:
        number = str((await request.form()).get("number", "")).strip()
        if not number:
            raise HTTPException(422, "Give a number or a URI.")
        await self._audit("erase the records of a number")
        log.info("erased a number: %d records, %d incidents", *await self.service.erase(number))
        return self._back(request)

    @expose("/drain", methods=["POST"])
    async def drain(self, request: Request) -> Response:
        await self._audit("drain")
        self.service.drain()
        return self._back(request)


def _draw(call: Call, us: str) -> str:
    """The ladder of a call as SVG, from the messages in its record."""
    peer = call.callee if call.direction == "outbound" else call.caller
    arrows = [
        ladder.Arrow(time, *((us, peer) if outgoing else (peer, us)), text, text)
        for time, outgoing, text in call.messages
    ]
    return svg.render(
        arrows, [(us, "service"), (peer, "callee" if call.direction == "outbound" else "caller")]
    )
