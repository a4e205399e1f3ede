"""Idempotency-Key: a request that is sent again makes no second call (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from telephony.problems import Problem
from telephony.sip.book import new_id
from telephony.store.models import Token
from telephony.store.spool import Spool

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="repeat a request with the same key",
    ),
]


@contextmanager
def once(spool: Spool, token: Token, key: str | None, body: BaseModel) -> Iterator[tuple[str, bool]]:
    """The id for a call that is to be made, and whether an earlier request with the key has made it.

    If the body of this raises, the key is free again. Raises Problem if the key was used for something else.
    """
    id = new_id()
    if key is None:
        yield id, False
        return
    fingerprint = hashlib.sha256((type(body).__name__ + body.model_dump_json()).encode()).hexdigest()
    known, first = spool.request(token.name, key, fingerprint, id)
    if known != fingerprint:
        raise Problem(422, "Idempotency-Key used", "This key was sent with another request. Take a new one.")
    try:
        yield first, first != id
    except BaseException:
        if first == id:
            spool.forget_request(token.name, key)
        raise
