"""The database: SQLite or PostgreSQL, through SQLAlchemy; Alembic brings its tables up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
from sqlalchemy import Table, delete, event, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from telephony.settings import Settings
from telephony.store.models import Audit, Call

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

#: Seconds that one statement may take, and the wait for a connection.
PATIENCE = 5

#: What is raised while the database is away.
AWAY = (SQLAlchemyError, OSError, TimeoutError)

#: The lock that a copy has in PostgreSQL while it brings the tables up to date; any number that is ours.
_MIGRATION = 5060

#: The classes of SQLSTATE by which PostgreSQL finds fault with a value: a wrong one, one that a constraint forbids, one
#: that is too long for an index.
_FAULTS = ("22", "23", "54")


def refuses(error: Exception) -> bool:
    """Whether the database is there, and refuses what it was given: the same statement will never succeed."""
    original = getattr(error, "orig", None)
    state = getattr(original, "sqlstate", None) or ""
    # asyncpg raises a ValueError for what it cannot encode.
    encoding = isinstance(getattr(original, "__cause__", None), ValueError)
    return isinstance(error, (DataError, IntegrityError)) or state[:2] in _FAULTS or encoding


class Database:
    """A pool of connections. `sessions()` makes a session: `async with database.sessions() as session`."""

    def __init__(self, settings: Settings) -> None:
        self.engine = _engine(settings)
        self.schema = settings.database_schema
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def migrate(self) -> None:
        """Make the tables, or bring them to this release. Raises what SQLAlchemy raises where the database is away."""
        async with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":  # one copy after the other: a fleet starts at once
                await connection.execute(text("SELECT pg_advisory_xact_lock(%d)" % _MIGRATION))
            if self.schema:
                await connection.execute(
                    text('CREATE SCHEMA IF NOT EXISTS "%s"' % self.schema.replace('"', '""'))
                )
            await connection.run_sync(_upgrade)

    async def check(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def write(self, records: list[dict[str, Any]]) -> None:
        """Write call records; one that is there already is replaced."""
        table: Table = Call.__table__  # type: ignore[assignment]
        make = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        statement: Any = make(table)
        changes = {
            column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key
        }
        async with self.engine.begin() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["id"], set_=changes), records
            )

    async def note(self, who: str, what: str) -> None:
        """Write what somebody did into the audit."""
        async with self.sessions.begin() as session:
            session.add(Audit(who=who, what=what))

    async def expire(self, before: Any) -> int:
        """Delete the records of calls that ended before a moment; how many there were."""
        async with self.sessions.begin() as session:
            done: Any = await session.execute(delete(Call).where(Call.ended_at < before))
        return int(done.rowcount)

    async def erase(self, number: str) -> tuple[set[str], set[str]]:
        """Delete the records of calls that name a number or URI; their ids and their Call-IDs."""
        async with self.sessions.begin() as session:
            named = or_(*(_names(column, number) for column in (Call.caller, Call.callee, Call.outcome)))
            found = (await session.execute(select(Call.id, Call.call_id).where(named))).all()
            await session.execute(delete(Call).where(named))
        return {id for id, _ in found}, {call_id for _, call_id in found}


#: Where a URI, or what became of a caller in the menu, names a number: as a user, as a tel: URI, as the last word.
_NAMES = ("%%:%s@%%", "%%tel:%s", "%%tel:%s;%%", "%% %s")


def _names(column: Any, number: str) -> Any:
    """Whether a column is this URI, or names this number."""
    escaped = number.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(column == number, *(column.like(form % escaped, escape="\\") for form in _NAMES))


def _engine(settings: Settings) -> AsyncEngine:
    """Its errors hide the values of a statement: they are numbers of people, and go to the log."""
    url = settings.database
    if url.startswith("sqlite"):
        settings.data.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(url, connect_args={"timeout": PATIENCE}, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _wal)
        return engine
    server = {"search_path": settings.database_schema} if settings.database_schema else {}
    arguments = {"timeout": PATIENCE, "command_timeout": PATIENCE, "server_settings": server}
    return create_async_engine(
        url, connect_args=arguments, pool_timeout=PATIENCE, pool_pre_ping=True, hide_parameters=True
    )


def _wal(connection: Any, record: object) -> None:
    """Let readers and the one writer of SQLite not wait for each other."""
    connection.execute("PRAGMA journal_mode = WAL")


def _upgrade(connection: Connection) -> None:
    configuration = alembic.config.Config(attributes={"connection": connection})
    configuration.set_main_option("script_location", str(MIGRATIONS))
    alembic.command.upgrade(configuration, "head")
