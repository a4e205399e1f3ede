"""The outbox: brings the calls of the spool into the database, and waits where that is away.

A record that the database refuses goes into the folder `refused` beside the spool: it must not stop the others.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from telephony.store.database import AWAY, Database, refuses
from telephony.store.models import now
from telephony.store.spool import Record, Spool, Waiting

log = logging.getLogger("telephony.outbox")

#: Calls that one transaction writes, and seconds between two: at once, after nothing was there, after a failure.
BATCH, PAUSE, FIRST_WAIT, LONGEST_WAIT = 500, 0.2, 0.5, 5.0

#: Seconds between two times that the spool is tidied, and that old records are deleted.
TIDY, EXPIRE = 30.0, 3600.0

MOMENTS = ("started_at", "answered_at", "ended_at")


def as_row(record: Record) -> dict[str, Any]:
    """A record of the spool as a row of the table: seconds since 1970 become moments."""
    row = dict(record)
    for name in MOMENTS:
        if row[name] is not None:
            row[name] = datetime.datetime.fromtimestamp(row[name], datetime.UTC)
    return row


class Outbox:
    """Runs until it is cancelled; :meth:`flush_all` writes what is left."""

    def __init__(self, spool: Spool, database: Database, retention_days: int, refused: Path) -> None:
        self.spool, self.database, self.folder = spool, database, refused
        self.keep = datetime.timedelta(days=retention_days)
        self.written = self.refused = self.failures = 0
        self.away = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        tidied = expired = loop.time()
        wait = FIRST_WAIT
        while True:
            try:
                full = await self.flush() == BATCH
                if loop.time() - tidied > TIDY:
                    tidied = loop.time()
                    await asyncio.to_thread(self.spool.tidy)
                if loop.time() - expired > EXPIRE:
                    expired = loop.time()
                    log.info(
                        "%d call records were older than %s",
                        await self.database.expire(now() - self.keep),
                        self.keep,
                    )
            except (*AWAY, sqlite3.Error) as error:  # or the spool's disk is full
                self._failed(error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            wait, self.away = FIRST_WAIT, False
            await asyncio.sleep(0 if full else PAUSE)

    async def flush(self) -> int:
        """Write one batch; how many calls it had. Raises what SQLAlchemy raises."""
        told = self.spool.take(BATCH)
        if told:
            await self._write(told)
        return len(told)

    async def _write(self, told: list[Waiting]) -> None:
        """Write these, or all but those that the database refuses."""
        try:
            await self.database.write([as_row(each.record) for each in told])
        except SQLAlchemyError as error:
            if not refuses(error):
                raise
            half = len(told) // 2
            if half:
                await self._write(told[:half])
                await self._write(told[half:])
            else:
                await asyncio.to_thread(self._put_aside, told[0], error)
            return
        self.spool.done(told)
        self.written += len(told)
        for each in told:
            extra = {"sip.call_id": each.record["call_id"], "trace.id": each.record["trace_id"]}
            log.info("call record %s is in the database", each.id, extra=extra)

    def _put_aside(self, told: Waiting, error: Exception) -> None:
        self.folder.mkdir(exist_ok=True)
        file = self.folder / ("%s.json" % told.id)
        file.write_text(json.dumps(told.record, indent=2))
        self.spool.done([told])
        self.refused += 1
        log.critical("the database refuses a call record, which is in %s: %s", file, error)

    async def flush_all(self) -> None:
        """Write all that the spool has for the database. Raises what SQLAlchemy raises."""
        while await self.flush():
            pass

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if not self.away:
            log.error("call records wait in the spool: %s", error)
        self.away = True
