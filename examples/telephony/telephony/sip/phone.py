"""The phone: the service's endpoint, with everything that watches it."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
from typing import Any

import sipbridge
from sipbridge import aio, payload, sdp
from sipbridge.access import SourceLimits
from telephony.problems import Problem
from telephony.settings import Settings
from telephony.sip import engine
from telephony.sip.book import Book
from telephony.store.directory import Directory, OtherKey, Sealed
from telephony.store.models import Trunk

log = logging.getLogger("telephony.phone")

#: What is offered as media: none. Keys come by INFO. A service with audio puts its own description here.
SDP = sdp.build("127.0.0.1", [sdp.medium("audio", 9, [payload.PCMU, payload.PCMA], "inactive")]).raw

_NUMBER = re.compile(r"\+?[0-9*#]{1,32}\Z")


def is_number(to: str) -> bool:
    return _NUMBER.match(to) is not None


class Phone:
    """Opens the endpoint with `open()`; `endpoint` is a `sipbridge.aio.Endpoint`."""

    endpoint: aio.Endpoint

    def __init__(self, settings: Settings, book: Book, directory: Directory) -> None:
        self.settings, self.book, self.directory = settings, book, directory
        self._sealed = Sealed(settings.secret_key)
        self._accounts: dict[str, Any] = {}  # by the trunk's name
        self._limits: dict[str, asyncio.TimerHandle] = {}

    async def open(self) -> None:
        """Raises NoEngine and what an endpoint raises."""
        settings = self.settings
        where, place = engine.choose(settings)
        log.info("the SIP engine runs in %s", where)
        limits = SourceLimits(settings.sip_calls_per_second) if settings.sip_calls_per_second else None
        self.endpoint = aio.Endpoint(
            settings.sip_address, settings.sip_identity, place, settings.sip_proxy, advertised=settings.sip_advertised,
            allow=settings.sip_allow, limits=limits, hep=settings.sip_hep,
            trusted_proxies=settings.sip_trusted_proxies, source_header=settings.sip_source_header,
            flight=sipbridge.FlightRecorder(str(settings.incidents), causes=["failed"], signal=signal.SIGUSR1),
        )  # fmt: skip
        self.endpoint.observe(self.book)
        self.endpoint.on(sipbridge.CallEnded, self._ended)
        await self.endpoint.__aenter__()
        log.info("calls come in at %s (%s)", self.endpoint.address, self.endpoint.engine_name)

    # -- calls -----------------------------------------------------------------------------------------------

    def place(
        self, to: str, from_: str | None, trunk: str | None, seconds: float, facts: dict[str, Any]
    ) -> aio.Call:
        """Call a URI, or a number over a trunk; returns at once. Raises Problem and SipbridgeError."""
        account = self._account_for(trunk, to)
        uri = self.uri_of(to, account)
        with self.book.placing(caller=self._own(account, from_), callee=uri, **facts):
            call: aio.Call = (
                account.invite(uri, SDP) if account else self.endpoint.invite(uri, SDP, from_=from_)
            )
        self.end_after(call, seconds)
        return call

    def connect(
        self, first: str, second: str, trunk: str | None, seconds: float, facts: dict[str, Any]
    ) -> aio.Bridge:
        """Call two parties and connect them; returns at once. Raises Problem and SipbridgeError."""
        account = self._account_for(trunk, first, second)
        options = {"first_from": account.address, "second_from": account.address} if account else {}
        parties = self.uri_of(first, account), self.uri_of(second, account)
        with self.book.placing(caller=self._own(account), **facts):
            bridge = self.endpoint.begin_click_to_call(*parties, offer=SDP, **options)
            self.book.call_started(bridge.first)  # now: the endpoint tells of it later
        self.end_after(bridge.first, seconds)
        return bridge

    def find(self, id: str) -> aio.Call | None:
        """A call that is up, by the id of its record."""
        return next((call for call in self.endpoint.calls if call.data and call.data["id"] == id), None)

    def end_after(self, call: aio.Call, seconds: float) -> None:
        """Hang the call up after so many seconds, if it is still there."""
        handle = asyncio.get_running_loop().call_later(seconds, call.hangup)
        self._limits[call.data["id"]] = handle

    def _ended(self, event: Any) -> None:
        handle = self._limits.pop(event.call.data["id"], None)
        if handle:
            handle.cancel()

    def uri_of(self, to: str, account: Any = None) -> str:
        """The URI of a number at the account's provider, or the first trunk's; a URI is one already. Raises Problem."""
        if not _NUMBER.match(to):
            return to
        account = account or self._account(None)
        return "sip:%s@%s" % (to.replace("#", "%23"), account.uri.rpartition("@")[2])

    def _own(self, account: Any, from_: str | None = None) -> str:
        """The URI that From will have, which the endpoint knows with the first response only."""
        own = account.address if account else from_ or self.settings.sip_identity or self.endpoint.uri
        return sipbridge.parse_address(own).uri

    # -- trunks ----------------------------------------------------------------------------------------------

    def _account(self, trunk: str | None) -> Any:
        name = trunk or next(iter(self._accounts), None)
        if name is None or name not in self._accounts:
            known = ", ".join(self._accounts) or "none"
            raise Problem(422, "No such trunk", "Trunks that are up: %s. PUT /trunks/NAME adds one." % known)
        return self._accounts[name]

    def _account_for(self, trunk: str | None, *parties: str) -> Any:
        """The account to call these from: of the trunk that is named, or that a number needs; else None."""
        return self._account(trunk) if trunk or any(map(_NUMBER.match, parties)) else None

    def add_trunk(self, trunk: Trunk) -> Any:
        """Have its account; one that is there stays. Raises OtherKey, and what sipbridge raises."""
        if trunk.name not in self._accounts:
            password = self._sealed.open(trunk.password) if trunk.password else None
            account = self.endpoint.add_account(
                trunk.address, trunk.user, password, registrar=trunk.registrar
            )
            self._accounts[trunk.name] = account
        return self._accounts[trunk.name]

    def seal(self, password: str | None) -> str | None:
        """The password as the database may have it. Raises Problem where nothing encrypts it."""
        if password and not self.settings.secret_key.get_secret_value():
            detail = "A trunk's password is encrypted with the setting SECRET_KEY. Set it, and start again."
            raise Problem(503, "No SECRET_KEY", detail)
        return self._sealed.seal(password) if password else None

    async def register_all(self) -> None:
        """Register every trunk that wants it; each is kept up, and a failure is in the log."""
        wanted = []
        for trunk in self.directory.trunks.values():  # all, before a registrar that is silent makes us wait
            try:
                account = self.add_trunk(trunk)
            except (sipbridge.SipbridgeError, OtherKey) as error:
                log.error("trunk %s: %s", trunk.name, error)
            else:
                wanted += [(trunk.name, account)] if trunk.register else []
        for name, account in wanted:
            try:
                await account.register(keep=True)
            except sipbridge.SipbridgeError as error:
                log.error("trunk %s: %s", name, error)

    async def remove_trunk(self, name: str) -> None:
        """Take its registration back, and have its account no more."""
        account = self._accounts.pop(name, None)
        if account is None:
            return
        self.endpoint.remove_account(account)
        if account.registration is not None:
            await account.registration.unregister()

    def state_of(self, trunk: str) -> tuple[str, str]:
        """Of a trunk's registration the state, "none" without one, and what went wrong last."""
        account = self._accounts.get(trunk)
        registration = account.registration if account else None
        return (registration.state, str(registration.error or "")) if registration else ("none", "")
