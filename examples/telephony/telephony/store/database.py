"""The database: SQLite or PostgreSQL, through SQLAlchemy; Alembic brings its tables up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
from sqlalchemy import Table, delete, event, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from telephony.settings import Settings
from telephony.store.models import Audit, Call

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

#: Seconds that one statement may take, and the wait for a connection.
PATIENCE = 5


class Database:
    """A pool of connections. `sessions()` makes a session: `async with database.sessions() as session`."""

    def __init__(self, settings: Settings) -> None:
        self.engine = _engine(settings)
        self.schema = settings.database_schema
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def migrate(self) -> None:
        """Make the tables, or bring them to this release. Raises what SQLAlchemy raises where the database is away."""
        async with self.engine.begin() as connection:
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

    async def erase(self, number: str) -> list[str]:
        """Delete the records of calls from or to a number or URI; their Call-IDs."""
        async with self.sessions.begin() as session:
            named = or_(*(_names(column, number) for column in (Call.caller, Call.callee)))
            found = list((await session.scalars(select(Call.call_id).where(named))).all())
            await session.execute(delete(Call).where(named))
        return found


def _names(column: Any, number: str) -> Any:
    """Whether a URI is this one, or has this number as its user."""
    escaped = number.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(
        column == number, *(column.like(form % escaped, escape="\\") for form in ("%%:%s@%%", "tel:%s"))
    )


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


__all__ = ["AsyncSession", "Database"]
