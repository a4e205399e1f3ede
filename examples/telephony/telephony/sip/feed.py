"""The feed: what happens, for those who listen to `GET /events`."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

#: Events that are kept for a listener who comes back, and that wait for one who is slow; then he is cut off.
KEPT, WAITING = 1000, 1000


class Happened(NamedTuple):
    """An event: a number that grows, a kind as "call.answered", and its facts as JSON."""

    number: int
    kind: str
    data: str


class Feed:
    """Use it in the event loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._kept: deque[Happened] = deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[Happened | None]] = set()

    def publish(self, kind: str, facts: dict[str, Any]) -> None:
        event = Happened(
            next(self._numbers), kind, json.dumps({k: v for k, v in facts.items() if k != "messages"})
        )
        self._kept.append(event)
        for queue in list(self._listeners):
            if queue.qsize() >= WAITING:
                self._listeners.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    def forget(self, ids: set[str]) -> None:
        """Keep no event of these calls."""
        kept = [event for event in self._kept if json.loads(event.data).get("id") not in ids]
        self._kept = deque(kept, maxlen=KEPT)

    def close(self) -> None:
        """Let every listener go."""
        for queue in self._listeners:
            queue.put_nowait(None)
        self._listeners.clear()

    async def listen(self, after: int | None = None) -> AsyncIterator[Happened]:
        """The events from now on; before them those that are kept with a number above `after`."""
        queue: asyncio.Queue[Happened | None] = asyncio.Queue()
        for event in self._kept if after is not None else ():
            if event.number > (after or 0):
                queue.put_nowait(event)
        self._listeners.add(queue)
        try:
            while (told := await queue.get()) is not None:
                yield told
        finally:
            self._listeners.discard(queue)
