"""The parts of the service, from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import shutil
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import prometheus_client
import sentry_sdk

from sipbridge import logs, metrics, sentry
from telephony.limits import used_up
from telephony.settings import Settings
from telephony.sip import menu
from telephony.sip.book import Book
from telephony.sip.feed import Feed
from telephony.sip.phone import Phone
from telephony.store.database import AWAY, Database
from telephony.store.directory import Directory
from telephony.store.outbox import Outbox
from telephony.store.spool import Spool
from telephony.watch import Ids, SpoolMetrics

log = logging.getLogger("telephony")


class Service:
    """Everything that one copy of the service has."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = prometheus_client.CollectorRegistry()
        self.spool = Spool(settings.data / "spool.sqlite3")
        self.database = Database(settings)
        self.directory = Directory(self.database)
        self.feed = Feed()
        self.book = Book(self.spool, self.feed)
        self.phone = Phone(settings, self.book, self.directory)
        self.outbox = Outbox(self.spool, self.database, settings.retention_days, settings.refused)
        self._tasks: list[asyncio.Task[None]] = []
        self._drain: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Let log lines, metrics and reports of errors go where the settings say."""
        if self.settings.log_json:
            logs.write_json(service="telephony")
        else:
            logging.basicConfig(format="%(asctime)s %(levelname)-7s %(message)s")
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        for handler in logging.getLogger().handlers:
            handler.addFilter(Ids(self.book.traces))
        if self.settings.sentry_dsn:
            sentry_sdk.init(
                self.settings.sentry_dsn,
                environment=self.settings.sentry_environment,
                max_request_body_size="never",  # there are numbers in it
                integrations=[sentry.SipbridgeIntegration()],
            )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From start to stop. Raises NoEngine, SpoolTaken, and what SQLAlchemy and sipbridge raise."""
        async with contextlib.AsyncExitStack() as stack:
            self.spool.open()
            stack.callback(self.spool.close)
            stack.push_async_callback(self.database.engine.dispose)
            await self.database.migrate()
            await self.directory.load()
            lost = self.book.close_lost()
            if lost:
                log.warning("%d calls were in flight when the service before this one was killed", lost)
            stack.callback(self.feed.close)
            stack.push_async_callback(self._end_tasks)
            await self.phone.open()
            stack.push_async_callback(self._hang_up)
            self._begin()
            yield

    def _begin(self) -> None:
        menu.install(self.phone)
        metrics.register(self.phone.endpoint, name="telephony", registry=self.registry)
        self.registry.register(SpoolMetrics(self.spool, self.outbox))
        self.run(self.directory.run())
        self.run(self._retry())
        if self.settings.with_records:
            self.run(self.outbox.run())
        if self.settings.with_trunks:
            self.run(self.phone.register_all())

    async def _retry(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.book.retry()
            for id in used_up(self.directory.tokens.values(), self.book, self.spool):
                self.book.calls[id].hangup()

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Let it go on until the service stops."""
        task = asyncio.create_task(coroutine)
        task.add_done_callback(_tell_failure)
        self._tasks.append(task)

    async def erase(self, number: str) -> tuple[int, int]:
        """Erase what is kept of a number or URI; how many call records and incidents that was."""
        if not self.outbox.away:
            await self.outbox.flush_all()
        ids, call_ids = await self.database.erase(number)
        self.feed.forget(ids)
        return len(ids), await asyncio.to_thread(self._erase_files, {number, *call_ids})

    def _erase_files(self, texts: set[str]) -> int:
        """Erase the incidents with one of these in a file, and refused records; how many incidents that was."""
        sought = re.compile(
            b"|".join(rb"(?<![0-9A-Za-z+])%s(?![0-9A-Za-z])" % re.escape(text.encode()) for text in texts)
        )  # whole words: the number 1 is not in 4711
        named = {
            file
            for folder in (self.settings.incidents, self.settings.refused)
            for file in folder.rglob("*.*")
            if file.is_file() and sought.search(file.read_bytes())
        }
        folders = {file.parent for file in named} - {self.settings.refused}
        for folder in folders:
            shutil.rmtree(folder)
        for file in named:
            file.unlink(missing_ok=True)
        return len(folders)

    @property
    def draining(self) -> bool:
        """Whether it takes nothing new."""
        return self._drain is not None

    def drain(self) -> asyncio.Task[None]:
        """Take nothing new, and let the calls that are up finish; the task ends with the last of them."""
        if self._drain is None:
            self._drain = asyncio.create_task(self._wait_for_calls())
        return self._drain

    async def _wait_for_calls(self) -> None:
        finished = await self.phone.endpoint.drain(self.settings.drain_seconds)
        log.info("drained: %s", "every call has finished" if finished else "some calls were hung up")

    async def _hang_up(self) -> None:
        await self.drain()
        await self.phone.endpoint.close()

    async def _end_tasks(self) -> None:
        """End what runs, and write the records that are left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.settings.with_records:
            try:
                await self.outbox.flush_all()
            except AWAY as error:
                left = self.spool.waiting()[0]
                log.warning("%d call records stay in the spool for the next start: %s", left, error)


def _tell_failure(task: asyncio.Task[None]) -> None:
    """What runs until the service stops should not end before: without this nobody would hear of it."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("a part of the service has failed: restart it", exc_info=task.exception())
