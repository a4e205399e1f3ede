"""The spool: a file with the calls that the database may not have yet.

Each change of a call is in the file before anybody hears of it, so neither a database that is away nor a killed
service loses one. SQLite's WAL is in the system's hands once a transaction is over: that outlives the process.
(A power cut may take the last second: PRAGMA synchronous=FULL costs a wait for the disk for each change.)
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

Record = dict[str, Any]

TABLES = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 0;
CREATE TABLE IF NOT EXISTS calls (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL, written INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL, changed REAL NOT NULL, record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting ON calls (changed) WHERE written < version;
CREATE TABLE IF NOT EXISTS requests (
    token TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, call TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (token, key)
);
CREATE TABLE IF NOT EXISTS spent (call TEXT PRIMARY KEY, token TEXT NOT NULL, at REAL NOT NULL, seconds REAL NOT NULL);
CREATE INDEX IF NOT EXISTS spent_by ON spent (token, at);
"""

#: Seconds for which requests are remembered, and for which limits count.
DAY, HOUR = 86400.0, 3600.0


class Waiting(NamedTuple):
    """A call that the database has to be told of."""

    id: str
    version: int
    record: Record


class SpoolTaken(Exception):
    """Another copy of the service has the file."""


class Spool:
    """Any thread may use it; each method takes some 50 us."""

    _file: sqlite3.Connection

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open the file, or make it. Raises SpoolTaken."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        try:
            self._file.executescript(TABLES)
        except sqlite3.OperationalError as error:
            self._file.close()
            if "locked" not in str(error):
                raise
            message = "another copy of the service has %s: give this one a folder of its own, DATA=..."
            raise SpoolTaken(message % self._path) from None

    def close(self) -> None:
        with self._lock:
            self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._file.close()

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._file.execute(statement, values).fetchall()

    def put(self, record: Record) -> None:
        """Keep the state of a call, in place of the one before."""
        self._all(
            "INSERT INTO calls (id, version, ended, changed, record) VALUES (?, 1, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET version = version + 1, ended = excluded.ended, changed = excluded.changed, record = excluded.record",
            record["id"], record["state"] == "ended", time.time(), json.dumps(record),
        )  # fmt: skip

    def get(self, id: str) -> Record | None:
        """The last state of a call that is not over, or that the database has not got."""
        found = self._all("SELECT record FROM calls WHERE id = ?", id)
        return json.loads(found[0][0]) if found else None

    def take(self, most: int) -> list[Waiting]:
        """Calls that the database has to be told of, the oldest first. They stay until :meth:`done`."""
        found = self._all(
            "SELECT id, version, record FROM calls WHERE written < version ORDER BY changed LIMIT ?", most
        )
        return [Waiting(id, version, json.loads(record)) for id, version, record in found]

    def done(self, told: list[Waiting]) -> None:
        """The database has them. A call that is over is forgotten, unless it has changed meanwhile."""
        pairs = [(each.version, each.id) for each in told]
        with self._lock, self._file:  # which rolls back where the disk is full
            self._file.execute("BEGIN")
            self._file.executemany("UPDATE calls SET written = ? WHERE id = ?", pairs)
            self._file.executemany("DELETE FROM calls WHERE version = ? AND id = ? AND ended", pairs)

    def tidy(self) -> None:
        """Bring the file up to date, and forget old requests. Waits for the disk, so call it on a thread of its own."""
        self._all("DELETE FROM requests WHERE at < ?", time.time() - DAY)
        self._all("DELETE FROM spent WHERE at < ?", time.time() - HOUR)
        self._all("PRAGMA wal_checkpoint(PASSIVE)")

    def waiting(self) -> tuple[int, float]:
        """How many calls wait for the database, and for how many seconds the oldest of them does."""
        [(count, oldest)] = self._all("SELECT count(*), min(changed) FROM calls WHERE written < version")
        return count, max(0.0, time.time() - oldest) if count else 0.0

    def in_flight(self) -> list[Record]:
        """The calls that are not over, as this file has them."""
        return [json.loads(record) for (record,) in self._all("SELECT record FROM calls WHERE NOT ended")]

    def request(self, token: str, key: str, fingerprint: str, call: str) -> tuple[str, str]:
        """Remember that a request makes a call; of the first one with that key, the fingerprint and the call's id."""
        self._all(
            "INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?, ?)",
            token,
            key,
            fingerprint,
            call,
            time.time(),
        )
        return self._all("SELECT fingerprint, call FROM requests WHERE token = ? AND key = ?", token, key)[0]

    def forget_request(self, token: str, key: str) -> None:
        """A request made no call: it may be made again."""
        self._all("DELETE FROM requests WHERE token = ? AND key = ?", token, key)

    def spend(self, token: str, call: str, seconds: float) -> None:
        """Count a call of a token, and the seconds that it was up."""
        self._all(
            "INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT (call) DO UPDATE SET seconds = excluded.seconds",
            call, token, time.time(), seconds,
        )  # fmt: skip

    def spent(self, token: str) -> tuple[int, float]:
        """The calls of a token in the last hour, and their seconds."""
        since = time.time() - HOUR
        return self._all(
            "SELECT count(*), coalesce(sum(seconds), 0) FROM spent WHERE token = ? AND at > ?", token, since
        )[0]
