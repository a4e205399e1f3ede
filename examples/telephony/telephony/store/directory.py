"""Tokens, trunks and numbers, in memory: calls go on while the database is away."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import secrets

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr
from sqlalchemy import select

from telephony.store.database import AWAY, Database
from telephony.store.models import Number, Token, Trunk

log = logging.getLogger("telephony.directory")

#: Seconds after which a change that somebody else made in the database is seen.
REFRESH = 5.0


class Directory:
    """What the database has of these three tables. Read it from the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tokens: dict[str, Token] = {}  # by SHA-256
        self.trunks: dict[str, Trunk] = {}
        self.numbers: dict[str, Number] = {}

    async def load(self) -> None:
        """Read the tables. Raises what SQLAlchemy raises."""
        async with self._database.sessions() as session:
            tokens = {each.sha256: each for each in await session.scalars(select(Token))}
            trunks = {each.name: each for each in await session.scalars(select(Trunk))}
            numbers = {each.number: each for each in await session.scalars(select(Number))}
        self.tokens, self.trunks, self.numbers = tokens, trunks, numbers

    async def run(self) -> None:
        """Read them again and again, until cancelled. While the database is away, what was read last holds."""
        while True:
            await asyncio.sleep(REFRESH)
            try:
                await self.load()
            except AWAY as error:
                log.warning("tokens, trunks and numbers are those of before: %s", error)

    async def save(self, row: Token | Trunk | Number) -> None:
        """Write a row, in place of the one with its key."""
        async with self._database.sessions.begin() as session:
            await session.merge(row)
        await self.load()

    async def delete(self, row: Token | Trunk | Number) -> None:
        async with self._database.sessions.begin() as session:
            await session.delete(row)
        await self.load()


def digest(token: str) -> str:
    """What the database has of a token. It is random and long, so a plain hash cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_token() -> str:
    return "tel_" + secrets.token_urlsafe(32)


class OtherKey(Exception):
    """SECRET_KEY is not the one of before."""


class Sealed:
    """Encrypts passwords of trunks with the setting SECRET_KEY."""

    def __init__(self, key: SecretStr) -> None:
        secret = hashlib.sha256(b"trunk passwords:" + key.get_secret_value().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(secret))

    def seal(self, password: str) -> str:
        return self._fernet.encrypt(password.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises OtherKey."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise OtherKey("SECRET_KEY is not the one that the password was encrypted with") from None
