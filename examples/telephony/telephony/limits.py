"""Against toll fraud: what a token may dial, how often, and for how long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from telephony.problems import Problem
from telephony.sip.book import Book
from telephony.store.models import Token
from telephony.store.spool import HOUR, Spool

_ELSEWHERE = re.compile(r";\s*maddr\s*=", re.IGNORECASE)  # RFC 3261, 19.1.1: goes there, whatever the host


def permit(token: Token, book: Book, spool: Spool, destinations: list[str]) -> float:
    """The seconds that a call to these may last. Raises Problem, before anything is sent.

    A destination is permitted if it begins as one of the token's does: "+49", "sip:100@example.com"; "" permits all.
    """
    for destination in destinations:
        if not any(_begins(destination, each) for each in token.destinations):
            raise Problem(
                403, "Destination not allowed", "This token may call: %s" % (", ".join(token.destinations))
            )
    calls, left = _left(token, book, spool)
    if calls + len(destinations) > token.calls_per_hour or left <= 0:
        which = "calls" if left > 0 else "minutes"
        detail = "This token has used up its %s of an hour." % which
        raise Problem(429, "Limit of %s reached" % which, detail, {"Retry-After": str(int(HOUR / 12))})
    return left


def used_up(tokens: Iterable[Token], book: Book, spool: Spool) -> list[str]:
    """The calls to hang up, by the id of their record: calls that are up together use up the minutes sooner."""
    by_name = {each.name: each for each in tokens}
    using = {call.data["token"] for call in book.calls.values()} & set(by_name)
    over = {name for name in using if _left(by_name[name], book, spool)[1] <= 0}
    return [id for id, call in book.calls.items() if call.data["token"] in over]


def _left(token: Token, book: Book, spool: Spool) -> tuple[int, float]:
    """The calls of a token in the last hour, and the seconds that it has left."""
    calls, seconds = spool.spent(token.name)
    seconds += sum(call.duration for call in book.calls.values() if call.data["token"] == token.name)
    return calls, token.minutes_per_hour * 60 - seconds


def _begins(destination: str, prefix: str) -> bool:
    """Whether a destination begins so. A host is a whole one, and nothing may send the request to another."""
    if not prefix:
        return True
    if not destination.startswith(prefix) or _ELSEWHERE.search(unquote(destination)):
        return False
    return "@" not in prefix or destination[len(prefix) :][:1] in ("", ":", ";")
