"""The tables."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Moment = DateTime(timezone=True)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Base(DeclarativeBase):
    pass


class Call(Base):
    """The record of a call. It is written when the call begins, and again when it has been answered and has ended."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_by_parties", "caller", "callee"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    call_id: Mapped[str] = mapped_column(Text, index=True)
    direction: Mapped[str] = mapped_column(String(8))
    caller: Mapped[str] = mapped_column(Text)
    callee: Mapped[str] = mapped_column(Text, index=True)
    state: Mapped[str] = mapped_column(String(10), index=True)
    started_at: Mapped[datetime.datetime] = mapped_column(Moment, index=True)
    answered_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime.datetime | None] = mapped_column(Moment)
    seconds: Mapped[float] = mapped_column(default=0.0)
    cause: Mapped[str] = mapped_column(String(16), default="")
    status: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[str] = mapped_column(Text, default="")
    token: Mapped[str | None] = mapped_column(String(64))
    bridge: Mapped[str | None] = mapped_column(String(32))
    trace_id: Mapped[str] = mapped_column(String(32))
    messages: Mapped[list[Any]] = mapped_column(JSON, default=list)


class Token(Base):
    """Who may use the API, and for what. Of the token itself there is only the SHA-256."""

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    destinations: Mapped[list[str]] = mapped_column(JSON)
    calls_per_hour: Mapped[int]
    minutes_per_hour: Mapped[int]
    created_at: Mapped[datetime.datetime] = mapped_column(Moment, default=now)


class Trunk(Base):
    """An account at a provider. The password is encrypted with the setting SECRET_KEY."""

    __tablename__ = "trunks"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    registrar: Mapped[str] = mapped_column(Text)
    user: Mapped[str | None] = mapped_column(Text)
    password: Mapped[str | None] = mapped_column(Text)
    register: Mapped[bool] = mapped_column(default=True)


class Number(Base):
    """A number that callers dial, and what its menu does for each key: a URI to which the caller is transferred."""

    __tablename__ = "numbers"

    number: Mapped[str] = mapped_column(String(64), primary_key=True)
    menu: Mapped[dict[str, str]] = mapped_column(JSON)
    attended: Mapped[bool] = mapped_column(default=False)


class Audit(Base):
    """What somebody did in the panel or with a token of scope `operate`."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime.datetime] = mapped_column(Moment, default=now, index=True)
    who: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(Text)
